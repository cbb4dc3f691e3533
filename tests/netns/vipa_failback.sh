#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A better adapter returns (scenarios 10, 12, 13): it gets the VIPA back after the delay of its link and the hold, not earlier; at once when
# the owner fails meanwhile; with manual failback when the operator says so. What is sent to the former owner is forwarded all the time.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
dispatcher_up 3 --hold 3s --refresh 0
stream_up s1 s2
xdplb port add web/$STREAM_PORT >/dev/null
for s in 1 2; do xdplb server add web/$STREAM_PORT 10.1.1.2$s --name s$s >/dev/null; done
wait_until 10 resolved web/$STREAM_PORT 2 || fail "servers did not resolve: $(xdplb status 2>&1)"
URLS=("http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream")

all_owned_by() { owner_is $VIPA4 "$1" && owner_is $VIPA6 "$1"; }
owned_by() { wait_until 10 all_owned_by "$1" || fail "$1 does not own both: $(xdplb vipa list)"; }
set_all() { for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" "$@" >/dev/null; done; }
healthy() { vipa_is $VIPA4 "any(p['interface'] == '$1' and p['healthy'] and p['state'] == 'up' for p in d['preferred'])"; }
waits_for() { vipa_is $VIPA4 "d['failback_to'] == '$1'" && vipa_is $VIPA6 "d['failback_to'] == '$1'"; }
gateway_has() { ip -n "$LAB-gateway" neighbour show "$1" | grep -q "lladdr $(adapter_mac "$2")"; }
# quiet PORT SINCE: nobody said there to have a VIPA.
quiet() { expect_captured "$3" wire "not said('$VIPA4', $2, port='dispatcher-$1') and not said('$VIPA6', $2, port='dispatcher-$1')"; }

# ---- delayed: 2 s until the link counts as good, 3 s of hold
pull dispatcher 0
owned_by e1
pull dispatcher 1
owned_by e2
downloads_start remote far 10 "${URLS[@]}"
FAR=far:$DOWNLOADS
downloads_start client near 10 "${URLS[@]}"
NEAR=near:$DOWNLOADS
for address in $VIPA4 $VIPA6; do
  gateway_has "$address" 2 || fail "the gateway has $(ip -n "$LAB-gateway" neighbour show "$address")"
  # The client will not hear that e2 lost it.
  ip -n "$LAB-client" neighbour replace "$address" lladdr "$(adapter_mac 2)" nud permanent dev eth0
done
PLUGGED=$(now)
plug dispatcher 0
wait_until 5 waits_for e0 || fail "nobody waits for e0: $(xdplb vipa show $VIPA4)"
vipa_is $VIPA4 "0 < d['failback_in_s'] <= 5 and d['owner'] == 'e2'" || fail "failback: $(xdplb -j vipa show $VIPA4)"
wait_until 5 event_is "e['code'] == 'vipa_failback_pending'" || fail "no event: $(xdplb events)"
for address in $VIPA4 $VIPA6; do
  since="announced('$address', $PLUGGED, port='dispatcher-e0')"
  wait_until 15 captured_is wire "len($since) >= 1" || fail "e0 does not get $address back: $(xdplb vipa show "$address")"
  expect_captured "$address: e0 announces it $(captured wire "times($since, $PLUGGED)[0]") s after its cable is back: 2 s and 3 s" wire \
    "4.95 <= ${since}[0]['t'] - $PLUGGED <= 7 and not said('$address', $PLUGGED, ${since}[0]['t'] - 0.001, port='dispatcher-e0') and has_reply(${since}[0])"
  expect_captured "$address: e2 is mute from then on" wire "not said('$address', ${since}[0]['t'], port='dispatcher-e2')"
  wait_until 1 gateway_has "$address" 0 || fail "the gateway has $(ip -n "$LAB-gateway" neighbour show "$address")"
  ok "the gateway's entry is e0"
done
owned_by e0
vipa_is $VIPA4 "d['last_move']['cause'] == 'failback'" || fail "cause: $(xdplb -j vipa show $VIPA4)"
downloads_all_run "back at e0, the client sends to e2 still" "$FAR" "$NEAR"
for address in $VIPA4 $VIPA6; do ip -n "$LAB-client" neighbour delete "$address" dev eth0; done

# ---- the owner fails while a better one is waited for
plug dispatcher 1
wait_until 10 healthy e1 || fail "e1 is not healthy: $(xdplb vipa show $VIPA4)"
set_all --hold 60s
pull dispatcher 0
owned_by e1
plug dispatcher 0
wait_until 10 waits_for e0 || fail "nobody waits for e0: $(xdplb vipa show $VIPA4)"
wait_until 10 healthy e0 || fail "e0 is not healthy: $(xdplb vipa show $VIPA4)"
PULLED=$(now)
pull dispatcher 1
for address in $VIPA4 $VIPA6; do
  since="announced('$address', $PULLED, port='dispatcher-e0')"
  wait_until 5 captured_is wire "len($since) >= 1" || fail "e1 fails: e0 does not announce $address"
  expect_captured "$address: e1 fails, e0 announces it after $(captured wire "times($since, $PULLED)[0]") s without waiting" wire \
    "${since}[0]['t'] - $PULLED <= 0.2"
done
owned_by e0
downloads_all_run "the hold was void" "$FAR" "$NEAR"

# ---- manual
plug dispatcher 1
wait_until 10 healthy e1 || fail "e1 is not healthy: $(xdplb vipa show $VIPA4)"
set_all --failback manual --hold 1s
pull dispatcher 0
owned_by e1
PLUGGED=$(now)
plug dispatcher 0
wait_until 10 healthy e0 || fail "e0 is not healthy: $(xdplb vipa show $VIPA4)"
for address in $VIPA4 $VIPA6; do expect_equal "manual: $address is answered by e1" "$(adapter_mac 1)" "$(who_has "$address")"; done
owned_by e1
quiet e0 "$PLUGGED" "manual: nothing of e0, $(captured wire "round($(now) - $PLUGGED, 1)") s after its cable is back"
MOVED=$(now)
for address in $VIPA4 $VIPA6; do
  xdplb vipa move "$address" e0 >/dev/null
  wait_until 5 captured_is wire "len(announced('$address', $MOVED, port='dispatcher-e0')) >= 1" || fail "move: e0 does not announce $address"
  expect_captured "manual: the operator moves $address to e0, which announces it" wire "has_reply(announced('$address', $MOVED, port='dispatcher-e0')[0])"
done
owned_by e0
downloads_all_run "at the end" "$FAR" "$NEAR"
expect_equal "downloads broken" 0 "$(($(json 'd["broken"]' <"$WORK/near") + $(json 'd["broken"]' <"$WORK/far")))"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Cables are pulled one after the other and put back (scenarios 6-9, 30, 42): the next adapter announces at once, the old one is mute
# before; a neighbour that learned a moment ago follows the first announcement; a running download goes on; without an adapter there is
# silence; one that returns announces at once after a short silence, after a long one it asks first.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
dispatcher_up 3 --failback manual --refresh 0
stream_up s1 s2
port_small() { xdplb port add web/$STREAM_PORT >/dev/null && for s in 1 2; do xdplb server add web/$STREAM_PORT 10.1.1.2$s --name s$s >/dev/null; done; }
port_small
wait_until 10 resolved web/$STREAM_PORT 2 || fail "servers did not resolve: $(xdplb status 2>&1)"
downloads_start client near 10 "http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream"
DOWNLOADS_PID=$DOWNLOADS

# client_has ADDRESS N: the client's entry for it is adapter eN.
client_has() { ip -n "$LAB-client" neighbour show "$1" | grep -q "lladdr $(adapter_mac "$2")"; }
# learn ADDRESS N: the client forgets it and asks anew, now.
learn() {
  ip -n "$LAB-client" neighbour flush to "$1" 2>/dev/null
  wait_until 5 answered client "$1" || fail "$1 does not answer"
  client_has "$1" "$2" || fail "the client learned $(ip -n "$LAB-client" neighbour show "$1"), expected e$2"
}

# moves FROM TO COMMAND...: the command makes eFROM fail, and eTO takes over.
moves() {
  local from=$1 to=$2 address start new since
  shift 2
  for address in $VIPA4 $VIPA6; do learn "$address" "$from"; done
  start=$(now)
  "$@"
  new=$(adapter_mac "$to")
  for address in $VIPA4 $VIPA6; do
    wait_until 5 client_has "$address" "$to" || fail "$address: the client has $(ip -n "$LAB-client" neighbour show "$address")"
    # What eFROM says until the command is done is right.
    since="announced('$address', $start, port='dispatcher-e$to')"
    wait_until 5 captured_is wire "len($since) >= 1" || fail "e$to does not announce $address"
    expect_captured "e$from fails: e$to announces $address after $(captured wire "times($since, $start)[0]") s" wire \
      "${since}[0]['mac'] == '$new' and well_formed(${since}[0]) and has_reply(${since}[0]) and ${since}[0]['t'] - $start <= 0.2"
    expect_captured "e$from is mute before e$to speaks" wire \
      "not [x for x in said('$address', ${since}[0]['t']) if x['mac'] != '$new']"
    vipa_is "$address" "d['owner'] == 'e$to' and d['last_move']['from'] == 'e$from' and 0 <= d['event_to_announcement_ms'] < 200" ||
      fail "$address: $(xdplb -j vipa show "$address")"
    ok "the daemon's own measure: $(xdplb -j vipa show "$address" | json 'round(d["event_to_announcement_ms"], 2)') ms from the event to the frame"
    expect_equal "the client's question" "$new" "$(who_has "$address")"
  done
  downloads_all_run "e$to owns" "near:$DOWNLOADS_PID"
}
moves 0 1 pull dispatcher 0
moves 1 2 pull dispatcher 1

# ---- nobody is left
silent() { vipa_is $VIPA4 'd["state"] == "silent" and d["owner"] is None' && vipa_is $VIPA6 'd["state"] == "silent"'; }
has_problem() { [[ $(status_json | json "any(p['code'] == '$1' for p in d['problems'])") == true ]]; }
# The operator takes e2 out, so that the cable would carry what is said.
SILENT_FROM=$(now)
xdplb interface disable e2 >/dev/null
wait_until 5 silent || fail "no adapter is left: $(xdplb vipa list)"
has_problem vipa_silent || fail "no problem vipa_silent: $(status_json)"
for address in $VIPA4 $VIPA6; do expect_equal "$address: answers when no adapter is left" "" "$(who_has "$address")"; done
expect_captured "silence" wire "not said('$VIPA4', $SILENT_FROM) and not said('$VIPA6', $SILENT_FROM) and not pick($SILENT_FROM, kind='probe')"
BACK=$(now)
xdplb interface enable e2 >/dev/null
for address in $VIPA4 $VIPA6; do
  wait_until 10 owner_is "$address" e2 || fail "e2 is enabled: $(xdplb vipa show "$address")"
  wait_until 5 captured_is wire "len(announced('$address', $BACK)) >= 1" || fail "e2 does not announce $address"
  expect_captured "$address: back after a short silence, without a probe" wire "not pick($BACK, kind='probe', target='$address')"
done

# ---- the last cable, for 3 s and for 12 s
silent_for() { silent && vipa_is $VIPA4 "d['since_s'] >= $1" && vipa_is $VIPA6 "d['since_s'] >= $1"; }
pull dispatcher 2
wait_until 10 silent_for 3 || fail "the last cable is pulled: $(xdplb vipa list)"
BACK=$(now)
plug dispatcher 2
for address in $VIPA4 $VIPA6; do
  wait_until 5 captured_is wire "len(announced('$address', $BACK)) >= 1" || fail "e2 does not announce $address"
  expect_captured "$address: after 3 s of silence announced $(captured wire "times(announced('$address', $BACK), $BACK)[0]") s after the cable is back, unasked" wire \
    "announced('$address', $BACK)[0]['t'] - $BACK <= 0.5 and not pick($BACK, kind='probe', target='$address')"
done
downloads_all_run "after silence" "near:$DOWNLOADS_PID"
pull dispatcher 2
wait_until 20 silent_for 12 || fail "the last cable is pulled: $(xdplb vipa list)"
BACK=$(now)
plug dispatcher 2
for address in $VIPA4 $VIPA6; do
  wait_until 5 captured_is wire "len(announced('$address', $BACK)) >= 1" || fail "e2 does not announce $address"
  probes="pick($BACK, kind='probe', target='$address')"
  expect_captured "$address: after 12 s of silence asked for first, and announced within 1.2 s" wire \
    "len($probes) == (1 if ':' in '$address' else 3) and ${probes}[-1]['t'] < announced('$address', $BACK)[0]['t'] <= $BACK + 1.2 + 0.5"
done
downloads_all_run "at the end" "near:$DOWNLOADS_PID"
expect_equal "downloads broken" 0 "$(json 'd["broken"]' <"$WORK/near")"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Neighbours that know the VIPA at an adapter which no longer owns it (scenarios 28, 29, 31): their packets go on to the same servers, and
# their question to the old adapter is answered, through the new one and with its MAC. An adapter with a new MAC announces it.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
rogue_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
dispatcher_up 3 --failback manual --refresh 0
stream_up s1 s2
xdplb port add web/$STREAM_PORT >/dev/null
for s in 1 2; do xdplb server add web/$STREAM_PORT 10.1.1.2$s --name s$s >/dev/null; done
wait_until 10 resolved web/$STREAM_PORT 2 || fail "servers did not resolve: $(xdplb status 2>&1)"
downloads_start client near 10 "http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream"
DOWNLOADS_PID=$DOWNLOADS
OLD=$(adapter_mac 0) NEW=$(adapter_mac 1)

# The client believes in e0, whatever it hears.
for address in $VIPA4 $VIPA6; do ip -n "$LAB-client" neighbour replace "$address" lladdr "$OLD" nud permanent dev eth0; done
MOVED=$(now)
for address in $VIPA4 $VIPA6; do
  xdplb vipa move "$address" e1 >/dev/null
  wait_until 5 owner_is "$address" e1 || fail "moved by the operator: $(xdplb vipa show "$address")"
  vipa_is "$address" "d['last_move']['cause'] == 'operator' and d['pinned'] == 'e1'" || fail "moved by the operator: $(xdplb -j vipa show "$address")"
done
downloads_all_run "moved by the operator, the client sends to e0 still" "near:$DOWNLOADS_PID"
for address in $VIPA4 $VIPA6; do
  served=$(http_names client "$address" 50)
  expect_equal "$address: new connections through e0 that are answered" 50 "$(count_of "$served")"
done
expect_equal "downloads broken" 0 "$(json 'd["broken"]' <"$WORK/near")"

# heals WHAT ADDRESS OPTIONS...: the question, sent to e0, is answered once, by e1.
heals() {
  local what=$1 address=$2 start answers
  shift 2
  start=$(rogue question "$address" "$@" --dst "$OLD")
  answers="pick($start, kind='answer', ip='$address', dst='$ROGUE_MAC')"
  wait_until 5 captured_is wire "len($answers) >= 1" || fail "$what is not answered"
  expect_captured "$what is answered by e1, with its MAC" wire "len($answers) == 1 and all(well_formed(x) and x['port'] == 'dispatcher-e1' and x['mac'] == '$NEW' for x in $answers)"
}
heals "an ARP question to the old owner" $VIPA4 --ip 10.1.1.66
heals "a solicitation to the old owner" $VIPA6 --ip fd00:1::66 --to $VIPA6
# A broadcast question is heard by all three; only the owner answers.
for address in $VIPA4 $VIPA6; do expect_equal "$address: answers to a broadcast question" "$NEW" "$(who_has "$address")"; done
for address in $VIPA4 $VIPA6; do
  expect_captured "$address: since e1 spoke, nobody else did" wire "{x['mac'] for x in said('$address', announced('$address', $MOVED, mac='$NEW')[0]['t'])} == {'$NEW'}"
done

# ---- the owner gets another MAC
for address in $VIPA4 $VIPA6; do ip -n "$LAB-client" neighbour delete "$address" dev eth0; done
downloads_all_run "the client asks again" "near:$DOWNLOADS_PID"
OTHER=02:00:00:00:e1:99
CHANGED=$(now)
ip -n "$LAB-dispatcher" link set e1 address $OTHER
for address in $VIPA4 $VIPA6; do
  claims="announced('$address', $CHANGED, mac='$OTHER')"
  wait_until 10 captured_is wire "len($claims) >= 3" || fail "$address: announcements of the new MAC: $(captured wire "$claims")"
  expect_captured "$address: the new MAC is announced after $(captured wire "times($claims, $CHANGED)[0]") s, and again" wire \
    "all(x['port'] == 'dispatcher-e1' and well_formed(x) for x in $claims) and near(times($claims)[:3], [0, 1, 2], 0.5)"
  expect_captured "$address: the old MAC is not heard after it" wire "not said('$address', ${claims}[0]['t'], mac='$NEW')"
  wait_until 5 vipa_is "$address" "d['state'] == 'owned' and d['owner'] == 'e1'" || fail "$address: $(xdplb vipa show "$address")"
  expect_equal "$address: answers" $OTHER "$(who_has "$address")"
done
downloads_all_run "the owner has another MAC" "near:$DOWNLOADS_PID"
# What the dispatcher sends on has the new MAC as its source.
served=$(http_names client $VIPA4 20)
expect_equal "new connections through the new MAC that are answered" 20 "$(count_of "$served")"
expect_equal "downloads broken" 0 "$(json 'd["broken"]' <"$WORK/near")"

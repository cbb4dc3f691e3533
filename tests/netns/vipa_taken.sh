#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The VIPA is somebody else's already (scenarios 23, 24): who answers the probes is named, nothing is announced, and it is tried again
# later. A server of the cluster that answers for the VIPA is called by its name, at the first claim and whenever it leaks ARP afterwards.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
rogue_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
xdplb --timeout 60 load e0 e1 e2 >/dev/null

# conflict_with ADDRESS CLASS MAC: given up to it.
conflict_with() { vipa_is "$1" "d['state'] == 'conflict' and d['owner'] is None and d['conflicts'][0]['class'] == '$2' and d['conflicts'][0]['mac'] == '$3'"; }
problem() { [[ $(status_json | json "any(p['code'] == '$1' and '$2' in p['object'] + p['text'] for p in d['problems'])") == true ]]; }

# ---- an unknown machine
ip -n "$LAB-rogue" address add $VIPA4/24 dev eth0
ip -n "$LAB-rogue" address add $VIPA6/64 dev eth0 nodad
STARTED=$(now)
for address in $VIPA4 $VIPA6; do
  xdplb vipa set "$address" --prefer e0,e1,e2 --refresh 0 >/dev/null
  wait_until 10 conflict_with "$address" unknown $ROGUE_MAC || fail "$address is the rogue's: $(xdplb -j vipa show "$address")"
  vipa_is "$address" "0 < d['retry_in_s'] <= 10 and '$ROGUE_MAC' in d['reason']" || fail "$address: $(xdplb -j vipa show "$address")"
  problem vipa_given_up "$address" || fail "no problem vipa_given_up that names $address: $(status_json)"
  expect_equal "$address is answered by" "$ROGUE_MAC" "$(who_has "$address")"
done
ip -n "$LAB-rogue" address delete $VIPA6/64 dev eth0
second_round() { captured_is wire "pick($STARTED + 5, kind='probe', target='$VIPA4') != []"; }
wait_until 20 second_round || fail "$VIPA4 is not tried again: $(xdplb vipa show $VIPA4)"
expect_captured "$VIPA4 is asked for again after $(captured wire "times(pick($STARTED + 5, kind='probe', target='$VIPA4'), $STARTED)[0]") s" wire \
  "9.9 <= pick($STARTED + 5, kind='probe', target='$VIPA4')[0]['t'] - $STARTED <= 13"
wait_until 5 event_is "e['code'] == 'vipa_conflict' and '$VIPA4' in e['object'] and 'again in 20 s' in e['text']" || fail "$VIPA4, the second time: $(xdplb events)"
ok "still taken: the next try comes after 20 s"
wait_until 30 owner_is $VIPA6 e0 || fail "$VIPA6 is free again: $(xdplb vipa show $VIPA6)"
ok "$VIPA6 is free again: e0 owns it after the back-off"
expect_captured "nothing was announced while it was taken" wire "not said('$VIPA4') and not said('$VIPA6', 0, $STARTED + 9.9)"
ip -n "$LAB-rogue" address delete $VIPA4/24 dev eth0
# The operator need not wait for it.
xdplb vipa deactivate $VIPA4 >/dev/null
xdplb vipa reactivate $VIPA4 >/dev/null
wait_until 5 owner_is $VIPA4 e0 || fail "reactivated: $(xdplb vipa show $VIPA4)"
ok "reactivated by the operator, $VIPA4 is e0's at once"

# ---- a server whose kernel answers for its loopback
plain_server s1 21
leak() { in_ns s1 sysctl -qw net.ipv4.conf.all.arp_ignore="$1" net.ipv4.conf.all.arp_announce="$2" net.ipv4.conf.eth0.arp_ignore="$1" net.ipv4.conf.eth0.arp_announce="$2"; }
SERVER_MAC=02:00:00:00:00:21
xdplb vipa deactivate $VIPA4 >/dev/null
xdplb cluster add web $VIPA4 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 10.1.1.21 --name s1 >/dev/null
wait_until 10 resolved web/80 1 || fail "s1 does not resolve: $(xdplb status 2>&1)"
leak 0 0
xdplb vipa reactivate $VIPA4 >/dev/null
wait_until 10 conflict_with $VIPA4 server $SERVER_MAC || fail "s1 answers for $VIPA4: $(xdplb -j vipa show $VIPA4)"
vipa_is $VIPA4 "'s1' in d['conflicts'][0]['object']" || fail "s1 is not named: $(xdplb -j vipa show $VIPA4 | json 'd["conflicts"]')"
problem vipa_conflict s1 || problem vipa_given_up s1 || fail "no problem that names s1: $(status_json)"
ok "a server that answers the probes is named: $(xdplb -j vipa show $VIPA4 | json 'd["conflicts"][0]["object"]')"
leak 1 2
xdplb vipa deactivate $VIPA4 >/dev/null
xdplb vipa reactivate $VIPA4 >/dev/null
wait_until 5 owner_is $VIPA4 e0 || fail "s1 is quiet: $(xdplb vipa show $VIPA4)"
expect_equal "s1 is quiet: answers" "$(adapter_mac 0)" "$(who_has $VIPA4)"

# Later it asks for a client in the VIPA's name, and so takes that client, and everybody else who hears it, to itself.
before=$(xdplb -j vipa show $VIPA4 | json 'sum(c["count"] for c in d["conflicts"])')
leak 0 0
expect_equal "a server that leaks: answers to the client" 2 "$(who_has $VIPA4 | sort -u | wc -l)"
# The client knows the dispatcher and asks nobody, so s1 learns nothing of the client and must ask itself.
ip -n "$LAB-client" neighbour replace $VIPA4 lladdr "$(adapter_mac 0)" nud permanent dev eth0
ip -n "$LAB-s1" neighbour flush dev eth0
answered client $VIPA4 || fail "s1 does not answer the client"
leaked() { vipa_is $VIPA4 "d['state'] == 'owned' and d['conflicts'][0]['class'] == 'server' and 's1' in d['conflicts'][0]['object'] and sum(c['count'] for c in d['conflicts']) > $before"; }
wait_until 5 leaked || fail "s1 asks in the VIPA's name: $(xdplb -j vipa show $VIPA4)"
problem vipa_conflict s1 || fail "no problem vipa_conflict that names s1: $(status_json)"
ok "a server that leaks ARP is named: $(status_json | json "next(p['text'] for p in d['problems'] if p['code'] == 'vipa_conflict')")"

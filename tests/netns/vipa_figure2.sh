#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same server, and local clients who ask the LAN for 10.1.1.7 and are answered by it directly: its list is .4 .5 .6. Remote clients
# come through the dispatcher. Adapters fail one by one and come back while clients of both kinds download and open new connections
# all the time: none fails, one adapter answers at a time. The dispatcher stays silent and knows who answers, and who must not.
source "$(dirname "$0")/lib_figures.sh"
vipa_lan_up
alpha_up 3
routed_dispatcher
xdplb server add web/80 10.1.1.4,10.1.1.5,10.1.1.6 --name alpha >/dev/null
proxy_is alpha
wait_until 40 resolved web/80 1 || fail "alpha does not resolve: $(xdplb status 2>&1)"

COUNT=20
traffic_start alpha-e0 alpha-e1 alpha-e2
downloads_start client near $COUNT "${STREAMS[@]}"
RUNNING=("near:$DOWNLOADS")
downloads_start remote far $COUNT "${STREAMS[@]}"
RUNNING+=("far:$DOWNLOADS")
visitors_start client near_visitors "${NAMES[@]}"
NEAR=$VISITORS
visitors_start remote far_visitors "${NAMES[@]}"
FAR=$VISITORS
watcher_up claims alpha-e0 alpha-e1 alpha-e2 dispatcher-e0

# reached WHAT N: local clients by adapter N, which answers; remote ones by it, too.
reached() {
  wait_until 40 host_owns alpha "e$2" || fail "$1: e$2 does not own the VIPA: $(on alpha vipa list 2>&1)"
  wait_until 40 server_is web/80/alpha "d['carried_by'] == '$(adapter4 "$2")'" || fail "$1: $(xdplb server show web/80/alpha)"
  passes "$1" "alpha-e$2" "to $CLIENT_MAC" "from $CLIENT_MAC" "to $DISPATCHER_MAC" "from $GATEWAY_MAC"
  downloads_all_run "$1" "${RUNNING[@]}"
}
answered_by() { vipa_is "$1" "d['state'] == 'routed' and d['owner'] is None and d['answered_by'] is not None and d['answered_by'].get('object') == '$2'"; }

reached "at the start" 0
for address in $VIPA4 $VIPA6; do
  wait_until 40 answered_by "$address" "server web/80/alpha" || fail "the dispatcher sees another owner: $(xdplb -j vipa show "$address")"
  ok "the dispatcher: $address is answered by $(xdplb -j vipa show "$address" | json 'd["answered_by"]["object"]')"
done
pull alpha 0
reached "10.1.1.4 failed" 1
pull alpha 1
reached "10.1.1.5 failed, too" 2
plug alpha 1
reached "10.1.1.5 is back" 1
plug alpha 0
reached "10.1.1.4 is back" 0
wait_until 40 no_problems || fail "problems: $(xdplb status 2>&1)"
ok "the dispatcher has no problem with alpha's moves"
visitors_end near_visitors "$NEAR"
visitors_end far_visitors "$FAR"
downloads_whole near "${RUNNING[0]#*:}" $COUNT
downloads_whole far "${RUNNING[1]#*:}" $COUNT
owners_were "of all frames on the wire" claims "$(adapter_mac 0)" "$(adapter_mac 1)" "$(adapter_mac 2)" "$(adapter_mac 1)" "$(adapter_mac 0)"
silence "failures and returns of adapters" claims 3

# Somebody else says that it has the VIPA. The dispatcher names him; alpha defends.
rogue_up
for address in $VIPA4 $VIPA6; do
  rogue announce "$address" >/dev/null
  wait_until 40 vipa_is "$address" "any(c['mac'] == '$ROGUE_MAC' and c['class'] == 'unknown' for c in d['conflicts'])" ||
    fail "$address: the rogue is not named: $(xdplb -j vipa show "$address")"
  wait_until 40 has_problem vipa_conflict $ROGUE_MAC || fail "the claim is no problem: $(xdplb status 2>&1)"
  ok "$address: a claim by a rogue is a problem that names it"
  host_vipa_is alpha "$address" "d['state'] == 'owned'" || fail "alpha gave $address up: $(on alpha vipa show "$address")"
done

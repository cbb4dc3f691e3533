#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two servers with one VIPA. Only one may answer on the LAN: alpha, with two adapters there. Beta takes remote clients, through the
# dispatcher, which balances over both. Alpha dies: beta answers local clients within seconds, by itself, and remote ones go on
# with it. Alpha comes back and answers again. Never do two answer: by every frame that entered the switch.
source "$(dirname "$0")/lib_figures.sh"
vipa_lan_up
alpha_up 2
ALPHA=$HOST_PID
one_adapter beta 21
host_daemon beta
local_vipas beta e0 e0 --backup on
stream_up beta
routed_dispatcher
xdplb server add web/80 10.1.1.4,10.1.1.5 --name alpha >/dev/null
xdplb server add web/80 10.1.1.21 --name beta >/dev/null
proxy_is alpha
wait_until 40 resolved web/80 2 || fail "the servers do not resolve: $(xdplb status 2>&1)"
BETA_MAC=02:00:00:00:00:21
watcher_up claims alpha-e0 alpha-e1 beta-e0 dispatcher-e0

# on_standby: for both VIPAs.
on_standby() { for address in $VIPA4 $VIPA6; do host_vipa_is beta "$address" "d['state'] == 'standby'" || return 1; done; }
wait_until 40 on_standby || fail "beta does not stand by: $(on beta vipa list 2>&1)"
ok "alpha owns, beta stands by"
# names_of ROLE: of 40 new connections over both families.
names_of() { printf '%s\n' "$(http_names "$1" $VIPA4 20)" "$(http_names "$1" $VIPA6 20)"; }

expect_equal "local clients, those of alpha" 40 "$(share "$(names_of client)" alpha)"
answers=$(names_of remote)
expect_equal "remote clients, answers" 40 "$(count_of "$answers")"
expect_number "remote clients, those of alpha" "$(share "$answers" alpha)" '>=' 5
expect_number "remote clients, those of beta" "$(share "$answers" beta)" '>=' 5

COUNT=20
downloads_start remote far $COUNT "${STREAMS[@]}"
FAR=$DOWNLOADS
expect_number "remote downloads of beta" "$(json 'd["servers"]["beta"]["alive"]' <"$WORK/far")" '>=' 2
# Of beta: it runs. Only those can.
beta_runs() {
  downloads_mark far "$FAR"
  wait_until 40 downloads_are far "d['servers']['beta']['moved'] >= d['servers']['beta']['alive'] and d['servers']['beta']['broken'] == 0" ||
    fail "$1: remote downloads of beta: $(cat "$WORK/far")"
  ok "$1: all remote downloads of beta run"
}

start=$(date +%s%N)
kill -9 "$ALPHA"
pull alpha 0
pull alpha 1
wait_until 40 host_owns beta e0 || fail "beta does not take over: $(on beta vipa list 2>&1)"
expect_number "milliseconds until beta answers" $((($(date +%s%N) - start) / 1000000)) '<' 15000
expect_equal "local clients, those of beta" 40 "$(share "$(names_of client)" beta)"
only_beta() { [[ $(share "$(names_of remote)" beta) == 40 ]]; }
wait_until 40 only_beta || fail "remote clients do not go on with beta: $(xdplb server list web/80)"
ok "remote clients: all 40 are beta's"
beta_runs "alpha is dead"
beta_is_wrong() { [[ $(status_json | json "sum(p['code'] == 'vipa_wrong_proxy' and 'beta' in p['text'] for p in d['problems'])") == "$1" ]]; }
wait_until 60 beta_is_wrong 2 || fail "the dispatcher does not see that beta answers: $(xdplb status 2>&1)"
ok "the dispatcher: beta answers in alpha's place"

plug alpha 0
plug alpha 1
host_daemon alpha
wait_until 40 host_owns alpha e0 || fail "alpha does not own again: $(on alpha vipa list 2>&1)"
wait_until 40 on_standby || fail "beta does not yield: $(on beta vipa list 2>&1)"
ok "alpha owns again, beta stands by"
expect_equal "local clients, those of alpha" 40 "$(share "$(names_of client)" alpha)"
both_serve() { answers=$(names_of remote) && [[ $(count_of "$answers") == 40 && $(share "$answers" alpha) -ge 5 ]]; }
wait_until 40 both_serve || fail "alpha gets no remote clients: $(xdplb server list web/80)"
ok "remote clients: both serve"
beta_runs "alpha is back"
wait_until 60 beta_is_wrong 0 || fail "the dispatcher does not see that alpha answers: $(xdplb status 2>&1)"
ok "the dispatcher: alpha answers"
owners_were "of all frames on the wire" claims "$(adapter_mac 0)" $BETA_MAC "$(adapter_mac 0)"
silence "alpha dies and comes back" claims 15

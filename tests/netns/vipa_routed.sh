#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The VIPA on the LAN is a server's. The dispatcher in routed mode never answers for it and never announces it, by every frame it
# sends; it raises a problem when that server does not answer, and when another machine does, whom it names; the problem goes when
# things are right again.
source "$(dirname "$0")/lib_figures.sh"
vipa_lan_up
capture_file=dispatcher_says
adapters_up alpha 2
one_adapter beta 21
by_hand beta
serve beta
routed_dispatcher
xdplb server add web/80 10.1.1.4,10.1.1.5 --name alpha >/dev/null
xdplb server add web/80 10.1.1.21 --name beta >/dev/null
watcher_up claims alpha-e0 alpha-e1 beta-e0
capture_start $capture_file dispatcher-e0
expect_error 3 "alfa" xdplb vipa set $VIPA4 --proxy alfa
proxy_is alpha

# both CODE [WORD]: the problem is there for both VIPAs.
both() { [[ $(status_json | json "sorted(p['object'] for p in d['problems'] if p['code'] == '$1' and '${2:-}' in p['text']) == sorted(['$VIPA4', '$VIPA6'])") == true ]]; }
no_vipa_problem() { [[ $(status_json | json "[p for p in d['problems'] if p['code'].startswith('vipa_')]") == '[]' ]]; }
answerer() { for address in $VIPA4 $VIPA6; do vipa_is "$address" "d['state'] == 'routed' and (d['answered_by'] or {}).get('mac') == $1" || return 1; done; }

wait_until 60 both vipa_proxy_silent alpha || fail "nobody answers, and it is no problem: $(xdplb status 2>&1)"
ok "alpha is silent: $(status_json | json 'next(p["text"] for p in d["problems"] if p["code"] == "vipa_proxy_silent")')"
answerer None || fail "answered_by: $(xdplb -j vipa list)"

host_daemon alpha
local_vipas alpha "$(adapters_of 2)" "$(adapters6_of 2)"
wait_until 40 host_owns alpha e0 || fail "alpha's e0 does not own the VIPA: $(on alpha vipa list 2>&1)"
wait_until 60 no_vipa_problem || fail "alpha answers, and there are problems: $(xdplb status 2>&1)"
answerer "'$(adapter_mac 0)'" || fail "answered_by: $(xdplb -j vipa list)"
ok "alpha answers: no problem"
pull alpha 0
wait_until 40 host_owns alpha e1 || fail "alpha's e1 does not own the VIPA: $(on alpha vipa list 2>&1)"
wait_until 60 answerer "'$(adapter_mac 1)'" || fail "answered_by: $(xdplb -j vipa list)"
# Also when the kernel gave the first one up.
given_up() { ! ip -n "$LAB-dispatcher" neighbour show 10.1.1.4 | grep -v FAILED | grep -q .; }
wait_until 60 given_up || fail "10.1.1.4 is a neighbour still: $(ip -n "$LAB-dispatcher" neighbour)"
no_vipa_problem || fail "another adapter of alpha is a problem: $(xdplb status 2>&1)"
ok "alpha's other adapter answers: no problem"

# An unknown machine claims it, once.
rogue_up
for address in $VIPA4 $VIPA6; do rogue announce "$address" >/dev/null; done
wait_until 40 both vipa_conflict $ROGUE_MAC || fail "the claim is no problem: $(xdplb status 2>&1)"
ok "a claim: $(status_json | json 'next(p["text"] for p in d["problems"] if p["code"] == "vipa_conflict")')"
event_is "e['code'] == 'vipa_claimed' and '$ROGUE_MAC' in e['text']" || fail "no event tells of the claim: $(xdplb events)"

# Another server answers in alpha's place: it leaks ARP for its loopback address, and advertises for IPv6.
for address in $VIPA4 $VIPA6; do on alpha vipa deactivate "$address" >/dev/null; done
in_ns beta sysctl -qw net.ipv4.conf.all.arp_ignore=0
ip -n "$LAB-beta" address add "$VIPA6/128" dev e0 nodad
for address in $VIPA4 $VIPA6; do xdplb vipa deactivate "$address" >/dev/null; done
for address in $VIPA4 $VIPA6; do xdplb vipa reactivate "$address" >/dev/null; done
wait_until 60 both vipa_wrong_proxy beta || fail "beta answers, and it is no problem: $(xdplb status 2>&1)"
ok "beta answers: $(status_json | json 'next(p["text"] for p in d["problems"] if p["code"] == "vipa_wrong_proxy")')"
proxy_is beta
wait_until 40 has_no_problem vipa_wrong_proxy || fail "beta is expected, and a problem: $(xdplb status 2>&1)"
ok "beta is expected to answer: no problem"

expect_number "frames of the dispatcher that were captured" "$(captured $capture_file 'len(f)')" '>=' 4
expect_number "of them questions who has the VIPA" "$(captured $capture_file "sum(x['kind'] == 'question' and x['target'] in ('$VIPA4', '$VIPA6') for x in f)")" '>=' 4
expect_equal "of them frames that say the VIPA is here" 0 "$(captured $capture_file "sum(x['ip'] in ('$VIPA4', '$VIPA6') for x in f)")"
expect_equal "of them probes for it" 0 "$(captured $capture_file "sum(x['kind'] == 'probe' and x['target'] in ('$VIPA4', '$VIPA6') for x in f)")"

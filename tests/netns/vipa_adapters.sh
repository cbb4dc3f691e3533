#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A server with an ordered list of addresses, beside one with a single adapter: all its flows, running ones too, go to the first
# address that answers, and no row changes for it. A cable, an address that went, a new order, a daemon that dies while an adapter is
# down: no download breaks. With no adapter left its clients-to-be go to the other server. The host does it by hand, without xdplbd.
source "$(dirname "$0")/lib_figures.sh"
vipa_lan_up
adapters_up alpha 3
by_hand alpha
# What it sends follows its cables, too.
in_ns alpha sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1 net.ipv6.conf.all.ignore_routes_with_linkdown=1
for i in 1 2; do
  ip -n "$LAB-alpha" route add default via 10.1.1.1 dev e$i metric $((10 * i))
  ip -n "$LAB-alpha" route add default via fd00:1::1 dev e$i metric $((2000 * i))
done
one_adapter s1 21
by_hand s1
stream_up alpha s1
dispatcher_nics 1
xdplb --timeout 60 load e0 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null

LIST=10.1.1.4,10.1.1.5,10.1.1.6
expect_error 2 "33|32|adapters|addresses" xdplb server add web/80 "$(seq -f '10.1.1.%g' -s, 100 132)" --name many
expect_error '[26]' "10.1.1.4" xdplb server add web/80 10.1.1.4,10.1.1.5,10.1.1.4 --name twice
expect_error 6 "10.2.2.2" xdplb server add web/80 10.1.1.4,10.2.2.2 --name far
xdplb server add web/80 $LIST --name alpha >/dev/null
xdplb server add web/80 $LIST --name alpha >/dev/null || fail "the same server again is no success"
expect_error 7 "alpha" xdplb server add web/80 10.1.1.4,10.1.1.6 --name alpha
expect_error 7 "10.1.1.5" xdplb server add web/80 10.1.1.5 --name other
xdplb server add web/80 10.1.1.21 --name s1 >/dev/null
wait_until 40 resolved web/80 2 || fail "the servers do not resolve: $(xdplb status 2>&1)"
wait_until 40 answered remote $VIPA4 && wait_until 40 answered remote $VIPA6 || fail "no answer: $(xdplb status 2>&1)"
expect_equal "s1 has one adapter, and no list" true "$(xdplb -j server show web/80/s1 | json '"adapters" not in d and d["carried_by"] == "10.1.1.21"')"
changing() { xdplb -j port show web/80 | json 'd["rows"]["v4"]["changing"] + d["rows"]["v6"]["changing"]'; }
settled() { [[ $(changing) == 0 ]]; }
xdplb port set web/80 --stale-timeout 2s >/dev/null
wait_until 40 settled || fail "rows without flows do not settle: $(changing)"

COUNT=40
traffic_start alpha-e0 alpha-e1 alpha-e2
downloads_start remote far $COUNT "${STREAMS[@]}"
RUNNING=("far:$DOWNLOADS")
downloads_start client near $COUNT "${STREAMS[@]}"
RUNNING+=("near:$DOWNLOADS")
expect_number "downloads of alpha" "$(json 'd["servers"]["alpha"]["alive"]' <"$WORK/far")" '>=' 8
expect_number "downloads of s1" "$(json 'd["servers"]["s1"]["alive"]' <"$WORK/far")" '>=' 8

# by WHAT ADDRESS PORT: it carries alpha's flows, and no other.
by() {
  wait_until 40 server_is web/80/alpha "d['carried_by'] == '$2'" || fail "$1: $2 does not carry: $(xdplb server show web/80/alpha)"
  passes "$1" "$3" "to $DISPATCHER_MAC"
  downloads_all_run "$1" "${RUNNING[@]}"
  expect_equal "$1: rows that change" 0 "$(changing)"
}
by "at the start" 10.1.1.4 alpha-e0
pull alpha 0
by "e0 pulled" 10.1.1.5 alpha-e1
kill9
xdplb --timeout 60 load e0 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
by "daemon killed and started" 10.1.1.5 alpha-e1
ip -n "$LAB-alpha" address delete 10.1.1.5/24 dev e1
by "10.1.1.5 taken away" 10.1.1.6 alpha-e2
ip -n "$LAB-alpha" address add 10.1.1.5/24 dev e1
by "10.1.1.5 is back" 10.1.1.5 alpha-e1
xdplb server set web/80/alpha --address 10.1.1.6,10.1.1.5,10.1.1.4 >/dev/null
by "another order" 10.1.1.6 alpha-e2
expect_equal "the order is kept" '["10.1.1.6", "10.1.1.5", "10.1.1.4"]' "$(xdplb -j server show web/80/alpha | json '[a["address"] for a in d["adapters"]]')"
for pair in "${RUNNING[@]}"; do downloads_whole "${pair%:*}" "${pair#*:}" $COUNT; done

names_of() { printf '%s\n' "$(http_names remote $VIPA4 20)" "$(http_names remote $VIPA6 20)"; }
only_s1() { [[ $(share "$(names_of)" s1) == 40 ]]; }
pull alpha 1
pull alpha 2
wait_until 40 only_s1 || fail "new connections without alpha: $(names_of | sort | uniq -c)"
ok "alpha has no adapter left: all 40 new connections are s1's"
server_is web/80/alpha "d['carried_by'] is None and not any(a['healthy'] or a['carries'] for a in d['adapters'])" || fail "alpha: $(xdplb server show web/80/alpha)"
plug alpha 0
both_serve() { answers=$(names_of) && [[ $(count_of "$answers") == 40 && $(share "$answers" alpha) -ge 5 ]]; }
wait_until 40 both_serve || fail "alpha is back and gets nothing: $(xdplb server show web/80/alpha)"
expect_equal "alpha is back, carried by the last of its list" 10.1.1.4 "$(xdplb -j server show web/80/alpha | json 'd["carried_by"]')"

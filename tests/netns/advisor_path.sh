#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What only a probe through the VIPA sees: a server without the VIPA on its loopback, one whose service listens on its own address only,
# one that answers ARP for the VIPA; one with the VIPA of IPv4 only; one whose cable is pulled. Probes of the servers' own addresses call
# the first three healthy. Each fault is told by name, and no more when it is cured.
source "$(dirname "$0")/lib_advisors.sh"
advisors_lan_up
# A cable that is pulled is noticed in seconds.
in_ns dispatcher sysctl -qw net.ipv4.neigh.eth1.base_reachable_time_ms=2000 net.ipv4.neigh.eth1.delay_first_probe_time=1
for server in "s1 a" "s2 a" "s3 b" "s4 b" "s5 b" "s6 b"; do
  read -r name lan <<<"$server"
  server_up "$name" "$lan" "2${name#s}"
done
# Services of their own, which the faults are made of.
own() { case $1 in s4) server_address s4 && echo 2001:db8:2::24 ;; esac }
for name in s1 s2 s3 s4 s5 s6; do
  # shellcheck disable=SC2046  # words
  web_serve $name $(own $name)
done
# s2 has answered for the VIPA before the dispatcher asks.
in_ns s2 sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0
ip -n "$LAB-s3" address delete $VIPA4/32 dev lo
ip -n "$LAB-s3" address delete $VIPA6/128 dev lo
ip -n "$LAB-s5" address delete $VIPA6/128 dev lo

cluster_up
ALL=s1,s2,s3,s4,s5,s6
QUICK=(--connect-timeout 400ms --receive-timeout 1s)
advised web/$HTTP_PORT $ALL "${PACE[@]}" "${QUICK[@]}" --type http --path /vip
advised web/80 $ALL "${PACE[@]}" "${QUICK[@]}" --type http --port $HTTP_PORT --path /own --via own

table() { cat >"$WORK/table"; }
not_listening() { ! listens_on "$1" $HTTP_PORT; }
# codes SERVER: of its checks through the VIPA: "IPv4's IPv6's".
codes() { checks web/$HTTP_PORT/"$1" "' '.join(x['health'] + ' ' + x['code'] for x in sorted(c, key=lambda x: ':' in x['destination']))"; }
codes_are() { [[ $(codes "$1") == "$2" ]]; }
# expect_codes WHAT SERVER "HEALTH4 CODE4 HEALTH6 CODE6" [SECONDS]
expect_codes() {
  wait_until "${4:-15}" codes_are "$2" "$3" || fail "$1: $2 is '$(codes "$2")', expected '$3': $(checks web/$HTTP_PORT/"$2" "[x['text'] for x in c]")"
  ok "$1: $2 is $3"
}
# names ADDRESS COUNT: who answers there.
names() { http_names client "$1" "$2" $HTTP_PORT; }

# ---- the probes through the VIPA
expect_codes "healthy" s1 "up L7OK up L7OK"
expect_codes "answers ARP for the VIPA" s2 "up L7OK up L7OK"
expect_codes "no VIPA on its loopback" s3 "down L3NOVIP down L3NOVIP"
expect_codes "its service listens on its own address only" s4 "down L3NOVIP down L3NOVIP"
expect_codes "no VIPA of IPv6" s5 "up L7OK down L3NOVIP"
expect_codes "healthy" s6 "up L7OK up L7OK"
checks_are web/$HTTP_PORT/s3 "all('loopback' in x['text'] and '198.51.100.23' in x['text'] for x in c if ':' not in x['destination'])" || fail "$(checks web/$HTTP_PORT/s3 "[x['text'] for x in c]")"
checks_are web/$HTTP_PORT/s4 "all('listens on 198.51.100.24 only' in x['text'] for x in c if ':' not in x['destination'])" || fail "$(checks web/$HTTP_PORT/s4 "[x['text'] for x in c]")"
xdplb server show web/$HTTP_PORT/s3 >"$WORK/out"
grep -q L3NOVIP "$WORK/out" || fail "server show does not say L3NOVIP: $(cat "$WORK/out")"
ok "$(grep -m 1 L3NOVIP "$WORK/out")"
problem_is "p['code'] == 'server_down' and p['object'] == 'web/$HTTP_PORT/s3' and 'L3NOVIP' in p['text']" || fail "no problem of s3: $(problems)"

# ---- those to their own addresses
for name in s1 s2 s3 s4 s5 s6; do echo "web/80/$name up L7OK"; done | table
expect_checks "by their own addresses all are well" 15 "$WORK/table"
checks_are web/80 "all(x['way'] == 'own' for x in c)" || fail "$(checks web/80 "[x['way'] for x in c]")"

# ---- the leak names its server
leak_is() { problem_is "p['code'] == 'arp_leak' and 's2' in p['object'] + p['text'] and '$VIPA4' in p['text']"; }
leaks_of_others() { problem_is "p['code'] == 'arp_leak' and not p['object'].endswith('/s2')"; }
wait_until 70 leak_is || fail "no problem arp_leak: $(problems)"
ok "$(status_json | json "[p['text'] for p in d['problems'] if p['code'] == 'arp_leak'][0]")"
! leaks_of_others || fail "others are said to leak: $(problems)"

# ---- one family of s5
server_is web/$HTTP_PORT/s5 "d['health_v4'] == 'up' and d['health_v6'] == 'down' and d['health'] == 'up' and d['effective_weight'] == 10 and d['effective_weight_v6'] == 0" ||
  fail "$(xdplb -j server show web/$HTTP_PORT/s5)"
event_is "e['code'] == 'server_partial' and e['object'] == 'server web/$HTTP_PORT/s5'" || fail "no event server_partial: $(xdplb events)"
# s2 speaks for the VIPA itself: the client believes the dispatcher.
dispatcher_mac=$(ip -n "$LAB-dispatcher" -j link show eth0 | json "d[0]['address']")
ip -n "$LAB-client" neighbour replace $VIPA4 lladdr "$dispatcher_mac" nud permanent dev eth0
four=$(names $VIPA4 100)
six=$(names $VIPA6 100)
expect_equal "answers over IPv4 and IPv6" "100 100" "$(count_of "$four") $(count_of "$six")"
expect_number "answers of s5 over IPv4" "$(share "$four" s5)" '>=' 8
expect_equal "answers of s5 over IPv6" 0 "$(share "$six" s5)"
expect_equal "answers of s3 and s4" "0 0 0 0" "$(share "$four" s3) $(share "$four" s4) $(share "$six" s3) $(share "$six" s4)"

# ---- the cable
ip -n "$LAB-switch" link set s6-eth0 down
expect_codes "its cable is pulled" s6 "down L2NOMAC down L2NOMAC" 60
server_is web/$HTTP_PORT/s6 "d['health'] == 'down' and d['mac'] is None" || fail "$(xdplb -j server show web/$HTTP_PORT/s6)"
ok "$(checks web/$HTTP_PORT/s6 "c[0]['text']")"

# ---- cured
ip -n "$LAB-switch" link set s6-eth0 up
ip -n "$LAB-s3" address add $VIPA4/32 dev lo
ip -n "$LAB-s3" address add $VIPA6/128 dev lo nodad
ip -n "$LAB-s5" address add $VIPA6/128 dev lo nodad
kill "$(cat "$WORK/s4.web/nginx.pid")"
wait_until 10 not_listening s4 || fail "nginx of s4 does not end"
web_serve s4
in_ns s2 sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth0.arp_ignore=1
for name in s3 s4 s5 s6; do expect_codes "cured" $name "up L7OK up L7OK" 30; done
clear() { ! problem_is "p['code'] in ('server_down', 'probe_path') or p['object'].endswith(('s3', 's4', 's5', 's6'))"; }
wait_until 10 clear || fail "problems remain: $(problems)"
ok "no problem of a server that is cured"
# The question is asked once a minute, and a leak is remembered for two and a half.
no_leak() { ! problem_is "p['code'] == 'arp_leak'"; }
wait_until 170 no_leak || fail "the leak is still told: $(problems)"
ok "no leak"

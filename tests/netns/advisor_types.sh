#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Advisors of all types against real servers (nginx, dnsmasq, redis, aiosmtpd, an agent), through the VIPA, in both families: up; all
# processes of a server die: down, with the code that says where; back: up. And what list, show and run print.
source "$(dirname "$0")/lib_advisors.sh"
advisors_lan_up
make_ca
make_certificate tls $TLS_NAME 200

# The program of the exec advisor: a load, or failure while the file is there.
printf '#!/bin/sh\n[ ! -e %s/stopped ] || { echo "it is stopped"; exit 1; }\necho 12\n' "$SAFE" >"$SAFE/check"
chmod 755 "$SAFE/check"

services() {
  web_serve "$1"
  dns_serve "$1"
  redis_serve "$1"
  smtp_serve "$1"
  agent_serve "$1"
}
server_up s1 a 21
server_up s3 b 23
services s1
services s3

cluster_up
port() {
  local path=web/$1
  shift
  advised "$path" s1,s3 "${PACE[@]}" "$@"
}
port 80 --type connect
port $HTTP_PORT --type http --path /http
port 8082 --type http --port $HTTP_PORT --path /own --via own
port 8083 --type http --port $HTTP_PORT --path /both --via both
port 443 --type https --path /https --verify on --ca-file "$WORK/ca.pem" --server-name $TLS_NAME --alpn http/1.1 --body-regex '^s[0-9] is'
port 8443 --type connect --port 443 --tls on --alpn h2
port 53/udp --type dns --name $TLS_NAME --query-type A --answer 192.0.2.80
port 53 --type dns --name $TLS_NAME --query-type AAAA --answer 2001:db8::80
port 6379 --type redis
port 6380 --type tcp --port 6379 --send 'PING\r\n' --expect '+PONG\r\n' --send 'SET greeting hello\r\n' --expect-regex '^\+OK'
port 25 --type smtp
port 90 --type agent --port $AGENT_PORT
port 5353/udp --type udp --payload '\x00ping' --answer-regex '^s[13]$' --silence down
port 91 --type ping --receive-timeout 500ms
port 92 --type exec -- "$SAFE/check" now
composite() {
  printf '{"type": "composite", "interval": "300ms", "fall": 2, "rise": 1, %s,
    "checks": [{"type": "http", "port": %d, "path": "/part"}, {"type": "redis", "port": 6379}, {"type": "smtp", "port": 25}]}\n' "$2" $HTTP_PORT >"$WORK/composite.json"
  advised "web/$1" s1,s3 --from "$WORK/composite.json"
}
composite 93 '"combine": "all"'
composite 94 '"combine": "any"'
composite 95 '"combine": "at-least", "at_least": 2'

# rows SERVER < "PORT HEALTH CODE" lines: the table of that server.
rows() { awk -v server="$1" 'NF { print "web/" $1 "/" server, $2, $3 }' | tee "$WORK/$1.rows" >/dev/null; }
up_rows() {
  rows "$1" <<'ROWS'
80       up L4OK
8081     up L7OK
8082     up L7OK
8083     up L7OK
443      up L7OK
8443     up L6OK
53/udp   up L7OK
53       up L7OK
6379     up L7OK
6380     up L7OK
25       up L7OK
90       up L7OK
5353/udp up L7OK
91       up L3OK
92       up PROCOK
93       up L7OK
94       up L7OK
95       up L7OK
ROWS
}

# ---- up, through the VIPA
up_rows s1
up_rows s3
expect_checks "s1 is up" 30 "$WORK/s1.rows"
expect_checks "s3, behind the other adapter, is up" 30 "$WORK/s3.rows"
# locals SERVER FILE PATTERN: the local addresses of connections in a server's log.
locals() { grep -E -- "$3" "$WORK/$1$2" | cut -d' ' -f1 | sort -u | tr '\n' ' '; }
for server in s1 s3; do
  own="$(server_address $server) "
  expect_equal "$server was asked for /http at" "$VIPA4 $VIPA6 " "$(locals $server .web/access.log ' /http xdplb/')"
  expect_equal "$server was asked for /own at" "$own" "$(locals $server .web/access.log ' /own xdplb/')"
  expect_equal "$server was asked for /both at" "$(printf '%s\n' $VIPA4 $VIPA6 "$own" | sort | xargs) " "$(locals $server .web/access.log ' /both xdplb/')"
  expect_equal "$server was asked for /https at" "$VIPA4 $VIPA6 " "$(locals $server .web/access.log " /https xdplb/[^ ]* $TLS_NAME http/1.1\$")"
  expect_equal "the agent of $server was asked at" "$VIPA4 $VIPA6 " "$(locals $server .agent.local .)"
  expect_equal "the SMTP server of $server heard QUIT at" "$VIPA4 $VIPA6 " "$(locals $server .smtp.local QUIT)"
done
checks_are web/443 "all(x['certificate_end'].startswith('$(certificate_end tls | tr -d Z)') for x in c)" || fail "certificate_end: $(checks web/443 "[x['certificate_end'] for x in c]")"
checks_are web/92 "all(x['load'] == 12 for x in c)" || fail "load of exec: $(checks web/92 "[x['load'] for x in c]")"
checks_are web/8083 "sorted({(x['way'], x['destination']) for x in c if x['server'].endswith('s1')}) == sorted([('vip', '$VIPA4'), ('vip', '$VIPA6'), ('own', '192.0.2.21')])" ||
  fail "ways of both: $(checks web/8083 "[(x['way'], x['destination']) for x in c]")"
server_is web/443/s1 "d['health'] == d['health_v4'] == d['health_v6'] == 'up' and d['check']['code'] == 'L7OK' and d['effective_weight'] == 10" || fail "$(xdplb -j server show web/443/s1)"

# ---- list, show, run
keys='server destination port way health since contradicting needed code text latency_us load certificate_end shared_by frozen history'
expect_equal "keys of a check that are missing" "[]" "$(xdplb -j advisor show web/443/s1 | json "[k for k in '$keys'.split() if k not in d[0]['checks'][0]]")"
expect_equal "keys of an advisor that are missing" "[]" "$(xdplb -j advisor list | json "[k for k in 'port type via advisor up servers checks'.split() if any(k not in a for a in d)]")"
expect_equal "up of all" "[[2, 2]]" "$(xdplb -j advisor show web/443 | json "[[a['up'], a['servers']] for a in d]")"
checks_are web/443 "all(0 < len(x['history']) <= 64 and all(sorted(h) == ['at', 'code', 'latency_us', 'text'] for h in x['history']) for x in c)" || fail "history: $(checks web/443 "c[0]['history'][:2]")"
xdplb advisor list >"$WORK/out"
grep -Eq '^web/443 +https +vip +300 ?ms +2/2' "$WORK/out" || fail "advisor list: $(cat "$WORK/out")"
xdplb advisor show web/443/s1 >"$WORK/out"
for word in L7OK $VIPA4 $VIPA6 "$(certificate_end tls | cut -dT -f1)"; do grep -qF "$word" "$WORK/out" || fail "advisor show lacks $word: $(cat "$WORK/out")"; done
! grep -q s3 "$WORK/out" || fail "advisor show web/443/s1 tells of s3: $(cat "$WORK/out")"
xdplb advisor run web/443/s1 >"$WORK/out" || fail "advisor run: exit code $?: $(cat "$WORK/out")"
for word in connected 'TLS 1.2' 'HTTP 200' L7OK; do grep -qF "$word" "$WORK/out" || fail "advisor run lacks $word: $(cat "$WORK/out")"; done
expect_equal "advisor run -j" '[true, "web/443/s1", ["L7OK", "L7OK"], [["at_us", "text"]]]' "$(xdplb -j advisor run web/443/s1 |
  json "[d['ok'], d['server'], [p['code'] for p in d['probes']], list(map(list, {tuple(sorted(s)) for p in d['probes'] for s in p['steps']}))]")"

# ---- the agent's words
agent_is() {
  local words=$1 expression=$2
  agent_says s1 "$words"
  wait_until 10 server_is web/90/s1 "$expression" || fail "agent '$words': $(xdplb -j server show web/90/s1)"
  ok "the agent says '$words': $(xdplb -j server show web/90/s1 | json "'%s %s weight %d' % (d['health'], d['admin'], d['effective_weight'])")"
}
agent_is 'up 50%' "d['health'] == 'up' and d['effective_weight'] == 5"
agent_is 'drain' "d['admin'] == 'drain' and d['admin_source'] == 'agent' and d['effective_weight'] == 0"
agent_is 'ready' "d['admin'] == 'ready' and d['health'] == 'up' and d['effective_weight'] == 5"
agent_is 'maint' "d['admin'] == 'down' and d['admin_source'] == 'agent'"
agent_is 'ready' "d['admin'] == 'ready'"
agent_is 'down#disk is full' "d['health'] == 'down'"
checks_are web/90/s1 "all('disk is full' in x['text'] for x in c)" || fail "reason of the agent: $(checks web/90/s1 "[x['text'] for x in c]")"
agent_is 'up 100%' "d['health'] == 'up' and d['effective_weight'] == 10"

# ---- one service of three
redis() { for pid in $(ip netns pids "$LAB-s1"); do [[ $(cat "/proc/$pid/comm") != redis-server* ]] || echo "$pid"; done; }
kill -9 "$(redis)"
rows s1 <<'ROWS'
6379 down L4CON
6380 down L4CON
93   down L4CON
94   up   L7OK
95   up   L7OK
25   up   L7OK
ROWS
expect_checks "redis of s1 was killed" 10 "$WORK/s1.rows"

# ---- everything stops. A kernel sends ICMP port unreachable so many times a second only: the rest is silence.
touch "$SAFE/stopped"
stop_all s1
in_ns s1 sysctl -qw net.ipv4.icmp_echo_ignore_all=1 net.ipv6.icmp.echo_ignore_all=1
rows s1 <<'ROWS'
80       down L4CON
8081     down L4CON
8082     down L4CON
8083     down L4CON
443      down L4CON
8443     down L4CON
53/udp   down L4CON|L4TOUT
53       down L4CON
6379     down L4CON
6380     down L4CON
25       down L4CON
90       down L4CON
5353/udp down L4CON|L4TOUT
91       down L3TOUT
92       down PROCERR
93       down L4CON
94       down L4CON
95       down L4CON
ROWS
expect_checks "everything on s1 stopped" 15 "$WORK/s1.rows"
up_rows s3
sed -i '/^web.92/d' "$WORK/s3.rows" # its program says the same of both
expect_checks "s3 is up meanwhile" 1 "$WORK/s3.rows"
checks_are web/92/s1 "all('it is stopped' in x['text'] for x in c)" || fail "what the program said: $(checks web/92/s1 "[x['text'] for x in c]")"
server_is web/443/s1 "d['health'] == d['health_v4'] == d['health_v6'] == 'down' and d['check']['code'] == 'L4CON' and 'L4CON' in d['reason']" || fail "$(xdplb -j server show web/443/s1)"
problem_is "p['code'] == 'server_down' and p['object'] == 'web/443/s1'" || fail "no problem server_down: $(problems)"
event_is "e['code'] == 'server_down' and e['object'] == 'server web/443/s1'" || fail "no event server_down: $(xdplb events)"
names=$(http_names client $VIPA4 30 $HTTP_PORT)
names+=$'\n'$(http_names client $VIPA6 30 $HTTP_PORT)
expect_equal "answers meanwhile, all and those of s3" "60 60" "$(count_of "$names") $(share "$names" s3)"
code=0
xdplb advisor run web/443/s1 >"$WORK/out" || code=$?
expect_equal "exit code of advisor run on a dead server" 1 $code
grep -q L4CON "$WORK/out" || fail "advisor run: $(cat "$WORK/out")"
expect_equal "advisor run -j on a dead server" "false" "$(xdplb -j advisor run web/443/s1 | json "d['ok']")"

# ---- back
rm "$SAFE/stopped"
in_ns s1 sysctl -qw net.ipv4.icmp_echo_ignore_all=0 net.ipv6.icmp.echo_ignore_all=0
serve s1
services s1
up_rows s1
expect_checks "s1 is back" 15 "$WORK/s1.rows"
names=$(http_names client $VIPA4 60 $HTTP_PORT)
expect_number "answers of s1 again, of 60" "$(share "$names" s1)" '>=' 10

# ---- no advisor
xdplb advisor remove web/443 >/dev/null
expect_equal "advisors of a port without one" "[]" "$(xdplb -j advisor list | json "[a for a in d if a['port'] == 'web/443']")"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What advisors know outlives the daemon: a server that is down gets nothing while the daemon is dead, nor after the next one
# started; policy routes of the dead one are taken over; unload leaves none.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23

# routing: everything of policy routing that probes could leave behind.
routing() {
  local family
  for family in -4 -6; do
    ip -n "$LAB-dispatcher" $family rule
    ip -n "$LAB-dispatcher" $family route show table all | grep -v 'linkdown\|proto kernel\|ff00::' || true
    ip -n "$LAB-dispatcher" $family neigh show | grep PERMANENT || true
  done
}
routing >"$WORK/before"

cluster_up
port_up web/80 "" s1 s2 s3
expect_equal "policy routes without an advisor" "$(cat "$WORK/before")" "$(routing)"
xdplb advisor set web/80 --type http --path /name --interval 300ms --fall 2 --rise 1 >/dev/null
up() { [[ $(xdplb -j server list web/80 | json 'sum(1 for s in d if s["health"] == "up")') == "$1" ]]; }
wait_until 10 up 3 || fail "servers are not up: $(xdplb advisor show web/80 2>&1)"
ok "three servers are up"

kill "$(cat "$WORK/s3/nginx.pid")"
wait_until 10 server_is web/80/s3 'd["health"] == "down"' || fail "s3 is not down: $(xdplb -j server show web/80/s3)"
expect_equal "code of s3" L4CON "$(xdplb -j server show web/80/s3 | json 'd["check"]["code"]')"
ok "why: $(xdplb -j server show web/80/s3 | json 'd["reason"]')"
names=$(http_names client $VIPA4 150)
expect_equal "answers, those of s3" "150 0" "$(count_of "$names") $(share "$names" s3)"

kill9
names=$(http_names client $VIPA4 150)
expect_equal "answers with the daemon dead, those of s3" "150 0" "$(count_of "$names") $(share "$names" s3)"
xdplb --timeout 60 load eth0 eth1 >/dev/null
names=$(http_names client $VIPA6 150)
expect_equal "answers just after the start, those of s3" "150 0" "$(count_of "$names") $(share "$names" s3)"
up_and_routed() { up 2 && server_is web/80/s3 'd["health"] == "down" and d["check"] is not None'; }
wait_until 10 up_and_routed || fail "after the restart: $(xdplb advisor show web/80 2>&1)"
expect_equal "rules with a mark after the restart" 3 "$(ip -n "$LAB-dispatcher" -4 rule | grep '^5801:' | grep -c lookup)"

serve s3
wait_until 10 up 3 || fail "s3 is not up again: $(xdplb advisor show web/80 2>&1)"
wait_until 10 answered client $VIPA4 || fail "no answer"
names=$(http_names client $VIPA4 300)
expect_number "answers of s3 that is back, of 300" "$(share "$names" s3)" '>' 40

# The check is another one: what is known of the servers stays, and it is asked at once.
since=$(xdplb -j advisor show web/80/s1 | json 'd[0]["checks"][0]["since"]')
xdplb advisor set web/80 --type connect --interval 300ms --fall 2 --rise 1 >/dev/null
expect_equal "s1 is up since" "$since" "$(xdplb -j advisor show web/80/s1 | json 'd[0]["checks"][0]["since"]')"
wait_until 5 server_is web/80/s1 'd["check"]["code"] == "L4OK"' || fail "not asked by the new check: $(xdplb -j server show web/80/s1)"
ok "a changed check keeps the state and is asked at once"


# ---- a port that shares the check has its servers at once; other destinations begin where the ones before ended
xdplb port add web/8082 >/dev/null
xdplb advisor set web/8082 --type connect --port 80 --interval 300ms --fall 2 --rise 1 >/dev/null
server_in web/8082 s1
wait_until 5 server_is web/8082/s1 'd["health"] == "up" and d["rows"]["v4"] > 0' || fail "s1 of a port that shares the check: $(xdplb -j server show web/8082/s1)"
expect_equal "ports that share the check of s1" "web/80 web/8082" "$(xdplb -j advisor show web/80/s1 | json '" ".join(sorted(d[0]["checks"][0]["shared_by"]))')"
xdplb port remove web/8082 >/dev/null
kill "$(cat "$WORK/s2/nginx.pid")"
wait_until 10 server_is web/80/s2 'd["health"] == "down"' || fail "s2 is not down"
xdplb advisor set web/80 --port 81 --interval 30s >/dev/null
expect_equal "s2 just after it is probed at another port" down "$(xdplb -j server show web/80/s2 | json 'd["health"]')"
serve s2
xdplb advisor set web/80 --port none --interval 300ms >/dev/null
wait_until 10 up 3 || fail "servers are not up: $(xdplb advisor show web/80 2>&1)"

# ---- what a run of the command line asks is what the daemon asks
expect_equal "advisor run of a server that is up" true "$(xdplb -j advisor run web/80/s1 | json 'd["ok"]')"
ip -n "$LAB-s1" address del $VIPA4/32 dev lo
code=0
xdplb -j advisor run web/80/s1 >"$WORK/run" || code=$?
expect_equal "advisor run of a server without its alias: exit code, code" "1 L3NOVIP" "$code $(json '[p["code"] for p in d["probes"] if p["destination"] == "'$VIPA4'"][0]' <"$WORK/run")"
ip -n "$LAB-s1" address add $VIPA4/32 dev lo
wait_until 10 up 3 || fail "s1 is not up again: $(xdplb advisor show web/80 2>&1)"

# ---- interfaces that come with a configuration
xdplb -j config show >"$WORK/config.json"
xdplb unload eth0 >/dev/null
xdplb unload eth1 >/dev/null || true
xdplb --timeout 60 load eth1 >/dev/null
xdplb config apply "$WORK/config.json" >/dev/null
wait_until 10 up 3 || fail "after a configuration that loads eth0: $(xdplb advisor show web/80 2>&1; status_json)"
ok "interfaces that a configuration loads are probed through"

xdplb advisor remove web/80 >/dev/null
routed_as_before() { [[ "$(routing)" == "$(cat "$WORK/before")" ]]; }
wait_until 5 routed_as_before || fail "policy routes left: $(diff "$WORK/before" <(routing))"
ok "the last advisor takes its policy routes along"
xdplb advisor set web/80 --type ping --interval 300ms >/dev/null
wait_until 10 up 3 || fail "servers do not answer pings: $(xdplb advisor show web/80 2>&1)"
xdplb unload >/dev/null
expect_equal "policy routes after unload" "$(cat "$WORK/before")" "$(routing)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Backup servers take over and step back; when every server is down on_all_down decides: rows stay, drop, reset; min_up and the
# problems that tell of it.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
cluster_up
port_up web/80 "" s1 s2 s3
xdplb server set web/80/s3 --tier 1 >/dev/null
xdplb advisor set web/80 --type http --path /name --interval 300ms --fall 2 --rise 1 >/dev/null

down() { kill "$(cat "$WORK/$1/nginx.pid")"; }
up_is() { [[ $(xdplb -j server list web/80 | json 'sorted(s["name"] for s in d if s["health"] == "up")') == "$1" ]]; }
problem_is() { [[ $(status_json | json "any($1 for p in d['problems'])") == true ]]; }
only() {
  local names
  names=$(http_names client "$1" 60 | sort -u | paste -sd' ')
  [[ $names == "$2" ]]
}
wait_until 10 up_is '["s1", "s2", "s3"]' || fail "servers are not up: $(xdplb advisor show web/80 2>&1)"
wait_until 5 only $VIPA4 "s1 s2" || fail "a backup gets connections: $(http_names client $VIPA4 60 | sort | uniq -c)"
ok "the backup gets nothing: $(xdplb -j server show web/80/s3 | json 'd["reason"]')"

# ---- tiers
down s1
wait_until 5 only $VIPA4 s2 || fail "s1 is not out: $(xdplb advisor show web/80 2>&1)"
ok "one of tier 0 is left: it gets all"
xdplb port set web/80 --min-up 2 >/dev/null
wait_until 5 only $VIPA4 "s2 s3" || fail "min_up 2 does not call the backup: $(http_names client $VIPA4 60 | sort | uniq -c)"
ok "min_up 2 calls the backup"
xdplb port set web/80 --min-up 100% >/dev/null
wait_until 5 problem_is 'p["code"] == "below_min_up"' || fail "no problem told: $(status_json)"
ok "below min_up: $(status_json | json '[p["text"] for p in d["problems"] if p["code"] == "below_min_up"][0]')"
xdplb port set web/80 --min-up 1 >/dev/null
down s2
wait_until 5 only $VIPA6 s3 || fail "the backup does not take over: $(http_names client $VIPA6 60 | sort | uniq -c)"
ok "the backup takes over"
serve s1
wait_until 10 only $VIPA6 s1 || fail "the backup does not step back: $(http_names client $VIPA6 60 | sort | uniq -c)"
ok "it steps back"

# ---- all down
down s1
down s3
wait_until 10 up_is '[]' || fail "somebody is up: $(xdplb advisor show web/80 2>&1)"
wait_until 5 problem_is 'p["code"] == "all_down"' || fail "no problem told: $(status_json)"
wait_until 5 event_is 'e["code"] == "all_down" and e["object"] == "port web/80"' || fail "no event: $(xdplb events)"
rows() { xdplb -j server list web/80 | json 'sum(s["rows"]["v4"] for s in d)'; }
expect_number "rows that stay" "$(rows)" '>=' 1024
code_of() { in_ns client curl -s -o /dev/null --max-time 2 "http://$VIPA4/name" || echo $?; }
expect_equal "curl at servers that refuse (rows-stay)" 7 "$(code_of)"
xdplb port set web/80 --on-all-down drop >/dev/null
no_rows() { [[ $(rows) == 0 ]]; }
wait_until 5 no_rows || fail "rows are left: $(rows)"
before=$(outcome no_server)
expect_equal "curl at a port that drops" 28 "$(code_of)"
expect_number "packets dropped" "$(outcome no_server)" '>' "$before"
xdplb port set web/80 --on-all-down reset >/dev/null
refused() { [[ $(code_of) == 7 ]]; }
wait_until 5 refused || fail "curl at a port that resets: $(code_of)"
expect_number "resets sent" "$(outcome reset_sent)" '>' 0
serve s2
wait_until 10 only $VIPA4 s2 || fail "s2 does not get its traffic back: $(xdplb advisor show web/80 2>&1)"
wait_until 5 event_is 'e["code"] == "some_up" and e["object"] == "port web/80"' || fail "no event: $(xdplb events)"
ok "the first that is back gets all"

# ---- slow start
xdplb port set web/80 --slow-start 10s >/dev/null
serve s1
wait_until 10 server_is web/80/s1 'd["health"] == "up"' || fail "s1 is not up"
wait_until 5 server_is web/80/s1 '0 < d["effective_weight"] < 10' || fail "no slow start: $(xdplb -j server show web/80/s1)"
ok "slow start: $(xdplb -j server show web/80/s1 | json 'd["reason"]')"
wait_until 20 server_is web/80/s1 'd["effective_weight"] == 10' || fail "it does not end: $(xdplb -j server show web/80/s1)"
ok "it ends at its whole weight"

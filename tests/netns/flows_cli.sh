#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# flows, drops and explain say what is so for a flow that is written down, for a port and for a cluster; the same from the maps alone,
# with --offline, when the daemon is dead.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
stream_up s1 s2
PORT=web/$STREAM_PORT
cluster_up
port_up $PORT "--pick wrr" s1 s2
port_up web/80 "" s1
wait_until 10 answered_on client $VIPA4 || fail "no answer"
downloads_start client local 10 "http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream"

open_flows() { xdplb "$@" -j flows $PORT | json '[f for f in d["flows"] if f["state"] == "open"]'; }
# All ten have sent more than a SYN.
ten_open() { [[ $(open_flows | json 'len(d)') == 10 ]]; }
wait_until 5 ten_open || fail "open flows: $(xdplb flows $PORT)"
flows=$(open_flows)
expect_equal "flows written down: kinds, VIPAs, servers" '[["flow"], 2, ["'$PORT/s1'", "'$PORT/s2'"]]' \
  "$(json '[sorted({f["kind"] for f in d}), len({f["vipa"] for f in d}), sorted({f["server"] for f in d})]' <<<"$flows")"
expect_equal "flows of s1" 5 "$(xdplb -j flows $PORT/s1 | json 'sum(f["state"] == "open" for f in d["flows"])')"
expect_equal "flows listed with --limit 3" 3 "$(xdplb -j flows $PORT --limit 3 | json 'len(d["flows"])')"
expect_equal "flows of a port that writes none down" 0 "$(xdplb -j flows web/80 | json 'len(d["flows"])')"
xdplb flows $PORT | grep -q "$PORT/s1" || fail "the table: $(xdplb flows $PORT)"

# What explain says of each flow is what its client sees.
agree() {
  python3 - "$WORK/local" "$1" <<'PYTHON'
import json, sys
servers = json.load(open(sys.argv[1]))["servers"]
explained = json.loads(sys.argv[2])
seen = {name: counts["alive"] for name, counts in servers.items()}
print(json.dumps(seen, sort_keys=True) == json.dumps({n: explained.count(n) for n in sorted(set(explained))}, sort_keys=True))
PYTHON
}
explain_all() {
  local client vipa
  json '"\n".join(f["client"] + " " + f["vipa"] for f in d)' <<<"$flows" | while read -r client vipa; do
    xdplb "$@" -j explain "$client" "$vipa" | json 'd["matched"] + " " + d["server"].split("/")[-1] + " " + d["flow"]["state"]'
  done
}
explained=$(explain_all)
expect_equal "flows that explain finds as flows" 10 "$(grep -c '^flow .* open$' <<<"$explained")"
names=$(cut -d ' ' -f 2 <<<"$explained" | python3 -c 'import json,sys; print(json.dumps(sys.stdin.read().split()))')
expect_equal "explain agrees with what clients see" True "$(agree "$names")"
expect_equal "a flow that nobody has: matched by" row "$(xdplb -j explain "$REMOTE4:4242" "$VIPA4:$STREAM_PORT" | json 'd["matched"]')"

# ---- drops of a port and of a cluster
xdplb server down web/80/s1 >/dev/null
for _ in 1 2 3; do in_ns client curl -s --max-time 0.2 "http://$VIPA4/" || true; done
in_ns client curl -s --max-time 0.2 "http://$VIPA4:81/" || true
drops_of() { xdplb "$@" | json "sum(o['packets'] for o in d if o['outcome'] == '$OUTCOME')"; }
OUTCOME=no_server
dropped=$(drops_of -j drops web/80)
expect_number "no_server at web/80" "$dropped" '>=' 3
expect_equal "no_server at the other port" 0 "$(drops_of -j drops $PORT)"
expect_equal "no_server of the cluster" "$dropped" "$(drops_of -j drops web)"
OUTCOME=no_port
expect_number "no_port of the cluster" "$(drops_of -j drops web)" '>=' 1
expect_equal "no_port at a port" 0 "$(drops_of -j drops web/80)"
expect_error 3 "not found" xdplb drops nowhere

# ---- the same without the daemon
xdplb -j drops web/80 >"$WORK/drops"
kill9
expect_error 4 "daemon|xdplbd" xdplb flows
xdplb --offline -j drops web/80 >"$WORK/drops.offline"
cmp "$WORK/drops" "$WORK/drops.offline" || fail "offline: $(cat "$WORK/drops.offline")"
ok "drops --offline says the same"
expect_equal "open flows --offline" 10 "$(open_flows --offline | json 'len(d)')"
expect_equal "explain --offline says the same" "$explained" "$(explain_all --offline)"
expect_equal "servers --offline" "s1 s2" "$(xdplb --offline -j server list $PORT | json '" ".join(s["name"] for s in d)')"
expect_error 2 "offline" xdplb --offline server drain $PORT/s1
names=$(http_names client $VIPA4 10 $STREAM_PORT)
expect_equal "answers after looking" 10 "$(count_of "$names")"
downloads_all_run "after looking" "local:$DOWNLOADS"

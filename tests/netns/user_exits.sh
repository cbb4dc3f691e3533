#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# User exits: programs run with their words, environment and JSON; the last server that goes down is told as all_down, the first that
# comes back as some_up; a program that others can write is refused, and said so.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
cluster_up
port_up web/80 "" s1 s2
xdplb advisor set web/80 --type http --path /name --interval 300ms --fall 2 --rise 1 >/dev/null
up_is() { [[ $(xdplb -j server list web/80 | json 'sorted(s["name"] for s in d if s["health"] == "up")') == "$1" ]]; }
wait_until 10 up_is '["s1", "s2"]' || fail "servers are not up: $(xdplb advisor show web/80 2>&1)"

# Under a folder that only root can write: /tmp is everybody's.
SCRIPTS=/run/xdplb/$XDPLB_INSTANCE/scripts
mkdir -p "$SCRIPTS"
TOLD=$SCRIPTS/told
cat >"$SCRIPTS/tell" <<'SCRIPT'
#!/bin/sh
# One line an event: its words, some of its environment, and the object of the JSON on standard input.
object=$(tr -d '\n' | grep -o '"object": *"[^"]*"' | head -n 1)
echo "$1 $XDPLB_EVENT $XDPLB_OBJECT $XDPLB_CLUSTER $XDPLB_SERVER $object $(id -un)" >>"$2"
SCRIPT
chmod 755 "$SCRIPTS/tell"
cp "$SCRIPTS/tell" "$SCRIPTS/loose"
chmod 777 "$SCRIPTS/loose"
: >"$TOLD"
chmod 666 "$TOLD"
xdplb -j config show >"$WORK/config.json"
python3 - "$WORK/config.json" "$SCRIPTS" <<'PY'
import json, sys
path, scripts = sys.argv[1:]
config = json.load(open(path))
config["exits"] = {event: {"command": [f"{scripts}/tell", f"word-{event}", f"{scripts}/told"]}
                   for event in ("server_down", "all_down", "some_up", "vipa_moved")}
config["exits"]["server_up"] = {"command": [f"{scripts}/loose", "x", f"{scripts}/told"]}
json.dump(config, open(path, "w"))
PY
xdplb config apply "$WORK/config.json" >/dev/null
told() { grep -q -- "$1" "$TOLD"; }
down() { kill "$(cat "$WORK/$1/nginx.pid")"; }

down s1
wait_until 10 told '^word-server_down server_down server web/80/s1 web s1' || fail "not told: $(cat "$TOLD"; xdplb exits)"
ok "$(tail -n 1 "$TOLD")"
told ' nobody$' || fail "it did not run as nobody: $(cat "$TOLD")"
down s2
wait_until 10 told '^word-all_down all_down port web/80' || fail "all_down is not told: $(cat "$TOLD"; xdplb exits)"
expect_equal "server_down told for the last server" 0 "$(grep -c 'server_down.*s2' "$TOLD" || true)"
serve s1
wait_until 10 told '^word-some_up some_up port web/80' || fail "some_up is not told: $(cat "$TOLD"; xdplb exits)"
expect_equal "runs of server_up for the first that is back" 0 "$(xdplb -j exits | json '[e["runs"] for e in d if e["event"] == "server_up"][0]')"
serve s2
refused() { [[ $(xdplb -j exits | json '[e["last_result"] or "" for e in d if e["event"] == "server_up"][0]') == *refused* ]]; }
wait_until 10 refused || fail "a program that others can write is not refused: $(xdplb exits)"
ok "refused: $(xdplb -j exits | json '[e["last_result"] for e in d if e["event"] == "server_up"][0]')"
wait_until 5 event_is 'e["code"] == "exit_failed"' || fail "no event: $(xdplb events)"
told ' x ' && fail "it ran: $(cat "$TOLD")"
xdplb vipa set $VIPA4 --prefer eth0,eth1 --failback manual >/dev/null
xdplb vipa move $VIPA4 eth1 >/dev/null
wait_until 10 told '^word-vipa_moved vipa_moved VIPA '$VIPA4 || fail "vipa_moved is not told: $(cat "$TOLD"; xdplb events)"
ok "vipa_moved is told"
xdplb exits | grep -q server_down || fail "xdplb exits: $(xdplb exits)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --sticky: a client's connections stay with one server while servers are added, re-weighed, drained; not after drain --now, nor after its
# time. Masks make neighbours one client; --crossport shares the choice with another port, and is refused where it cannot.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
stream_up s1 s2 s3 s4
CLIENTS4=() CLIENTS6=()
for i in $(seq 101 130); do
  ip -n "$LAB-client" address add "192.0.2.$i/24" dev eth0
  ip -n "$LAB-client" address add "2001:db8:1::$i/64" dev eth0
  CLIENTS4+=("192.0.2.$i") CLIENTS6+=("2001:db8:1::$i")
done
cluster_up
port_up web/80 "--sticky 600s" s1 s2 s3
wait_until 10 answered remote $VIPA4 || fail "no answer"
wait_until 10 answered remote $VIPA6 || fail "no answer over IPv6"

# owners [PORT]: the server of each client, IPv4 and IPv6, for a connection made now.
owners() {
  in_ns client python3 "$NETNS_DIR/owners.py" tcp $VIPA4 "${1:-80}" "${CLIENTS4[@]}"
  in_ns client python3 "$NETNS_DIR/owners.py" tcp $VIPA6 "${1:-80}" "${CLIENTS6[@]}"
}
of() { grep -c " $2\$" <<<"$1" || true; }
# moved BEFORE AFTER
moved() { diff <(echo "$1") <(echo "$2") | grep -c '^>' || true; }

before=$(owners)
expect_number "clients of s1, of 60" "$(of "$before" s1)" '>=' 5
expect_number "clients of s2" "$(of "$before" s2)" '>=' 5
expect_equal "clients that move from connection to connection" 0 "$(moved "$before" "$(owners)")"
expect_equal "clients without an answer" 0 "$(of "$before" none)"

server_in web/80 s4:100
wait_until 10 resolved web/80 4 || fail "s4 does not resolve"
expect_equal "clients that move when s4 comes with most of the weight" 0 "$(moved "$before" "$(owners)")"
xdplb server set web/80/s1 --weight 1 >/dev/null
expect_equal "clients that move when s1 weighs less" 0 "$(moved "$before" "$(owners)")"
names=$(in_ns remote python3 "$NETNS_DIR/owners.py" tcp $VIPA4 80 $REMOTE4)
ok "a new client goes to ${names#* }"

xdplb server drain web/80/s2 >/dev/null
expect_equal "clients that move when s2 is drained" 0 "$(moved "$before" "$(owners)")"
kill9
expect_equal "clients that move without the daemon" 0 "$(moved "$before" "$(owners)")"
xdplb --timeout 60 load eth0 eth1 >/dev/null
expect_equal "clients that move when it is back" 0 "$(moved "$before" "$(owners)")"
xdplb server drain web/80/s2 --now >/dev/null
after=$(owners)
expect_equal "clients of s2 after drain --now" 0 "$(of "$after" s2)"
expect_equal "clients that moved, and those that s2 had" "$(of "$before" s2)" "$(moved "$before" "$after")"
xdplb server ready web/80/s2 >/dev/null
expect_equal "clients that move when s2 is back" 0 "$(moved "$after" "$(owners)")"
expect_equal "entries of clients" 62 "$(xdplb -j flows web/80 --limit 1000 | json 'sum(1 for f in d["flows"] if f["kind"] == "client")')"

# ---- two ports, one choice
expect_error 6 "crossport.*there is no port" xdplb port set web/80 --crossport $STREAM_PORT
# Both ports change at once: new_config EXPRESSION over the ports p (web/80) and q (the one that shares), then config apply.
new_config() {
  xdplb -j config show >"$WORK/config.json"
  python3 - "$WORK/config.json" "$1" <<'PYTHON'
import copy, json, sys
document = json.load(open(sys.argv[1]))
ports = document["clusters"][0]["ports"]
p = next(port for port in ports if port["port"] == 80)
q = next((port for port in ports if port["port"] == 8080), None)
exec(sys.argv[2])
json.dump(document, open(sys.argv[1], "w"))
PYTHON
  xdplb config apply "$WORK/config.json" >/dev/null
}
agree() { expect_equal "$1: clients with another server at the port that shares" 0 "$(moved "$(owners)" "$(owners $STREAM_PORT)")"; }
xdplb port remove web/80 >/dev/null
port_up web/80 "--sticky 600s" s1 s2 s3
new_config 'q = copy.deepcopy(p); q.update(port=8080, crossport=80); ports.append(q)'
wait_until 10 resolved web/$STREAM_PORT 3 || fail "the port that shares does not resolve"
before=$(owners)
agree "both new"
# What is said of a server of one port holds for the other one, too.
server_in web/80 s4:100
wait_until 10 resolved web/$STREAM_PORT 4 || fail "s4 does not come to the port that shares"
agree "s4 added"
expect_equal "clients that move with that" 0 "$(moved "$before" "$(owners $STREAM_PORT)")"
xdplb server set web/$STREAM_PORT/s1 --weight 50 >/dev/null
expect_equal "weight of s1 at the other port" 50 "$(xdplb -j server show web/80/s1 | json 'd["weight"]')"
agree "re-weighed"
expect_equal "clients that move with that" 0 "$(moved "$before" "$(owners $STREAM_PORT)")"
new_config 'for port in (p, q): port["servers"] = [s for s in port["servers"] if s["name"] != "s3"]'
agree "s3 removed from both"
expect_equal "clients of s3" 0 "$(of "$(owners)" s3)"

# A port joins another one whose clients have servers that its rows would not give them now.
new_config 'ports.remove(q)'
port_up web/$STREAM_PORT "--sticky 600s" s1 s2
expect_error 6 "crossport.*server s[14]" xdplb port set web/$STREAM_PORT --crossport 80
xdplb server set web/$STREAM_PORT/s1 --weight 50 >/dev/null
server_in web/$STREAM_PORT s4:100
wait_until 10 resolved web/$STREAM_PORT 3 || fail "s4 does not resolve"
xdplb port set web/$STREAM_PORT --crossport 80 >/dev/null
agree "a port that was there before"
xdplb port set web/$STREAM_PORT --crossport none >/dev/null

# ---- a mask makes neighbours one client
xdplb port remove web/$STREAM_PORT >/dev/null
port_up web/$STREAM_PORT "--sticky 600s --sticky-mask /24 --sticky-mask /64" s1 s2 s3 s4
names=$(owners $STREAM_PORT | grep '^192' | cut -d ' ' -f 2 | sort -u)
expect_equal "servers of 30 clients in one /24" 1 "$(count_of "$names")"
names=$(owners $STREAM_PORT | grep '^2001' | cut -d ' ' -f 2 | sort -u)
expect_equal "servers of 30 clients in one /64" 1 "$(count_of "$names")"

# ---- its time
xdplb port remove web/80 >/dev/null
port_up web/80 "--sticky 2s" s1 s2 s3
before=$(owners)
forgotten() { xdplb -j flows web/80 --limit 1000 | json 'sum(1 for f in d["flows"] if f["kind"] == "client") == 0' | grep -q true; }
xdplb server set web/80/s1 --weight 0 >/dev/null
xdplb server set web/80/s2 --weight 0 >/dev/null
wait_until 15 forgotten || fail "clients are not forgotten: $(xdplb flows web/80)"
expect_equal "clients of the only server with a weight, after their time" 60 "$(of "$(owners)" s3)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --udp-tracking on: a UDP client keeps its server through every change of the servers. Without it the change moves some.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
PORT=web/$UDP_PORT/udp
SOCKETS=20000-20199
cluster_up
port_up $PORT "--udp-tracking on --stale-timeout 20s" s1 s2 s3
for address in $VIPA4 $VIPA6; do wait_until 10 in_ns remote python3 "$NETNS_DIR/udp_client.py" "$address" $UDP_PORT 1 || fail "no answer"; done

owners() {
  in_ns client python3 "$NETNS_DIR/owners.py" udp $VIPA4 $UDP_PORT $SOCKETS
  in_ns remote python3 "$NETNS_DIR/owners.py" udp $VIPA6 $UDP_PORT $SOCKETS
}
moved() { diff <(echo "$1") <(echo "$2") | grep -c '^>' || true; }
of() { grep -c " $2\$" <<<"$1" || true; }

before=$(owners)
expect_equal "sockets without an answer" 0 "$(of "$before" none)"
expect_number "flows written down" "$(xdplb -j port show $PORT | json 'd["recorded"]')" '>=' 400
server_in $PORT s4:30
wait_until 10 resolved $PORT 4 || fail "s4 does not resolve"
expect_equal "sockets that move when s4 comes" 0 "$(moved "$before" "$(owners)")"
xdplb server set $PORT/s1 --weight 50 >/dev/null
expect_equal "sockets that move with a re-weigh" 0 "$(moved "$before" "$(owners)")"
xdplb server drain $PORT/s2 >/dev/null
expect_equal "sockets that move with a drain" 0 "$(moved "$before" "$(owners)")"
kill9
expect_equal "sockets that move without the daemon" 0 "$(moved "$before" "$(owners)")"
xdplb --timeout 60 load eth0 eth1 >/dev/null
xdplb server ready $PORT/s2 >/dev/null
expect_equal "sockets that move with a return" 0 "$(moved "$before" "$(owners)")"
names=$(in_ns client python3 "$NETNS_DIR/owners.py" udp $VIPA4 $UDP_PORT 30000-30099)
expect_number "new sockets of s4, of 100" "$(of "$names" s4)" '>=' 15
xdplb server remove $PORT/s2 >/dev/null
after=$(owners)
expect_equal "sockets that move with a removal, and those that s2 had" "$(of "$before" s2)" "$(moved "$before" "$after")"
expect_equal "sockets without an answer" 0 "$(of "$after" none)"

xdplb port remove $PORT >/dev/null
port_up $PORT "" s1 s2 s3
before=$(owners)
server_in $PORT s4:30
wait_until 10 resolved $PORT 4 || fail "s4 does not resolve"
expect_number "sockets that move without tracking when s4 comes" "$(moved "$before" "$(owners)")" '>=' 100
# Those of the port that was removed leave with the next sweep.
wait_until 10 port_is $PORT 'd["flows"] == 0' || fail "flows are written down without tracking: $(xdplb flows $PORT --limit 5)"
ok "no flows are written down without tracking"

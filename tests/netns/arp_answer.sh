#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who has the VIPA? Exactly one answer, from the first loaded interface that is up; nobody answers without the daemon.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
# A second NIC on the same LAN: the kernel, or a careless balancer, would answer through both.
cable dispatcher eth2 a 02:00:00:00:0a:03 192.0.2.3/24 2001:db8:1::3/64
dispatcher_port eth2

who_has() {
  local own=$CLIENT4
  [[ $1 != *:* ]] || own=$CLIENT6
  in_ns client python3 "$NETNS_DIR/neighbour_probe.py" eth0 $own "$1"
}
answers_are() { [[ $(who_has "$1") == "$2" ]]; }

expect_equal "answers before load" "" "$(who_has $VIPA4)$(who_has $VIPA6)"
xdplb load eth0 eth2 >/dev/null
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 192.0.2.21 --name s1 >/dev/null
for address in $VIPA4 $VIPA6; do
  wait_until 5 answers_are "$address" 02:00:00:00:0a:02 || fail "$address: answers '$(who_has "$address")', expected one of eth0"
  for _ in 1 2; do expect_equal "$address is answered once, by eth0" 02:00:00:00:0a:02 "$(who_has "$address")"; done
done
expect_equal "the VIPA is no address of the dispatcher (I6)" 0 "$(ip -n "$LAB-dispatcher" address | grep -cE "$VIPA4|$VIPA6" || true)"
expect_equal "a server's own address is its own" 02:00:00:00:00:22 "$(who_has 192.0.2.22)"

ip -n "$LAB-dispatcher" link set eth0 down
for address in $VIPA4 $VIPA6; do
  wait_until 5 answers_are "$address" 02:00:00:00:0a:03 || fail "eth0 is down; $address: answers '$(who_has "$address")', expected one of eth2"
  ok "$address moved to eth2"
done
ip -n "$LAB-dispatcher" link set eth0 up

xdplb unload >/dev/null
expect_equal "answers after unload" "" "$(who_has $VIPA4)$(who_has $VIPA6)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A server gets another network card: its new MAC is in the map within a second of the kernel learning it.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
web_up 10

# map_has MAC: server list reads it back from the map. A single cheap command, as its time counts.
map_has() { xdplb -j server list web/80 | grep -q "\"$1\""; }
map_has 02:00:00:00:00:21 || fail "the first MAC: $(xdplb server list web/80)"

# arp_notify makes the server tell its new MAC, as an operator's script or bonding would.
in_ns s1 sysctl -qw net.ipv4.conf.eth0.arp_notify=1 net.ipv6.conf.eth0.ndisc_notify=1
ip -n "$LAB-s1" link set eth0 address 02:00:00:00:99:21
started=$(date +%s%N)
kernel_knows() { ip -n "$LAB-dispatcher" neighbour show 192.0.2.21 | grep -q 02:00:00:00:99:21; }
wait_until 10 kernel_knows || fail "the kernel did not learn the MAC: $(ip -n "$LAB-dispatcher" neighbour)"
learned=$(date +%s%N)
wait_until 5 map_has 02:00:00:00:99:21 || fail "the map still has $(xdplb server list web/80)"
now=$(date +%s%N)
ok "the kernel learned it after $(((learned - started) / 1000000)) ms"
expect_equal "the MAC that explain reads back" 02:00:00:00:99:21 "$(xdplb -j explain "$REMOTE4:40000" "$VIPA4:80" | json 'd["mac"]')"
expect_number "ms from there to the map" $(((now - learned) / 1000000)) '<=' 1000
wait_until 5 answered client $VIPA4 || fail "no answer from the server's new MAC"

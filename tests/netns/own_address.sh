#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The dispatcher's own address goes and comes back, as when systemd-networkd is restarted: it is only for asking. No download breaks, new
# connections get their answers, while it is gone and when the servers are found again one after the other.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
web_up 10 10
patient_neighbours

COUNT=60
downloads_start client local $COUNT http://$VIPA4/big "http://[$VIPA6]/big"
LOCAL=$DOWNLOADS
expect_number "servers that downloads run on" "$(json 'len(d["servers"])' <"$WORK/local")" == 2

# In this time the kernel forgets its neighbours: it knows them by the address.
ip -n "$LAB-dispatcher" address flush dev eth0
downloads_all_run "without an address" "local:$LOCAL"
expect_equal "new connections without an address" 30 "$(http_names client $VIPA4 30 | wc -l)"
ready 2 || fail "servers are lost: $(xdplb status)"

# s1 is found before s2: whoever gives s2's flows to s1 for that while has broken them.
in_ns s2 ip link set eth0 arp off
ip -n "$LAB-dispatcher" address add 192.0.2.2/24 dev eth0
ip -n "$LAB-dispatcher" address add 2001:db8:1::2/64 dev eth0
ip -n "$LAB-dispatcher" route add default via 192.0.2.1
neighbour_is_valid() { ip -n "$LAB-dispatcher" neighbour show 192.0.2.21 | grep -q lladdr; }
wait_until 20 neighbour_is_valid || fail "s1 is not asked for again: $(ip -n "$LAB-dispatcher" neighbour)"
in_ns s2 ip link set eth0 arp on
downloads_all_run "with its address again" "local:$LOCAL"
downloads_are local "d['broken'] == 0" || fail "downloads: $(cat "$WORK/local")"
expect_equal "new connections with an address" 30 "$(http_names client $VIPA6 30 | wc -l)"
wait_until 10 ready 2 || fail "servers are lost: $(xdplb status)"

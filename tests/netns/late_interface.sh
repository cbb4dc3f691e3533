#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A loaded interface appears while the daemon starts, as at boot, where drivers are loaded at the same time: after the daemon has asked
# the kernel for its interfaces, before it hears of changes. It is loaded all the same.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
web_up 10
pid=$(daemon_pid)
kill -TERM "$pid"
wait_until 20 gone "$pid" || fail "daemon $pid does not end"

ip -n "$LAB-dispatcher" link delete eth0
spawn dispatcher late.log "$XDPLB_BIN/xdplbd"
# Its netlink sockets are there: from now on for as long as the program is loaded it does not listen.
# shellcheck disable=SC2016  # awk's
listens() { in_ns dispatcher awk -v pid="$SPAWNED" '$3 == pid {found = 1} END {exit !found}' /proc/net/netlink; }
wait_until 20 listens || fail "xdplbd: $(cat "$WORK/late.log")"
cable dispatcher eth0 a 02:00:00:00:0a:02 192.0.2.2/24 2001:db8:1::2/64
dispatcher_port eth0
ip -n "$LAB-dispatcher" route add default via 192.0.2.1
is_loaded() { [[ $(program_id eth0) != none ]]; }
wait_until 30 is_loaded || fail "eth0 has no program: $(xdplb status)"
wait_until 30 ready 1 || fail "no answer: $(xdplb status)"
ok "eth0 came late and forwards"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `xdplb doctor` beside a daemon: what is ours is no fault, what the daemon owns has no second owner, and the mode is the one the
# kernel gave.
source "$(dirname "$0")/lib_doctor.sh"
doctor_up
SOURCE=()
ns_add s1
in_ns s1 sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
cable s1 eth0 a 02:00:00:00:00:21 192.0.2.21/24 2001:db8:1::21/64
ip -n "$LAB-s1" address add $VIPA4/32 dev lo
xdplb --timeout 60 load eth0 eth1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
xdplb config apply "$CONFIG" >/dev/null
owned() { [[ $(xdplb -j vipa list | json "sum(v['state'] == 'owned' for v in d)") == 2 ]]; }
wait_until 30 owned || fail "VIPAs are not owned: $(xdplb vipa list)"
look
expect_clean "a dispatcher that forwards"
expect_check ok xdp_mode eth0
expect_check ok other_xdp eth1
expect_check ok duplicate_vipa $VIPA4
expect_check ok capabilities "xdplbd $(daemon_pid)"
ip -n "$LAB-client" address add $VIPA4/32 dev eth0
look
expect_check fail duplicate_vipa $VIPA4
ip -n "$LAB-client" address del $VIPA4/32 dev eth0
# Rules of probes are ours.
ruled() { in_ns dispatcher ip rule show | grep -q '^5801:'; }
wait_until 30 ruled || fail "no rules of probes: $(in_ns dispatcher ip rule show)"
look
expect_clean "rules of probes"
expect_check ok policy_rules ''
XDPLB_INSTANCE=$XDPLB_INSTANCE-other look eth0
expect_check fail other_xdp eth0

# Generic mode.
xdplb unload >/dev/null
xdplb --timeout 60 load eth0 --mode generic >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
look
expect_check warn xdp_mode eth0
cure
expect_check ok xdp_mode eth0

# For people.
xdplb doctor -q >"$WORK/quiet" || fail "doctor -q"
! grep -q '^ok' "$WORK/quiet" || fail "doctor -q shows what is ok: $(cat "$WORK/quiet")"
xdplb doctor >"$WORK/all" || fail "doctor"
grep -Eq '^0 failed, [0-9]+ warned, [0-9]+ ok$' "$WORK/all" || fail "no sum: $(cat "$WORK/all")"
ok "$(tail -n1 "$WORK/all")"

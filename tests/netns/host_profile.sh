#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Kernel settings under which one interface answers for a VIPA: without consent wrong ones are problems, and the probes before the
# first claim hear this host's own kernel. With consent they are made, told as events, and put back at the end, byte for byte, also
# after a daemon that was killed.
source "$(dirname "$0")/lib_figures.sh"
vipa_lan_up
adapters_up dispatcher 2
# As a machine comes from its distributor, and with two proxies on top.
in_ns dispatcher sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.e1.proxy_arp=1 net.ipv6.conf.all.proxy_ndp=1
plain_server s1 21

settings() { in_ns dispatcher grep -rs '' /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf | sort || true; }
as_before() { settings >"$WORK/now"; cmp -s "$WORK/before" "$WORK/now"; }
setting() { in_ns dispatcher sysctl -n "net.$1"; }
faults() { status_json | json "sorted(p['text'].split(' ')[0] for p in d['problems'] if p['code'] == 'host_setting')"; }
no_faults() { [[ $(faults) == '[]' ]]; }
expect_restored() { wait_until 40 as_before || fail "$1: settings differ: $(diff "$WORK/before" "$WORK/now")"; ok "$1: all $(wc -l <"$WORK/before") settings are as they were"; }

settings >"$WORK/before"
expect_number "settings of the host" "$(wc -l <"$WORK/before")" '>=' 100
xdplb --timeout 60 load e0 e1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 10.1.1.21 --name s1 >/dev/null
wait_until 40 owner_is $VIPA4 e0 || fail "e0 does not own the VIPA: $(xdplb vipa list 2>&1)"
as_before || fail "settings were changed without consent: $(diff "$WORK/before" "$WORK/now")"
ok "nothing is changed without consent"
[[ $(faults) == *proxy_arp* && $(faults) == *proxy_ndp* ]] || fail "proxy_arp is no problem: $(xdplb status 2>&1)"
ok "problems: $(faults)"

# fixed WHAT: what a dispatcher needs is set, and told.
fixed() {
  wait_until 40 no_faults || fail "$1: $(xdplb status 2>&1)"
  expect_equal "$1: proxy_arp of e1, proxy_ndp" "0 0" "$(setting ipv4.conf.e1.proxy_arp) $(setting ipv6.conf.all.proxy_ndp)"
}
xdplb set --fix-host on >/dev/null
fixed "set --fix-host on"
event_is "e['code'] == 'host_setting_changed' and 'proxy_arp' in e['object']" || fail "no event: $(xdplb events)"
ok "changes are events: $(xdplb -j events | json "sorted({e['object'] for e in d if e['code'] == 'host_setting_changed'})")"
xdplb set --fix-host off >/dev/null
expect_restored "set --fix-host off"
xdplb unload >/dev/null
expect_restored "unload"

xdplb --timeout 60 load e0 e1 --fix-host >"$WORK/load.out" 2>&1 || fail "load --fix-host: $(cat "$WORK/load.out")"
fixed "load --fix-host"
pid=$(daemon_pid)
kill9
expect_equal "settings after the daemon was killed: proxy_arp of e1" 0 "$(setting ipv4.conf.e1.proxy_arp)"
spawn dispatcher xdplbd.log "$XDPLB_BIN/xdplbd"
wait_until 40 owner_is $VIPA4 e0 || fail "no daemon: $(cat "$WORK/xdplbd.log")"
fixed "daemon started again"
pid=$(daemon_pid)
kill -TERM "$pid"
wait_until 40 gone "$pid" || fail "daemon $pid does not end"
expect_restored "killed, started, ended"
# A setting that somebody changed meanwhile is his.
xdplb --timeout 60 load e0 e1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
fixed "with consent as configured"
in_ns dispatcher sysctl -qw net.ipv4.conf.e1.proxy_arp=1 net.ipv6.conf.e0.hop_limit=99
xdplb set --fix-host off >/dev/null
expect_equal "a setting that is none of ours" 99 "$(setting ipv6.conf.e0.hop_limit)"
in_ns dispatcher sysctl -qw net.ipv6.conf.e0.hop_limit=64
xdplb unload >/dev/null
expect_restored "the rest"

# A server of its own VIPA, with a kernel that answers, too.
ip -n "$LAB-dispatcher" address add "$VIPA4/32" dev lo
settings >"$WORK/before"
expect_equal "answers of the kernel alone" "$(adapter_mac 0) $(adapter_mac 1)" "$(who_has $VIPA4 | sort | paste -sd' ')"
host_daemon dispatcher
on dispatcher vipa set $VIPA4 --local on --prefer e0,e1 >/dev/null
host_has() { [[ $(host_status dispatcher | json "any(p['code'] == '$1' and '${2:-}' in p['text'] for p in d['problems'])") == true ]]; }
wait_until 40 host_has kernel_answers || fail "the kernel answers, and it is no problem: $(on dispatcher status 2>&1)"
ok "$(host_status dispatcher | json "next(p['text'] for p in d['problems'] if p['code'] == 'kernel_answers')")"
wait_until 40 host_has host_setting arp_ignore || fail "arp_ignore 0 is no problem: $(on dispatcher status 2>&1)"
ok "arp_ignore 0 is a problem of a VIPA of this host"
host_vipa_is dispatcher $VIPA4 "d['state'] != 'owned'" || fail "claimed beside the kernel: $(on dispatcher vipa list)"
expect_equal "answers meanwhile" "$(adapter_mac 0) $(adapter_mac 1)" "$(who_has $VIPA4 | sort | paste -sd' ')"

on dispatcher set --fix-host on >/dev/null
wait_until 40 host_vipa_is dispatcher $VIPA4 "d['state'] == 'owned' and d['owner'] == 'e0'" || fail "not owned after the settings are right: $(on dispatcher vipa list)"
expect_equal "the one answer with consent" "$(adapter_mac 0)" "$(who_has $VIPA4)"
for nic in e0 e1; do
  expect_equal "$nic: arp_ignore, arp_announce, rp_filter" "1 2 0" "$(setting ipv4.conf.$nic.arp_ignore) $(setting ipv4.conf.$nic.arp_announce) $(setting ipv4.conf.$nic.rp_filter)"
done
# It goes wrong later: another program has its own opinion.
in_ns dispatcher sysctl -qw net.ipv4.conf.all.rp_filter=1
filters() { echo "$(setting ipv4.conf.e0.rp_filter) $(setting ipv4.conf.e1.rp_filter)"; }
filters_are() { [[ $(filters) == "$1" ]]; }
wait_until 40 filters_are "2 2" || fail "rp_filter 1 stays: $(filters)"
ok "rp_filter 1 of all is met by 2 of e0 and e1"
in_ns dispatcher sysctl -qw net.ipv4.conf.all.rp_filter=0
host_ends
expect_restored "the server's daemon ended"

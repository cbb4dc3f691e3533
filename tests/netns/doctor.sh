#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A dispatcher that is well has no failed check. Then each thing that can be broken in a namespace is broken alone, told by its own
# code, and cured by the very command that `xdplb doctor` names. No daemon runs: a configuration file says what is needed.
source "$(dirname "$0")/lib_doctor.sh"
doctor_up

traces() {
  in_ns dispatcher ip rule show
  in_ns dispatcher ip -6 rule show
  in_ns dispatcher ip route show table all
  in_ns dispatcher ip neighbour show to $VIPA4
  in_ns dispatcher ip neighbour show to $VIPA6
  ls /sys/fs/bpf/xdp 2>/dev/null || true
}

traces >"$WORK/before"
look
expect_clean "a dispatcher as it should be"
traces >"$WORK/after"
cmp -s "$WORK/before" "$WORK/after" || fail "doctor left something: $(diff "$WORK/before" "$WORK/after")"
ok "no rule, route, neighbour or pin is left of it"
for code in kernel prog_type_xdp map_types jit btf link_features bpffs memlock capabilities file_limit clock conntrack policy_rules ip_forward; do
  [[ $(report "any(c['code'] == '$code' for c in d['checks'])") == true ]] || fail "no check $code: $(cat "$WORK/report")"
done
SOURCE=()
look
[[ $(report "[c['object'] for c in d['checks'] if c['code'] in ('mtu', 'vipa_local')]") == '[]' ]] || fail "interfaces that nobody named: $(cat "$WORK/report")"
expect_clean "nothing is named: the host alone"
look eth0 --vipa $VIPA4
expect_equal "interface and VIPA by words" "['eth0'] ['$VIPA4']" \
  "$(report "str([c['object'] for c in d['checks'] if c['code'] == 'interface_down']) + ' ' + str([c['object'] for c in d['checks'] if c['code'] == 'vipa_local'])")"
look eth9
expect_check fail interface_missing eth9
SOURCE=(--config "$CONFIG")

broken vipa_local $VIPA4 ip address add $VIPA4/32 dev lo
broken vipa_local $VIPA6 ip address add $VIPA6/128 dev lo nodad
broken vipa_local $VIPA4 ip route add local 192.0.2.8/29 dev lo
broken rp_filter eth1 sysctl -qw net.ipv4.conf.eth1.rp_filter=1
broken interface_down eth1 ip link set eth1 down
ip -n "$LAB-dispatcher" address replace 2001:db8:2::2/64 dev eth1
broken proxy_arp eth0 sysctl -qw net.ipv4.conf.eth0.proxy_arp=1
broken policy_rules "v4 5801" ip rule add pref 5801 lookup 99
broken policy_rules "v6 100" ip -6 rule add pref 100 fwmark 0x58000000/0xff000000 lookup 99
pass_program "$WORK/pass.o"
broken other_xdp eth0 ip link set dev eth0 xdpdrv obj "$WORK/pass.o" sec xdp
in_ns dispatcher ip rule add pref 100 lookup 99
in_ns dispatcher sysctl -qw net.ipv4.ip_forward=1
look
expect_check warn policy_rules "v4 100"
cure
expect_check warn ip_forward v4
cure
in_ns dispatcher ip link set eth1 mtu 3500
look
expect_check warn mtu eth1
cure
# Below 1280 the kernel takes IPv6 from the interface.
broken mtu eth1 ip link set eth1 mtu 1200
ip -n "$LAB-dispatcher" address replace 2001:db8:2::2/64 dev eth1

# Who answers for the VIPA.
ip -n "$LAB-client" address add $VIPA4/32 dev eth0
look
expect_check warn duplicate_vipa $VIPA4
ip -n "$LAB-router" address add $VIPA4/32 dev eth0
look
expect_check fail duplicate_vipa $VIPA4
[[ $(report "[c['text'] for c in d['checks'] if c['code'] == 'duplicate_vipa' and c['verdict'] == 'fail'][0]") == *02:00:00:00:0a:01*02:00:00:00:0c:01* ]] ||
  fail "the two are not named: $(cat "$WORK/report")"
ip -n "$LAB-client" address del $VIPA4/32 dev eth0
ip -n "$LAB-router" address del $VIPA4/32 dev eth0
ns_add s1
cable s1 eth0 a 02:00:00:00:00:21 192.0.2.21/24 2001:db8:1::21/64
in_ns dispatcher ping -qc 1 -W 5 192.0.2.21 >/dev/null || fail "s1 does not answer"
ip -n "$LAB-s1" address add $VIPA4/32 dev lo
look
expect_check fail duplicate_vipa $VIPA4
[[ $REMEDY == "xdplb-server setup $VIPA4"* ]] || fail "a server that is not silent is no case for '$REMEDY'"
in_ns s1 sysctl -qw net.ipv4.conf.all.arp_ignore=1
ip -n "$LAB-client" address add $VIPA6/128 dev eth0 nodad
look
expect_check warn duplicate_vipa $VIPA6
ip -n "$LAB-client" address del $VIPA6/128 dev eth0
look
expect_clean "nobody answers any more"

# What the process may.
in_ns dispatcher bash -c "ulimit -n 200; exec '$XDPLB_BIN/xdplb' -j doctor --config '$CONFIG'" >"$WORK/report" && LOOKED=0 || LOOKED=$?
expect_check fail file_limit ''
in_ns dispatcher setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$XDPLB_BIN/xdplb" -j doctor --config "$CONFIG" >"$WORK/report" && LOOKED=0 || LOOKED=$?
expect_equal "BPF is refused: failed codes, exit code" "capabilities prog_type_xdp 1" "$(bad fail) $LOOKED"
expect_error 5 "run it as root" in_ns dispatcher setpriv --reuid=65534 --clear-groups "$XDPLB_BIN/xdplb" doctor

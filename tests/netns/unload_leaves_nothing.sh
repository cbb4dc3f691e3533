#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# unload takes back all that load brought: programs, pins, daemon, socket, and what was set in the kernel.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
# settings: what load might change in the kernel: ARP and ND settings, groups, promiscuity, addresses and routes.
settings() {
  in_ns dispatcher sysctl -a 2>/dev/null | grep -E 'net\.ipv[46]\.(conf|neigh)\.' | grep -vE 'stable_secret|mc_forwarding'
  ip -n "$LAB-dispatcher" address
  ip -n "$LAB-dispatcher" route
  ip -n "$LAB-dispatcher" -6 route
  ip -n "$LAB-dispatcher" -o -d link | grep -oE 'eth[01]@|promiscuity [0-9]+'
}
ip -n "$LAB-dispatcher" maddress show >"$WORK/groups.before"
settings >"$WORK/before"
web_up 10
answered client $VIPA4 || fail "no answer"
pid=$(daemon_pid)
xdplb unload >/dev/null || fail "unload"
expect_equal "program of eth0" none "$(program_id eth0)"
expect_equal "program of eth1" none "$(program_id eth1)"
wait_until 5 gone "$pid" || fail "the daemon that load started is still there"
ok "the daemon is gone"
[[ ! -e /sys/fs/bpf/xdplb/$XDPLB_INSTANCE ]] && ok "no pins" || fail "pins left: $(find "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE")"
[[ ! -e /run/xdplb/$XDPLB_INSTANCE/api.sock ]] && ok "no socket" || fail "the socket is left"
settings >"$WORK/after"
diff "$WORK/before" "$WORK/after" || fail "settings changed"
ip -n "$LAB-dispatcher" maddress show >"$WORK/groups.after"
diff "$WORK/groups.before" "$WORK/groups.after" || fail "multicast groups stay joined"
ok "the kernel's settings are as before"
expect_error 4 "daemon|xdplbd" xdplb status

# Without a daemon, too: a killed one left everything behind.
web_up 10
kill9
xdplb unload >/dev/null || fail "unload without a daemon"
expect_equal "program of eth0, unloaded without a daemon" none "$(program_id eth0)"
[[ ! -e /sys/fs/bpf/xdplb/$XDPLB_INSTANCE ]] && ok "no pins" || fail "pins left: $(find "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE")"

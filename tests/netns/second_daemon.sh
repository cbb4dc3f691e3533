#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A second daemon of an instance does not start, and the first does not notice.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
web_up 10
first=$(daemon_pid)
expect_error 7 "$XDPLB_INSTANCE|running" in_ns dispatcher timeout 10 "$XDPLB_BIN/xdplbd"
expect_equal "the daemon" "$first" "$(daemon_pid)"
answered client $VIPA4 || fail "no answer"
ok "requests are answered"

# Another instance of the same host is no second daemon, but a NIC has one owner.
own=$XDPLB_INSTANCE
export XDPLB_INSTANCE=o$own
expect_error 7 "eth0" xdplb load eth0
xdplb unload >/dev/null 2>&1 || true
rm -rf "/run/xdplb/$XDPLB_INSTANCE" "/var/lib/xdplb/$XDPLB_INSTANCE" "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE"
export XDPLB_INSTANCE=$own
answered client $VIPA4 || fail "no answer after the other instance's try"
ok "requests are still answered"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon is stopped in good order and started again: traffic goes on, the configuration is back.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
web_up 10 5
xdplb server set web/80/s2 --weight 7 >/dev/null
xdplb -j config show >"$WORK/before.json"
pid=$(daemon_pid)
kill -TERM "$pid"
wait_until 5 gone "$pid" || fail "the daemon does not end on SIGTERM"
names=$(http_names client $VIPA4 50)
expect_equal "answers while there is no daemon" 50 "$(wc -l <<<"$names")"
expect_error 4 "daemon|xdplbd" xdplb status

xdplb load eth0 eth1 >/dev/null
xdplb -j config show >"$WORK/after.json"
cmp "$WORK/before.json" "$WORK/after.json" || fail "the configuration changed: $(diff "$WORK/before.json" "$WORK/after.json")"
ok "the configuration is back, weight 7 of s2 included"
wait_until 10 ready 2 || fail "servers are not ready: $(xdplb status 2>&1)"

# The programs and maps are gone, too, as after a reboot: the state alone brings everything back.
kill9
rm -rf "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE"
wait_until 5 no_program eth0 || fail "the pinned link kept the program"
xdplb load eth0 eth1 >/dev/null
wait_until 10 ready 2 || fail "servers are not ready after a cold start: $(xdplb status 2>&1)"
xdplb -j config show >"$WORK/after.json"
cmp "$WORK/before.json" "$WORK/after.json" || fail "the configuration changed: $(diff "$WORK/before.json" "$WORK/after.json")"
ok "a cold start brings everything back"

# The same for a daemon that an init system starts, and for whom nobody types load.
kill9
rm -rf "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE"
spawn dispatcher xdplbd.log "$XDPLB_BIN/xdplbd"
wait_until 10 ready 2 || fail "xdplbd alone did not bring everything back: $(cat "$WORK/xdplbd.log")"
ok "xdplbd alone brings everything back"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An interface that already carries somebody's XDP program is left alone.
source "$(dirname "$0")/lib.sh"
lan_up
pass_program "$WORK/pass.o"
ip -n "$LAB-dispatcher" link set dev eth0 xdpdrv obj "$WORK/pass.o" sec xdp
before=$(program_id eth0)
expect_error 7 "eth0" xdplb load eth0
expect_error 7 "eth0" xdplb load eth1 eth0
expect_equal "the program of eth0" "$before" "$(program_id eth0)"
expect_equal "the program of eth1, which was asked for as well" none "$(program_id eth1)"
ip -n "$LAB-dispatcher" link set dev eth0 xdp off
xdplb load eth0 >/dev/null || fail "load after the other program went"
ok "load succeeds once the other program is gone"

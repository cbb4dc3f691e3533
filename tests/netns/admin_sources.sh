#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Configuration, operator, hook and agent each have a word about a server; the most severe one holds, each takes back only its own, and
# `server show` says whose it is.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
cluster_up
port_up web/80 "" s1 s2

admin() { xdplb -j server show web/80/s1 | json '"%s of %s" % (d["admin"], d["admin_source"])'; }
# no_s1 WHAT: s1 gets no new connections.
no_s1() {
  local names
  names=$(http_names client $VIPA4 80)
  expect_equal "$1: answers, those of s1" "80 0" "$(count_of "$names") $(share "$names" s1)"
}

expect_equal "nobody said anything" "ready of None" "$(admin)"
xdplb server drain web/80/s1 --source hook >/dev/null
expect_equal "a hook drains" "drain of hook" "$(admin)"
no_s1 "drained by a hook"
xdplb server ready web/80/s1 >/dev/null
expect_equal "the operator cannot take it back" "drain of hook" "$(admin)"
xdplb server down web/80/s1 >/dev/null
expect_equal "the operator says more" "down of operator" "$(admin)"
xdplb server ready web/80/s1 --source hook >/dev/null
expect_equal "the hook takes back its own" "down of operator" "$(admin)"
xdplb server ready web/80/s1 >/dev/null
expect_equal "so does the operator" "ready of None" "$(admin)"
xdplb server set web/80/s1 --admin drain >/dev/null
expect_equal "the configuration drains" "drain of config" "$(admin)"
no_s1 "drained by the configuration"
ok "why: $(xdplb -j server show web/80/s1 | json 'd["reason"]')"
xdplb server set web/80/s1 --admin ready >/dev/null

# ---- daily
hour=$((10#$(date +%H)))
later=$(((hour + 2) % 24))
xdplb server drain web/80/s1 --daily $later $later >/dev/null
expect_equal "drained in another hour" "ready of None" "$(admin)"
xdplb server drain web/80/s1 --daily $hour $(((hour + 1) % 24)) >/dev/null
expect_equal "drained in this hour" "drain of operator" "$(admin)"
no_s1 "drained in this hour"
kill9
xdplb --timeout 60 load eth0 eth1 >/dev/null
expect_equal "after a restart" "drain of operator" "$(admin)"
xdplb server ready web/80/s1 >/dev/null
expect_equal "taken back" "ready of None" "$(admin)"

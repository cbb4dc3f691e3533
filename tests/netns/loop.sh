#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The loop guard: a frame from another dispatcher, or from the server it would go to, is not dispatched again.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
cluster_up
port_up web/80 "" s1
wait_until 10 answered client $VIPA4 || fail "no answer"

# from MAC: the servers that a frame of this sender reaches
from() {
  in_ns client python3 "$NETNS_DIR/one_frame.py" --from-mac "$1" --wait "${2:-3}" 02:00:00:00:0a:02 $VIPA4 "$LAB-s1" |
    json '" ".join(f["server"] for f in d) or "nobody"'
}
expect_equal "a frame of the router reaches" s1 "$(from 02:00:00:00:0a:01)"
before=$(outcome loop)
xdplb set --peer 02:00:00:00:0e:01 02:00:00:00:0e:02 >/dev/null
expect_equal "a frame of one peer reaches" nobody "$(from 02:00:00:00:0e:01 1)"
expect_equal "a frame of the other peer reaches" nobody "$(from 02:00:00:00:0e:02 1)"
# Another MAC with the same bit of the filter: the last byte is what that looks at.
expect_equal "a frame of somebody whose MAC ends alike reaches" s1 "$(from 02:00:00:00:0c:01)"
expect_equal "packets counted as loop" 2 $(($(outcome loop) - before))
xdplb set --peer 02:00:00:00:0e:02 >/dev/null
expect_equal "the first one is a peer no longer: it reaches" s1 "$(from 02:00:00:00:0e:01)"
xdplb set --no-peers >/dev/null
expect_equal "no peers: the other one reaches" s1 "$(from 02:00:00:00:0e:02)"
expect_equal "answers to a real client" 10 "$(count_of "$(http_names client $VIPA4 10)")"
before=$(outcome loop)
# The last of all: the switch takes the server to be at the client's port from now on.
expect_equal "a frame of the server itself reaches" nobody "$(from 02:00:00:00:00:21 1)"
expect_equal "packets counted as loop" 1 $(($(outcome loop) - before))

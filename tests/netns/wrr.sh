#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --pick wrr: new connections go round the servers in exact turns, whatever the clients; each is written down and keeps its server.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
cluster_up
port_up web/80 "--pick wrr" s1:30 s2:20 s3:10
port_up web/$UDP_PORT/udp "--pick wrr --udp-tracking on" s1:30 s2:20 s3:10
wait_until 10 answered client $VIPA4 || fail "no answer"

# turns WHAT NAMES: in every six answers in a row, s1 has three, s2 two and s3 one.
turns() {
  local wrong
  wrong=$(python3 -c '
import sys
names = sys.argv[1].split()
want = ["s1"] * 3 + ["s2"] * 2 + ["s3"]
print(sum(sorted(names[i:i + 6]) != want for i in range(len(names) - 5)))' "$2")
  expect_equal "$1: answers" 60 "$(count_of "$2")"
  expect_equal "$1: runs of six without three of s1, two of s2 and one of s3" 0 "$wrong"
}
turns "tcp v4 of one client" "$(http_names client $VIPA4 60)"
turns "tcp v6 from behind the router" "$(http_names remote $VIPA6 60)"
turns "udp v4" "$(in_ns client python3 "$NETNS_DIR/owners.py" udp $VIPA4 $UDP_PORT 30000-30059 | cut -d ' ' -f 2)"

before=$(in_ns client python3 "$NETNS_DIR/owners.py" udp $VIPA4 $UDP_PORT 30000-30059)
xdplb server set web/$UDP_PORT/udp/s1 --weight 1 >/dev/null
after=$(in_ns client python3 "$NETNS_DIR/owners.py" udp $VIPA4 $UDP_PORT 30000-30059)
expect_equal "udp clients with another server after a re-weigh" 0 "$(diff <(echo "$before") <(echo "$after") | grep -c '^>' || true)"

downloads_start client local 40 http://$VIPA4/big "http://[$VIPA6]/big"
xdplb server set web/80/s1 --weight 10 >/dev/null
xdplb server drain web/80/s2 >/dev/null
downloads_all_run "re-weighed and drained" "local:$DOWNLOADS"
names=$(http_names client $VIPA4 40)
expect_equal "answers after the drain: s1, s2, s3" "20 0 20" "$(share "$names" s1) $(share "$names" s2) $(share "$names" s3)"
kill9
names=$(http_names client $VIPA4 40)
expect_equal "without the daemon: s1, s2, s3" "20 0 20" "$(share "$names" s1) $(share "$names" s2) $(share "$names" s3)"
downloads_all_run "daemon killed" "local:$DOWNLOADS"
xdplb --timeout 60 load eth0 eth1 >/dev/null
downloads_all_run "daemon started again" "local:$DOWNLOADS"

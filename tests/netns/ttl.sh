#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# set --decrement-ttl: the dispatcher counts as a hop, checksums stay right, and what has no hop left is dropped.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s3 b 23
cluster_up
port_up web/80 "" s1
wait_until 10 answered client $VIPA4 || fail "no answer"

# comes_out WHAT TTL_OUT TTL_IN
comes_out() {
  local address seen
  for address in $VIPA4 $VIPA6; do
    seen=$(in_ns client python3 "$NETNS_DIR/one_frame.py" --ttl "$3" --wait 1.5 02:00:00:00:0a:02 "$address" "$LAB-s1" "$LAB-s3")
    expect_equal "$1, $address: $3 becomes" "$2" "$(json '" ".join("%d%s" % (f["ttl"], "" if f["whole"] else " damaged") for f in d) or "nothing"' <<<"$seen")"
  done
}
comes_out "off" 64 64
comes_out "off" 1 1
xdplb set --decrement-ttl on >/dev/null
comes_out "on" 63 64
comes_out "on" 1 2
before=$(outcome ttl_expired)
comes_out "on" nothing 1
expect_equal "packets counted as ttl_expired" 2 $(($(outcome ttl_expired) - before))
server_in web/80 s3
wait_until 10 resolved web/80 2 || fail "s3 does not resolve"
for address in $VIPA4 $VIPA6; do
  names=$(http_names client "$address" 60)
  expect_equal "$address: answers with decremented TTL" 60 "$(count_of "$names")"
  expect_number "$address: of s3, behind the other interface" "$(share "$names" s3)" '>=' 10
done
xdplb set --decrement-ttl off >/dev/null
xdplb server remove web/80/s3 >/dev/null
comes_out "off again" 64 64

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# server --vlan: frames to it leave with that tag, or with none, whatever the client's frame had; priority and inner tags stay.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s3 b 23
cluster_up
port_up web/80 "" s1

# comes_out WHAT EXPECTED OPTIONS...: the tags at the server, and that the rest is whole, for both families
comes_out() {
  local what=$1 expected=$2 address seen
  shift 2
  for address in $VIPA4 $VIPA6; do
    seen=$(in_ns client python3 "$NETNS_DIR/one_frame.py" "$@" 02:00:00:00:0a:02 "$address" "$LAB-s1" "$LAB-s3")
    expect_equal "$what, $address" "$expected" "$(json '" ".join("%s %s %s" % (f["server"], f["tags"], "whole" if f["whole"] else "damaged") for f in d)' <<<"$seen")"
  done
}
Q=0x8100
wait_until 10 answered client $VIPA4 || fail "no answer"
for server in s1 s3; do
  if [[ $server == s3 ]]; then
    server_in web/80 s3
    wait_until 10 resolved web/80 2 || fail "s3 does not resolve"
    xdplb server remove web/80/s1 >/dev/null
  fi
  comes_out "keep: no tag" "$server [] whole"
  comes_out "keep: tag 100" "$server [[33024, 100]] whole" --tag $Q:100
  xdplb server set web/80/$server --vlan 300 >/dev/null
  comes_out "300: no tag" "$server [[33024, 300]] whole"
  comes_out "300: tag 100 with priority 5" "$server [[33024, 41260]] whole" --tag $Q:$((5 << 13 | 100))
  comes_out "300: 802.1ad tag 200 outside tag 100" "$server [[34984, 300], [33024, 100]] whole" --tag 0x88a8:200 --tag $Q:100
  xdplb server set web/80/$server --vlan none >/dev/null
  comes_out "none: no tag" "$server [] whole"
  comes_out "none: tag 100" "$server [] whole" --tag $Q:100
  comes_out "none: 802.1ad tag 200 outside tag 100" "$server [[33024, 100]] whole" --tag 0x88a8:200 --tag $Q:100
  names=$(http_names client $VIPA4 10)
  expect_equal "answers of $server without a tag" 10 "$(share "$names" $server)"
  xdplb server set web/80/$server --vlan keep >/dev/null
done

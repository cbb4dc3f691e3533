#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Servers behind the dispatcher's second NIC get their frames through the devmap, with that NIC's MAC as the source.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s3 b 23
xdplb load eth0 eth1 >/dev/null
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 192.0.2.21 --name s1 >/dev/null
xdplb server add web/80 198.51.100.23 --name s3 >/dev/null
wait_until 10 ready 2 || fail "servers did not resolve: $(xdplb status 2>&1)"

expect_equal "interface of s3" eth1 "$(xdplb -j server show web/80/s3 | json '(d[0] if isinstance(d, list) else d)["interface"]')"
before=$(outcome redirected)
for role in client remote; do
  for address in $VIPA4 $VIPA6; do
    names=$(http_names $role "$address" 200)
    expect_equal "$role $address: answers" 200 "$(wc -l <<<"$names")"
    expect_number "$role $address: of s3, behind eth1" "$(share "$names" s3)" '>=' 50
  done
done
expect_number "frames redirected" $(($(outcome redirected) - before)) '>=' 1000

xdplb server remove web/80/s1 >/dev/null
names=$(http_names client $VIPA4 50)
expect_equal "answers of s3 when it is alone" 50 "$(share "$names" s3)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# HTTP through the dispatcher, IPv4 and IPv6, from a client on the LAN and one behind a router: every request is answered, by
# every server, and no answer passes the dispatcher.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
web_up 10 10

passed=$(outcome from_vipa)
for role in client remote; do
  for address in $VIPA4 $VIPA6; do
    names=$(http_names $role "$address" 300)
    expect_equal "$role $address: answers" 300 "$(wc -l <<<"$names")"
    expect_number "$role $address: of s1" "$(share "$names" s1)" '>=' 90
    expect_number "$role $address: of s2" "$(share "$names" s2)" '>=' 90
  done
done
for address in $VIPA4 $VIPA6; do
  size=$(in_ns remote curl -s --max-time 20 -o /dev/null -w '%{size_download}' "http://$(host_in_url "$address")/file")
  expect_equal "8 MB over $address" $((8 * 1024 * 1024)) "$size"
done
expect_equal "answers that passed the dispatcher" "$passed" "$(outcome from_vipa)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Datagrams through the dispatcher: each gets its answer from the address it asked, by every server.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
web_up 10 10

for role in client remote; do
  for address in $VIPA4 $VIPA6; do
    names=$(udp_names $role "$address" 300)
    expect_equal "$role $address: answers" 300 "$(wc -l <<<"$names")"
    expect_number "$role $address: of s1" "$(share "$names" s1)" '>=' 90
    expect_number "$role $address: of s2" "$(share "$names" s2)" '>=' 90
  done
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fragments of one packet meet at one server: big datagrams and big pings of real clients, and raw ones whose later fragments come in any order;
# before the first one where the port is sticky, else a later fragment that cannot be placed is counted as such.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
cluster_up
port_up web/$UDP_PORT/udp "" s1 s2 s3 s4
# The router, too, must know who answers for the addresses, or it drops what does not fit its queue meanwhile.
for role in client remote; do
  for address in $VIPA4 $VIPA6; do wait_until 10 in_ns $role python3 "$NETNS_DIR/udp_client.py" "$address" $UDP_PORT 1 || fail "no answer"; done
done

# sent ORDER ADDRESS SOURCE: answers to 20 datagrams of three fragments in this order
sent() { in_ns client python3 "$NETNS_DIR/fragments.py" 02:00:00:00:0a:02 "$2" $UDP_PORT "$3" "${4:-20}" "$1"; }
for pair in "$VIPA4 $CLIENT4" "$VIPA6 $CLIENT6"; do
  read -r address source <<<"$pair"
  names=$(sent 012 "$address" "$source")
  expect_equal "in order at $address: answers" 20 "$(count_of "$names")"
  expect_number "in order at $address: servers" "$(sort -u <<<"$names" | grep -c .)" '>=' 2
  expect_equal "the later ones turned round at $address: answers" 20 "$(count_of "$(sent 021 "$address" "$source")")"
  before=$(outcome fragment_unplaced)
  expect_equal "the first one last at $address, ports count: answers" 0 "$(count_of "$(sent 210 "$address" "$source" 3)")"
  expect_equal "later fragments that were not placed" 6 $(($(outcome fragment_unplaced) - before))
done

# Real senders: the kernels of client and server take apart and put together.
for role in client remote; do
  expect_equal "$role: answers to 8000-byte datagrams" 30 "$(count_of "$(in_ns $role python3 "$NETNS_DIR/udp_client.py" $VIPA4 $UDP_PORT 30 8000)")"
  expect_equal "$role: answers to 8000-byte datagrams over IPv6" 30 "$(count_of "$(in_ns $role python3 "$NETNS_DIR/udp_client.py" $VIPA6 $UDP_PORT 30 8000)")"
  for address in $VIPA4 $VIPA6; do
    expect_equal "$role: answers to 4000-byte pings at $address" 4 "$(in_ns $role ping -c 4 -i 0.2 -s 4000 -W 2 "$address" | sed -n 's/.*, \([0-9]*\) received.*/\1/p')"
  done
done

xdplb port set web/$UDP_PORT/udp --sticky 60s >/dev/null
for pair in "$VIPA4 $CLIENT4" "$VIPA6 $CLIENT6"; do
  read -r address source <<<"$pair"
  expect_equal "sticky, the first one last at $address: answers" 20 "$(count_of "$(sent 210 "$address" "$source")")"
done

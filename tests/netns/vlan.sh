#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Tagged frames for the VIPA leave with the same tags; only the two MACs are new.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
web_up 10 10

for address in $VIPA4 $VIPA6; do
  python3 "$NETNS_DIR/vlan_frames.py" 02:00:00:00:0a:02 "$address" "$LAB-client" "$LAB-s1" "$LAB-s2" || fail "tagged frames for $address"
done

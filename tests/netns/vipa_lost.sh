#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A silent neighbour that hears nothing for the first four seconds after a failover (scenario 46), as behind a switch port that forwards
# late: the announcements at 4.4 and 10 s correct it.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire client-eth0 dispatcher-e0 dispatcher-e1
owner_up 3 --failback manual --refresh 0
# It believes what it learned for ten minutes, and sends nothing of its own.
in_ns client sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=600000 net.ipv6.neigh.eth0.base_reachable_time_ms=600000
for address in $VIPA4 $VIPA6; do ip -n "$LAB-client" neighbour replace "$address" lladdr "$(adapter_mac 0)" nud reachable dev eth0; done
client_has() { ip -n "$LAB-client" neighbour show "$1" | grep -q "lladdr $(adapter_mac "$2")"; }
all_announced() { captured_is wire "len(announced('$VIPA4', $PULLED)) >= $1 and len(announced('$VIPA6', $PULLED)) >= $2"; }

PULLED=$(now)
in_ns switch bridge link set dev client-eth0 state 0
pull dispatcher 0
# At 0, 1.1, 2.2, 3.3 s and 0, 1, 2 s.
wait_until 10 all_announced 4 3 || fail "announcements: $(captured wire "times(announced('$VIPA4', $PULLED), $PULLED)")"
for address in $VIPA4 $VIPA6; do client_has "$address" 0 || fail "control: the client should have heard nothing of $address: $(ip -n "$LAB-client" neighbour)"; done
in_ns switch bridge link set dev client-eth0 state 3
HEARS=$(now)
repaired() { client_has "$1" 1; }
for address in $VIPA4 $VIPA6; do
  wait_until 15 repaired "$address" || fail "the client still sends $address to e0: $(ip -n "$LAB-client" neighbour show "$address")"
  ok "$address is repaired $(captured wire "round($(now) - $PULLED, 1)") s after the failover"
done
# It was told, it did not ask; and it was told by what comes at 4.4 s and 10 s.
expect_captured "the client asked for nothing" wire "not [x for x in pick($PULLED, port='client-eth0') if x['target'] in ('$VIPA4', '$VIPA6')]"
expect_captured "announced at $(captured wire "[times(announced(ip, $HEARS), announced(ip, $PULLED)[0]['t']) for ip in ('$VIPA4', '$VIPA6')]") s" wire \
  "near(times(announced('$VIPA4', $HEARS), announced('$VIPA4', $PULLED)[0]['t'])[:1], [4.4], 0.3) and near(times(announced('$VIPA6', $HEARS), announced('$VIPA6', $PULLED)[0]['t'])[:1], [10], 0.3)"

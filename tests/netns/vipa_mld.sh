#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A switch that forwards multicast only where somebody asked for it (scenario 43): every adapter of the list is a member of the VIPA's
# solicited-node group beforehand, so the next owner hears the first question after a failover.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
rogue_up
adapters_up dispatcher 3
# Snooping counts from one query's response time after the querier began: a second instead of ten.
ip -n "$LAB-switch" link set lan-a type bridge mcast_query_response_interval 100 mcast_query_interval 400 mcast_startup_query_interval 200
ip -n "$LAB-switch" link set lan-a type bridge mcast_snooping 1 mcast_querier 1
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
# What reaches the host itself.
spawn dispatcher heard.log python3 "$NETNS_DIR/neighbour_capture.py" "$WORK/heard" e0 e1 e2
owner_up 3 --failback manual --refresh 0

# Control: a question for a group that nobody is in does not reach the adapters, once the switch has learned.
NOBODYS=fd00:1::99
snooping() {
  local start
  start=$(rogue question $NOBODYS --ip fd00:1::66)
  rogue question $VIPA6 --ip fd00:1::66 >/dev/null
  wait_until 2 captured_is heard "any(x['port'] == 'e0' and x['target'] == '$VIPA6' for x in f if x['t'] >= $start)" || return 1
  captured_is heard "not pick($start, target='$NOBODYS')"
}
wait_until 30 snooping || fail "the switch floods what nobody is in: $(in_ns switch bridge mdb show)"
ok "the switch forwards multicast to members only"
member() { in_ns switch bridge mdb show dev lan-a | grep -q "port dispatcher-e$1 grp ff02::1:ff00:7 "; }
for i in 0 1 2; do wait_until 10 member $i || fail "e$i is no member of ff02::1:ff00:7: $(in_ns switch bridge mdb show)"; done
ok "e0, e1 and e2 are members of ff02::1:ff00:7"

for i in 0 1; do
  START=$(now)
  pull dispatcher $i
  next=$((i + 1))
  wait_until 5 captured_is wire "len(announced('$VIPA6', $START, port='dispatcher-e$next')) >= 1" || fail "e$next does not announce $VIPA6"
  asked=$(rogue question $VIPA6 --ip fd00:1::66)
  wait_until 5 captured_is wire "len(pick($asked, kind='answer', ip='$VIPA6')) >= 1" || fail "the first question after the failover got lost: $(captured heard "pick($asked)")"
  expect_captured "e$i fails: the first question, $(captured wire "times(pick($asked, kind='answer'), $START)[0]") s after it, is answered by e$next" wire \
    "[[x['port'], x['mac']] for x in pick($asked, kind='answer', ip='$VIPA6')] == [['dispatcher-e$next', '$(adapter_mac $next)']]"
done

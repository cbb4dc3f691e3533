#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own questions (scenario 27): the VIPA is an address of the host, e1 owns it, and the way back to the client is e0. Asking for
# the client's MAC in the VIPA's name would tell the client that the VIPA is at e0. With the kernel settings that the daemon makes it
# does not; with arp_announce 0 and 1 it does.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 2
in_ns dispatcher sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0
capture_start wire dispatcher-e0 dispatcher-e1
host() { ip -n "$LAB-dispatcher" "$@"; }
LOCAL4=10.1.1.8
host address add $LOCAL4/32 dev lo
# ask: the host forgets the client, and answers it from the VIPA. What it asks by is the expression ASKED.
ask() {
  local start
  start=$(now)
  host neighbour flush to $CLIENT4
  in_ns dispatcher ping -c 1 -W 2 -q -I $LOCAL4 $CLIENT4 >/dev/null 2>&1 || true
  ASKED="pick($start, kind='question', target='$CLIENT4')"
  wait_until 5 captured_is wire "len($ASKED) >= 1" || fail "the host does not ask for the client"
}
client_has() { ip -n "$LAB-client" neighbour show $LOCAL4 | grep -q "lladdr $(adapter_mac "$1")"; }
believes_e1() { ip -n "$LAB-client" neighbour replace $LOCAL4 lladdr "$(adapter_mac 1)" nud reachable dev eth0; }

for announce in 0 1; do
  in_ns dispatcher sysctl -qw net.ipv4.conf.all.arp_announce=$announce
  believes_e1
  ask
  expect_captured "control, arp_announce $announce: the kernel asks in the VIPA's name, through e0" wire "any(x['ip'] == '$LOCAL4' and x['port'] == 'dispatcher-e0' for x in $ASKED)"
  wait_until 2 client_has 0 || fail "control: the client should be misled: $(ip -n "$LAB-client" neighbour show $LOCAL4)"
  ok "control: the client is misled to e0"
done

# With the daemon, and its settings: routes of a local VIPA leave by the owner as well.
spawn dispatcher xdplbd.log "$XDPLB_BIN/xdplbd"
wait_until 20 test -S "/run/xdplb/$XDPLB_INSTANCE/api.sock" || fail "xdplbd: $(cat "$WORK/xdplbd.log")"
xdplb set --fix-host on >/dev/null
xdplb vipa set $LOCAL4 --prefer e1,e0 --local on --refresh 0 >/dev/null
wait_until 15 owner_is $LOCAL4 e1 || fail "e1 does not own $LOCAL4: $(xdplb vipa show $LOCAL4)"
believes_e1
OWNED=$(now)
ask
expect_captured "with the daemon's settings: the questions are those of an adapter's own address" wire "all(x['ip'] != '$LOCAL4' for x in $ASKED)"
# Even where somebody leads the way back through e0.
host rule add from $LOCAL4 lookup main priority 10
ask
expect_captured "the way back is e0: no question in the VIPA's name either" wire "all(x['ip'] != '$LOCAL4' for x in $ASKED) and any(x['port'] == 'dispatcher-e0' for x in $ASKED)"
client_has 1 || fail "the client was misled: $(ip -n "$LAB-client" neighbour show $LOCAL4)"
ok "the client still knows e1"
expect_captured "nobody but e1 said to have the VIPA" wire "{x['port'] for x in said('$LOCAL4', $OWNED)} <= {'dispatcher-e1'}"

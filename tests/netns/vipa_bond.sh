#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A bond in the list (scenario 32): it owns the VIPA as one interface; its members never do; when another member becomes the active one, the
# VIPA is announced again, through that one, so that the switches learn. Needs a kernel with bonding.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
ip -n "$LAB-switch" link add probe type bond 2>/dev/null || skip "this kernel has no bonding"
ip -n "$LAB-switch" link delete probe
adapters_up dispatcher 3
host() { ip -n "$LAB-dispatcher" "$@"; }
host link add bond0 address 02:00:00:00:b0:0d type bond mode active-backup miimon 100
for i in 0 1; do
  host address flush dev e$i
  host link set e$i down
  host link set e$i master bond0
done
in_ns dispatcher sysctl -qw net.ipv6.conf.bond0.keep_addr_on_down=1
nic_up dispatcher bond0 10.1.1.4/24 fd00:1::4/64
host link set bond0 type bond active_slave e0
plain_server s1 21
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
MAC=02:00:00:00:b0:0d

xdplb --timeout 60 load bond0 e2 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --prefer bond0,e2 --failback manual --refresh 0 >/dev/null; done
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 10.1.1.21 --name s1 >/dev/null
wait_until 20 resolved web/80 1 || fail "s1 does not resolve: $(xdplb status 2>&1)"
# announced_by PORT MAC SINCE COUNT: both VIPAs, so often, by no other port.
announced_by() {
  local address
  for address in $VIPA4 $VIPA6; do
    wait_until 15 captured_is wire "len(announced('$address', $3, port='$1')) >= $4" || fail "$1 does not announce $address: $(xdplb vipa show "$address")"
    expect_captured "$address: $1 announces it, $(captured wire "times(announced('$address', $3, port='$1'), $3)[0]") s after" wire \
      "all(well_formed(x) and has_reply(x) and x['mac'] == '$2' for x in announced('$address', $3, port='$1')) and {x['port'] for x in said('$address', announced('$address', $3, port='$1')[0]['t'])} == {'$1'}"
  done
}
for address in $VIPA4 $VIPA6; do wait_until 20 owner_is "$address" bond0 || fail "bond0 does not own $address: $(xdplb vipa show "$address")"; done
announced_by dispatcher-e0 $MAC 0 1
# The whole series, so that what comes next is a new one.
wait_until 30 captured_is wire "len(announced('$VIPA4')) >= 6 and len(announced('$VIPA6')) >= 4" || fail "announcements: $(captured wire "times(announced('$VIPA4'))")"

# ---- a member is nobody
xdplb vipa set 10.1.1.8 --prefer e0,e1 >"$WORK/member.out" 2>&1 || true
if xdplb vipa show 10.1.1.8 >/dev/null 2>&1; then
  vipa_is 10.1.1.8 "d['state'] == 'silent' and 'bond0' in d['reason']" || fail "members of a bond: $(xdplb vipa show 10.1.1.8)"
  ok "members own nothing: $(xdplb -j vipa show 10.1.1.8 | json 'd["reason"]')"
else
  ok "members are refused: $(cat "$WORK/member.out")"
fi

# ---- another member becomes the active one: by the operator, then because its cable is pulled
START=$(now)
host link set bond0 type bond active_slave e1
announced_by dispatcher-e1 $MAC "$START" 2
for address in $VIPA4 $VIPA6; do owner_is "$address" bond0 || fail "another active member: $(xdplb vipa show "$address")"; done
wait_until 20 answered client $VIPA4 || fail "no answer through e1"
wait_until 30 captured_is wire "len(announced('$VIPA4', $START)) >= 6 and len(announced('$VIPA6', $START)) >= 4" || fail "announcements: $(captured wire "times(announced('$VIPA4', $START))")"
START=$(now)
pull dispatcher 1
announced_by dispatcher-e0 $MAC "$START" 2
expect_equal "moves between members are none" "0" "$(xdplb -j vipa show $VIPA4 | json 'd["moves"]')"
wait_until 20 answered client $VIPA6 || fail "no answer through e0"

# ---- the last member
START=$(now)
pull dispatcher 0
announced_by dispatcher-e2 "$(adapter_mac 2)" "$START" 1
for address in $VIPA4 $VIPA6; do owner_is "$address" e2 || fail "bond0 has no carrier: $(xdplb vipa show "$address")"; done
expect_captured "nobody ever said to have a VIPA with a member's MAC of its own" wire "not [x for x in f if x['mac'] in ('$(adapter_mac 0)', '$(adapter_mac 1)') and x['ip'] in ('$VIPA4', '$VIPA6', '10.1.1.8') and claims(x)]"

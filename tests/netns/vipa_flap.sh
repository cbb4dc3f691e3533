#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What keeps a VIPA from jumping (scenarios 11, 34): an adapter whose cable comes and goes loses it once and must then be whole for longer,
# twice as long with every failure; and another order of the list moves an owned VIPA only as failback does.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
owner_up 3 --hold 3s --refresh 0

all_owned_by() { owner_is $VIPA4 "$1" && owner_is $VIPA6 "$1"; }
owned_by() { wait_until "${2:-10}" all_owned_by "$1" || fail "$1 does not own both: $(xdplb vipa list)"; }
moves() { echo "$(xdplb -j vipa show $VIPA4 | json 'd["moves"]') $(xdplb -j vipa show $VIPA6 | json 'd["moves"]')"; }

# ---- another order
for address in $VIPA4 $VIPA6; do
  ORDERED=$(now)
  xdplb vipa set "$address" --prefer e1,e0,e2 >/dev/null
  vipa_is "$address" "d['owner'] == 'e0' and d['failback_to'] == 'e1'" || fail "another order: $(xdplb vipa show "$address")"
  since="announced('$address', $ORDERED, port='dispatcher-e1')"
  wait_until 15 captured_is wire "len($since) >= 1" || fail "another order: e1 does not get $address: $(xdplb vipa show "$address")"
  expect_captured "$address: e1, first now, announces it after $(captured wire "times($since, $ORDERED)[0]") s, the hold" wire "2.95 <= ${since}[0]['t'] - $ORDERED <= 5"
  expect_captured "e0 is mute then" wire "not said('$address', ${since}[0]['t'], port='dispatcher-e0')"
done
owned_by e1
# The last one moves up past one that does not own it: nothing moves.
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --prefer e1,e2,e0 >/dev/null; done
expect_equal "moves after two orders" "1 1" "$(moves)"
ORDERED=$(now)
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --prefer e0,e1,e2 --failback immediate >/dev/null; done
owned_by e0
expect_equal "moves after immediate failback" "2 2" "$(moves)"

# ---- a cable that comes and goes: five times within ten seconds, each time for long enough to be healthy
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --failback delayed >/dev/null; done
xdplb set --up-delay 0s >/dev/null
healthy() { vipa_is $VIPA4 "any(p['interface'] == '$1' and p['healthy'] == $2 for p in d['preferred'])"; }
FLAPS_FROM=$(now)
for i in 1 2 3 4 5; do
  pull dispatcher 0
  wait_until 5 healthy e0 False || fail "e0 is pulled: $(xdplb vipa show $VIPA4)"
  # The rhythm of the scenario, not a wait for something.
  sleep 0.9
  plug dispatcher 0
  wait_until 5 healthy e0 True || fail "e0 is plugged in: $(xdplb vipa show $VIPA4)"
  [[ $i == 5 ]] || sleep 0.9
done
expect_equal "moves after five failures of e0: one away, none back" "3 3" "$(moves)"
for address in $VIPA4 $VIPA6; do
  expect_captured "$address: e1 owns it all the time" wire "speakers('$address', announced('$address', $FLAPS_FROM, port='dispatcher-e1')[0]['t']) == [['dispatcher-e1', '$(adapter_mac 1)']]"
  vipa_is "$address" "d['owner'] == 'e1' and d['failback_to'] == 'e0' and 40 <= d['failback_in_s'] <= 48" || fail "the hold after five failures, 16 times 3 s: $(xdplb -j vipa show "$address")"
done
ok "e0 must be whole for $(xdplb -j vipa show $VIPA4 | json 'round(d["failback_in_s"])') s now, instead of 3"
# A shorter hold in the operator's words; the factor stays.
SHORTENED=$(now)
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --hold 0s >/dev/null; done
owned_by e0
ok "a hold of 0 s, 16 times: e0 has it back after $(captured wire "times(announced('$VIPA4', $SHORTENED), $SHORTENED)[0]") s"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Announcements without a cause (scenario 19): an idle VIPA is announced again within the refresh interval, never in step, by its owner
# alone; not while it is deactivated or silent, and not when the daemon has ended.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
owner_up 3 --refresh 4s
MAC=$(adapter_mac 0)

# Between 11 and 29 s there is nothing of the series at 0, ..., 10 and 30 s.
FIRST=$(captured wire "max(announced('$VIPA4')[0]['t'], announced('$VIPA6')[0]['t'])")
over() { captured_is wire "$(now) >= $FIRST + 29"; }
wait_until 60 over
for address in $VIPA4 $VIPA6; do
  again="announced('$address', $FIRST + 11, $FIRST + 28.5)"
  expect_captured "$address is announced again after $(captured wire "gaps($again)") s: 2 to 4" wire "len($again) >= 4 and all(1.95 <= gap <= 4.3 for gap in gaps($again))"
  expect_captured "at no fixed rhythm" wire "max(gaps($again)) - min(gaps($again)) > 0.1"
  expect_captured "each time with its reply, if it has one" wire "all(well_formed(x) and has_reply(x) for x in $again)"
  expect_captured "and never silent for longer" wire "all(gap <= 4.3 for gap in gaps(announced('$address')))"
  expect_equal "who ever said to have $address" "[[\"dispatcher-e0\", \"$MAC\"]]" "$(captured wire "speakers('$address')")"
done
# Not together either: two VIPAs that moved together do not go on together.
expect_captured "IPv4 and IPv6 are not announced in step" wire \
  "any(min(abs(x['t'] - y['t']) for y in announced('$VIPA6')) > 0.1 for x in announced('$VIPA4', $FIRST + 11, $FIRST + 28.5))"

# later TIME: longer than any refresh.
later() { captured_is wire "$(now) >= $1 + 4.6"; }
# The command is over before; what it said is not counted.
xdplb vipa deactivate $VIPA4 >/dev/null
for i in 0 1 2; do xdplb interface disable e$i >/dev/null; done
wait_until 5 vipa_is $VIPA6 "d['state'] == 'silent'" || fail "all are disabled: $(xdplb vipa show $VIPA6)"
vipa_is $VIPA4 "d['state'] == 'disabled'" || fail "deactivated: $(xdplb vipa show $VIPA4)"
MUTE=$(now)
wait_until 10 later "$MUTE"
expect_captured "nothing is announced while deactivated or silent" wire "not said('$VIPA4', $MUTE) and not said('$VIPA6', $MUTE)"

for i in 0 1 2; do xdplb interface enable e$i >/dev/null; done
xdplb vipa reactivate $VIPA4 >/dev/null
for address in $VIPA4 $VIPA6; do wait_until 10 owner_is "$address" e0 || fail "enabled again: $(xdplb vipa show "$address")"; done
xdplb unload >/dev/null
MUTE=$(now)
wait_until 10 later "$MUTE"
expect_captured "nothing is announced after the end" wire "not said('$VIPA4', $MUTE) and not said('$VIPA6', $MUTE)"

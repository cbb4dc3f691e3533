#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The first claim (scenarios 1, 25, 39): three probes, then announcements at 0, 1.1, 2.2, 3.3, 4.4, 10 and 30 s, for IPv6 one solicitation
# and advertisements at 0, 1, 2, 10 and 30 s; all through the first adapter of the list. The others join the IPv6 group and say nothing,
# and what they hear of their sibling's broadcasts is no conflict.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
MAC=$(adapter_mac 0)
# Its own refreshes would stand between the announcements of the series.
owner_up 3 --refresh 0

series_is_whole() { captured_is wire "len(announced('$VIPA4')) == 7 and len(announced('$VIPA6')) == 5"; }
wait_until 60 series_is_whole || fail "announcements: $(captured wire "[times(announced('$VIPA4')), times(announced('$VIPA6'))]")"

# ---- IPv4
probes="pick(kind='probe', target='$VIPA4')"
claims="announced('$VIPA4')"
expect_equal "IPv4 probes" 3 "$(captured wire "len($probes)")"
expect_captured "they leave through e0, and claim nothing" wire "all(well_formed(x) and x['port'] == 'dispatcher-e0' and x['mac'] == '$MAC' for x in $probes)"
expect_captured "150 to 250 ms lie between them: $(captured wire "gaps($probes)")" wire "all(0.14 <= gap <= 0.35 for gap in gaps($probes))"
# The quiet time after the last probe: 400 ms. All is over within 1.2 s, and half a second more on a busy machine.
expect_captured "the first claim comes when nobody has answered for 400 ms" wire "0.39 <= ${claims}[0]['t'] - ${probes}[-1]['t'] <= 0.7"
expect_captured "it comes within 1.2 s of the first probe" wire "${claims}[0]['t'] - ${probes}[0]['t'] <= 1.2 + 0.5"
expect_captured "IPv4 is announced at $(captured wire "times($claims)") s" wire "near(times($claims), [0, 1.1, 2.2, 3.3, 4.4, 10, 30], 0.3)"
expect_captured "each time as a request and as a reply" wire "all(well_formed(x) and has_reply(x) for x in $claims)"
expect_captured "the replies are as they must be for neighbours that learned a moment ago" wire \
  "all(well_formed(x) for x in pick(kind='announce_reply', ip='$VIPA4')) and len(pick(kind='announce_reply', ip='$VIPA4')) == 7"

# ---- IPv6
probes="pick(kind='probe', target='$VIPA6')"
claims="announced('$VIPA6')"
expect_captured "IPv6 is asked for once, from ::, before the first claim" wire \
  "len($probes) == 1 and well_formed(${probes}[0]) and ${probes}[0]['mac'] == '$MAC' and 0.39 <= ${claims}[0]['t'] - ${probes}[0]['t'] <= 1.5"
expect_captured "IPv6 is announced at $(captured wire "times($claims)") s" wire "near(times($claims), [0, 1, 2, 10, 30], 0.3)"
expect_captured "with O, without S and R, and its MAC" wire "all(well_formed(x) for x in $claims)"
for port in 0 1 2; do
  expect_captured "e$port joined the solicited-node group" wire "any('ff02::1:ff00:7' in x['groups'] for x in pick(kind='mld', port='dispatcher-e$port'))"
done

# ---- both
for address in $VIPA4 $VIPA6; do
  expect_equal "who ever said to have $address" "[[\"dispatcher-e0\", \"$MAC\"]]" "$(captured wire "speakers('$address')")"
  expect_captured "nobody but e0 asked for it" wire "all(x['port'] == 'dispatcher-e0' for x in f if x['target'] == '$address')"
  expect_equal "$address: claims heard from its own siblings" "[]" "$(xdplb -j vipa show "$address" | json 'd["conflicts"]')"
  vipa_is "$address" "d['state'] == 'owned' and d['moves'] == 0" || fail "$address: $(xdplb vipa show "$address")"
done

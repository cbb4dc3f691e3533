#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Many VIPAs with different lists (scenario 45): when one adapter dies, the VIPAs it owned move, each to the next of its own list; of
# the others nothing is heard.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
xdplb --timeout 60 load e0 e1 e2 >/dev/null

# Twelve VIPAs, two of each order of the list.
ORDERS=(012 021 102 120 201 210)
VIPAS=()
declare -A LIST
for i in "${!ORDERS[@]}"; do
  for address in "10.1.1.3$i" "fd00:1::3$i"; do
    VIPAS+=("$address")
    LIST[$address]=$(sed 's/./,e&/g; s/^,//' <<<"${ORDERS[i]}")
    xdplb vipa set "$address" --prefer "${LIST[$address]}" --refresh 0 --failback manual >/dev/null
  done
done
first() { cut -d, -f1 <<<"${LIST[$1]}"; }
second() { cut -d, -f2 <<<"${LIST[$1]}"; }
owners_are() {
  local pairs='' address
  for address in "${VIPAS[@]}"; do pairs+="'$address': '$("$1" "$address")', "; done
  [[ $(xdplb -j vipa list | json "(lambda owners: all(owners.get(a) == o for a, o in {$pairs}.items()))({v['address']: v['owner'] for v in d})") == true ]]
}
wait_until 20 owners_are first || fail "not every VIPA is with the first of its list: $(xdplb vipa list)"
ok "each of ${#VIPAS[@]} VIPAs is with the first adapter of its list"
# What is announced at 10 s is behind us, what is announced at 30 s is far away: whoever speaks now was moved.
series_rests() { captured_is wire "all(len(announced(ip)) >= (4 if ':' in ip else 6) for ip in '${VIPAS[*]}'.split())"; }
wait_until 40 series_rests || fail "announcements: $(captured wire "{ip: times(announced(ip)) for ip in '${VIPAS[*]}'.split()}")"

PULLED=$(now)
pull dispatcher 0
after_e0() { [[ $(first "$1") == e0 ]] && second "$1" || first "$1"; }
wait_until 5 owners_are after_e0 || fail "e0 is pulled: $(xdplb vipa list)"
ok "e0 is pulled: its VIPAs are with the second of their lists, the others stay"
moved=() stayed=()
for address in "${VIPAS[@]}"; do [[ $(first "$address") == e0 ]] && moved+=("$address") || stayed+=("$address"); done
# Four of a series: 3.3 s, within the 20 s in which nobody else has to announce.
moved_told() { captured_is wire "all(len(announced(ip, $PULLED)) >= 3 for ip in '${moved[*]}'.split())"; }
wait_until 10 moved_told || fail "series after the move: $(captured wire "{ip: times(announced(ip, $PULLED), $PULLED) for ip in '${moved[*]}'.split()}")"
for address in "${moved[@]}"; do
  port=dispatcher-$(second "$address") mac=$(adapter_mac "$(second "$address" | tr -d e)")
  expect_equal "$address is announced by" "[[\"$port\", \"$mac\"]]" "$(captured wire "speakers('$address', $PULLED)")"
done
WINDOW="$PULLED, $PULLED + 4"
expect_captured "nothing is heard of ${#stayed[@]} VIPAs that stayed" wire "not any(said(ip, $WINDOW) or pick($WINDOW, kind='probe', target=ip) for ip in '${stayed[*]}'.split())"
[[ $(xdplb -j vipa list | json "all(v['moves'] == (1 if v['address'] in '${moved[*]}'.split() else 0) for v in d)") == true ]] || fail "moves: $(xdplb -j vipa list)"
ok "each of ${#moved[@]} VIPAs moved once, the others never"
# Several frames at once: the first announcement of each precedes the second of any.
expect_captured "every VIPA is announced once before any is announced again" wire \
  "max(announced(ip, $PULLED)[0]['t'] for ip in '${moved[*]}'.split()) < min(announced(ip, $PULLED)[1]['t'] for ip in '${moved[*]}'.split())"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All the ways in which an adapter can fail (scenarios 14, 15, 35): set down, enslaved, renamed, moved to another namespace, deleted, its
# listed address gone, taken off the list. Each time the next one announces at once, and the adapter gets the VIPA back when it is
# whole again. One address less matters only to a list that names it.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
owner_up 3 --failback immediate --refresh 0
xdplb set --up-delay 0s >/dev/null
# The same list by address, for a third VIPA.
BY_ADDRESS=10.1.1.8
xdplb vipa set $BY_ADDRESS --prefer 10.1.1.4,10.1.1.5,10.1.1.6 --failback immediate --refresh 0 >/dev/null
ALL=("$VIPA4" "$VIPA6" "$BY_ADDRESS")
for address in "${ALL[@]}"; do wait_until 15 owner_is "$address" e0 || fail "at the start: $(xdplb vipa show "$address")"; done

# host COMMAND...: ip on the dispatcher.
host() { ip -n "$LAB-dispatcher" "$@"; }
# moved WHAT CAUSES FROM TO ADDRESS...: eTO announces these at once, and eFROM is mute. START is the time before it. One of CAUSES is
# given for it: the kernel sets an adapter down before it goes.
moved() {
  local what=$1 cause=$2 from=$3 to=$4 address since
  shift 4
  for address; do
    since="announced('$address', $START, port='dispatcher-e$to')"
    wait_until 5 captured_is wire "len($since) >= 1" || fail "$what: e$to does not announce $address: $(xdplb vipa show "$address")"
    # 0.5 s: `ip` itself takes its time.
    expect_captured "$what: $address is announced by e$to after $(captured wire "times($since, $START)[0]") s" wire \
      "${since}[0]['t'] - $START <= 0.5 and ${since}[0]['mac'] == '$(adapter_mac "$to")' and not said('$address', ${since}[0]['t'], mac='$(adapter_mac "$from")')"
    owner_is "$address" "e$to" || fail "$what: $(xdplb vipa show "$address")"
    vipa_is "$address" "d['last_move']['cause'] in '$cause'.split()" || fail "$what: cause of the last move: $(xdplb -j vipa show "$address" | json 'd["last_move"]'), expected $cause"
  done
}
# whole WHAT: e0 owns all again.
whole() {
  local address
  for address in "${ALL[@]}"; do wait_until 15 owner_is "$address" e0 || fail "$1: e0 does not get $address back: $(xdplb vipa show "$address")"; done
  ok "$1: e0 owns all again"
}

START=$(now)
host link set e0 down
moved "set down" admin_down 0 1 "${ALL[@]}"
host link set e0 up
whole "set up"

START=$(now)
host link add br0 type bridge
host link set e0 master br0
moved "enslaved" enslaved 0 1 "${ALL[@]}"
START=$(now)
host link set e0 nomaster
whole "released"
host link delete br0

# Linux before 6.2 renames no interface that is up.
START=$(now)
renamed=gone
host link set e0 name old0 2>/dev/null || { renamed=admin_down && host link set e0 down && host link set e0 name old0 && host link set old0 up; }
moved "renamed" $renamed 0 1 "$VIPA4" "$VIPA6"
# The list by address follows the address to the new name only if that one is loaded; here it is not.
wait_until 5 owner_is $BY_ADDRESS e1 || fail "renamed: $(xdplb vipa show $BY_ADDRESS)"
host link set old0 name e0 2>/dev/null || { host link set old0 down && host link set old0 name e0 && host link set e0 up; }
whole "renamed back"

START=$(now)
host link set e0 netns "$LAB-client" name lost0
moved "moved to another namespace" "gone admin_down" 0 1 "$VIPA4" "$VIPA6"
wait_until 5 owner_is $BY_ADDRESS e1 || fail "moved to another namespace: $(xdplb vipa show $BY_ADDRESS)"
ip -n "$LAB-client" link delete lost0

# A new card in its place; the list by name takes it as soon as it carries our program.
e0_is_back() {
  cable dispatcher e0 a "$(adapter_mac 0)" 10.1.1.4/24 fd00:1::4/64
  dispatcher_port e0
  capture_start "$1" dispatcher-e0
}
e0_is_back second
whole "a new card"

START=$(now)
host link delete e0
moved "deleted" "gone admin_down" 0 1 "$VIPA4" "$VIPA6"
e0_is_back third
whole "a new card again"

START=$(now)
host address delete 10.1.1.4/24 dev e0
moved "the listed address is gone" address_gone 0 1 $BY_ADDRESS
for address in $VIPA4 $VIPA6; do vipa_is "$address" "d['owner'] == 'e0' and d['state'] == 'owned'" || fail "$address is listed by name, and moved: $(xdplb vipa show "$address")"; done
expect_captured "what is listed by name does not move" wire "not announced('$VIPA4', $START) and not announced('$VIPA6', $START)"
host address add 10.1.1.4/24 dev e0
whole "the address is back"

START=$(now)
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --prefer e1,e2 >/dev/null; done
moved "off the list" list_changed 0 1 "$VIPA4" "$VIPA6"
expect_captured "e2 never said to have a VIPA" wire "not [x for x in f if x['port'] == 'dispatcher-e2' and x['ip'] in '${ALL[*]}'.split() and claims(x)]"

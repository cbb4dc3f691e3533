#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# xdplbd on a server, no XDP, no dispatcher: the VIPA is on its loopback and owned through three adapters. Sessions of a local and a
# remote client, data both ways, survive the cable of each being pulled, the daemon's death, and its restart; what is sent leaves
# by the owner. At the end addresses, rules and routes are as they were, an address that somebody else put there included.
source "$(dirname "$0")/lib_figures.sh"
STREAM_PORT=8080
STREAMS=("http://$VIPA4:8080/stream" "http://[$VIPA6]:8080/stream")
vipa_lan_up
adapters_up alpha 3
ip -n "$LAB-alpha" address add "$VIPA6/128" dev lo nodad

# routing: all that a host's addresses, rules and routes are; own_routing: what the daemon made of it.
routing() {
  local family
  for family in -4 -6; do
    ip -n "$LAB-alpha" $family -o address | grep -o ' inet.*' | sed 's/ *valid_lft.*//; s/\\//'
    ip -n "$LAB-alpha" $family rule
    ip -n "$LAB-alpha" $family route show table all
  done | sort
}
own_routing() { comm -13 "$WORK/before" <(routing); }
has_link_locals() { [[ $(routing | grep -c 'inet6 fe80.*scope link') == 3 ]]; }
wait_until 40 has_link_locals || fail "no link-local addresses: $(routing)"
routing >"$WORK/before"
expect_equal "the host is one of no XDP" 0 "$(ip -n "$LAB-alpha" -d link | grep -c prog/xdp || true)"

host_daemon alpha
local_vipas alpha "$(adapters_of 3)" "$(adapters6_of 3)"
wait_until 40 host_owns alpha e0 || fail "e0 does not own the VIPA: $(on alpha vipa list 2>&1)"
serve alpha
stream_up alpha
wait_until 40 in_ns client curl -gsf --max-time 1 "http://$VIPA4/name" || fail "nginx: $(cat "$WORK/alpha/error.log")"
expect_equal "the loopback has the VIPA" 1 "$(ip -n "$LAB-alpha" address show dev lo | grep -c "$VIPA4/32")"
expect_equal "rules for what is sent from the VIPAs" 2 "$(own_routing | grep -cE "from ($VIPA4|$VIPA6) lookup")"

said_is() { [[ $(json "$2" <"$WORK/$1.said") == true ]]; }
COUNT=10
RUNNING=()
for role in client remote; do
  downloads_start $role $role $COUNT "${STREAMS[@]}"
  RUNNING+=("$role:$DOWNLOADS")
  spawn $role $role.log python3 "$NETNS_DIR/dialogue.py" "$WORK/$role.said" "${NAMES[@]}"
  wait_until 40 said_is $role "d['said'] > 0" || fail "dialogues: $(cat "$WORK/$role.log")"
  RUNNING+=("$role.said:$SPAWNED")
done
traffic_start alpha-e0 alpha-e1 alpha-e2

# goes_on WHAT: every session, in both directions.
goes_on() { downloads_all_run "$1" "${RUNNING[@]}"; }

# by WHAT N: adapter N owns, and everything passes it, both ways.
by() {
  wait_until 40 host_owns alpha "e$2" || fail "$1: e$2 does not own the VIPA: $(on alpha vipa list 2>&1)"
  passes "$1" "alpha-e$2" "to $CLIENT_MAC" "from $CLIENT_MAC" "to $GATEWAY_MAC" "from $GATEWAY_MAC"
  goes_on "$1"
  # A new connection of the server's own, from the VIPA.
  expect_equal "$1: way from the VIPA" "dev e$2" "$(ip -n "$LAB-alpha" route get "$REMOTE4" from $VIPA4 | grep -o 'dev e[0-9]')"
}

by "at the start" 0
pull alpha 0
by "e0 pulled" 1
pull alpha 1
by "e1 pulled, too" 2
plug alpha 0
by "e0 plugged in" 0
pull alpha 0
by "e0 pulled again" 2

# One retransmission timeout at most, which is 0.2 s on a machine that is not busy with something else.
for role in client remote; do
  expect_number "$role: longest pause of a download, milliseconds" "$(json 'int(1000 * d["pause_s"])' <"$WORK/$role")" '<' 10000
  expect_number "$role: longest wait for an answer, milliseconds" "$(json 'int(1000 * d["pause_s"])' <"$WORK/$role.said")" '<' 10000
done

own_routing >"$WORK/made"
host_dies
own_routing | cmp "$WORK/made" - || fail "the dead daemon's routes went: $(own_routing | diff "$WORK/made" -)"
goes_on "daemon killed"
pull alpha 2
plug alpha 1
host_daemon alpha
by "e2 pulled while there was no daemon" 1
expect_equal "rules for what is sent from the VIPAs" 2 "$(own_routing | grep -cE "from ($VIPA4|$VIPA6) lookup")"
expect_equal "events of an adopted VIPA" true "$(on alpha -j events | json 'any(e["code"] == "vipa_owned" for e in d)')"

own_routing >"$WORK/made"
host_ends
own_routing | cmp "$WORK/made" - || fail "the daemon took its routes along: $(own_routing | diff "$WORK/made" -)"
goes_on "daemon ended"
host_daemon alpha
by "daemon started again" 1
plug alpha 0
plug alpha 2
by "all plugged in" 0
for pair in "${RUNNING[@]}"; do
  [[ $pair != *.said:* ]] || continue
  downloads_end "${pair%:*}" "${pair#*:}" all
  expect_equal "${pair%:*}: downloads with every line" $COUNT "$(json 'd["whole"]' <"$WORK/${pair%:*}")"
done

on alpha vipa remove $VIPA4 >/dev/null
on alpha vipa remove $VIPA6 >/dev/null
routing >"$WORK/after"
cmp "$WORK/before" "$WORK/after" || fail "something is left: $(diff "$WORK/before" "$WORK/after")"
ok "addresses, rules and routes are as they were"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Right servers of which `xdplb-server check` and `xdplb verify` tell nothing, and that `setup` makes of bare ones: one family or both, one
# NIC or two, a container behind a bridge with a NIC of its own, redirected by nftables instead of an alias. `remove` puts all back.
source "$(dirname "$0")/lib_server.sh"
server_lab_up

page() { in_ns third curl -gs --max-time 2 --resolve "vipa:80:$1" http://vipa/name; }
# clean WHAT: nothing is told, and the third machine gets the page of each VIPA that it sends to this server's MAC.
clean() {
  local vipa bracketed
  expect_equal "$1: check" clean "$(check_codes)$(texts check)"
  expect_equal "$1: verify" clean "$(verify_codes)$(texts verify)"
  for vipa in "${VIPAS[@]}"; do
    bracketed=$(host_in_url "$vipa")
    ip -n "$LAB-third" neighbour replace "$vipa" lladdr "$SERVER_MAC" nud permanent dev eth0
    expect_equal "$1: who answers at $vipa" "$SERVER" "$(page "$bracketed")"
    ip -n "$LAB-third" neighbour delete "$vipa" dev eth0
  done
}
# The text of nothing must not hide one.
texts() { json "''.join(x['text'] for x in d['faults'])" <"$WORK/$1.json" 2>/dev/null | sed 's/^/: /; /^: $/d' || true; }

# made WHAT [OPTION of setup...]: a bare server becomes a right one, and what it was.
made() {
  state before
  setup_server "${@:2}"
  expect_equal "$1: exit of setup" 0 "$EXIT"
  clean "$1, by setup"
  state after
  setup_server "${@:2}"
  state again
  cmp -s "$WORK/after" "$WORK/again" || fail "$1: a second setup changes something: $(diff "$WORK/after" "$WORK/again")"
  remove_server
  expect_equal "$1: exit of remove" 0 "$EXIT"
  state back
  cmp -s "$WORK/before" "$WORK/back" || fail "$1: remove does not restore: $(diff "$WORK/before" "$WORK/back")"
  ok "$1: remove puts back all $(wc -l <"$WORK/before") lines of its state"
}

for kind in dual nics v4 v6; do
  server_new $kind
  clean "$kind, by hand"
  server_drop
done
for kind in bare bare_nics bare_v4 bare_v6; do
  server_new $kind
  made $kind
  server_drop
done

# ---- without an alias
server_new bare
made "nft" --method nft
setup_server --method nft
expect_equal "nft: an alias" "" "$(sip -o address show dev lo | grep -E "$VIPA4|$VIPA6" || true)"
ruleset=$(s nft list ruleset)
[[ $ruleset == *"$VIPA4"* ]] || fail "no rule names the VIPA: $ruleset"
server_drop
# Beside rules of others, which stay.
server_new bare
nft_rules 'table ip nat {
  chain prerouting {
    type nat hook prerouting priority -100
    ip daddr 203.0.113.9 redirect
  }
}'
made "nft, beside other rules" --method nft
server_drop

# ---- a container: the NIC of its host is a port of a bridge, the container has a NIC and a MAC of its own on it
server_new bare
CONTAINER=$SERVER CONTAINER_HOST=$SERVER_HOST
ip -n "$LAB-$CONTAINER" link delete eth0
machine host$CONTAINER
cable host$CONTAINER eth0 a "$(machine_mac b "$CONTAINER_HOST")"
ip -n "$LAB-host$CONTAINER" link add br0 type bridge forward_delay 0
ip -n "$LAB-host$CONTAINER" link set eth0 master br0
ip -n "$LAB-host$CONTAINER" link set br0 up
ip -n "$LAB-host$CONTAINER" address add 192.0.2.240/24 dev br0
ip -n "$LAB-host$CONTAINER" link add c0 type veth peer name eth0 address "$SERVER_MAC" netns "$LAB-$CONTAINER"
ip -n "$LAB-host$CONTAINER" link set c0 master br0 up
ip -n "$LAB-$CONTAINER" link set eth0 up
nic_addresses "$CONTAINER" eth0 a "$CONTAINER_HOST" 46
made container

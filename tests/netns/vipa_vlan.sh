#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# VLAN interfaces in the list (scenario 33): what is said for the VIPA carries the tag, and only questions with the tag are answered. Needs
# a kernel with 8021q.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
ip -n "$LAB-switch" link add link lan-a name probe type vlan id 20 2>/dev/null || skip "this kernel has no VLAN interfaces (8021q)"
ip -n "$LAB-switch" link delete probe
VLAN=20
# vlan_of ROLE NIC ADDRESS...: NIC.20 of the host gets the NIC's addresses, and carries all.
vlan_of() {
  local role=$1 nic=$2
  shift 2
  ip -n "$LAB-$role" address flush dev "$nic"
  ip -n "$LAB-$role" link add link "$nic" name "$nic.$VLAN" type vlan id $VLAN
  in_ns "$role" sysctl -qw "net.ipv6.conf.$nic/$VLAN.keep_addr_on_down=1"
  nic_up "$role" "$nic.$VLAN" "$@"
}
rogue_up
adapters_up dispatcher 2
for i in 0 1; do vlan_of dispatcher e$i "$(adapter4 $i)/24" "$(adapter6 $i)/64"; done
vlan_of client eth0 $CLIENT4/24 $CLIENT6/64
plain_server s1 21
vlan_of s1 eth0 10.1.1.21/24 fd00:1::21/64
capture_start wire dispatcher-e0 dispatcher-e1
MAC=$(adapter_mac 0)

xdplb --timeout 60 load e0.$VLAN e1.$VLAN >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --prefer e0.$VLAN,e1.$VLAN --failback manual >/dev/null; done
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 10.1.1.21 --name s1 >/dev/null
wait_until 20 resolved web/80 1 || fail "s1 does not resolve: $(xdplb status 2>&1)"
for address in $VIPA4 $VIPA6; do wait_until 20 owner_is "$address" e0.$VLAN || fail "e0.$VLAN does not own $address: $(xdplb vipa show "$address")"; done

# tagged WHAT PORT: all that is said for the VIPAs so far.
tagged() {
  local address
  for address in $VIPA4 $VIPA6; do
    expect_captured "$1: $address is announced through $2" wire "any(has_reply(x) for x in announced('$address', port='dispatcher-$2'))"
    expect_captured "$1: whatever is said for $address has tag $VLAN" wire \
      "all(x.get('vlan') == $VLAN for x in f if (x['ip'] == '$address' and claims(x)) or (x['kind'] == 'probe' and x['target'] == '$address'))"
  done
}
tagged "at the start" e0
# asked OPTIONS...: how many answers a question of the rogue gets; the one after it, with the right tag, is answered. In the name of a
# host of its own each.
HOST=200
asked() {
  local address=$1 net=10.1.1.
  shift
  [[ $address != *:* ]] || net=fd00:1::
  HOST=$((HOST + 2))
  rogue question "$address" --ip "$net$HOST" "$@" >/dev/null
  rogue question "$address" --ip "$net$((HOST + 1))" --tag $VLAN >/dev/null
  wait_until 10 captured_is wire "len([x for x in pick(kind='answer') if '$net$((HOST + 1))' in (x['target'], x.get('destination'))]) >= 1" || fail "a question with tag $VLAN is not answered"
  ANSWERS="[x.get('vlan') for x in pick(kind='answer') if '$net$HOST' in (x['target'], x.get('destination'))]"
}
for address in $VIPA4 $VIPA6; do
  asked "$address" --tag $VLAN
  expect_equal "$address, asked with tag $VLAN: tags of the answers" "[$VLAN]" "$(captured wire "$ANSWERS")"
  asked "$address"
  expect_equal "$address, asked without a tag: answers" "[]" "$(captured wire "$ANSWERS")"
  asked "$address" --tag 30
  expect_equal "$address, asked with another tag: answers" "[]" "$(captured wire "$ANSWERS")"
  expect_equal "$address: the client is served" 20 "$(count_of "$(http_names client "$address" 20)")"
done

START=$(now)
pull dispatcher 0
for address in $VIPA4 $VIPA6; do
  wait_until 10 owner_is "$address" e1.$VLAN || fail "e0 is pulled: $(xdplb vipa show "$address")"
  wait_until 10 captured_is wire "len(announced('$address', $START, port='dispatcher-e1')) >= 1" || fail "e1.$VLAN does not announce $address"
  wait_until 20 answered client "$address" || fail "$address: no answer through e1.$VLAN"
done
tagged "after the failover" e1
expect_captured "the MACs are those of the adapters" wire "{(x['port'], x['mac']) for ip in ('$VIPA4', '$VIPA6') for x in said(ip)} == {('dispatcher-e0', '$MAC'), ('dispatcher-e1', '$(adapter_mac 1)')}"

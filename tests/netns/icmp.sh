#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Path MTU discovery works through the dispatcher: a router's "fragmentation needed" or "packet too big" reaches the server whose packet it
# tells of, by the row or by what is written down. Pings to a VIPA are answered as the cluster says.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
# Answers to the remote client do not fit the router's last link. It must say so each time.
ip -n "$LAB-router" link set eth2 mtu 1280
in_ns router sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=10000 net.ipv6.icmp.ratelimit=0
for name in s1 s2 s3 s4; do truncate -s 256K "$WORK/$name/middle"; done
cluster_up
port_up web/80 "" s1 s2 s3 s4

forget_paths() {
  local name
  for name in s1 s2 s3 s4; do
    ip -n "$LAB-$name" route flush cache
    ip -n "$LAB-$name" -6 route flush cache
  done
}
# downloads WHAT ADDRESS: 24 downloads, each of a server that does not know the path yet.
downloads() {
  local whole=0 i size name seen='' errors
  errors=$(redirected_errors)
  for i in $(seq 24); do
    forget_paths
    size=$(in_ns remote curl -gs --max-time 5 -D "$WORK/head" -o /dev/null -w '%{size_download}' "http://$(host_in_url "$2")/middle" || true)
    [[ $size != 262144 ]] || whole=$((whole + 1))
    name=$(sed -n 's/^X-Server: \(s[0-9]\).*/\1/p' "$WORK/head")
    seen+="$name "
  done
  expect_equal "$1: downloads over the small link that are whole" 24 $whole
  expect_number "$1: servers that had them" "$(tr ' ' '\n' <<<"$seen" | sort -u | grep -c s)" '>=' 3
  expect_number "$1: errors that servers took in" $(($(redirected_errors) - errors)) '>=' 24
}
# redirected_errors: ICMP errors of that kind that the servers' kernels have seen.
redirected_errors() {
  local name sum=0
  for name in s1 s2 s3 s4; do
    sum=$((sum + $(in_ns "$name" cat /proc/net/snmp /proc/net/snmp6 | awk '/^Icmp: [0-9]/{n += $5} /^Icmp6InPktTooBigs/{n += $2} END{print n}')))
  done
  echo $sum
}
wait_until 10 answered remote $VIPA4 || fail "no answer"
wait_until 10 answered remote $VIPA6 || fail "no answer over IPv6"
downloads "hash, v4" $VIPA4
downloads "hash, v6" $VIPA6
# Rows that change: new flows are written down.
xdplb server set web/80/s1 --weight 40 >/dev/null
downloads "rows changing, v4" $VIPA4
xdplb port set web/80 --pick wrr >/dev/null
downloads "all written down, v4" $VIPA4
downloads "all written down, v6" $VIPA6
before=$(outcome icmp_unplaced)
in_ns client python3 "$NETNS_DIR/stray_error.py" 02:00:00:00:0a:02 $VIPA4 "$CLIENT4"
counted() { (($(outcome icmp_unplaced) == before + 1)); }
wait_until 5 counted || fail "an error about no flow of ours: icmp_unplaced went from $before to $(outcome icmp_unplaced)"
ok "an error about another host's packet is dropped as icmp_unplaced"

# ---- pings
pings() { in_ns "$1" ping -c 4 -i 0.2 -W 1 "$2" 2>/dev/null | sed -n 's/.*, \([0-9]*\) received.*/\1/p'; }
everyone() {
  local role address
  for role in client remote; do
    for address in $VIPA4 $VIPA6; do expect_equal "$1: pings of $role to $address that were answered" "$2" "$(pings $role "$address")"; done
  done
}
everyone "--echo server" 4
xdplb cluster set web --echo dispatcher >/dev/null
before=$(outcome echo_answered)
everyone "--echo dispatcher" 4
expect_equal "echo requests that the dispatcher answered" 16 $(($(outcome echo_answered) - before))
for name in s1 s2 s3 s4; do xdplb server down web/80/$name >/dev/null; done
everyone "--echo dispatcher without a server" 0
for name in s1 s2 s3 s4; do xdplb server ready web/80/$name >/dev/null; done
xdplb cluster set web --echo off >/dev/null
before=$(outcome echo_off)
everyone "--echo off" 0
expect_equal "echo requests dropped" 16 $(($(outcome echo_off) - before))

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A port without servers, as a client sees it: --no-server drop is silence, reset a refused connection, pass leaves the packets to the host.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
cluster_up
port_up web/80 "" s1
wait_until 10 answered client $VIPA4 || fail "no answer"
wait_until 10 answered client $VIPA6 || fail "no answer over IPv6"

# seen ROLE ADDRESS: s1, none or reset
seen() { in_ns "$1" python3 "$NETNS_DIR/owners.py" tcp "$2" 80 0 | cut -d ' ' -f 2; }
everyone() {
  local role address
  for role in client remote; do
    for address in $VIPA4 $VIPA6; do expect_equal "$1: $role at $address" "$2" "$(seen $role "$address")"; done
  done
}
everyone "with a server" s1
xdplb server down web/80/s1 >/dev/null
before=$(outcome no_server)
everyone "drop" none
expect_number "packets counted as no_server" $(($(outcome no_server) - before)) '>=' 4

xdplb port set web/80 --no-server reset >/dev/null
before=$(outcome reset_sent)
everyone "reset" reset
expect_number "resets sent" $(($(outcome reset_sent) - before)) '>=' 4
xdplb server ready web/80/s1 >/dev/null
everyone "server ready again" s1
gate=$WORK/gate
in_ns client python3 "$NETNS_DIR/again.py" $VIPA4 80 "$gate" >"$WORK/again" &
waiting=$!
asked() { grep -q s1 "$WORK/again"; }
wait_until 10 asked || fail "the connection does not stand"
xdplb server remove web/80/s1 >/dev/null
touch "$gate"
wait $waiting || fail "again.py failed"
expect_equal "a connection that runs while its server is removed" "s1 reset" "$(paste -sd ' ' "$WORK/again")"
everyone "port has never a server" reset

# ---- pass, where the host is a router for a network that clusters have
in_ns dispatcher sysctl -qw net.ipv4.ip_forward=1
ip -n "$LAB-dispatcher" route add 192.0.2.192/26 via 192.0.2.21
ip -n "$LAB-client" route add 192.0.2.192/26 via 192.0.2.2
own_loopback 192.0.2.192/26
xdplb cluster add routed 192.0.2.192/26 >/dev/null
xdplb port add routed/80 >/dev/null
expect_equal "drop in the routed path" none "$(seen client 192.0.2.200)"
xdplb port set routed/80 --no-server pass >/dev/null
before=$(outcome no_server_passed)
expect_equal "pass in the routed path: the host routes it on" s1 "$(seen client 192.0.2.200)"
expect_number "packets counted as no_server_passed" $(($(outcome no_server_passed) - before)) '>=' 3
expect_error 6 "reset is for TCP" xdplb port add web/$UDP_PORT/udp --no-server reset

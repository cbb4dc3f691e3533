#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Port 0 takes what has no port of its own; a cluster of whole networks, in the routed path, takes each of their addresses: the longest
# network that fits, an address named by itself before all.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
stream_up s1 s2 s3 s4
cluster_up
port_up web/80 "" s1
port_up web/0 "" s2
wait_until 10 answered client $VIPA4 || fail "no answer"
wait_until 10 answered client $VIPA6 || fail "no answer over IPv6"

# only WHAT SERVER NAMES: 20 answers, all of the server
only() { expect_equal "$1: answers, those of $2" "20 20" "$(count_of "$3") $(share "$3" "$2")"; }
for role in client remote; do
  only "$role: port of its own, v4" s1 "$(http_names $role $VIPA4 20)"
  only "$role: any other port, v6" s2 "$(http_names $role $VIPA6 20 $STREAM_PORT)"
done
expect_equal "explain of any other port: wildcard" true "$(xdplb -j explain "$CLIENT4:40000" "$VIPA4:9999" | json 'd["wildcard"]')"
expect_equal "explain of a port of its own: wildcard" false "$(xdplb -j explain "$CLIENT4:40000" "$VIPA4:80" | json 'd["wildcard"]')"
before=$(outcome no_port)
in_ns client python3 "$NETNS_DIR/owners.py" udp $VIPA4 $UDP_PORT 30000 >/dev/null
expect_number "no_port for UDP, which has no port 0" $(($(outcome no_port) - before)) '>=' 1

# ---- in the routed path: hosts route these networks to the dispatcher, which has none of their addresses
for network in 192.0.2.192/26 2001:db8:77::/48; do
  own_loopback $network
  gateway=192.0.2.2
  [[ $network != *:* ]] || gateway=2001:db8:1::2
  ip -n "$LAB-client" route add $network via $gateway
  ip -n "$LAB-router" route add $network via $gateway
done
xdplb cluster add wide 192.0.2.192/26 2001:db8:77::/48 >/dev/null
port_up wide/80 "" s3
xdplb cluster add narrow 192.0.2.224/27 2001:db8:77:1::/64 >/dev/null
port_up narrow/80 "" s4
port_up narrow/0 "" s3
xdplb cluster add one 192.0.2.230 >/dev/null
port_up one/80 "" s1

for role in client remote; do
  only "$role: 192.0.2.193, of the wide network" s3 "$(http_names $role 192.0.2.193 20)"
  only "$role: 192.0.2.225, of the narrow one" s4 "$(http_names $role 192.0.2.225 20)"
  only "$role: 192.0.2.230, named by itself" s1 "$(http_names $role 192.0.2.230 20)"
  only "$role: 2001:db8:77:2::1, of the wide network" s3 "$(http_names $role 2001:db8:77:2::1 20)"
  only "$role: 2001:db8:77:1::1, of the narrow one" s4 "$(http_names $role 2001:db8:77:1::1 20)"
  only "$role: port 0 of the narrow one" s3 "$(http_names $role 192.0.2.226 20 $STREAM_PORT)"
done
expect_equal "explain of an address of a network" "narrow true" "$(xdplb -j explain "$REMOTE4:40000" 192.0.2.225:80 | json 'd["cluster"] + " " + str(d["wildcard"]).lower()')"

xdplb cluster remove narrow >/dev/null
only "the narrow network is gone: 192.0.2.225" s3 "$(http_names client 192.0.2.225 20)"
xdplb cluster remove wide >/dev/null
expect_equal "explain of an address of no cluster" not_for_vipa "$(xdplb -j explain "$REMOTE4:40000" 192.0.2.225:80 | json 'd["outcome"]')"

# ---- everything
xdplb cluster add all 0.0.0.0 :: >/dev/null
port_up all/80 "" s2
only "cluster of all addresses: 192.0.2.193" s2 "$(http_names remote 192.0.2.193 20)"
only "cluster of all addresses: 2001:db8:77:2::1" s2 "$(http_names remote 2001:db8:77:2::1 20)"
only "an address named by itself still wins" s1 "$(http_names remote $VIPA4 20)"

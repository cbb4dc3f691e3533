#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034  # the tables use them
# Servers whose answers do not find out, or not by IPv6; and what looks wrong and is not: see server_matrix_silence.sh.
source "$(dirname "$0")/lib_server.sh"
server_lab_up
# The LAN of the VIPA is that of eth0.
out_by_eth1() { sip route replace default via 198.51.100.1; }
strict() { sys ipv4.conf.all.rp_filter=1 ipv4.conf.eth0.rp_filter=1; }

matrix dual <<'TABLE'
what is broken                       | how                                                | check         | verify   | after setup
no default route                     | sip route delete default                           | no_way_out    | clean    | no_way_out
no default route, IPv6               | sip -6 route delete default                        | no_way_out    | -        | no_way_out
no IPv6 on lo                        | sys ipv6.conf.lo.disable_ipv6=1                    | alias_missing ipv6_disabled | no_alias | clean
MTU below 1280                       | sip link set eth0 mtu 1200                         | mtu           | -        | mtu
TABLE

matrix nics <<'TABLE'
strict rp_filter, another way out    | strict; out_by_eth1                                | rp_filter     | clean    | clean
an MTU of its own on the way out     | sip link set eth1 mtu 1400; out_by_eth1            | clean / mtu   | -        | clean / mtu
strict rp_filter, the same way out   | strict                                             | clean         | -        | clean
TABLE

# Not wrong here and now, or not at all.
matrix dual <<'TABLE'
a router                             | sys ipv4.ip_forward=1                              | clean / forwarding | clean | clean / forwarding
route_localnet                       | sys ipv4.conf.all.route_localnet=1                 | clean / route_localnet | - | clean / route_localnet
strict rp_filter, one NIC            | strict                                             | clean         | clean    | clean
a drop of another address            | drops input 'ip daddr 192.0.2.11 drop'             | clean         | clean    | clean
a policy with an exception           | drops input 'tcp dport 80 accept' drop             | clean         | -        | clean
a rule without effect                | sip rule add priority 10 from $VIPA4 lookup 77     | clean         | clean    | clean
no answers to echo requests          | sys ipv4.icmp_echo_ignore_all=1 ipv6.icmp.echo_ignore_all=1 | clean | clean / echo_ignored | clean
TABLE
matrix_end 14

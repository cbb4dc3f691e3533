#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034  # the tables use them
# Servers that speak for the VIPA, or would: each is told by its own code by `xdplb-server check`, and by `xdplb verify` where it shows on
# the wire; `setup` makes it right, so do the remedies when typed, and `remove` puts everything back. See matrix in lib_server.sh.
source "$(dirname "$0")/lib_server.sh"
server_lab_up
ALL=ipv4.conf.all
scope_host() { sip address delete "$VIPA4/32" dev lo && sip address add "$VIPA4/32" dev lo scope host; }
# The kernel answers for others after up to 0.8 s.
nd_proxy() { sys ipv6.neigh.eth0.proxy_delay=0 ipv6.conf.all.forwarding=1 ipv6.conf.all.proxy_ndp=1 && sip neighbour add proxy "$VIPA6" dev eth0; }

matrix dual <<'TABLE'
what is broken                       | how                                                | check         | verify   | after setup
arp_ignore 0                         | sys $ALL.arp_ignore=0                              | arp_ignore    | arp_leak | clean
arp_ignore of lo alone               | sys $ALL.arp_ignore=0 ipv4.conf.lo.arp_ignore=1    | arp_ignore    | arp_leak | clean
arp_ignore 0, alias of scope host    | sys $ALL.arp_ignore=0; scope_host                  | arp_ignore    | arp_leak | clean
arp_ignore 3, alias of scope global  | sys $ALL.arp_ignore=3                              | arp_ignore_scope | arp_leak | clean
arp_ignore 8                         | sys $ALL.arp_ignore=8                              | arp_ignore_all | no_mac  | clean
arp_ignore 8 of the interface        | sys ipv4.conf.eth0.arp_ignore=8                    | arp_ignore_all | no_mac  | clean
arp_announce 0                       | sys $ALL.arp_announce=0                            | arp_announce  | clean    | clean
arp_announce 1                       | sys $ALL.arp_announce=1                            | arp_announce  | -        | clean
proxy_arp of the interface           | sys ipv4.conf.eth0.proxy_arp=1                     | proxy_arp     | clean    | clean
proxy_arp of all                     | sys $ALL.proxy_arp=1                               | proxy_arp     | -        | clean
the VIPA published in ARP            | sip neighbour add proxy $VIPA4 dev eth0            | published_arp | clean    | clean
the VIPA published in ND             | sip neighbour add proxy $VIPA6 dev eth0            | published_nd  | clean    | clean
proxy_ndp                            | sys ipv6.conf.all.proxy_ndp=1                      | proxy_ndp     | clean    | clean
published in ND, proxy_ndp, a router | nd_proxy                                           | proxy_ndp published_nd / forwarding | nd_leak | clean / forwarding
TABLE

# One of two interfaces speaks.
matrix nics <<'TABLE'
arp_ignore of one of two NICs        | sys $ALL.arp_ignore=0 ipv4.conf.eth0.arp_ignore=1  | arp_ignore    | clean    | clean
arp_announce of one of two NICs      | sys $ALL.arp_announce=0 ipv4.conf.eth1.arp_announce=2 | arp_announce | -      | clean
proxy_arp of the other NIC           | sys ipv4.conf.eth1.proxy_arp=1                     | proxy_arp     | -        | clean
TABLE

# Right in another way than setup's.
matrix dual <<'TABLE'
arp_ignore of the interface alone    | sys $ALL.arp_ignore=0 ipv4.conf.eth0.arp_ignore=1  | clean         | clean    | clean
arp_ignore 2                         | sys $ALL.arp_ignore=2                              | clean         | clean    | clean
arp_ignore 3, alias of scope host    | sys $ALL.arp_ignore=3; scope_host                  | clean         | clean    | clean
arp_announce of the interface alone  | sys $ALL.arp_announce=0 ipv4.conf.eth0.arp_announce=2 | clean      | -        | clean
TABLE
matrix_end 21

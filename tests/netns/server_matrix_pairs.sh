#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034  # the tables use them
# Two and more faults at once, each told by its own code; and right servers of every kind, of which nothing is told. See
# server_matrix_silence.sh.
source "$(dirname "$0")/lib_server.sh"
server_lab_up
ALL=ipv4.conf.all
# wide PREFIX: the alias is as wide as that.
wide() {
  local vipa=$VIPA4/32
  [[ $1 != *:* ]] || vipa=$VIPA6/128
  sip address delete "$vipa" dev lo && sip address add "$1" dev lo
}

matrix bare <<'TABLE'
what is broken                       | how                                                | check         | verify   | after setup
nothing is set up                    | true                                               | alias_missing arp_announce arp_ignore | no_alias | clean
TABLE
matrix bare_nics <<'TABLE'
published by a router to its other NIC | sys ipv4.ip_forward=1 ipv4.neigh.eth0.proxy_delay=0; sip route add $VIPA4/32 dev eth1; sip neighbour add proxy $VIPA4 dev eth0 | alias_missing arp_announce arp_ignore published_arp / forwarding | arp_leak no_alias | clean / forwarding
TABLE
matrix dual <<'TABLE'
wide alias, and it answers           | sys $ALL.arp_ignore=0; wide $VIPA4/24                     | alias_wide arp_ignore | arp_leak no_echo no_mac port_silent | clean
alias on the NIC, arp_announce 0     | sys $ALL.arp_announce=0; sip address add $VIPA4/32 dev eth0 | alias_wrong_device arp_announce | arp_leak | clean
no alias, nobody listens             | sip address delete $VIPA4/32 dev lo; service_ends  | alias_missing not_listening | no_alias port_refused | not_listening
wide alias and an extra route        | wide $VIPA4/24; sip route add local 192.0.2.8/29 dev lo      | alias_wide extra_local_route | no_echo no_mac port_silent | clean
no alias of IPv4, wide one of IPv6   | sip address delete $VIPA4/32 dev lo; wide $VIPA6/64 | alias_missing alias_wide | no_alias | clean
silence of lo alone, no way out      | sys $ALL.arp_ignore=0 ipv4.conf.lo.arp_ignore=1; sip route delete default | arp_ignore no_way_out | arp_leak | no_way_out
TABLE
matrix v4 <<'TABLE'
right, IPv4 alone                    | true                                               | clean | clean | clean
nothing but IPv4                     | sys ipv6.conf.all.disable_ipv6=1                   | clean | -     | clean
TABLE
matrix v6 <<'TABLE'
right, IPv6 alone                    | true                                               | clean | clean | clean
right, with ARP of its own           | sys $ALL.arp_ignore=0 $ALL.arp_announce=0          | clean | clean | clean
TABLE
matrix dual <<'TABLE'
right                                | true                                               | clean | clean | clean
TABLE
matrix nics <<'TABLE'
right, two NICs                      | true                                               | clean | clean | clean
TABLE
matrix_end 13

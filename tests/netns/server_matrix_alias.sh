#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034  # the tables use them
# Servers whose alias is not right, and extra routes: see server_matrix_silence.sh.
source "$(dirname "$0")/lib_server.sh"
server_lab_up
# alias_is ADDRESS...: instead of the right alias, as `ip address add` has it.
alias_is() {
  local vipa=$VIPA4/32
  [[ $1 != *:* ]] || vipa=$VIPA6/128
  sip address delete "$vipa" dev lo && sip address add "$@"
}
# before_alias VIPA ROUTE...: a route that the kernel takes only while the VIPA is none of its own addresses.
before_alias() {
  local vipa=$1
  sip address delete "$vipa" dev lo && sip route add "${@:2}" && alias_add "${vipa%/*}"
}
# A cable to nowhere.
spare_with() { sip link add spare type veth peer name end && sip link set spare up && alias_is "$1" dev spare; }

matrix dual <<'TABLE'
what is broken                       | how                                                | check         | verify   | after setup
no alias, IPv4                       | sip address delete $VIPA4/32 dev lo                | alias_missing | no_alias | clean
no alias, IPv6                       | sip address delete $VIPA6/128 dev lo               | alias_missing | no_alias | clean
no alias, and a service may bind     | sys ipv4.ip_nonlocal_bind=1; sip address delete $VIPA4/32 dev lo | alias_missing / nonlocal | no_alias | clean
alias /24                            | alias_is $VIPA4/24 dev lo                          | alias_wide    | no_echo no_mac port_silent | clean
alias /29                            | alias_is $VIPA4/29 dev lo                          | alias_wide    | clean    | clean
alias /64                            | alias_is $VIPA6/64 dev lo nodad                    | alias_wide    | clean    | clean
alias on the NIC                     | alias_is $VIPA4/32 dev eth0                        | alias_wrong_device | arp_leak | clean
alias on the NIC, IPv6               | alias_is $VIPA6/128 dev eth0 nodad                 | alias_wrong_device | nd_leak | clean
alias on the NIC, too                | sip address add $VIPA4/32 dev eth0                 | alias_wrong_device | arp_leak | clean
alias on another interface           | spare_with $VIPA4/32                               | alias_wrong_device | -   | clean
DAD of the alias runs                | sys ipv6.conf.eth0.dad_transmits=9999; alias_is $VIPA6/128 dev eth0 | alias_tentative alias_wrong_device | no_alias | clean
extra local route                    | sip route add local 192.0.2.8/29 dev lo            | extra_local_route | clean | clean
extra local route of the LAN         | sip route add local 192.0.2.0/24 dev lo            | extra_local_route | no_echo no_mac port_silent | clean
extra local route, IPv6              | sip route add local 2001:db8:1::10/124 dev lo table local | extra_local_route | clean | clean
route via the VIPA                   | before_alias $VIPA4/32 203.0.113.0/24 via $VIPA4   | route_via_vipa | clean   | clean
route via the VIPA, IPv6             | before_alias $VIPA6/128 2001:db8:9::/48 via $VIPA6 | route_via_vipa | clean   | clean
route with the VIPA as source        | sip route add 203.0.113.0/24 via 192.0.2.1 src $VIPA4 | route_src_vipa | clean | clean
default route with the VIPA as source | sip route replace default via 192.0.2.1 src $VIPA4 | route_src_vipa | -    | clean
route with the VIPA as source, IPv6  | sip route add 2001:db8:9::/48 via 2001:db8:1::1 src $VIPA6 | route_src_vipa | - | clean
TABLE
matrix_end 19

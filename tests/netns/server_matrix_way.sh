#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034  # the tables use them
# Servers whose packets for the VIPA are lost on the way in, at the service, or by a firewall: see server_matrix_silence.sh.
source "$(dirname "$0")/lib_server.sh"
server_lab_up
LOCAL4="local $VIPA4 dev lo table local"
LOCAL6="local $VIPA6 dev lo table local"
serves() { service_ends && service 80 "$@"; }
# Before table local: a rule of priority 0 comes after the kernel's own.
rule_first() {
  local family=-4
  [[ $* != *:* ]] || family=-6
  sip $family rule add priority 100 table local && sip $family rule delete priority 0 && sip $family rule add priority 10 "$@"
}

matrix dual <<'TABLE'
what is broken                       | how                                                | check         | verify   | after setup
no local route                       | sip route delete $LOCAL4                           | local_missing | no_alias | local_missing
a blackhole in table local           | sip route delete $LOCAL4; sip route add blackhole $VIPA4 table local | local_missing | no_alias | local_missing
unreachable in table local, IPv6     | sip route delete $LOCAL6; sip route add unreachable $VIPA6 table local | local_missing | no_alias | local_missing
a rule drops what is for the VIPA    | rule_first to $VIPA4 prohibit                      | rule_in_the_way | no_alias | rule_in_the_way
a rule drops the answers             | sip rule add priority 10 from $VIPA4 blackhole     | rule_in_the_way | no_alias | rule_in_the_way
a rule drops the answers, IPv6       | sip -6 rule add priority 10 from $VIPA6 unreachable | rule_in_the_way | no_alias | rule_in_the_way
nobody listens                       | service_ends                                       | not_listening | port_refused | not_listening
listens on its own addresses         | serves $SERVER4 $SERVER6                           | listens_elsewhere | port_refused | listens_elsewhere
listens on IPv4 alone                | serves 0.0.0.0                                     | not_listening | port_refused | not_listening
a rule of nftables drops the VIPA    | drops input 'ip daddr 192.0.2.10 drop'             | nft_drop      | no_alias | nft_drop
it drops the port                    | drops input 'tcp dport 80 drop'                    | nft_drop      | port_silent | nft_drop
it rejects the VIPA, IPv6            | drops input 'ip6 daddr 2001:db8:1::10 reject'      | nft_drop      | no_alias | nft_drop
a policy drops all                   | drops input '' drop                                | nft_drop      | no_echo port_silent | nft_drop
it drops before routing              | drops prerouting 'ip daddr 192.0.2.10 drop'        | nft_drop      | no_alias | nft_drop
it drops the answers                 | drops output 'ip saddr 192.0.2.10 drop'            | nft_drop_answer | no_alias | nft_drop_answer
TABLE
matrix_end 15

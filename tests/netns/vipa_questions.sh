#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who is answered (scenarios 2-5, 40, 41): every honest question for the VIPA exactly once, by the owner; nothing else is.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
rogue_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
owner_up 3
MAC=$(adapter_mac 0)

# asked ANSWERS WHAT OPTIONS...: a question of the rogue, in the name of a host of its own, so that its answer is known by its target.
# ANSWERS is what shall come of it.
QUESTIONS=()
asked() {
  local answers=$1 what=$2 net=10.1.1. address=$VIPA4
  shift 2
  [[ $FAMILY == 4 ]] || { net=fd00:1:: && address=$VIPA6; }
  QUESTIONS+=("$answers|$net$((200 + ${#QUESTIONS[@]}))|$what")
  rogue question "$address" --ip "$net$((199 + ${#QUESTIONS[@]}))" "$@" >/dev/null
}
# answers_of HOST: an expression.
answers_of() { printf "[x for x in pick(kind='answer') if (x['destination'] if ':' in x['ip'] else x['target']) == '%s']" "$1"; }
# judge: the last question was answered, so all before it are done.
judge() {
  local question host answers what
  host=$(cut -d'|' -f2 <<<"${QUESTIONS[-1]}")
  wait_until 10 captured_is wire "len($(answers_of "$host")) == 1" || fail "the last question is not answered"
  for question in "${QUESTIONS[@]}"; do
    IFS='|' read -r answers host what <<<"$question"
    expect_captured "$what: $answers" wire \
      "len($(answers_of "$host")) == $answers and all(well_formed(x) and x['port'] == 'dispatcher-e0' and x['mac'] == '$MAC' and x['dst'] == '$ROGUE_MAC' for x in $(answers_of "$host"))"
  done
  QUESTIONS=()
}

# ---- the client, and a host that must not be like ours
for address in $VIPA4 $VIPA6; do expect_equal "the client's question for $address: answers" "$MAC" "$(who_has "$address")"; done
# The same address on the loopback of a host with two adapters whose kernel answers: two replies, so a second one would be seen.
ns_add control
for i in 0 1; do cable control e$i a 02:00:00:00:cc:0$i "10.1.1.3$i/24"; done
ip -n "$LAB-control" address add 10.1.1.8/32 dev lo
expect_equal "control, a kernel with arp_ignore 0: answers" 2 "$(who_has 10.1.1.8 | sort -u | wc -l)"

# ---- ARP
FAMILY=4
asked 1 "a broadcast question"
asked 1 "a question to e0's own MAC" --dst "$MAC"
asked 1 "a question with a target MAC" --tha "$MAC"
asked 0 "a question for another address" --tpa 10.1.1.9
asked 0 "a reply" --op 2
asked 0 "an operation that does not exist" --op 3
asked 0 "a hardware length of 5" --hlen 5
asked 0 "a protocol length of 6" --plen 6
asked 0 "a hardware type that is not Ethernet" --htype 6
asked 0 "a protocol that is not IPv4" --ptype 0x86dd
asked 0 "a frame of 41 bytes" --cut 41
asked 0 "a frame to a third station" --dst 02:00:00:00:0e:0e
asked 0 "a frame to a multicast MAC" --dst 01:00:5e:00:00:01
asked 0 "a group as the sender" --mac 03:00:00:00:0f:66
asked 0 "a sender other than the frame's" --mac 02:00:00:00:0f:67
asked 0 "a tagged question on an untagged interface" --tag 20
asked 1 "an honest question after all these"
judge
PROBED=$(rogue probe $VIPA4)
wait_until 5 captured_is wire "len(pick($PROBED, kind='answer', target='0.0.0.0')) >= 1" || fail "a probe is not answered"
expect_captured "a foreign probe: one answer, with target 0.0.0.0" wire "[[x['port'], x['mac'], x['dst']] for x in pick($PROBED, kind='answer', target='0.0.0.0')] == [['dispatcher-e0', '$MAC', '$ROGUE_MAC']]"
owner_is $VIPA4 e0 || fail "a foreign probe made e0 give up: $(xdplb vipa show $VIPA4)"

# ---- neighbour discovery
FAMILY=6
asked 1 "a multicast solicitation"
asked 1 "a unicast solicitation, as neighbours revalidate" --to $VIPA6 --dst "$MAC"
asked 1 "a unicast solicitation without the asker's MAC" --to $VIPA6 --dst "$MAC" --no-option
asked 1 "a multicast solicitation without the asker's MAC" --no-option
asked 1 "a solicitation from a link-local address" --source fe80::77
# Its answer goes there.
QUESTIONS[-1]="1|fe80::77|a solicitation from a link-local address"
asked 0 "hop limit 64" --hops 64
asked 0 "code 1" --code 1
asked 0 "a wrong checksum" --bad-checksum
asked 0 "another machine's MAC" --mac 02:00:00:00:0f:67
asked 0 "a frame cut short" --cut 70
asked 0 "a tagged solicitation on an untagged interface" --tag 20
asked 1 "an honest solicitation after all these"
judge

# Duplicate address detection of somebody who wants our address: told to everybody, for the asker has no address yet. The series of
# announcements is over before it can be taken for the answer: they are the same frame.
wait_until 20 captured_is wire "len(announced('$VIPA6')) >= 4" || fail "the series: $(captured wire "times(announced('$VIPA6'))")"
start=$(rogue probe $VIPA6)
defended="announced('$VIPA6', $start)"
wait_until 5 captured_is wire "len($defended) >= 1" || fail "duplicate address detection of our address is not answered"
expect_captured "duplicate address detection is answered to everybody, within 0.2 s" wire \
  "len($defended) == 1 and ${defended}[0]['t'] - $start < 0.2 and ${defended}[0]['dst'] == '33:33:00:00:00:01' and ${defended}[0]['override'] and not ${defended}[0]['solicited']"
for address in $VIPA4 $VIPA6; do
  owner_is "$address" e0 || fail "$address: $(xdplb vipa show "$address")"
  expect_equal "who ever said to have $address" "[[\"dispatcher-e0\", \"$MAC\"]]" "$(captured wire "speakers('$address')")"
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Machines that must be reachable through an adapter (scenarios 16, 17): three questions in a row without an answer, on a cable that is
# fine, and the next adapter takes over; by ARP, by neighbour solicitation and by ICMP echo. When nobody answers anybody, the targets
# are blamed and nothing moves.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
# A target behind the gateway is asked through each adapter: each needs the way.
for i in 1 2; do
  ip -n "$LAB-dispatcher" route add default via 10.1.1.1 dev e$i metric 10$i
  ip -n "$LAB-dispatcher" route add default via fd00:1::1 dev e$i metric 20$i
done
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
owner_up 3 --failback immediate --refresh 0
xdplb set --up-delay 0s >/dev/null

# deaf PORT, hears PORT: the switch drops what comes by this port; the carrier stays.
deaf() { in_ns switch bridge link set dev "$1" state 0; }
hears() { in_ns switch bridge link set dev "$1" state 3; }
has_problem() { [[ $(status_json | json "any(p['code'] == '$1' for p in d['problems'])") == true ]]; }
no_problem() { ! has_problem "$1"; }
entry_is() { vipa_is $VIPA4 "any(p['interface'] == '$1' and p['healthy'] == $2 for p in d['preferred'])"; }

# asked SINCE UNTIL PORT: questions of an adapter to the target, as an expression; those beyond the gateway are pings, which are not captured.
asked() { printf "pick(%s, %s, kind='question', target='%s', port='%s')" "$1" "$2" "$TARGET" "$3"; }
asks() { captured_is wire "len($(asked "$START" 1e12 "dispatcher-e$1")) >= 2"; }

# loses WHAT TARGET: e0 alone loses the target.
loses() {
  local what=$1 address cut moved i
  TARGET=$2 START=$(now)
  xdplb set --reach "$TARGET" >/dev/null
  for i in 0 1 2; do
    [[ $TARGET == *9* ]] || wait_until 10 asks $i || fail "$what: e$i does not ask $TARGET"
    wait_until 10 entry_is e$i True || fail "$what: e$i is not healthy: $(xdplb vipa show $VIPA4)"
  done
  cut=$(now)
  deaf dispatcher-e0
  for address in $VIPA4 $VIPA6; do
    wait_until 15 captured_is wire "len(announced('$address', $cut, port='dispatcher-e1')) >= 1" || fail "$what: e1 does not announce $address: $(xdplb vipa show "$address")"
    moved=$(captured wire "announced('$address', $cut, port='dispatcher-e1')[0]['t']")
    expect_captured "$what: e1 announces $address $(captured wire "round($moved - $cut, 2)") s after e0 went deaf" wire "2 <= $moved - $cut <= 4.6"
    [[ $TARGET == *9* ]] || expect_captured "$what: nothing moved before e0 had asked three times in vain" wire "len($(asked "$cut" "$moved" dispatcher-e0)) >= 3"
    expect_captured "$what: e0 is mute then" wire "not said('$address', $moved, port='dispatcher-e0')"
    wait_until 5 owner_is "$address" e1 || fail "$what: $(xdplb vipa show "$address")"
    vipa_is "$address" "d['last_move']['cause'] == 'reach_lost'" || fail "$what: last move: $(xdplb -j vipa show "$address")"
  done
  wait_until 5 event_is "e['code'] == 'interface_failed' and 'e0' in e['object']" || fail "$what: no event: $(xdplb events)"
  hears dispatcher-e0
  for address in $VIPA4 $VIPA6; do wait_until 15 owner_is "$address" e0 || fail "$what: e0 hears again: $(xdplb vipa show "$address")"; done
  ok "$what: e0 owns both again when the target answers through it"
}
loses "ARP" 10.1.1.1
loses "neighbour solicitation" fd00:1::1
loses "ICMP echo" $REMOTE4

# Two targets of which one is enough; then both must answer.
START=$(now)
xdplb set --reach "10.1.1.1,$CLIENT4" >/dev/null
deaf client-eth0
TARGET=$CLIENT4
# Four rounds, so that three of them went by in vain.
rounds_of_both() { captured_is wire "len($(asked "$START" 1e12 dispatcher-e0)) >= 5"; }
wait_until 15 rounds_of_both || fail "e0 does not ask $CLIENT4"
for address in $VIPA4 $VIPA6; do vipa_is "$address" 'd["state"] == "owned" and d["owner"] == "e0"' || fail "one of two targets is gone, policy any: $(xdplb vipa show "$address")"; done
no_problem reach_suspect || fail "policy any, one target answers: $(status_json)"
ok "one of two targets is gone, policy any: nothing moves"

# ---- everybody loses it
deaf gateway-eth0
wait_until 15 has_problem reach_suspect || fail "no problem reach_suspect: $(status_json)"
for address in $VIPA4 $VIPA6; do vipa_is "$address" 'd["state"] == "owned" and d["owner"] == "e0"' || fail "all targets are gone: $(xdplb vipa show "$address")"; done
hears client-eth0
for address in $VIPA4 $VIPA6; do expect_equal "$address, all targets are gone: answers" "$(adapter_mac 0)" "$(who_has "$address")"; done
expect_captured "all targets are gone: nothing moves" wire "not any(said(ip, $START, port='dispatcher-e' + n) for ip in ('$VIPA4', '$VIPA6') for n in '12')"
hears gateway-eth0
wait_until 15 no_problem reach_suspect || fail "the problem stays: $(status_json)"
ok "the targets are blamed, and the problem ends with them"

# ---- never in the VIPA's name
expect_captured "no question of the daemon or the kernel names a VIPA as the sender" wire "not [x for x in pick(kind='question') if x['ip'] in ('$VIPA4', '$VIPA6')]"
expect_captured "each adapter asks from its own address" wire \
  "all(x['ip'] == '10.1.1.' + str(4 + int(x['port'][-1])) for x in pick(kind='question', target='10.1.1.1'))"

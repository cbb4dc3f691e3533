#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Random events of links, addresses, reach targets and operators: never two interfaces answer in the same turn, always one does while one
# is healthy. Judged on the frames that enter the switch; see vipa_random.py. XDPLB_RANDOM_EVENTS says how many events there are,
# XDPLB_RANDOM_SEED repeats a run.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
dispatcher_up 3 --failback delayed --hold 1s
bridge_port() { in_ns switch bridge link set dev "$@" || skip "this kernel has no isolated bridge ports"; }
bridge_port gateway-eth0 isolated on
xdplb set --up-delay 1s --reach 10.1.1.1 --reach-interval 1s --reach-missed 3 >/dev/null
xdplb vipa set $VIPA4 --prefer 10.1.1.4,e1,10.1.1.6 >/dev/null
xdplb vipa set $VIPA6 --prefer fd00:1::4,e1,fd00:1::6 >/dev/null
pid=$(daemon_pid)

EVENTS=${XDPLB_RANDOM_EVENTS:-200}
SEED=${XDPLB_RANDOM_SEED:-$RANDOM}
say "$EVENTS events, seed $SEED"
in_ns switch python3 "$NETNS_DIR/vipa_random.py" "$LAB" "$XDPLB_BIN/xdplb" "$EVENTS" "$SEED" >"$WORK/random.out" 2>&1 ||
  fail "seed $SEED: $(cat "$WORK/random.out")"
result=$(tail -n 1 "$WORK/random.out")
say "$result"
for family in v4 v6; do
  expect_number "$family: questions" "$(json "d['$family']['questions']" <<<"$result")" '>=' $((EVENTS * 2))
  # The events did something.
  expect_number "$family: moves" "$(json "d['$family']['moves']" <<<"$result")" '>=' $((EVENTS / 40))
done

expect_equal "the daemon is the same" "$pid" "$(daemon_pid)"
# Everything is whole again: so is what the daemon believes.
for address in $VIPA4 $VIPA6; do
  wait_until 20 owner_is "$address" e0 || fail "e0 does not own $address: $(xdplb vipa show "$address")"
  wait_until 10 vipa_is "$address" 'all(e["healthy"] for e in d["preferred"]) and d["pinned"] is None' || fail "$address: $(xdplb vipa show "$address")"
done
no_problems() { [[ $(status_json | json 'd["problems"]') == "[]" ]]; }
wait_until 10 no_problems || fail "problems: $(xdplb status)"
ok "at the end e0 owns both, and there are no problems"
for address in $VIPA4 $VIPA6; do wait_until 10 answered client "$address" || fail "no answer from $address"; done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A connection that was silent for longer than the stale timeout of a port that writes flows down: --on-stale repick places it anew, reset
# ends it, drop ignores it.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
cluster_up
port_up web/80 "--pick wrr --stale-timeout 2s" s1
wait_until 10 answered client $VIPA4 || fail "no answer"
wait_until 10 answered client $VIPA6 || fail "no answer over IPv6"

flow_is_open() { [[ $(grep -c s1 "$1") == 1 ]]; }
forgotten() { [[ $(xdplb -j flows web/80 --limit 1000 | json 'sum(1 for f in d["flows"] if f["state"] == "open")') == 0 ]]; }
# silent MODE SECOND ADDRESS: what the second request of a connection sees after its flow was forgotten
silent() {
  local gate=$WORK/gate-$1-$RANDOM out=$WORK/out-$1
  xdplb port set web/80 --on-stale "$1" >/dev/null
  in_ns client python3 "$NETNS_DIR/again.py" "$3" 80 "$gate" >"$out" &
  local waiting=$!
  wait_until 10 flow_is_open "$out" || fail "$1: the connection does not stand"
  wait_until 20 forgotten || fail "$1: the flow is not forgotten: $(xdplb flows web/80)"
  touch "$gate"
  wait $waiting || fail "again.py failed"
  expect_equal "$1 at $3: first and second answer" "s1 $2" "$(paste -sd ' ' "$out")"
}
for address in $VIPA4 $VIPA6; do
  silent repick s1 "$address"
  before=$(outcome reset_sent)
  silent reset reset "$address"
  expect_number "resets sent" $(($(outcome reset_sent) - before)) '>=' 1
  before=$(outcome stale)
  silent drop none "$address"
  expect_number "packets counted as stale" $(($(outcome stale) - before)) '>=' 1
done

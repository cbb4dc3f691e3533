#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon ends (scenario 36): SIGTERM and SIGKILL leave silence, for there is no goodbye in ARP. The next daemon never believes that the
# VIPA is still its own: it asks first, then it announces, through the first adapter of the list. What runs, runs on.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
dispatcher_up 3 --refresh 4
patient_neighbours() { in_ns client sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=600000 net.ipv6.neigh.eth0.base_reachable_time_ms=600000; }
patient_neighbours
MAC=$(adapter_mac 0)

ended() {
  local what=$1 signal=$2 pid stopped started
  wait_until 5 answered client $VIPA4 || fail "$what: no answer before it"
  pid=$(daemon_pid)
  kill "-$signal" "$pid"
  wait_until 20 gone "$pid" || fail "$what: daemon $pid does not end"
  # What it had sent before it died may be on its way still.
  stopped=$(now)
  for address in $VIPA4 $VIPA6; do expect_equal "$what: answers for $address" "" "$(who_has "$address")"; done
  # Longer than a refresh.
  refresh_is_over() { captured_is wire "$(now) - $stopped > 4.5"; }
  wait_until 10 refresh_is_over
  expect_captured "$what: silence" wire "not said('$VIPA4', $stopped) and not said('$VIPA6', $stopped) and not pick($stopped, kind='probe')"
  expect_equal "$what: a client that knows the MAC is served" 10 "$(count_of "$(http_names client $VIPA4 10)")"
  started=$(now)
  xdplb --timeout 60 load e0 e1 e2 >"$WORK/load.out" 2>&1 || fail "$what: load: $(cat "$WORK/load.out")"
  for address in $VIPA4 $VIPA6; do
    claims="announced('$address', $started)" probes="pick($started, kind='probe', target='$address')"
    wait_until 20 captured_is wire "len($claims) >= 2" || fail "$what: $address is not announced after the restart: $(xdplb vipa show "$address")"
    expect_captured "$what: after the restart $address is asked for first, then announced, by e0" wire \
      "len($probes) == (1 if ':' in '$address' else 3) and ${probes}[-1]['t'] < ${claims}[0]['t'] and speakers('$address', $started) == [['dispatcher-e0', '$MAC']]"
    owner_is "$address" e0 || fail "$what: $(xdplb vipa show "$address")"
  done
}
ended SIGTERM TERM
# The operator's word outlives the daemon, and so does the list.
for address in $VIPA4 $VIPA6; do [[ $(xdplb -j vipa show "$address" | json '[p["name"] for p in d["preferred"]]') == '["e0", "e1", "e2"]' ]] || fail "list after the restart: $(xdplb vipa show "$address")"; done
ended SIGKILL KILL

# unload is the end, too.
stopped=$(now)
xdplb unload >/dev/null
for address in $VIPA4 $VIPA6; do expect_equal "unload: answers for $address" "" "$(who_has "$address")"; done
ENDED=$(now)
expect_captured "unload: silence" wire "not said('$VIPA4', $stopped + 1, $ENDED) and not said('$VIPA6', $stopped + 1, $ENDED)"

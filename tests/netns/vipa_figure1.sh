#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One server with three adapters, and remote clients who come through the dispatcher: adapters fail one by one and come back. The
# dispatcher sends all flows of the server, running ones too, to the first adapter that answers; what the server sends follows
# as well. No download breaks, no new connection fails.
source "$(dirname "$0")/lib_figures.sh"
vipa_lan_up
alpha_up 3
routed_dispatcher
xdplb server add web/80 10.1.1.4,10.1.1.5,10.1.1.6 --name alpha >/dev/null
proxy_is alpha
wait_until 40 resolved web/80 1 || fail "alpha does not resolve: $(xdplb status 2>&1)"

COUNT=20
traffic_start alpha-e0 alpha-e1 alpha-e2
downloads_start remote far $COUNT "${STREAMS[@]}"
FAR=$DOWNLOADS
visitors_start remote visitors "${NAMES[@]}"

# carried WHAT N FAILED...: adapter N carries, those that failed say why, and the frames do pass it, both ways.
carried() {
  local what=$1 number=$2 failed
  local address
  address=$(adapter4 "$number")
  wait_until 40 server_is web/80/alpha "d['carried_by'] == '$address'" || fail "$what: $address does not carry: $(xdplb server show web/80/alpha)"
  shift 2
  for failed; do
    expect_equal "$what: why $(adapter4 "$failed") does not carry" "$(adapter4 "$failed") did not answer" \
      "$(xdplb -j server show web/80/alpha | json "next(a['reason'] for a in d['adapters'] if a['address'] == '$(adapter4 "$failed")')" | sed 's/ [0-9]* times$//')"
  done
  server_is web/80/alpha "[a['address'] for a in d['adapters'] if a['carries']] == ['$address'] and [a['healthy'] for a in d['adapters']].count(False) == $#" ||
    fail "$what: adapters: $(xdplb -j server show web/80/alpha)"
  ok "$what: $(xdplb -j server show web/80/alpha | json "'; '.join(a['address'] + ': ' + a['reason'] for a in d['adapters'])")"
  wait_until 40 host_owns alpha "e$number" || fail "$what: alpha sends by another adapter: $(on alpha vipa list 2>&1)"
  passes "$what" "alpha-e$number" "to $DISPATCHER_MAC" "from $GATEWAY_MAC"
  downloads_all_run "$what" "far:$FAR"
}

carried "at the start" 0
expect_equal "alpha's adapters have the MACs of its cards" "$(adapter_mac 0) $(adapter_mac 1) $(adapter_mac 2)" \
  "$(xdplb -j server show web/80/alpha | json '" ".join(a["mac"] for a in d["adapters"])')"
pull alpha 0
carried "10.1.1.4 failed" 1 0
event_is "e['code'] == 'adapter_failed' and '10.1.1.4' in e['object']" || fail "no event tells of the adapter: $(xdplb events)"
has_problem adapter_down 10.1.1.4 || fail "no problem adapter_down: $(xdplb status)"
pull alpha 1
carried "10.1.1.5 failed, too" 2 0 1
plug alpha 1
carried "10.1.1.5 is back" 1 0
plug alpha 0
carried "10.1.1.4 is back" 0
event_is "e['code'] == 'adapter_healthy' and '10.1.1.4' in e['object']" || fail "no event tells of the return: $(xdplb events)"
expect_equal "problems at the end" "" "$(problems)"

visitors_end visitors "$VISITORS"
downloads_whole far "$FAR" $COUNT

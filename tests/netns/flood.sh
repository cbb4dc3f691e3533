#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A SYN flood: half_open_high and half_open_ok tell of it, connections above --new-flow-limit are not written down but go to their row's
# old owner, and no running download breaks, though servers come and go meanwhile.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
cluster_up
port_up web/80 "--pick wrr --half-open-limit 500" s1 s2
wait_until 10 answered client $VIPA4 || fail "no answer"
wait_until 10 answered client $VIPA6 || fail "no answer over IPv6"
downloads_start client local 40 http://$VIPA4/big "http://[$VIPA6]/big"

flood() { in_ns router python3 "$NETNS_DIR/syn_flood.py" 02:00:00:00:0a:02 "$1" 80 "$2" 2000; }
told() { event_is "e['code'] == '$1' and e['object'] == 'port web/80'"; }
flood $VIPA6 3000
wait_until 5 told half_open_high || fail "no event: $(xdplb events)"
ok "event: $(xdplb events | grep ' half_open_high ' | tail -n 1)"
expect_number "half-open connections" "$(xdplb -j port show web/80 | json 'd["half_open"]')" '>=' 500
expect_equal "answers in the flood" 40 "$(count_of "$(http_names client $VIPA4 40)")"
downloads_all_run "in the flood" "local:$DOWNLOADS"
wait_until 30 told half_open_ok || fail "no event: $(xdplb events)"
ok "event: $(xdplb events | grep ' half_open_ok ' | tail -n 1)"

# ---- a limit: what is above it is not written down
xdplb port set web/80 --new-flow-limit 50 >/dev/null
before=$(xdplb -j port show web/80)
flood $VIPA4 3000 &
flooding=$!
server_in web/80 s3
xdplb server set web/80/s1 --weight 30 >/dev/null
wait_until 10 resolved web/80 3 || fail "s3 does not resolve"
downloads_all_run "flood, limit, s3 added, s1 re-weighed" "local:$DOWNLOADS"
expect_equal "answers in the flood with a limit" 40 "$(count_of "$(http_names client $VIPA6 40)")"
wait $flooding || fail "syn_flood.py failed"
after=$(xdplb -j port show web/80)
grown() { echo $(($(json "d['$1']" <<<"$after") - $(json "d['$1']" <<<"$before"))); }
expect_number "connections refused" "$(grown refused)" '>=' 2000
expect_number "connections written down" "$(grown recorded)" '<=' 1000
downloads_all_run "after the flood" "local:$DOWNLOADS"

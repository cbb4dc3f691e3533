#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --pick least-connections: a new connection goes to the server with the fewest for its weight, also after many have ended.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
stream_up s1 s2
PORT=web/$STREAM_PORT
cluster_up
port_up $PORT "--pick least-connections" s1:10 s2:10
wait_until 10 answered_on client $VIPA4 || fail "no answer"
URL=http://$VIPA4:$STREAM_PORT/stream

# active: of s1 and s2, as the dispatcher counts.
active() { xdplb -j server list $PORT | json '" ".join(str(s["active"]) for s in d)'; }
idle() { [[ $(active) == "0 0" ]]; }
alive() { json "' '.join(str(d['servers'].get(s, {}).get('alive', 0)) for s in ('s1', 's2'))" <"$WORK/$1"; }
active_is() { [[ $(active) == "$1" ]]; }

wait_until 5 idle || fail "connections that ended count: $(active)"
downloads_start client first 20 "$URL"
FIRST=$DOWNLOADS
expect_equal "20 downloads: s1 and s2" "10 10" "$(alive first)"
expect_equal "as the dispatcher counts" "10 10" "$(active)"

downloads_end first "$FIRST" s1
wait_until 5 active_is "0 10" || fail "after all of s1 ended: $(active)"
downloads_start client second 10 "$URL"
SECOND=$DOWNLOADS
expect_equal "10 more: all are of the server without connections" "10 0" "$(alive second)"

xdplb server set $PORT/s1 --weight 30 >/dev/null
downloads_start client third 20 "$URL"
expect_equal "20 more with weights 30 and 10: s1 and s2 have 30 and 10 together" "20 0" "$(alive third)"
expect_equal "as the dispatcher counts" "30 10" "$(active)"

kill9
xdplb --timeout 60 load eth0 eth1 >/dev/null
expect_equal "as the next daemon counts" "30 10" "$(active)"
downloads_all_run "after the restart" "first:$FIRST" "second:$SECOND" "third:$DOWNLOADS"

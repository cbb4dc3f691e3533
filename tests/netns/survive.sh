#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 200 running downloads, local and routed, IPv4 and IPv6, come whole through every change of the servers: add, re-weigh, drain,
# return, removal after a drain, each once in peace and once with the daemon killed in the middle of it. New connections follow every
# change at once, and rows whose old flows are gone settle.
source "$(dirname "$0")/lib.sh"
lan_up
patient_neighbours
servers_up
stream_up s1 s2 s3 s4

PORT=web/$STREAM_PORT
COUNT=100
STALE=4
cluster_up
port_up $PORT "--stale-timeout ${STALE}s" s1 s2 s3
URLS=("http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream")
changing() { xdplb -j port show $PORT | json 'd["rows"]["v4"]["changing"] + d["rows"]["v6"]["changing"]'; }
settled() { [[ $(changing) == 0 ]]; }
wait_until 20 settled || fail "rows without flows do not settle: $(xdplb -j port show $PORT)"
downloads_start client local $COUNT "${URLS[@]}"
RUNNING=("local:$DOWNLOADS")
downloads_start remote routed $COUNT "${URLS[@]}"
RUNNING+=("routed:$DOWNLOADS")

all_run() { downloads_all_run "$1" "${RUNNING[@]}"; }

# spread WHAT SERVER RELATION COUNT: of 200 new connections, so many are the server's.
spread() {
  local names
  names="$(http_names client $VIPA4 100 $STREAM_PORT)"$'\n'"$(http_names remote $VIPA6 100 $STREAM_PORT)"
  expect_equal "$1: answers to new connections" 200 "$(count_of "$names")"
  expect_number "$1: those of $2" "$(share "$names" "$2")" "$3" "$4"
}

# interrupted WHAT COMMAND...: the command, with the daemon killed in the middle of it; after the restart the command is given again.
# The moment of the kill moves on from call to call. What was removed before the kill is not found after it.
MOMENT=0
interrupted() {
  local what=$1 pid job
  shift
  pid=$(daemon_pid)
  xdplb -q "$@" >/dev/null 2>&1 &
  job=$!
  sleep "0.0$((MOMENT % 5))"
  MOMENT=$((MOMENT + 1))
  kill -9 "$pid"
  wait $job || true
  wait_until 20 gone "$pid" || fail "daemon $pid does not die"
  all_run "$what, daemon killed"
  xdplb --timeout 60 load eth0 eth1 >"$WORK/load.out" 2>&1 || fail "$what: load: $(cat "$WORK/load.out")"
  xdplb "$@" >"$WORK/again.out" 2>&1 || [[ $? == 3 && $2 == remove ]] || fail "$what: after the restart: $(cat "$WORK/again.out")"
  all_run "$what, daemon back"
}

# visitors N: short downloads, some of them of s4; ends them when the caller says so.
visitors() {
  downloads_start client visitors 40 "${URLS[@]}"
  VISITORS=$DOWNLOADS
  expect_number "new downloads, those of s4" "$(json 'd["servers"].get("s4", {}).get("alive", 0)' <"$WORK/visitors")" '>=' 3
}

all_run "at the start"
expect_equal "rows changing at the start" 0 "$(changing)"

server_in $PORT s4
spread "s4 added" s4 '>=' 25
all_run "s4 added"
before=$(changing)
expect_number "rows changing after s4 came" "$before" '>=' 100
silent_rows_settle() { (($(changing) < before / 2)); }
wait_until 20 silent_rows_settle || fail "silent rows do not settle: $(changing) of $before change still"
now=$(changing)
ok "silent rows have settled: $before were changing, $now still do"
expect_number "rows still changing for the downloads of their old owner" "$now" '>=' 10
all_run "silent rows settled"

visitors
xdplb server set $PORT/s1 --weight 30 >/dev/null
spread "s1 weighs 30" s1 '>=' 75
all_run "re-weighed"

xdplb server drain $PORT/s4 >"$WORK/drain.out"
grep -Eq 's4 drains: [0-9]+ rows? and [0-9]+ flows? left' "$WORK/drain.out" || fail "drain said: $(cat "$WORK/drain.out")"
ok "$(cat "$WORK/drain.out")"
spread "s4 drained" s4 == 0
downloads_all_run "s4 drained" "${RUNNING[@]}" "visitors:$VISITORS"
downloads_end visitors "$VISITORS" all
expect_equal "short downloads that came whole" 40 "$(json 'd["whole"]' <"$WORK/visitors")"
# 60 s: the time that closed flows are remembered for late segments.
xdplb --timeout 90 server drain $PORT/s4 --wait >"$WORK/drain.out" 2>&1 || fail "drain --wait: $(cat "$WORK/drain.out")"
ok "drain --wait returned: $(tail -n 1 "$WORK/drain.out")"
all_run "drained"
xdplb server remove $PORT/s4 >/dev/null
all_run "removed after the drain"

xdplb server drain $PORT/s2 >/dev/null
spread "s2 drained" s2 == 0
all_run "s2 drained with downloads on it"
xdplb server ready $PORT/s2 >/dev/null
spread "s2 returned" s2 '>=' 15
all_run "s2 returned"

interrupted "add" server add $PORT "$(server_address s4)" --name s4 --weight 20
wait_until 10 resolved $PORT 4 || fail "s4 does not resolve"
spread "s4 added again" s4 '>=' 25
interrupted "re-weigh" server set $PORT/s2 --weight 40
interrupted "drain" server drain $PORT/s3
spread "s3 drained" s3 == 0
interrupted "return" server ready $PORT/s3
spread "s3 returned" s3 '>=' 3
xdplb server drain $PORT/s4 --deadline 2s >/dev/null
wait_until 10 server_is $PORT/s4 'd["base_rows"] == 0 and d["flows"] == 0' || fail "the deadline did not empty s4: $(xdplb -j server show $PORT/s4)"
interrupted "removal after a drain" server remove $PORT/s4

for pair in "${RUNNING[@]}"; do
  downloads_end "${pair%:*}" "${pair#*:}" all
  expect_equal "${pair%:*} downloads with every line" $COUNT "$(json 'd["whole"]' <"$WORK/${pair%:*}")"
  expect_equal "${pair%:*} downloads broken" 0 "$(json 'd["broken"]' <"$WORK/${pair%:*}")"
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# server drain prints what is left, --wait returns with the last download, --deadline forces, down is at once, ready takes new flows
# only; a drain goes on in the next daemon, and events tell of it.
source "$(dirname "$0")/lib.sh"
lan_up
patient_neighbours
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
stream_up s1 s2 s3

PORT=web/$STREAM_PORT
cluster_up
port_up $PORT "--stale-timeout 3s" s1 s2 s3
URL=http://$VIPA4:$STREAM_PORT/stream
downloads_start client local 60 "$URL"
LOCAL=$DOWNLOADS
on() { json "d['servers'].get('$1', {}).get('$2', 0)" <"$WORK/local"; }
expect_number "downloads of s1" "$(on s1 alive)" '>=' 5
expect_number "downloads of s2" "$(on s2 alive)" '>=' 5
expect_number "downloads of s3" "$(on s3 alive)" '>=' 5

# wait_for_s1: what drain --wait says, and its exit code, into wait.out.
wait_for_s1() {
  local code=0
  xdplb --timeout 100 server drain $PORT/s1 --wait >"$WORK/wait.out" 2>&1 || code=$?
  echo "code $code" >>"$WORK/wait.out"
}

# ---- what it says, and how long it waits
xdplb server drain $PORT/s1 >"$WORK/out"
grep -Eq '^server '$PORT'/s1 drains: [0-9]+ rows and [0-9]+ flows? left$' "$WORK/out" || fail "drain said: $(cat "$WORK/out")"
ok "$(cat "$WORK/out")"
expect_equal "administration of s1" drain "$(xdplb -j server show $PORT/s1 | json 'd["admin"]')"
expect_equal "new connections of a drained server" 0 "$(share "$(http_names client $VIPA4 100 $STREAM_PORT)" s1)"
expect_error 8 "rows? and [0-9]+ flows? left" xdplb -q --timeout 1 server drain $PORT/s1 --wait
wait_for_s1 &
waiting=$!

kill9
downloads_all_run "daemon killed" "local:$LOCAL"
wait $waiting || true
grep -q 'code 4' "$WORK/wait.out" || fail "--wait with the daemon dead said: $(cat "$WORK/wait.out")"
ok "--wait ends with code 4 when the daemon dies"
xdplb --timeout 60 load eth0 eth1 >/dev/null
expect_equal "administration of s1 after a restart" drain "$(xdplb -j server show $PORT/s1 | json 'd["admin"]')"
expect_equal "new connections of s1 after a restart" 0 "$(share "$(http_names client $VIPA4 100 $STREAM_PORT)" s1)"
downloads_all_run "daemon started again" "local:$LOCAL"

wait_for_s1 &
waiting=$!
downloads_end local "$LOCAL" s1
ended=$SECONDS
wait $waiting || true
grep -q 'code 0' "$WORK/wait.out" || fail "--wait said: $(cat "$WORK/wait.out")"
expect_number "seconds from the last download to the end of --wait" $((SECONDS - ended)) '<=' 70
expect_equal "rows and flows of s1" "0 0" "$(xdplb -j server show $PORT/s1 | json '"%d %d" % (d["base_rows"], d["flows"])')"
wait_until 5 event_is "e['code'] == 'drained' and e['object'] == 'server $PORT/s1'" || fail "no event: $(xdplb events)"
ok "event: $(xdplb events | grep ' drained ' | tail -n 1)"
downloads_all_run "s1 drained" "local:$LOCAL"
expect_equal "downloads of s1 that came whole, and those that did not" "yes 0" "$([[ $(on s1 whole) -ge 5 ]] && echo yes) $(on s1 broken)"

# ---- back: new flows only
old=$(on s2 alive)
xdplb server ready $PORT/s1 >/dev/null
expect_number "new connections of s1, of 150" "$(share "$(http_names client $VIPA4 150 $STREAM_PORT)" s1)" '>=' 25
downloads_all_run "s1 ready again" "local:$LOCAL"
expect_equal "downloads of s2 as before" "$old" "$(on s2 alive)"

# ---- a deadline
xdplb server drain $PORT/s2 --deadline 2s >/dev/null
expect_number "seconds left of the deadline" "$(xdplb -j server show $PORT/s2 | json 'd["deadline_s"]')" '<=' 2
expect_equal "downloads of s2 broken before the deadline" 0 "$(on s2 broken)"
wait_until 10 event_is "e['code'] == 'drain_deadline' and e['object'] == 'server $PORT/s2'" || fail "no event: $(xdplb events)"
ok "event: $(xdplb events | grep ' drain_deadline ' | tail -n 1)"
wait_until 5 server_is $PORT/s2 'd["base_rows"] == 0 and d["flows"] == 0' || fail "something is left: $(xdplb -j server show $PORT/s2)"
forced() { (($(on s2 broken) == old)); }
wait_until 15 forced || fail "downloads of s2 still run: $(cat "$WORK/local")"
ok "the deadline gave up all $old downloads of s2"
expect_equal "downloads of s3 broken" 0 "$(on s3 broken)"
xdplb server ready $PORT/s2 >/dev/null

# ---- down: at once
old=$(on s3 alive)
xdplb server down $PORT/s3 >"$WORK/out"
ok "$(tail -n 1 "$WORK/out")"
names=$(http_names client $VIPA4 100 $STREAM_PORT)
expect_equal "answers after down, those of s3" "100 0" "$(count_of "$names") $(share "$names" s3)"
expect_equal "rows of s3 as base" 0 "$(xdplb -j server show $PORT/s3 | json 'd["base_rows"]')"
downed() { (($(on s3 broken) == old)); }
wait_until 15 downed || fail "downloads of a server that is down go on: $(cat "$WORK/local")"
ok "its $old downloads went elsewhere and were reset there"

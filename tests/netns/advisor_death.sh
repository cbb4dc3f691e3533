#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A server's process is killed while clients open a connection every 10 ms: the last that goes to the dead server was opened at most
# fall x fast_interval + 100 ms after the kill, with a watch and without; the server gets connections again when it is back; downloads of
# the others never notice. The bound is that of a machine with time: on a busy one the best of up to three deaths counts.
source "$(dirname "$0")/lib_advisors.sh"
advisors_lan_up
patient_neighbours
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
for name in s1 s2 s3; do web_serve $name; done
stream_up s2 s3

FALL=3
cluster_up
# The streams are of servers that live on.
port_up web/$STREAM_PORT "" s2 s3
downloads_start client others 40 http://$VIPA4:$STREAM_PORT/stream "http://[$VIPA6]:$STREAM_PORT/stream"
OTHERS=$DOWNLOADS
advised web/$HTTP_PORT s1,s2,s3 --type http --path /name --fall $FALL --rise 2

web_is() { checks_are web/$HTTP_PORT/s1 "all(x['health'] == '$1' for x in c)"; }
# kill_web: every process of nginx on s1 that serves 8081, at once. Prints the time.
kill_web() {
  local master
  master=$(cat "$WORK/s1.web/nginx.pid")
  # shellcheck disable=SC2046  # one word a pid
  set -- "$master" $(pgrep -P "$master")
  date +%s.%N
  kill -9 "$@"
}
# last_failure KILLED: milliseconds from the kill to the opening of the last connection that failed, and how many did.
last_failure() {
  awk -v killed="$1" '$3 == "failed" && $2 >= killed { n++; if ($1 > last) last = $1 } END { printf "%d %d\n", n ? (last - killed) * 1000 : 0, n }' "$WORK/arrivals"
}
first_answer() { awk -v since="$1" '$3 == "s1" && $1 >= since { printf "%d\n", ($1 - since) * 1000; exit }' "$WORK/arrivals"; }
answers_again() { [[ -n $(first_answer "$1") ]]; }
# ended_since TIME SECONDS: connections opened so long after it have ended.
ended_since() { awk -v time="$1" -v after="$2" '$1 > time + after { found = 1; exit } END { exit !found }' "$WORK/arrivals"; }

# death BOUND: prints how long connections went to the dead server.
death() {
  local killed back milliseconds count
  wait_until 20 web_is up || fail "s1 is not up: $(checks web/$HTTP_PORT/s1 "[(x['code'], x['text']) for x in c]")"
  # The watch, or an answer, is there.
  spawn client arrivals.log python3 "$NETNS_DIR/arrivals.py" "$WORK/arrivals" http://$VIPA4:$HTTP_PORT/name "http://[$VIPA6]:$HTTP_PORT/name"
  local arrivals=$SPAWNED
  wait_until 10 answers_again 0 || fail "s1 answers nobody: $(tail -n 3 "$WORK/arrivals" "$WORK/arrivals.log")"
  killed=$(kill_web)
  wait_until 20 web_is down || fail "s1 is not down: $(checks web/$HTTP_PORT/s1 "[(x['code'], x['text']) for x in c]")"
  wait_until 20 ended_since "$(date +%s.%N)" 0.5 || fail "no more arrivals"
  read -r milliseconds count <<<"$(last_failure "$killed")"
  ((count > 0)) || fail "no connection failed: was s1 killed?"
  back=$(date +%s.%N)
  web_serve s1
  wait_until 20 web_is up || fail "s1 does not come back"
  wait_until 10 answers_again "$back" || fail "s1 gets no connections again"
  say "   $count connections failed, the last was opened $milliseconds ms after the kill; s1 answers $(first_answer "$back") ms after its start" >&2
  kill "$arrivals"
  wait_until 20 gone "$arrivals" || fail "arrivals.py does not end"
  echo "$milliseconds"
}

# best_death WHAT BOUND
best_death() {
  local what=$1 bound=$2 best=999999 attempt milliseconds
  for attempt in 1 2 3; do
    milliseconds=$(death)
    ((milliseconds >= best)) || best=$milliseconds
    ((best > bound)) || break
  done
  expect_number "$what: ms from the kill to the last connection to the dead server, best of $attempt" "$best" '<=' "$bound"
}

xdplb advisor set web/$HTTP_PORT --interval 2s --fast-interval 200ms --down-interval 200ms --watch on >/dev/null
best_death "watched, interval 2 s, fast 200 ms" $((FALL * 200 + 100))
xdplb advisor set web/$HTTP_PORT --interval 300ms --fast-interval 300ms --down-interval 300ms --watch off >/dev/null
best_death "not watched, interval 300 ms" $((FALL * 300 + 100))
downloads_all_run "after all that" "others:$OTHERS"
downloads_are others "d['broken'] == 0" || fail "downloads of others: $(cat "$WORK/others")"

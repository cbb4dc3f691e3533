#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 200 running downloads: none breaks when the daemon dies, starts again, gets the same configuration again, or when a
# server they are not on is removed. Counters go on.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
web_up 10 10 10 10

COUNT=100
downloads_start client local $COUNT http://$VIPA4/big "http://[$VIPA6]/big"
LOCAL=$DOWNLOADS
downloads_start remote routed $COUNT http://$VIPA4/big "http://[$VIPA6]/big"
ROUTED=$DOWNLOADS

# all_run WHAT: every download has moved since now, and none is broken.
all_run() {
  local file pid
  for file in local routed; do
    pid=$LOCAL
    [[ $file == local ]] || pid=$ROUTED
    downloads_mark $file "$pid"
    wait_until 15 downloads_are $file "d['moved'] == $COUNT" || fail "$1: $file downloads: $(cat "$WORK/$file")"
    downloads_are $file "d['broken'] == 0" || fail "$1: $file downloads: $(cat "$WORK/$file")"
  done
  ok "$1: $((2 * COUNT)) of $((2 * COUNT)) downloads run"
}

# total: packets that all servers of web/80 have had.
total() { xdplb -j server list web/80 | json 'sum(s["packets"] for s in d)'; }

all_run "at the start"
before=$(total)
kill9
all_run "daemon killed"
names=$(http_names client $VIPA6 50)
expect_equal "answers to new requests while there is no daemon" 50 "$(wc -l <<<"$names")"

xdplb load eth0 eth1 >/dev/null
all_run "daemon started again"
expect_number "packets counted, after $before at the kill" "$(total)" '>' "$before"
wait_until 10 ready 4 || fail "servers are not ready after the restart: $(xdplb status 2>&1)"

xdplb -j config show >"$WORK/same.json"
xdplb config apply "$WORK/same.json" >/dev/null
all_run "same configuration applied"

xdplb server remove web/80/s2 >/dev/null
for file in local routed; do
  pid=$LOCAL
  [[ $file == local ]] || pid=$ROUTED
  others="sum(c['alive'] for n, c in d['servers'].items() if n != 's2')"
  downloads_mark $file "$pid"
  wait_until 15 downloads_are $file "sum(c['moved'] for n, c in d['servers'].items() if n != 's2') == $COUNT - sum(c['alive'] + c['broken'] for n, c in d['servers'].items() if n == 's2')" ||
    fail "s2 removed: $file downloads of the others: $(cat "$WORK/$file")"
  ok "s2 removed: all $(json "$others" <"$WORK/$file") $file downloads of the others run"
done
names=$(http_names remote $VIPA4 100)
expect_equal "answers after the removal" 100 "$(wc -l <<<"$names")"
expect_equal "answers of the removed server" 0 "$(share "$names" s2)"

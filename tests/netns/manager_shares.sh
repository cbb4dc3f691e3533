#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The manager on real traffic: weights follow the load, the report is the classic table, quiesce is at once, fixed weights stay, and no
# running download breaks.
source "$(dirname "$0")/lib.sh"
lan_up
patient_neighbours
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
stream_up s1 s2 s3
PORT=web/$STREAM_PORT
cluster_up
port_up $PORT "" s1 s2 s3

# An exec advisor tells the load that the test wants to be told.
SCRIPTS=/run/xdplb/$XDPLB_INSTANCE/scripts
mkdir -p "$SCRIPTS"
cat >"$SCRIPTS/load" <<SCRIPT
#!/bin/sh
cat "$SCRIPTS/\${XDPLB_SERVER##*/}.load"
SCRIPT
chmod 755 "$SCRIPTS/load"
set_load() { echo "$2" >"$SCRIPTS/$1.load"; }
for name in s1 s2 s3; do set_load $name 10; done
xdplb advisor set $PORT --type exec --interval 300ms -- "$SCRIPTS/load" >/dev/null
up() { [[ $(xdplb -j server list $PORT | json 'sum(1 for s in d if s["health"] == "up")') == "$1" ]]; }
wait_until 10 up 3 || fail "servers are not up: $(xdplb advisor show $PORT 2>&1)"

downloads_start client local 60 "http://$VIPA4:$STREAM_PORT/stream"
LOCAL=$DOWNLOADS
xdplb manager set web --proportions 20,20,60,0 --interval 1s >/dev/null
xdplb manager start web >/dev/null
weight() { xdplb -j server show "$PORT/$1" | json 'd["effective_weight"]'; }
steered() { (($(weight s1) > 0 && $(weight s2) > 0)); }
wait_until 10 steered || fail "no weights: $(xdplb manager report web)"
xdplb manager report web >"$WORK/report"
grep -q ACTV "$WORK/report" && grep -q NEWC "$WORK/report" && grep -q PORT "$WORK/report" && grep -q SYS "$WORK/report" ||
  fail "the report has not its columns: $(cat "$WORK/report")"
cat "$WORK/report"

set_load s1 100
less() { (($(weight s1) * 2 <= $(weight s2))); }
wait_until 20 less || fail "the weights do not follow the load: $(xdplb manager report web)"
ok "s1 is ten times as loaded: weights $(weight s1) $(weight s2) $(weight s3)"
names=$(http_names client $VIPA4 300 $STREAM_PORT)
expect_number "new connections of s1, twice, against those of s2" $((2 * $(share "$names" s1))) '<' $((2 * $(share "$names" s2)))
set_load s1 10
again() { (($(weight s1) * 4 >= $(weight s2) * 3)); }
wait_until 60 again || fail "the weight does not come back: $(xdplb manager report web)"
ok "it is as fast again: weights $(weight s1) $(weight s2) $(weight s3)"

xdplb server set $PORT/s3 --fixed-weight on --weight 3 >/dev/null
is_fixed() { [[ $(weight s3) == 3 ]]; }
wait_until 10 is_fixed || fail "the fixed weight is $(weight s3)"
ok "a fixed weight stays: $(weight s3)"
xdplb server drain $PORT/s2 >/dev/null
names=$(http_names client $VIPA4 100 $STREAM_PORT)
expect_equal "answers, those of a quiesced server" "100 0" "$(count_of "$names") $(share "$names" s2)"
xdplb server ready $PORT/s2 >/dev/null
is_ready() { [[ $(weight s2) != 0 ]]; }
wait_until 10 is_ready || fail "no weight after quiesce: $(xdplb manager report web)"

before=$(weight s1)
kill9
xdplb --timeout 60 load eth0 eth1 >/dev/null
expect_number "weight of s1 after a restart, $before before" "$(weight s1)" '>' 0
downloads_all_run "weights were steered all the time" "local:$LOCAL"
xdplb manager stop web >/dev/null
is_configured() { [[ $(weight s1) == 10 ]]; }
wait_until 10 is_configured || fail "the configured weight is not back: $(weight s1)"
ok "without the manager the configured weights are back"

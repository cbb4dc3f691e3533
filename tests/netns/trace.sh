#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# xdplb trace shows single packets and their verdicts, by outcome, client, server and interface, writes a pcapng file, and leaves
# nothing behind: the flag that takes packets off the short path is gone soon after it ended, however it ended.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s3 b 23
cluster_up
port_up web/80 "" s1 s3
wait_until 10 answered client $VIPA4 || fail "no answer"
wait_until 10 answered client $VIPA6 || fail "no answer over IPv6"
INCLUDE=$NETNS_DIR/../../include

traced() { python3 "$NETNS_DIR/traced_egresses.py" "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE/maps/tables" "$INCLUDE"; }
none_traced() { [[ $(traced) == *" 0" ]]; }
is_traced() { ! none_traced; }
none_traced || fail "ways out are traced before anybody asks: $(traced)"
expect_number "ways out in use" "$(traced | cut -d ' ' -f 1)" '>=' 2

# start OUT OPTIONS...: a trace in the background, its pid is in TRACE; returns when packets are traced.
start() {
  local out=$1
  shift
  spawn dispatcher "$out" "$XDPLB_BIN/xdplb" "$@"
  TRACE=$SPAWNED
}
ended() { gone "$TRACE"; }
# collect SECONDS COMMAND...: traffic until the trace has what it wants
collect() {
  local deadline=$((SECONDS + $1))
  shift
  until ended; do
    ((SECONDS < deadline)) || fail "the trace does not end: $(cat "$WORK"/*.trace)"
    "$@" >/dev/null
  done
}
some_traffic() {
  http_names client $VIPA4 3
  http_names remote $VIPA6 3
}

start all.trace trace -n 20
collect 30 some_traffic
expect_equal "lines of trace -n 20" 20 "$(wc -l <"$WORK/all.trace")"
# Servers on the same LANs say something, too.
line=$(grep -m 1 web/80 "$WORK/all.trace") || fail "no line of web/80: $(cat "$WORK/all.trace")"
[[ $line =~ ^[0-9:.]+\ eth0\ .*\ tcp.*bytes:\ (forwarded|redirected)\ web/80/s[13]\ by\ [a-z+]+$ ]] || fail "a line reads: $line"
ok "$line"

start s3.trace -j trace -n 6 --filter server=web/80/s3 --filter client=203.0.113.0/24
collect 30 http_names remote $VIPA4 8
expect_equal "filtered by server and client: servers, outcomes, other clients" "web/80/s3 redirected 0" "$(python3 -c '
import json, sys
records = [json.loads(line) for line in open(sys.argv[1])]
print(*sorted({r["server"] for r in records}), *sorted({r["outcome"] for r in records}),
      sum(not r["source"].startswith("203.0.113.100:") for r in records))' "$WORK/s3.trace")"

start none.trace -j trace -n 2 --filter outcome=no_port
is_no_forwarding() { wait_until 3 none_traced; }
collect 30 in_ns client curl -s --max-time 0.3 "http://$VIPA4:81/" || true
expect_equal "filtered by outcome" "no_port" "$(python3 -c '
import json, sys
print(*sorted({json.loads(line)["outcome"] for line in open(sys.argv[1])}))' "$WORK/none.trace")"
is_no_forwarding || fail "other packets are slowed by a trace of no_port: $(traced)"
ok "a trace of another outcome does not touch packets that are forwarded"

start file.trace trace -n 12 --filter port=web/80 --filter interface=eth0 -w "$WORK/packets.pcapng"
collect 30 some_traffic
python3 "$NETNS_DIR/pcapng.py" "$WORK/packets.pcapng" >"$WORK/packets.json" || fail "the file is no pcapng"
expect_equal "packets in the file, interfaces" '12 ["eth0"]' "$(json 'str(len(d["packets"])) + " " + json.dumps(d["interfaces"])' <"$WORK/packets.json")"
expect_equal "packets in the file that say their verdict" 12 "$(json 'sum("web/80/s" in p["comment"] for p in d["packets"])' <"$WORK/packets.json")"
expect_equal "packets in the file that are IP" 12 "$(json 'sum(p["ethertype"] in (0x800, 0x86dd) for p in d["packets"])' <"$WORK/packets.json")"
tcpdump -nr "$WORK/packets.pcapng" >"$WORK/tcpdump.out" 2>/dev/null || fail "tcpdump does not read it"
expect_equal "packets that tcpdump reads" 12 "$(wc -l <"$WORK/tcpdump.out")"

wait_until 6 none_traced || fail "ways out are still traced 6 s after the trace: $(traced)"
ok "nothing is traced after the end"
start killed.trace trace
wait_until 5 is_traced || fail "trace does not trace"
kill -9 "$TRACE"
wait_until 6 none_traced || fail "ways out are still traced 6 s after xdplb was killed: $(traced)"
ok "nothing is traced after xdplb was killed"
start orphan.trace trace
wait_until 5 is_traced || fail "trace does not trace"
kill9
xdplb --timeout 60 load eth0 eth1 >/dev/null
wait_until 6 none_traced || fail "ways out are still traced after the daemon was killed and started: $(traced)"
ok "nothing is traced after the daemon was killed in the middle and started again"
expect_error 2 "filter" xdplb trace --filter colour=red
expect_error 2 "outcome" xdplb trace -n 1 --filter outcome=nonsense

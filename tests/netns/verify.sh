#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `xdplb verify`: a farm that is set up right raises nothing, from the dispatcher with its daemon active and from a third machine without
# daemon and configuration; each fault is told by its own code; what ends half way leaves nothing; no neighbour table learns a VIPA.
source "$(dirname "$0")/lib.sh"
lan_up
servers_up
web_up 10 10 10 10

# From `client`, a machine that knows nothing of the dispatcher.
there() { in_ns client "$XDPLB_BIN/xdplb" "$@"; }
# verify_is WHAT CODE EXPRESSION COMMAND...: ends with CODE, and EXPRESSION holds of its document d; told() has the codes and objects.
verify_is() {
  local what=$1 code=$2 expression=$3 seen=0
  shift 3
  "$@" -j >"$WORK/report" 2>"$WORK/stderr" || seen=$?
  [[ $seen == "$code" ]] || fail "$what: exit code $seen, expected $code: $(cat "$WORK/stderr" "$WORK/report")"
  [[ $(json "(lambda told: $expression)(lambda code: sorted(f['object'] for f in d['faults'] if f['code'] == code))" <"$WORK/report") == true ]] ||
    fail "$what: $(cat "$WORK/report")"
  ok "$what: exit $code, $(json "', '.join(f['code'] + ' ' + f['object'] for f in d['faults']) or 'no fault'" <"$WORK/report")"
}
# Of a row: every step of it.
STEPS="lambda **k: [[r['steps'][n] for n in ('silent_before', 'mac', 'echo', 'ports', 'silent_after')] for r in d['servers'] if all(r[n] == v for n, v in k.items())]"
# What the kernels of the laboratory know of the VIPAs; the dispatcher's rules and routes.
vipa_neighbours() {
  local name
  for name in "${LAB_NAMESPACES[@]}"; do ip -n "$name" neighbour show | awk -v name="$name" -v four=$VIPA4 -v six=$VIPA6 '$1 == four || $1 == six {print name, $1, $5}'; done
}
traces() {
  ip -n "$LAB-$1" rule show
  ip -n "$LAB-$1" -6 rule show
  ip -n "$LAB-$1" route show table all
  ip -n "$LAB-$1" neighbour show nud permanent
}
# unchanged ROLE TRACES [WHEN]
unchanged() {
  local now
  now=$(traces "$1")
  [[ $now == "$2" ]] || fail "rules, routes or fixed neighbours of $1 changed${3:+ $3}: $(diff <(echo "$2") <(echo "$now"))"
  ok "rules, routes and fixed neighbours of $1 are as before${3:+ $3}"
}
BY_HAND=(verify --vipa "$VIPA4" --vipa "$VIPA6" --server 192.0.2.21 --server 192.0.2.22 --port 80)
quick() { xdplb verify web --wait 500ms "$@"; }
DISPATCHER_MAC=02:00:00:00:0a:02

# ---- a farm that is right
for name in "${LAB_NAMESPACES[@]}"; do
  ip -n "$name" neighbour flush to $VIPA4 2>/dev/null || true
  ip -n "$name" -6 neighbour flush to $VIPA6 2>/dev/null || true
done
before=$(vipa_neighbours)
rules=$(traces client)
mine=$(traces dispatcher)
CLEAN="d['ok'] and not [f for f in d['faults'] if f['code'] != 'udp_unasked'] and len(d['servers']) =="
verify_is "on the dispatcher" 0 "$CLEAN 8 and all(s == ['ok'] * 5 for s in ($STEPS)())" xdplb verify
verify_is "from a third machine" 0 "$CLEAN 4 and all(s == ['ok'] * 5 for s in ($STEPS)()) and any('$DISPATCHER_MAC' in n for n in d['notes'])" there "${BY_HAND[@]}"
verify_is "that is told the owner" 0 "$CLEAN 4 and not d['notes']" there "${BY_HAND[@]}" --owner $DISPATCHER_MAC
verify_is "by a configuration file" 0 "$CLEAN 2" in_ns dispatcher bash -c "'$XDPLB_BIN/xdplb' config show | '$XDPLB_BIN/xdplb' verify web --config - --server s3 -j"
expect_equal "VIPAs in neighbour tables" "$before" "$(vipa_neighbours)"
unchanged client "$rules"
unchanged dispatcher "$mine"
xdplb verify >"$WORK/out" || fail "$(cat "$WORK/out")"
grep -Eq '^SERVER +VIPA +MAC +SILENT +MAC +ECHO +PORTS +SILENT$' "$WORK/out" || fail "no table: $(cat "$WORK/out")"
cat "$WORK/out"
# Ground truth: who is said to be right gives clients their page through the dispatcher.
names=$(http_names client $VIPA4 80)
for name in s1 s2 s3 s4; do expect_number "answers of $name to a client" "$(share "$names" $name)" '>' 0; done
event_is "e['code'] == 'vipa_claimed'" && fail "verify disturbed the daemon: $(xdplb events)"

# ---- a server that answers for the VIPA
arp_ignore() { in_ns "$1" sysctl -qw net.ipv4.conf.all.arp_ignore="$2" net.ipv4.conf.eth0.arp_ignore="$2"; }
arp_ignore s1 0
verify_is "a leak" 1 "told('arp_leak') == ['web/s1'] and '02:00:00:00:00:21' in d['faults'][0]['text'] and ($STEPS)(server='s1', vipa='$VIPA4')[0] == ['fault', 'ok', 'ok', 'ok', 'fault'] and ($STEPS)(server='s2', vipa='$VIPA4')[0] == ['ok'] * 5" quick
verify_is "a leak, from a third machine" 1 "told('arp_leak') == ['192.0.2.21']" there "${BY_HAND[@]}" --wait 500ms
arp_ignore s1 1
ip -n "$LAB-s2" -6 address add $VIPA6/128 dev eth0 nodad
verify_is "an IPv6 leak" 1 "told('nd_leak') == ['web/s2']" quick
ip -n "$LAB-s2" -6 address delete $VIPA6/128 dev eth0
ip -n "$LAB-s2" -6 route replace local $VIPA6 dev lo table local

# ---- no alias, a dead service
ip -n "$LAB-s3" address delete $VIPA4/32 dev lo
verify_is "no alias" 1 "told('no_alias') == ['web/s3'] and not told('port_silent') and ($STEPS)(server='s3', vipa='$VIPA4')[0] == ['ok', 'ok', 'fault', 'fault', 'ok']" quick
ip -n "$LAB-s3" address add $VIPA4/32 dev lo
kill "$(cat "$WORK/s4/nginx.pid")"
refused() { ! in_ns s4 curl -gs --max-time 1 http://$VIPA4/name; }
wait_until 10 refused || fail "nginx of s4 does not end"
verify_is "a dead service" 1 "told('port_refused') == ['web/s4'] * 2 and ($STEPS)(server='s4', vipa='$VIPA4')[0] == ['ok', 'ok', 'ok', 'fault', 'ok']" quick
in_ns s4 nft -f - <<<"table inet t { chain c { type filter hook input priority 0; tcp dport 80 drop; }; }"
verify_is "a service behind a firewall" 1 "told('port_silent') == ['web/s4'] * 2" quick
in_ns s4 nft delete table inet t
in_ns s2 sysctl -qw net.ipv4.icmp_echo_ignore_all=1
verify_is "a server that ignores echo requests" 1 "told('echo_ignored') == ['web/s2'] and ($STEPS)(server='s2', vipa='$VIPA4')[0][2] == 'warning'" quick
in_ns s2 sysctl -qw net.ipv4.icmp_echo_ignore_all=0
spawn s4 s4.nginx nginx -p "$WORK/s4" -c "$WORK/s4/nginx.conf" -e "$WORK/s4/error.log"
wait_until 10 in_ns s4 curl -gsf --max-time 1 "http://$VIPA4/name" || fail "nginx of s4 does not come back"

# ---- machines with addresses of others
ip -n "$LAB-remote" link set eth0 down
ns_add rogue
cable rogue eth0 a 02:00:00:00:00:99 192.0.2.99/24
ip -n "$LAB-rogue" address add 192.0.2.21/24 dev eth0
verify_is "two machines with one address" 1 "told('two_macs') == ['web/s1'] and ($STEPS)(server='s1', vipa='$VIPA4')[0][1] == 'fault'" quick
ip -n "$LAB-rogue" address delete 192.0.2.21/24 dev eth0
ip -n "$LAB-rogue" address add $VIPA4/32 dev eth0
verify_is "an unknown machine with the VIPA" 1 "told('duplicate_vipa') == ['$VIPA4'] and '02:00:00:00:00:99' in d['faults'][0]['text'] and ($STEPS)(server='s1', vipa='$VIPA4')[0] == ['ok'] * 5" quick
verify_is "beside the dispatcher, from a third machine" 1 "told('duplicate_vipa') == ['$VIPA4'] * 2" there "${BY_HAND[@]}"
verify_is "which knows the owner" 1 "told('duplicate_vipa') == ['$VIPA4']" there "${BY_HAND[@]}" --owner $DISPATCHER_MAC
ip -n "$LAB-rogue" address delete $VIPA4/32 dev eth0
ip -n "$LAB-switch" link set s2-eth0 down
verify_is "a cable that is pulled" 1 "told('no_mac') == ['web/s2'] and ($STEPS)(server='s2', vipa='$VIPA4')[0] == ['skipped', 'fault', 'skipped', 'skipped', 'skipped']" quick
ip -n "$LAB-switch" link set s2-eth0 up
verify_is "a server on another LAN" 1 "told('no_mac') == ['198.51.100.23']" there verify --vipa $VIPA4 --server 198.51.100.23

# ---- what is said wrong
expect_error 2 'vipa.*999' there verify --vipa 192.0.2.999 --server 192.0.2.21
expect_error 2 'server.*nobody' there verify --vipa $VIPA4 --server nobody
expect_error 2 'multicast|cannot be' there verify --vipa 224.0.0.1 --server 192.0.2.21
expect_error 2 'owner.*x' there verify --vipa $VIPA4 --server 192.0.2.21 --owner x
expect_error 3 'cluster nobody' xdplb verify nobody
expect_error 3 'interface eth9' there verify --vipa $VIPA4 --server 192.0.2.21 --interface eth9
expect_error 5 'permitted|permission|root' in_ns client setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$XDPLB_BIN/xdplb" verify --vipa $VIPA4 --server 192.0.2.21

# ---- ended half way: ^C goes to both processes, as from a terminal; the end of one must be enough, too
ended() { ! kill -0 "$CHILD" 2>/dev/null; }
child_is_there() { CHILD=$(pgrep -P "$CLI" -x xdplbd); }
has_rules() { [[ $(traces client) != "$rules" ]]; }
in_ns s1 nft -f - <<<"table inet t { chain c { type filter hook input priority 0; tcp dport 81 drop; }; }"
for signal in INT TERM KILL; do
  # The connection hangs for 3 s, and each question takes as long.
  spawn client verify.log "$XDPLB_BIN/xdplb" verify --vipa $VIPA4 --vipa $VIPA6 --server 192.0.2.21 --port 81 --wait 3s
  CLI=$SPAWNED
  wait_until 10 child_is_there || fail "verify has no child: $(cat "$WORK/verify.log")"
  CHILD=$(pgrep -P "$CLI" -x xdplbd)
  wait_until 20 has_rules || fail "no rules while a port is asked: $(cat "$WORK/verify.log")"
  [[ $signal != INT ]] || expect_error 7 'another verify' there "${BY_HAND[@]}"
  if [[ $signal == INT ]]; then kill -s INT "$CHILD"; else kill -s $signal "$CLI"; fi
  wait_until 10 ended || fail "the child of verify lives on after SIG$signal"
  unchanged client "$rules" "after SIG$signal"
done

# ---- no daemon
xdplb config show >"$WORK/farm.json"
xdplb unload >/dev/null
expect_error 4 '(--config|--vipa)' xdplb verify
verify_is "the daemon stopped" 0 "d['ok'] and len(d['notes']) == 2 and all('nobody answers' in n for n in d['notes'])" xdplb verify --config "$WORK/farm.json"
verify_is "and nobody shall answer" 0 "d['ok'] and not d['notes']" xdplb verify --config "$WORK/farm.json" --owner none

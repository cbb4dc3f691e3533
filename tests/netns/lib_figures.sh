# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
# Servers that own the VIPA themselves, by a daemon of their own without XDP, and a dispatcher in routed mode that leaves the LAN
# to them. Source it instead of lib_vipa.sh, then call vipa_lan_up.
#
#   remote --- gateway .1 --+-- LAN --- client .100, watcher .67: ask the LAN who has the VIPA
#     VIPA: via .2          +---------- dispatcher e0 .2: what the gateway routes to it
#                           +---------- alpha e0 .4, e1 .5, e2 .6
#
# The command of the daemon on a server is `on SERVER`, that of the dispatcher `xdplb`.
source "$(dirname "${BASH_SOURCE[0]}")/lib_vipa.sh"

STREAM_PORT=80
STREAMS=("http://$VIPA4/stream" "http://[$VIPA6]/stream")
NAMES=("http://$VIPA4/name" "http://[$VIPA6]/name")
GATEWAY_MAC=02:00:00:00:0a:01
DISPATCHER_MAC=02:00:00:00:0a:02
CLIENT_MAC=02:00:00:00:0c:01
# Failback after this many seconds.
HOLD=${HOLD:-2}

# ---- hosts with a daemon of their own ------------------------------------------------------------------------------

on() {
  local role=$1
  shift
  XDPLB_INSTANCE=$XDPLB_INSTANCE-$role in_ns "$role" "$XDPLB_BIN/xdplb" "$@"
}

# host_daemon ROLE: xdplbd on the host, without any interface loaded. Its pid is in HOST_PID.
host_daemon() {
  spawn "$1" "$1.xdplbd" env XDPLB_INSTANCE="$XDPLB_INSTANCE-$1" "$XDPLB_BIN/xdplbd"
  HOST_PID=$SPAWNED
  wait_until 40 host_answers "$1" || fail "xdplbd of $1: $(cat "$WORK/$1.xdplbd")"
}
# `status` ends with 1 when there are problems.
host_status() { on "$1" -j status || [[ $? == 1 ]]; }
host_answers() { host_status "$1" >/dev/null; }

# host_dies: kill -9 of the daemon in HOST_PID; host_ends: it is told to end.
host_dies() {
  kill -9 "$HOST_PID"
  wait_until 40 gone "$HOST_PID" || fail "daemon $HOST_PID does not die"
}
host_ends() {
  kill -TERM "$HOST_PID"
  wait_until 40 gone "$HOST_PID" || fail "daemon $HOST_PID does not end on SIGTERM"
}

# host_vipa_is ROLE ADDRESS EXPRESSION, host_owns ROLE INTERFACE: of both VIPAs.
host_vipa_is() { [[ $(on "$1" -j vipa show "$2" | json "$3") == true ]]; }
host_owns() {
  local address
  for address in $VIPA4 $VIPA6; do host_vipa_is "$1" "$address" "d['state'] == 'owned' and d['owner'] == '$2'" || return 1; done
}

# local_vipas ROLE LIST4 LIST6 [OPTIONS of vipa set...]: the host has both VIPAs for its own.
local_vipas() {
  local role=$1 list4=$2 list6=$3
  shift 3
  on "$role" vipa set $VIPA4 --local on --prefer "$list4" --hold "${HOLD}s" "$@" >/dev/null
  on "$role" vipa set $VIPA6 --local on --prefer "$list6" --hold "${HOLD}s" "$@" >/dev/null
}

# one_adapter ROLE HOST: a host with one adapter e0, 10.1.1.HOST, silent for the addresses of its loopback.
one_adapter() {
  ns_add "$1"
  in_ns "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  cable "$1" e0 a "02:00:00:00:00:$2" "10.1.1.$2/24" "fd00:1::$2/64"
  default_route "$1"
}

# by_hand ROLE: it has the VIPAs on its loopback, without a daemon.
by_hand() {
  ip -n "$LAB-$1" address add "$VIPA4/32" dev lo
  ip -n "$LAB-$1" address add "$VIPA6/128" dev lo nodad
}

# adapters_of COUNT, adapters6_of COUNT: their addresses, for a list.
adapters_of() { seq -f '10.1.1.%g' -s, 4 $((3 + $1)); }
adapters6_of() { seq -f 'fd00:1::%g' -s, 4 $((3 + $1)); }

# alpha_up COUNT: a server with so many adapters, daemon and VIPAs; the first adapter owns. It serves.
alpha_up() {
  adapters_up alpha "$1"
  host_daemon alpha
  local_vipas alpha "$(adapters_of "$1")" "$(adapters6_of "$1")"
  wait_until 40 host_owns alpha e0 || fail "alpha's e0 does not own the VIPA: $(on alpha vipa list 2>&1)"
  wait_until 40 has_vipas alpha || fail "alpha has not both VIPAs on its loopback: $(ip -n "$LAB-alpha" address show dev lo)"
  stream_up alpha
}
has_vipas() { [[ $(ip -n "$LAB-$1" -o address show dev lo | grep -cE " ($VIPA4/32|$VIPA6/128) ") == 2 ]]; }

# ---- the dispatcher ------------------------------------------------------------------------------------------------

# dispatcher_nics COUNT: a dispatcher with NICs e0 (.2), e1 (.3), ...
dispatcher_nics() {
  local i
  ns_add dispatcher
  for ((i = 0; i < $1; i++)); do
    cable dispatcher "e$i" a "02:00:00:00:0a:0$((2 + i))" "10.1.1.$((2 + i))/24" "fd00:1::$((2 + i))/64"
    dispatcher_port "e$i"
  done
  default_route dispatcher
}

# routed_dispatcher: loaded, with cluster web/80 and no server; it leaves the VIPA to others. The gateway sends it what is for the VIPA.
routed_dispatcher() {
  dispatcher_nics 1
  ip -n "$LAB-gateway" route add $VIPA4/32 via 10.1.1.2
  ip -n "$LAB-gateway" route add $VIPA6/128 via fd00:1::2
  xdplb --timeout 60 load e0 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
  # Before the cluster: it must not claim its addresses for a moment.
  xdplb vipa set $VIPA4 --prefer none >/dev/null
  xdplb vipa set $VIPA6 --prefer none >/dev/null
  xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
  xdplb port add web/80 >/dev/null
}

# proxy_is SERVER: whom the dispatcher expects to answer on the LAN.
proxy_is() {
  xdplb vipa set $VIPA4 --proxy "$1" >/dev/null
  xdplb vipa set $VIPA6 --proxy "$1" >/dev/null
}

# has_problem CODE [WORD]: the dispatcher reports it, for each VIPA that WORD is in the text of. problems: their codes.
has_problem() { [[ $(status_json | json "sum(p['code'] == '$1' and '${2:-}' in p['text'] for p in d['problems'])") != 0 ]]; }
has_no_problem() { ! has_problem "$@"; }
problems() { status_json | json '" ".join(sorted(p["code"] for p in d["problems"]))'; }
no_problems() { [[ -z $(problems) ]]; }

# ---- traffic -------------------------------------------------------------------------------------------------------

# visitors_start ROLE FILE URL...: new connections all the time. Its pid is in VISITORS. visitors_are FILE EXPRESSION.
visitors_start() {
  local role=$1 file=$2
  shift 2
  spawn "$role" "$file.log" python3 "$NETNS_DIR/visitors.py" --report "$WORK/$file" "$@"
  # shellcheck disable=SC2034  # for the caller
  VISITORS=$SPAWNED
  wait_until 40 visitors_are "$file" "d['answered'] > 5" || fail "visitors: $(cat "$WORK/$file" "$WORK/$file.log" 2>/dev/null)"
}
visitors_are() { [[ $(json "$2" <"$WORK/$1") == true ]]; }

# visitors_end FILE PID: every connection had its answer.
visitors_end() {
  kill -TERM "$2"
  wait_until 60 visitors_are "$1" "d['done']" || fail "$1: some wait for ever: $(cat "$WORK/$1")"
  expect_equal "$1: new connections that failed" 0 "$(json "d['failed']" <"$WORK/$1")"
  ok "$1: $(json "'%d of %d new connections answered, the slowest after %.1f s' % (d['answered'], d['asked'], d['slowest_s'])" <"$WORK/$1")"
}

# downloads_whole FILE PID COUNT: ends them; every one came whole.
downloads_whole() {
  downloads_end "$1" "$2" all
  expect_equal "$1: downloads with every line" "$3" "$(json 'd["whole"]' <"$WORK/$1")"
  ok "$1: the longest pause of a download was $(json 'd["pause_s"]' <"$WORK/$1") s"
}

# traffic_start PORT...: counts what the VIPA's connections do at these switch ports.
traffic_start() {
  spawn switch traffic.log python3 "$NETNS_DIR/port_traffic.py" "$WORK/traffic" "$VIPA4,$VIPA6" "$@"
  wait_until 40 test -e "$WORK/traffic" || fail "port_traffic.py: $(cat "$WORK/traffic.log")"
}

# passes WHAT PORT "to|from MAC"...: from now on the VIPA's frames to the servers that MAC sent, or from them that MAC gets, pass this
# port, IPv4 and IPv6, and no other.
passes() {
  local what=$1 port=$2
  shift 2
  python3 "$NETNS_DIR/port_path.py" "$WORK/traffic" "$port" "$@" || fail "$what: traffic does not pass $port alone: $(cat "$WORK/traffic.log")"
  ok "$what: all traffic passes $port"
}

# watcher_up FILE PORT...: the watcher asks the LAN all the time who has the VIPAs; FILE is what enters the switch by these ports.
watcher_up() {
  ns_add watcher
  cable watcher eth0 a 02:00:00:00:0f:67 10.1.1.67/24 fd00:1::67/64
  capture_start "$@"
  spawn watcher asker.log python3 "$NETNS_DIR/asker.py" eth0 10.1.1.67,$VIPA4 fd00:1::67,$VIPA6
}

# owners_were WHAT FILE MAC...: these answered and announced, one after the other, each alone, for both VIPAs.
owners_were() {
  local what=$1 file=$2 address runs
  shift 2
  for address in $VIPA4 $VIPA6; do
    runs=$(python3 "$NETNS_DIR/claim_runs.py" "$WORK/$file" "$address")
    expect_equal "$what: who answered for $address" "$*" "$(cut -d' ' -f1 <<<"$runs" | paste -sd' ')"
  done
}

# silence WHAT FILE SECONDS: never was there less than one who answered or announced for longer than that.
silence() {
  local address
  for address in $VIPA4 $VIPA6; do
    expect_number "$1: $address, longest time without an answer, milliseconds" "$(captured "$2" "int(1000 * max(gaps(said('$address'))))")" '<' $((1000 * $3))
  done
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The laboratory: two LANs, a router, clients, servers and one dispatcher with two NICs, all in network namespaces.
# tools/demo and every test of this folder stand on it. Source it, then call lan_up.
#
#   remote 203.0.113.100 --- router --+-- LAN A 192.0.2.0/24 2001:db8:1::/64 ---- client .100, s1 .21, s2 .22, dispatcher eth0 .2
#                                     +-- LAN B 198.51.100.0/24 2001:db8:2::/64 - s3 .23, s4 .24, dispatcher eth1 .2
#
# Both LANs are bridges in the namespace `switch`. The cluster's addresses lie in LAN A; each server has them on its
# loopback and says nothing in ARP. s3 and s4 are reached through the dispatcher's second NIC; they answer through the router.
#
# A namespace is entered with nsenter, never with `ip netns exec`: that one mounts a new /sys, without the pinned maps.
# DEBUG=1 opens a shell before everything is removed.
set -euo pipefail

NETNS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_NAME=${LAB_NAME:-$(basename "$0" .sh)}
LAB=xdplb-$LAB_NAME-$$
# At most 32 characters.
export XDPLB_INSTANCE=${LAB_NAME:0:20}-$$
VIPA4=192.0.2.10
VIPA6=2001:db8:1::10
CLIENT4=192.0.2.100
CLIENT6=2001:db8:1::100
REMOTE4=203.0.113.100
REMOTE6=2001:db8:3::100
UDP_PORT=5353
WORK=
LAB_NAMESPACES=()

# ---- words ---------------------------------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }

# fail MESSAGE...: ends the test; the trap removes the laboratory.
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# skip REASON: only for a feature that this kernel or machine does not have.
skip() {
  printf 'SKIPPED: %s\n' "$*"
  exit 77
}

ok() { printf 'ok: %s\n' "$*"; }

# expect_equal WHAT EXPECTED SEEN
expect_equal() { [[ $2 == "$3" ]] && ok "$1: $3" || fail "$1: expected '$2', saw '$3'"; }

# expect_number WHAT SEEN RELATION LIMIT, e.g. expect_number "lost answers" "$lost" == 0
expect_number() {
  local claim="$2 $3 $4"
  ((claim)) && ok "$1: $2" || fail "$1: $2, expected $3 $4"
}

# expect_error CODE REGEX COMMAND...: the command ends with CODE and says exactly one line, matching REGEX, on stderr.
expect_error() {
  local code=$1 pattern=$2 seen=0 lines
  shift 2
  "$@" >"$WORK/stdout" 2>"$WORK/stderr" || seen=$?
  lines=$(wc -l <"$WORK/stderr")
  # CODE may be a pattern: [67] where both are right.
  # shellcheck disable=SC2053
  [[ $seen == $code ]] || fail "'$*': exit code $seen, expected $code; it said: $(cat "$WORK/stderr" "$WORK/stdout")"
  [[ $lines == 1 ]] || fail "'$*': $lines lines on stderr, expected one: $(cat "$WORK/stderr")"
  grep -Eqi -- "$pattern" "$WORK/stderr" || fail "'$*': '$(cat "$WORK/stderr")' does not match /$pattern/"
  ok "exit $code: $(cat "$WORK/stderr")"
}

# wait_until SECONDS COMMAND...: polls until the command succeeds; false when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS <= deadline)) || return 1
    sleep 0.05
  done
}

# json EXPRESSION: evaluates a Python expression over the document on stdin, named d.
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); r=eval(sys.argv[1]); print(json.dumps(r) if isinstance(r,(bool,dict,list,type(None))) else r)' "$1"; }

# ---- namespaces ----------------------------------------------------------------------------------------------------

# in_ns ROLE COMMAND...
in_ns() {
  local role=$1
  shift
  nsenter --net="/run/netns/$LAB-$role" -- "$@"
}

# spawn ROLE LOG COMMAND...: in the background; lan_down ends it, as everything in the laboratory's namespaces.
# Its pid is in SPAWNED.
spawn() {
  local role=$1 log=$2
  shift 2
  # The command replaces nsenter, so that the pid is its own.
  nsenter --net="/run/netns/$LAB-$role" -- "$@" >"$WORK/$log" 2>&1 </dev/null &
  SPAWNED=$!
  disown
}

# The product as a user types it, on the dispatcher.
xdplb() { in_ns dispatcher "$XDPLB_BIN/xdplb" "$@"; }

ns_add() {
  local role=$1 name=$LAB-$1
  ip netns add "$name"
  LAB_NAMESPACES+=("$name")
  # Duplicate address detection would delay IPv6 by a second; rp_filter would drop what comes from a VIPA on "the other" NIC.
  in_ns "$role" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  ip -n "$name" link set lo up
}

# cable ROLE INTERFACE LAN MAC ADDRESS...: a NIC of ROLE, plugged into bridge LAN (a or b) as port ROLE-INTERFACE.
cable() {
  local role=$1 nic=$2 lan=$3 mac=$4 port=$1-$2
  shift 4
  ip -n "$LAB-switch" link add "${port:0:15}" type veth peer name "$nic" address "$mac" netns "$LAB-$role"
  ip -n "$LAB-switch" link set "${port:0:15}" master "lan-$lan" up
  nic_up "$role" "$nic" "$@"
}

# nic_up ROLE INTERFACE ADDRESS...
nic_up() {
  local role=$1 nic=$2 address
  shift 2
  # Real cards complete checksums before the wire; veth leaves that to a receiver which here is an XDP program.
  in_ns "$role" ethtool -K "$nic" tx off >/dev/null 2>&1
  for address; do ip -n "$LAB-$role" address add "$address" dev "$nic"; done
  ip -n "$LAB-$role" link set "$nic" up
}

# The switch port a dispatcher's NIC is plugged into.
dispatcher_port() {
  local port=dispatcher-$1
  # Tags stay in the frame.
  in_ns switch ethtool -K "${port:0:15}" gro on tx off txvlan off tx-vlan-stag-hw-insert off >/dev/null 2>&1
  # Linux 6.18 queues frames of XDP_TX at a peer that has GRO alone and does not wake it: it needs a program, too.
  # XDPLB_PASS_OBJECT: it has been compiled already, where a compiler takes its time.
  local object=${XDPLB_PASS_OBJECT:-$WORK/pass.bpf.o}
  [[ -f $object ]] || compile_pass "$object"
  in_ns switch ip link set "${port:0:15}" xdp obj "$object" sec xdp
}

compile_pass() {
  local clang
  clang=$(command -v clang-16 || command -v clang-14) || fail "no clang-16 and no clang-14: run tools/test once"
  "$clang" -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$NETNS_DIR/pass.bpf.c" -o "$1"
}

bridge_add() {
  ip -n "$LAB-switch" link add "lan-$1" type bridge forward_delay 0 mcast_snooping 0
  ip -n "$LAB-switch" link set "lan-$1" up
}

# server_up NAME LAN HOST: a server with address .HOST / ::HOST on LAN, cluster addresses on its loopback, nginx and
# a UDP service. It returns when both serve.
server_up() {
  local name=$1 lan=$2 host=$3 net4=192.0.2 net6=2001:db8:1
  [[ $lan == a ]] || { net4=198.51.100 net6=2001:db8:2; }
  ns_add "$name"
  # Before the alias: the kernel must never have answered ARP for it.
  in_ns "$name" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  cable "$name" eth0 "$lan" "02:00:00:00:00:$host" "$net4.$host/24" "$net6::$host/64"
  ip -n "$LAB-$name" route add default via "$net4.1"
  ip -n "$LAB-$name" route add default via "$net6::1"
  ip -n "$LAB-$name" address add "$VIPA4/32" dev lo
  ip -n "$LAB-$name" address add "$VIPA6/128" dev lo nodad
  serve "$name"
  wait_until 10 in_ns "$name" curl -gsf --max-time 1 "http://$VIPA4/name" || fail "nginx of $name: $(cat "$WORK/$name/error.log")"
  wait_until 10 in_ns "$name" python3 "$NETNS_DIR/udp_client.py" "$VIPA6" $UDP_PORT 1 || fail "UDP service of $name: $(cat "$WORK/$name.udp")"
}

# serve NAME: nginx with its own tree (/name says which server answers, /file is 8 MB, /big an endless slow
# download) and a UDP service that answers with the server's name from the address it was asked on.
serve() {
  local name=$1 root=$WORK/$1
  mkdir -p "$root/temp"
  truncate -s 8M "$root/file"
  truncate -s 4G "$root/big"
  cat >"$root/nginx.conf" <<CONF
user root;
worker_processes 1;
daemon off;
pid $root/nginx.pid;
error_log $root/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  default_type application/octet-stream;
  client_body_temp_path $root/temp; proxy_temp_path $root/temp; fastcgi_temp_path $root/temp;
  uwsgi_temp_path $root/temp; scgi_temp_path $root/temp;
  add_header X-Server $name;
  server {
    listen 80 backlog=4096;
    listen [::]:80 ipv6only=on backlog=4096;
    root $root;
    location = /name { default_type text/plain; return 200 "$name\n"; }
    location = /big { limit_rate 16k; }
  }
}
CONF
  spawn "$name" "$name.nginx" nginx -p "$root" -c "$root/nginx.conf" -e "$root/error.log"
  spawn "$name" "$name.udp" python3 "$NETNS_DIR/udp_server.py" "$name" $UDP_PORT "$VIPA4" "$VIPA6"
}

# lan_up: everything but servers and the product.
lan_up() {
  [[ $EUID == 0 ]] || fail "network namespaces need root"
  [[ -x ${XDPLB_BIN:-}/xdplb ]] || fail "XDPLB_BIN must name the folder with xdplb and xdplbd, for example build/release/bin"
  mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
  WORK=$(mktemp -d "/tmp/$LAB.XXXXXX")
  trap lan_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  ns_add switch
  bridge_add a
  bridge_add b
  ns_add client
  cable client eth0 a 02:00:00:00:0c:01 $CLIENT4/24 $CLIENT6/64
  ns_add router
  in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0
  cable router eth0 a 02:00:00:00:0a:01 192.0.2.1/24 2001:db8:1::1/64
  cable router eth1 b 02:00:00:00:0b:01 198.51.100.1/24 2001:db8:2::1/64
  ns_add remote
  ip -n "$LAB-router" link add eth2 address 02:00:00:00:0d:01 type veth peer name eth0 address 02:00:00:00:0d:64 netns "$LAB-remote"
  nic_up router eth2 203.0.113.1/24 2001:db8:3::1/64
  nic_up remote eth0 $REMOTE4/24 $REMOTE6/64
  ns_add dispatcher
  cable dispatcher eth0 a 02:00:00:00:0a:02 192.0.2.2/24 2001:db8:1::2/64
  cable dispatcher eth1 b 02:00:00:00:0b:02 198.51.100.2/24 2001:db8:2::2/64
  dispatcher_port eth0
  dispatcher_port eth1
  routes_up
}

routes_up() {
  local role
  for role in client dispatcher; do
    ip -n "$LAB-$role" route add default via 192.0.2.1
    ip -n "$LAB-$role" route add default via 2001:db8:1::1
  done
  ip -n "$LAB-remote" route add default via 203.0.113.1
  ip -n "$LAB-remote" route add default via 2001:db8:3::1
}

# patient_neighbours: router and client believe for ten minutes what ARP and ND told them, as routers do. Linux asks anew after
# half a minute, and then a machine too busy to start the next daemon at once would make a test of flows one of ARP.
patient_neighbours() {
  local role
  for role in client router; do
    in_ns $role sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=600000 net.ipv6.neigh.eth0.base_reachable_time_ms=600000
  done
}

# The four servers of the usual laboratory: s1 and s2 on LAN A, s3 and s4 on LAN B. They come up side by side.
servers_up() {
  server_up s1 a 21
  server_up s2 a 22
  server_up s3 b 23
  server_up s4 b 24
}

lan_end() {
  local code=$?
  trap - EXIT
  trap '' INT TERM
  if [[ ${DEBUG:-0} == 1 ]]; then
    say "DEBUG: namespaces ${LAB_NAMESPACES[*]}, files in $WORK, XDPLB_INSTANCE=$XDPLB_INSTANCE; leave the shell to remove them"
    bash </dev/tty || true
  fi
  lan_down
  exit "$code"
}

# Kills what runs in the namespaces; true when nothing is left.
lab_is_dead() {
  local name pids all=
  for name in "${LAB_NAMESPACES[@]}"; do
    pids=$(ip netns pids "$name" 2>/dev/null)
    # shellcheck disable=SC2086  # one word a pid
    [[ -z $pids ]] || kill -9 $pids 2>/dev/null
    all+=$pids
  done
  [[ -z $all ]]
}

# Removes all that lan_up and the product made, however far they came. Every process in these namespaces is ours.
lan_down() {
  local name pids
  set +e
  [[ ! -S /run/xdplb/$XDPLB_INSTANCE/api.sock ]] || timeout 10 nsenter --net="/run/netns/$LAB-dispatcher" "$XDPLB_BIN/xdplb" unload >/dev/null 2>&1
  wait_until 10 lab_is_dead
  for name in "${LAB_NAMESPACES[@]}"; do ip netns delete "$name" 2>/dev/null; done
  # Daemons of other hosts are the instances NAME-ROLE.
  rm -rf {/run,/var/lib,/sys/fs/bpf}/xdplb/"$XDPLB_INSTANCE"{,-*}
  rmdir /run/xdplb /var/lib/xdplb /sys/fs/bpf/xdplb 2>/dev/null
  [[ -z $WORK ]] || rm -rf "$WORK"
  LAB_NAMESPACES=()
  set -e
}

# ---- traffic -------------------------------------------------------------------------------------------------------

# host_in_url ADDRESS: an IPv6 address in brackets.
host_in_url() { [[ $1 == *:* ]] && printf '[%s]' "$1" || printf '%s' "$1"; }

# http_names ROLE ADDRESS COUNT [PORT]: one line, the answering server's name, for each of COUNT new connections of curl.
# A request that gets no answer has no line.
http_names() {
  in_ns "$1" curl -s --max-time 60 --connect-timeout 2 -H 'Connection: close' "http://$(host_in_url "$2"):${4:-80}/name?[1-$3]" || true
}

# udp_names ROLE ADDRESS COUNT: the same over UDP; a new socket for each datagram.
udp_names() { in_ns "$1" python3 "$NETNS_DIR/udp_client.py" "$2" $UDP_PORT "$3" || true; }

# answered ROLE ADDRESS: true when a new connection gets an answer.
answered() { [[ -n $(http_names "$1" "$2" 1) ]]; }

# answered_on ROLE ADDRESS [PORT]: the same for another port, 8080 when not said.
answered_on() { [[ -n $(http_names "$1" "$2" 1 "${3:-$STREAM_PORT}") ]]; }

# share NAMES SERVER: how many of the lines are SERVER.
share() { grep -cx -- "$2" <<<"$1" || true; }

# downloads_start ROLE FILE COUNT URL...: COUNT endless downloads over the URLs in turn. FILE tells how they are.
downloads_start() {
  local role=$1 file=$2 count=$3
  shift 3
  spawn "$role" "$file.log" python3 "$NETNS_DIR/downloads.py" --report "$WORK/$file" --count "$count" "$@"
  # shellcheck disable=SC2034  # for the caller: the pid to mark
  DOWNLOADS=$SPAWNED
  wait_until 60 downloads_are "$file" "d['alive'] == $count" || fail "downloads did not start: $(cat "$WORK/$file" "$WORK/$file.log" 2>/dev/null)"
}

# downloads_are FILE EXPRESSION: over {alive, broken, moved, bytes, servers: {NAME: {alive, broken, moved}}}.
downloads_are() { [[ $(json "$2" <"$WORK/$1") == true ]]; }

# downloads_mark FILE PID: from now on `moved` counts the downloads that get new bytes.
downloads_mark() {
  local before
  before=$(json 'd["marks"]' <"$WORK/$1")
  kill -USR1 "$2"
  wait_until 20 downloads_are "$1" "d['marks'] > $before" || fail "downloads.py does not answer"
}

# downloads_end FILE PID NAME: ends the downloads of server NAME, or `all`, and waits until each is whole.
downloads_end() {
  local over="c for n, c in d['servers'].items() if '$3' in (n, 'all')"
  printf '%s\n' "$3" >"$WORK/$1.end"
  kill -USR2 "$2"
  wait_until 20 downloads_are "$1" "sum(c['alive'] for c in ($over)) == 0" || fail "downloads of $3 do not end: $(cat "$WORK/$1")"
}

# downloads_all_run WHAT FILE:PID...: no download is broken, and each that has not ended gets new bytes from now on.
downloads_all_run() {
  local what=$1 running
  shift
  running=$(python3 "$NETNS_DIR/all_run.py" "${@/#/$WORK/}") || fail "$what"
  ok "$what: all $running downloads run, none is broken"
}

# stream_up NAME...: /stream and /name on port 8080 of these servers, see stream_server.py.
STREAM_PORT=8080
stream_up() {
  local name
  for name; do
    spawn "$name" "$name.stream" python3 "$NETNS_DIR/stream_server.py" "$name" $STREAM_PORT
    wait_until 30 in_ns "$name" curl -gsf --max-time 1 "http://$VIPA4:$STREAM_PORT/name" || fail "stream of $name: $(cat "$WORK/$name.stream")"
  done
}

# ---- the product ---------------------------------------------------------------------------------------------------

# web_up WEIGHT...: loads both NICs and makes cluster web with ports 80/tcp and 5353/udp over s1, s2, ... with these weights.
web_up() {
  local address i=0 weight
  xdplb --timeout 60 load eth0 eth1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
  xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
  xdplb port add web/80 >/dev/null
  xdplb port add web/$UDP_PORT/udp >/dev/null
  for weight; do
    i=$((i + 1))
    address=$(server_address s$i)
    xdplb server add web/80 "$address" --name s$i --weight "$weight" >/dev/null
    xdplb server add web/$UDP_PORT/udp "$address" --name s$i --weight "$weight" >/dev/null
  done
  wait_until 10 ready $# || fail "servers did not resolve: $(xdplb status 2>&1)"
}

# cluster_up: loads both NICs and makes cluster web, without ports.
cluster_up() {
  xdplb --timeout 60 load eth0 eth1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
  xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
}

# port_up PATH OPTIONS SERVER[:WEIGHT]...: a port with servers, of weight 10 when not said; OPTIONS are words. Returns when
# each server has a MAC.
port_up() {
  local path=$1 options=$2 server
  shift 2
  # shellcheck disable=SC2086  # words
  xdplb port add "$path" $options >/dev/null
  for server; do server_in "$path" "$server"; done
  wait_until 10 resolved "$path" $# || fail "servers did not resolve: $(xdplb status 2>&1)"
}

# server_in PATH SERVER[:WEIGHT]
server_in() {
  local weight=10
  [[ $2 != *:* ]] || weight=${2#*:}
  xdplb server add "$1" "$(server_address "${2%:*}")" --name "${2%:*}" --weight "$weight" >/dev/null
}

# resolved PATH COUNT: so many servers of the port have a MAC.
resolved() { [[ $(xdplb -j server list "$1" | json 'sum(1 for s in d if s["mac"])') == "$2" ]]; }

# port_is PATH EXPRESSION, server_is PATH EXPRESSION, event_is EXPRESSION: over d, the port, the server; the latter over e, true when one event fits.
port_is() { [[ $(xdplb -j port show "$1" | json "$2") == true ]]; }
server_is() { [[ $(xdplb -j server show "$1" | json "$2") == true ]]; }
event_is() { [[ $(xdplb -j events | json "any($1 for e in d)") == true ]]; }

# count_of NAMES, for expect_equal and expect_number: how many lines there are.
count_of() { grep -c . <<<"$1" || true; }

# own_loopback NETWORK: every server takes all addresses of it for its own.
own_loopback() {
  local name
  for name in "${LAB_NAMESPACES[@]}"; do
    [[ $name =~ -s[0-9]$ ]] || continue
    ip -n "$name" route add local "$1" dev lo
  done
}

server_address() {
  case $1 in
    s1 | s2) echo "192.0.2.2${1#s}" ;;
    *) echo "198.51.100.2${1#s}" ;;
  esac
}

# ready COUNT: so many servers of web/80 have a MAC, and the cluster's addresses are answered on the LAN.
ready() {
  [[ $(xdplb -j server list web/80 | json 'sum(1 for s in d if s["mac"])') == "$1" ]] && answered client $VIPA4 && answered client $VIPA6
}

# The status document. Exit code 1 says that there are problems, which the document names.
status_json() { xdplb -j status || [[ $? == 1 ]]; }

daemon_pid() { status_json | json 'd["pid"]'; }

# kill9: the daemon dies at once, by its pid.
kill9() {
  local pid
  pid=$(daemon_pid)
  kill -9 "$pid"
  wait_until 20 gone "$pid" || fail "daemon $pid does not die"
}

gone() { [[ ! -d /proc/$1 || $(awk '/^State:/{print $2}' "/proc/$1/status" 2>/dev/null) == Z ]]; }

# The count of one outcome, from `xdplb drops`.
outcome() { xdplb -j drops | json "sum(o['packets'] for o in d if o['outcome'] == '$1')"; }

# pass_program FILE: compiles a foreign XDP program that lets everything through.
pass_program() {
  local compiler
  compiler=$(command -v clang-16 || command -v clang-14 || command -v clang) || fail "no clang"
  # The type of its argument is what lets libxdp's dispatcher take it.
  "$compiler" -O2 -g -target bpf -x c -c - -o "$1" <<<'struct xdp_md { unsigned int data; };
    __attribute__((section("xdp"), used)) int pass(struct xdp_md *frame) { return 2; }
    char gpl[] __attribute__((section("license"), used)) = "GPL";'
}

# The id of the XDP program on one of the dispatcher's NICs, or "none".
program_id() { ip -n "$LAB-dispatcher" -j link show dev "$1" | json 'd[0].get("xdp", {}).get("prog", {}).get("id", "none")'; }

no_program() { [[ $(program_id "$1") == none ]]; }

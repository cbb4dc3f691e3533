# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The laboratory of VIPA ownership: one LAN, a host with three adapters on it, a gateway, clients near and far. Source it
# instead of lib.sh, then call vipa_lan_up.
#
#   remote 10.9.0.100 --- gateway .1 --+-- LAN 10.1.1.0/24 fd00:1::/64 --- client .100, rogue .66, servers .2x
#                                      +--------------------------------- HOST e0 .4, e1 .5, e2 .6
#
# The VIPA is 10.1.1.7 and fd00:1::7. The host with three adapters is the role `dispatcher`, or a server. All bridge ports
# are in the namespace `switch`, named ROLE-NIC; a cable is pulled by taking its port down.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

VIPA4=10.1.1.7
VIPA6=fd00:1::7
CLIENT4=10.1.1.100
CLIENT6=fd00:1::100
REMOTE4=10.9.0.100
REMOTE6=fd00:9::100

# adapter_mac N: of the host's adapter eN; adapter4 N, adapter6 N: its addresses.
adapter_mac() { printf '02:00:00:00:e0:0%d' "$1"; }
adapter4() { printf '10.1.1.%d' $((4 + $1)); }
adapter6() { printf 'fd00:1::%d' $((4 + $1)); }

# vipa_lan_up: switch, gateway, client, remote. Each host's router is the gateway.
vipa_lan_up() {
  [[ $EUID == 0 ]] || fail "network namespaces need root"
  [[ -x ${XDPLB_BIN:-}/xdplb ]] || fail "XDPLB_BIN must name the folder with xdplb and xdplbd, for example build/release/bin"
  mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
  WORK=$(mktemp -d "/tmp/$LAB.XXXXXX")
  trap lan_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  ns_add switch
  bridge_add a
  ns_add gateway
  in_ns gateway sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0
  cable gateway eth0 a 02:00:00:00:0a:01 10.1.1.1/24 fd00:1::1/64
  ns_add remote
  ip -n "$LAB-gateway" link add eth1 address 02:00:00:00:0d:01 type veth peer name eth0 address 02:00:00:00:0d:64 netns "$LAB-remote"
  nic_up gateway eth1 10.9.0.1/24 fd00:9::1/64
  nic_up remote eth0 $REMOTE4/24 $REMOTE6/64
  ip -n "$LAB-remote" route add default via 10.9.0.1
  ip -n "$LAB-remote" route add default via fd00:9::1
  ns_add client
  cable client eth0 a 02:00:00:00:0c:01 $CLIENT4/24 $CLIENT6/64
  default_route client
}

default_route() {
  ip -n "$LAB-$1" route add default via 10.1.1.1
  ip -n "$LAB-$1" route add default via fd00:1::1
}

# adapters_up ROLE COUNT: a host with adapters e0, e1, ... on the LAN, and the gateway as its router.
adapters_up() {
  local role=$1 i
  ns_add "$role"
  in_ns "$role" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  for ((i = 0; i < $2; i++)); do
    cable "$role" "e$i" a "$(adapter_mac $i)" "$(adapter4 $i)/24" "$(adapter6 $i)/64"
    # An address goes with an adapter that is down, and comes back with it, as IPv4 addresses do.
    in_ns "$role" sysctl -qw "net.ipv6.conf.e$i.keep_addr_on_down=1"
    # Frames of XDP_TX need a program at the other end of the cable.
    [[ $role != dispatcher ]] || dispatcher_port "e$i"
  done
  default_route "$role"
}

# plain_server NAME HOST: a server with one adapter 10.1.1.HOST, silent for the VIPA on its loopback, nginx and UDP service.
plain_server() {
  local name=$1 host=$2
  ns_add "$name"
  in_ns "$name" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  cable "$name" eth0 a "02:00:00:00:00:$host" "10.1.1.$host/24" "fd00:1::$host/64"
  default_route "$name"
  ip -n "$LAB-$name" address add "$VIPA4/32" dev lo
  ip -n "$LAB-$name" address add "$VIPA6/128" dev lo nodad
  serve "$name"
  wait_until 10 in_ns "$name" curl -gsf --max-time 1 "http://$VIPA4/name" || fail "nginx of $name: $(cat "$WORK/$name/error.log")"
}

# pull ROLE N, plug ROLE N: the cable of adapter eN.
pull() { ip -n "$LAB-switch" link set "$1-e$2" down; }
plug() { ip -n "$LAB-switch" link set "$1-e$2" up; }

# vipa_is ADDRESS EXPRESSION: over d, `xdplb vipa show ADDRESS`; owner_is ADDRESS INTERFACE.
vipa_is() { [[ $(xdplb -j vipa show "$1" | json "$2") == true ]]; }
owner_is() { vipa_is "$1" "d['state'] == 'owned' and d['owner'] == '$2'"; }

# dispatcher_up COUNT [OPTIONS of vipa set...]: the dispatcher with so many adapters loaded, cluster web/80 with the VIPAs over the
# plain servers s1 (.21) and s2 (.22), and the VIPAs owned through the adapters in order. The host may be there already. Returns when
# e0 owns both.
dispatcher_up() {
  local count=$1 names=() i address
  shift
  for ((i = 0; i < count; i++)); do names+=("e$i"); done
  [[ -e /run/netns/$LAB-dispatcher ]] || adapters_up dispatcher "$count"
  plain_server s1 21
  plain_server s2 22
  xdplb --timeout 60 load "${names[@]}" >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
  xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
  xdplb port add web/80 >/dev/null
  xdplb server add web/80 10.1.1.21 --name s1 >/dev/null
  xdplb server add web/80 10.1.1.22 --name s2 >/dev/null
  for address in $VIPA4 $VIPA6; do
    xdplb vipa set "$address" --prefer "$(IFS=,; echo "${names[*]}")" "$@" >/dev/null
    wait_until 15 owner_is "$address" e0 || fail "e0 does not own $address: $(xdplb vipa show "$address" 2>&1)"
  done
  wait_until 10 resolved web/80 2 || fail "servers did not resolve: $(xdplb status 2>&1)"
}

# capture_start FILE PORT...: every ARP, ND and MLD frame that enters the switch by these ports, as neighbour_capture.py writes it.
# Its pid is in SPAWNED. captured FILE EXPRESSION: over f, the list of frames so far, with the functions of vipa_frames.py.
capture_start() {
  local file=$1
  shift
  spawn switch "$file.log" python3 "$NETNS_DIR/neighbour_capture.py" "$WORK/$file" "$@"
  wait_until 60 test -e "$WORK/$file" || fail "capture: $(cat "$WORK/$file.log")"
}
captured() { python3 "$NETNS_DIR/vipa_frames.py" "$WORK/$1" "$2"; }
captured_is() { [[ $(captured "$1" "$2") == true ]]; }
# expect_captured WHAT FILE EXPRESSION: that is true; else the frames are shown.
expect_captured() {
  captured_is "$2" "$3" || fail "$1: not true of the frames: $3"$'\n'"$(grep -F "$VIPA4"$'\n'"$VIPA6" "$WORK/$2" || true)"
  ok "$1"
}
# The time as captured frames have it.
now() { date +%s.%N; }

# owner_up COUNT [OPTIONS of vipa set...]: so many adapters loaded, and both VIPAs owned through them in order; no cluster, no
# servers. The host may be there already. Returns when e0 owns both.
owner_up() {
  local count=$1 list address
  shift
  list=$(seq -s, -f 'e%g' 0 $((count - 1)))
  [[ -e /run/netns/$LAB-dispatcher ]] || adapters_up dispatcher "$count"
  # shellcheck disable=SC2086  # one word an adapter
  xdplb --timeout 60 load ${list//,/ } >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
  for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --prefer "$list" "$@" >/dev/null; done
  for address in $VIPA4 $VIPA6; do
    wait_until 15 owner_is "$address" e0 || fail "e0 does not own $address: $(xdplb vipa show "$address" 2>&1)"
  done
}

# rogue_up: another machine on the LAN. rogue FORM ADDRESS OPTIONS...: one frame of it, see rogue.py; prints the time.
ROGUE_MAC=02:00:00:00:0f:66
rogue_up() {
  ns_add rogue
  cable rogue eth0 a $ROGUE_MAC 10.1.1.66/24 fd00:1::66/64
}
rogue() { in_ns rogue python3 "$NETNS_DIR/rogue.py" eth0 "$@"; }

# who_has ADDRESS: the MACs in the answers to one question of the client, one a line; a second's worth.
who_has() {
  local own=$CLIENT4
  [[ $1 != *:* ]] || own=$CLIENT6
  in_ns client python3 "$NETNS_DIR/neighbour_probe.py" eth0 $own "$1"
}

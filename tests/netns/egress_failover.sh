#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A dispatcher with two NICs on the servers' LAN: the one by which frames leave to them loses its cable. Running downloads go on through
# the other one, whose first frame to a server leaves at once, though the server does not tell its MAC again. They go back when the cable does.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s3 b 23
server_up s4 b 24
cable dispatcher eth2 b 02:00:00:00:0b:03 198.51.100.3/24 2001:db8:2::3/64
dispatcher_port eth2
patient_neighbours
stream_up s3 s4
xdplb --timeout 60 load eth0 eth1 eth2 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
# s3 by its IPv4 address, s4 by its IPv6 address: either family's neighbour serves.
xdplb port add web/$STREAM_PORT >/dev/null
xdplb server add web/$STREAM_PORT 198.51.100.23 --name s3 >/dev/null
xdplb server add web/$STREAM_PORT 2001:db8:2::24 --name s4 >/dev/null
wait_until 10 resolved web/$STREAM_PORT 2 || fail "servers did not resolve: $(xdplb status 2>&1)"
for address in $VIPA4 $VIPA6; do wait_until 10 answered_on client "$address" || fail "no answer from $address"; done

URLS=("http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream")
RUNNING=()
for role in client remote; do
  downloads_start $role $role.downloads 20 "${URLS[@]}"
  RUNNING+=("$role.downloads:$DOWNLOADS")
done

# leaves_by INTERFACE: the frames to both servers do.
leaves_by() { [[ $(xdplb -j server list web/$STREAM_PORT | json "all(s['interface'] == '$1' for s in d)") == true ]]; }
other() { [[ $1 == eth1 ]] && echo eth2 || echo eth1; }
port_of() { local port=dispatcher-$1; echo "${port:0:15}"; }
first=eth1
wait_until 5 leaves_by $first || fail "frames leave by $(xdplb server list web/$STREAM_PORT)"
ok "frames to the servers leave by $first"

# lose INTERFACE SERVER MAC: its cable is pulled. Until the first frame to the server has come by the other NIC the server answers no ARP.
lose() {
  local seen to
  to=$(other "$1")
  in_ns "$2" sysctl -qw net.ipv4.conf.all.arp_ignore=8
  seen=$(in_ns switch python3 "$NETNS_DIR/egress_time.py" "$(port_of "$1")" "$(port_of "$to")" "$3") || fail "$1 lost: $seen"
  in_ns "$2" sysctl -qw net.ipv4.conf.all.arp_ignore=1
  say "$1 lost its cable: the first frame to $2 left by $to after $(json 'd["ms"]' <<<"$seen") ms, $(json 'd["questions"]' <<<"$seen") questions before it"
  expect_number "$1 lost: ms until then, new bytes come every 250" "$(json 'int(d["ms"])' <<<"$seen")" '<' 2000
  wait_until 5 leaves_by "$to" || fail "$1 lost: server list says $(xdplb server list web/$STREAM_PORT)"
  ok "server list: both leave by $to"
  downloads_all_run "$1 lost" "${RUNNING[@]}"
  expect_equal "$1 lost: new connections that are answered" 50 "$(count_of "$(http_names client $VIPA4 50 $STREAM_PORT)")"
}
plug() { ip -n "$LAB-switch" link set "$(port_of "$1")" up; }

lose eth1 s3 02:00:00:00:00:23
plug eth1
wait_until 15 leaves_by eth1 || fail "eth1 is back: $(xdplb server list web/$STREAM_PORT; ip -n "$LAB-dispatcher" neighbour)"
ok "eth1 is back, and frames leave by it"
downloads_all_run "eth1 is back" "${RUNNING[@]}"
# The other way out is not the one in use: nobody notices.
ip -n "$LAB-switch" link set "$(port_of eth2)" down
downloads_all_run "eth2 lost" "${RUNNING[@]}"
leaves_by eth1 || fail "eth2 lost: $(xdplb server list web/$STREAM_PORT)"
plug eth2
lose eth1 s4 02:00:00:00:00:24
plug eth1
wait_until 15 leaves_by eth1 || fail "eth1 is back again: $(xdplb server list web/$STREAM_PORT)"
# An interface that is taken down by hand is as good as unplugged.
ip -n "$LAB-dispatcher" link set eth1 down
wait_until 5 leaves_by eth2 || fail "eth1 is down: $(xdplb server list web/$STREAM_PORT)"
downloads_all_run "eth1 is down" "${RUNNING[@]}"
for pair in "${RUNNING[@]}"; do
  downloads_end "${pair%:*}" "${pair#*:}" all
  expect_equal "${pair%:*} with every line" 20 "$(json 'd["whole"]' <"$WORK/${pair%:*}")"
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Weights 10:5:1 share new flows within 2 %; weight 0 gets none; a server removed and added back has its flows again.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
server_up s4 b 24
web_up 10 5 1 0

# packets PATH: "s1 N" lines of a port's servers.
packets() { xdplb -j server list "$1" | json '"\n".join("%s %d" % (s["name"], s["packets"]) for s in d)'; }
# count LINES SERVER
count() { awk -v name="$2" '$1 == name { print $2 }' <<<"$1"; }

FLOWS=100000
for case in "$VIPA4 80 tcp web/80" "$VIPA6 $UDP_PORT udp web/$UDP_PORT/udp"; do
  read -r address port protocol path <<<"$case"
  before=$(packets "$path")
  in_ns client python3 "$NETNS_DIR/send_flows.py" eth0 02:00:00:00:0a:02 "$address" "$port" "$protocol" $FLOWS
  after=$(packets "$path")
  total=0
  for server in s1 s2 s3 s4; do total=$((total + $(count "$after" $server) - $(count "$before" $server))); done
  expect_number "$path: flows counted of $FLOWS" $total '>=' $((FLOWS * 99 / 100))
  for share in "s1 10" "s2 5" "s3 1" "s4 0"; do
    read -r server weight <<<"$share"
    seen=$(($(count "$after" "$server") - $(count "$before" "$server")))
    off=$((seen - total * weight / 16))
    expect_number "$path: $server, weight $weight: $seen flows, beside its share" ${off#-} '<=' $((total * 2 / 100))
    [[ $weight != 0 ]] || expect_equal "$path: flows of weight 0" 0 $seen
  done
done

# owners: the server that a new connection of each of 40 flows would get, as explain tells.
owners() {
  local port
  for port in $(seq 40001 40040); do xdplb -j explain "$REMOTE4:$port" "$VIPA4:80" | json 'd["new_server"]'; done
}
before=$(owners)
expect_number "flows of s2 among 40" "$(grep -c s2 <<<"$before")" '>=' 3
xdplb server remove web/80/s2 >/dev/null
expect_equal "flows of a removed server" 0 "$(owners | grep -c s2 || true)"
xdplb server add web/80 192.0.2.22 --name s2 --weight 5 >/dev/null
wait_until 5 ready 4 || fail "s2 did not resolve again"
[[ $(owners) == "$before" ]] && ok "s2 added back owns the same flows again" || fail "s2 added back owns other flows: $before / $(owners)"

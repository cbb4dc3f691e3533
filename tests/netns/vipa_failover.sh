#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A cable is pulled and nobody notices. The VIPAs go e0 -> e1 -> e2 and back while downloads of a client on the LAN and of one behind the
# gateway run, IPv4 and IPv6: each survives with at most one retransmission timeout a failover. Pings every 10 ms are hardly lost. Then
# 100 failovers of one VIPA: how long from the cable to the first announcement on the wire.
# The limits here are for machines that do other things, too; the numbers that count are printed.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
dispatcher_up 3 --failback immediate
xdplb set --up-delay 1s >/dev/null
xdplb cluster set web --echo dispatcher >/dev/null
xdplb port add web/$STREAM_PORT >/dev/null
for name in s1 s2; do
  spawn $name $name.timeouts python3 "$NETNS_DIR/timeouts_server.py" $name $STREAM_PORT
  xdplb server add web/$STREAM_PORT "10.1.1.2${name#s}" --name $name >/dev/null
done
wait_until 10 resolved web/$STREAM_PORT 2 || fail "servers did not resolve: $(xdplb status 2>&1)"

COUNT=4
URLS=("http://$VIPA4:$STREAM_PORT/stream" "http://[$VIPA6]:$STREAM_PORT/stream")
RUNNING=()
for role in client remote; do
  downloads_start $role $role.downloads $COUNT "${URLS[@]}"
  RUNNING+=("$role.downloads:$DOWNLOADS")
done

# server_timeouts: of every download's socket at its server, one line each. client_timeouts: all of a client's sockets together.
server_timeouts() {
  local name
  for name in s1 s2; do
    in_ns $name curl -s "http://$VIPA4:$STREAM_PORT/timeouts" | json '"\n".join(c["peer"] + " " + str(c["timeouts"]) for c in d["connections"])'
  done
}
# shellcheck disable=SC2016  # awk's
client_timeouts() { in_ns "$1" awk '/^TcpExt:/{for (i = 1; i <= NF; i++) if (n) {if (name[i] == "TCPTimeouts") print $i} else name[i] = $i; n++}' /proc/net/netstat; }

# failover WHAT EXPECTED COMMAND...: the command makes the interface EXPECTED answer for both addresses, in the middle of pings.
failover() {
  local what=$1 expected=$2 role address lost worst=0 before after more most=0 clients
  shift 2
  before=$(server_timeouts)
  clients=$(($(client_timeouts client) + $(client_timeouts remote)))
  for role in client remote; do
    for address in $VIPA4 $VIPA6; do spawn $role "$role-$address.pings" ping -n -i 0.01 -c 250 -W 1 "$address"; done
  done
  for role in client remote; do
    for address in $VIPA4 $VIPA6; do wait_until 10 grep -q icmp_seq=50 "$WORK/$role-$address.pings" || fail "$what: no pings of $role to $address"; done
  done
  "$@"
  for address in $VIPA4 $VIPA6; do wait_until 15 owner_is "$address" "$expected" || fail "$what: $expected does not own $address: $(xdplb vipa show "$address")"; done
  for role in client remote; do
    for address in $VIPA4 $VIPA6; do
      wait_until 20 grep -q 'packets transmitted' "$WORK/$role-$address.pings" || fail "$what: the pings of $role to $address do not end"
      lost=$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 - \2/p' "$WORK/$role-$address.pings")
      lost=$((lost))
      ((lost <= worst)) || worst=$lost
    done
  done
  expect_number "$what: pings lost of 250, one each 10 ms, the worst of 4 rows (5 on an idle machine)" $worst '<=' 50
  downloads_all_run "$what" "${RUNNING[@]}"
  after=$(server_timeouts)
  # Lines of one order: no download came or went, so none is missing.
  expect_equal "$what: downloads at the servers" $((2 * COUNT)) "$(count_of "$after")"
  while read -r more; do ((more <= most)) || most=$more; done < <(paste -d' ' <(printf '%s\n' "$before") <(printf '%s\n' "$after") | awk '{print $4 - $2}')
  expect_number "$what: retransmission timeouts of one server's socket, at most" "$most" '<=' 1
  clients=$(($(client_timeouts client) + $(client_timeouts remote) - clients))
  expect_number "$what: retransmission timeouts of the clients' sockets together" $clients '<=' $((2 * COUNT))
}

failover "e0 pulled" e1 pull dispatcher 0
failover "e1 pulled" e2 pull dispatcher 1
failover "e0 back" e0 plug dispatcher 0
plug dispatcher 1
for pair in "${RUNNING[@]}"; do
  downloads_end "${pair%:*}" "${pair#*:}" all
  expect_equal "${pair%:*} with every line" $COUNT "$(json 'd["whole"]' <"$WORK/${pair%:*}")"
done

# times ADDRESS COUNT
times() {
  local line median worst
  wait_until 15 owner_is "$1" e0 || fail "e0 does not own $1: $(xdplb vipa show "$1")"
  xdplb vipa set "$1" --failback manual >/dev/null
  line=$(in_ns switch python3 "$NETNS_DIR/failover_times.py" "$1" "$2" dispatcher-e0 dispatcher-e1 dispatcher-e2) || fail "$line"
  xdplb vipa set "$1" --failback immediate >/dev/null
  median=$(json 'd["median_ms"]' <<<"$line")
  worst=$(json 'd["worst_ms"]' <<<"$line")
  say "$1: $2 failovers, from the cable to the first announcement: median $median ms, worst $worst ms (idle machine: 10 and 50)"
  expect_number "$1: median, ms" "${median%.*}" '<' 50
  expect_number "$1: worst, ms" "${worst%.*}" '<' 1000
  say "$1: what the daemon says of its own part, the last time: $(xdplb -j vipa show "$1" | json 'd["event_to_announcement_ms"]') ms"
}
xdplb set --up-delay 0s >/dev/null
for address in $VIPA4 $VIPA6; do xdplb vipa set "$address" --failback immediate >/dev/null; done
times $VIPA4 100
times $VIPA6 50

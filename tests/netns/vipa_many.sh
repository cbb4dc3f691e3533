#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 500 VIPAs fail over together: each is announced within 3 s, none a second time before each one's first pair, never more than 50 frames at
# once and 200 a second; and what arrives at the other interfaces meanwhile is forwarded, whoever answers ARP.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
plain_server s1 21
plain_server s2 22
# A second network on the same wires, for the 500.
FIRST=10.2.1.0
LAST=10.2.2.243
for i in 0 1 2; do ip -n "$LAB-dispatcher" address add "10.2.0.$((4 + i))/22" dev "e$i"; done
ip -n "$LAB-client" address add 10.2.0.100/22 dev eth0
for name in s1 s2; do
  ip -n "$LAB-$name" route add 10.2.0.0/22 dev eth0
done
own_loopback 10.2.1.0/24
own_loopback 10.2.2.0/24
stream_up s1 s2
MANY=()
for i in {0..499}; do MANY+=("10.2.$((1 + i / 256)).$((i % 256))"); done

xdplb --timeout 60 load e0 e1 e2 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
capture_start start.frames dispatcher-e0 dispatcher-e1 dispatcher-e2
CAPTURE=$SPAWNED
started=$(date +%s.%N)
xdplb cluster add many "${MANY[@]}" >/dev/null
for port in 80 $STREAM_PORT; do
  xdplb port add "many/$port" >/dev/null
  for name in s1 s2; do xdplb server add "many/$port" "10.1.1.2${name#s}" --name $name >/dev/null; done
done
owned() { xdplb -j vipa list | json "sum(1 for v in d if v['state'] == 'owned' and v['owner'] == '$1')"; }
all_owned() { [[ $(owned "$1") == 500 ]]; }
wait_until 30 all_owned e0 || fail "e0 owns $(owned e0) of 500 VIPAs"
wait_until 10 resolved many/$STREAM_PORT 2 || fail "servers did not resolve: $(xdplb status 2>&1)"
ok "e0 owns 500 VIPAs"

# pacing FILE START PORT
pacing() { python3 "$NETNS_DIR/pacing.py" "$WORK/$1" "$2" "$3" $FIRST $LAST; }
first_pairs_are_out() { captured_is "$1" "len({(x['ip'], x['kind']) for x in f if x['port'] == '$2' and x['kind'] in ('announce', 'announce_reply') and x['ip'].startswith('10.2.')}) == 1000"; }
wait_until 30 first_pairs_are_out start.frames dispatcher-e0 || fail "start: not all are announced: $(pacing start.frames "$started" dispatcher-e0)"
at_start=$(pacing start.frames "$started" dispatcher-e0)
say "start: $at_start"
expect_equal "start: VIPAs announced twice before all were once" 0 "$(json 'd["out_of_turn"]' <<<"$at_start")"
expect_equal "start: claims by other ports" 0 "$(json 'd["elsewhere"]' <<<"$at_start")"

# A client that heard of no move: half of the VIPAs are e1's for it, half e2's.
URLS=()
for i in {0..499}; do
  printf 'neighbour replace %s lladdr %s nud permanent dev eth0\n' "${MANY[i]}" "$(adapter_mac $((1 + i % 2)))"
  ((i % 25)) || URLS+=("http://${MANY[i]}:$STREAM_PORT/stream" "http://${MANY[i + 1]}:$STREAM_PORT/stream")
done >"$WORK/neighbours"
ip -n "$LAB-client" -batch "$WORK/neighbours"
downloads_start client downloads 40 "${URLS[@]}"
first_answered() { [[ $(in_ns client curl -s --max-time 2 -o /dev/null -w '%{http_code}\n' "http://${MANY[0]}/name") == 200 ]]; }
wait_until 10 first_answered || fail "no answer through e1"

kill "$CAPTURE"
capture_start failover.frames dispatcher-e0 dispatcher-e1 dispatcher-e2
pulled=$(date +%s.%N)
pull dispatcher 0
# New connections to each VIPA, while they are announced.
answers=$(in_ns client curl -s --max-time 60 --connect-timeout 2 -H 'Connection: close' "http://10.2.[1-2].[0-243]/name" | grep -c '^s[12]$' || true)
expect_equal "new connections through e1 and e2 that were answered meanwhile" 488 "$answers"
downloads_all_run "e0 pulled" "downloads:$DOWNLOADS"
wait_until 30 first_pairs_are_out failover.frames dispatcher-e1 || fail "not all are announced: $(pacing failover.frames "$pulled" dispatcher-e1)"
# The second requests begin after the first pairs.
second_round() { captured_is failover.frames "sum(1 for x in f if x['port'] == 'dispatcher-e1' and x['kind'] == 'announce' and x['ip'].startswith('10.2.')) > 600"; }
wait_until 30 second_round || fail "no second round"
all_owned e1 || fail "e1 owns $(owned e1) of 500 VIPAs"
after=$(pacing failover.frames "$pulled" dispatcher-e1)
say "failover: $after"
expect_equal "VIPAs announced" 500 "$(json 'd["announced"]' <<<"$after")"
expect_equal "VIPAs announced twice before each one's first pair" 0 "$(json 'd["out_of_turn"]' <<<"$after")"
expect_equal "claims by other ports" 0 "$(json 'd["elsewhere"]' <<<"$after")"
excess=$(json 'd["excess"]' <<<"$after")
# 10 frames are 50 ms: that long may the stamps of a busy machine be late.
expect_number "frames above 50 at once and 200 a second" "${excess%.*}" '<=' 10
all_first=$(json 'd["all_first_ms"]' <<<"$after")
expect_number "ms until each was announced" "${all_first%.*}" '<=' 3000
downloads_end downloads "$DOWNLOADS" all
expect_equal "downloads with every line" 40 "$(json 'd["whole"]' <"$WORK/downloads")"

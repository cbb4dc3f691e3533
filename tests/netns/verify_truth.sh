#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `xdplb verify` against the kernel: farms of which a random half is broken, each server in another way, with a port of its own, so that
# only it can have given the page. Where verify says that all is well, a real client gets the page of that server through the dispatcher;
# where it says fault, it does not, or that server answers for the VIPA on the wire. Asked twice: by the dispatcher, and by a client's host
# that knows a configuration only. XDPLB_RANDOM_SEED repeats a run, XDPLB_ROUNDS says how many farms.
source "$(dirname "$0")/lib_server.sh"
lan_up
server_traps
ROUNDS=${XDPLB_ROUNDS:-3}
SEED=${XDPLB_RANDOM_SEED:-$RANDOM}
FARM_SIZE=10
DISPATCHER_MAC=02:00:00:00:0a:02

port_of() { echo $((8000 + ${1#n})); }

# ---- ways to break a server ----------------------------------------------------------------------------------------
# Each breaks SERVER. The last ones are seen by nobody on the LAN: verify must say that all is well.
WAYS=(no_alias4 no_alias6 wide4 answers3 answers0 on_nic4 on_nic6 nd_proxy drops_vipa drops_port drops_answer drops_all service_dead own_addresses
  only_v4 rule_in rule_out blackhole no_arp pulled no_v6 no_local
  echo_off no_way announces)
no_alias4() { sip address delete $VIPA4/32 dev lo; }
no_alias6() { sip address delete $VIPA6/128 dev lo; }
wide4() { no_alias4 && sip address add $VIPA4/24 dev lo; }
answers0() { sys ipv4.conf.all.arp_ignore=0; }
answers3() { sys ipv4.conf.all.arp_ignore=3; }
on_nic4() { sip address add $VIPA4/32 dev eth0; }
on_nic6() { sip address add $VIPA6/128 dev eth0 nodad; }
nd_proxy() { sys ipv6.neigh.eth0.proxy_delay=0 ipv6.conf.all.forwarding=1 ipv6.conf.all.proxy_ndp=1 && sip neighbour add proxy $VIPA6 dev eth0; }
drops_vipa() { drops input "ip daddr $VIPA4 drop"; }
drops_port() { drops input "tcp dport $(port_of "$SERVER") drop"; }
drops_answer() { drops output "ip6 saddr $VIPA6 drop"; }
# It still tells its neighbours who it is.
drops_all() { drops input 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept' drop; }
service_dead() { service_ends; }
own_addresses() { service_ends && service "$(port_of "$SERVER")" "$SERVER4" "$SERVER6"; }
only_v4() { service_ends && service "$(port_of "$SERVER")" 0.0.0.0; }
rule_in() { sip rule add priority 100 table local && sip rule delete priority 0 && sip rule add priority 10 to $VIPA4 prohibit; }
rule_out() { sip -6 rule add priority 10 from $VIPA6 prohibit; }
no_local() { sip route delete local $VIPA4 dev lo table local; }
blackhole() { no_local && sip route add blackhole $VIPA4 table local; }
no_arp() { sys ipv4.conf.all.arp_ignore=8; }
pulled() { ip -n "$LAB-switch" link set "$SERVER-eth0" down; }
no_v6() { sys ipv6.conf.lo.disable_ipv6=1; }
echo_off() { sys ipv4.icmp_echo_ignore_all=1 ipv6.icmp.echo_ignore_all=1; }
no_way() { sip route delete default && sip -6 route delete default; }
announces() { sys ipv4.conf.all.arp_announce=0; }

# ---- one farm ------------------------------------------------------------------------------------------------------

# farm_up: FARM, of which half is broken; $WORK/ways says how.
farm_up() {
  local i way ways
  FARM=()
  : >"$WORK/ways"
  # One word a server: a way, or - for a right one.
  mapfile -t ways < <(python3 -c 'import random, sys
seed, size, *ways = sys.argv[1:]
size, chance = int(size), random.Random(int(seed))
farm = chance.sample(ways, size // 2) + ["-"] * (size - size // 2)
chance.shuffle(farm)
print("\n".join(farm))' "$1" $FARM_SIZE "${WAYS[@]}")
  for ((i = 0; i < FARM_SIZE; i++)); do
    server_new dual $((8000 + SERVER_NUMBER + 1))
    FARM+=("$SERVER")
    way=${ways[i]}
    [[ $way == - ]] || "$way" || fail "seed $1: cannot be broken: $way"
    echo "$SERVER $way $SERVER4 $SERVER_MAC" >>"$WORK/ways"
  done
}

farm_loaded() {
  local name way address rest count
  xdplb --timeout 60 load eth0 eth1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
  xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
  while read -r name way address rest; do
    xdplb port add "web/$(port_of "$name")" >/dev/null
    xdplb server add "web/$(port_of "$name")" "$address" --name "$name" >/dev/null
  done <"$WORK/ways"
  # All that answer ARP: a wide alias takes the dispatcher for this host itself.
  count=$(grep -cvE ' (no_arp|pulled|wide4) ' "$WORK/ways")
  wait_until 20 resolved_servers "$count" || fail "seed $1: servers did not resolve: $(xdplb status 2>&1)"
}
resolved_servers() { [[ $(xdplb -j server list | json 'sum(1 for s in d if s["mac"])') == "$1" ]]; }

# What a real client gets, all at once, the dispatcher being the owner for it whoever else answers: lines "SERVER VIPA NAME", NAME empty when
# nothing comes.
pages() {
  local name way rest address pids=()
  for address in $VIPA4 $VIPA6; do ip -n "$LAB-client" neighbour replace "$address" lladdr $DISPATCHER_MAC nud permanent dev eth0; done
  rm -f "$WORK"/page.*
  while read -r name way rest; do
    for address in $VIPA4 $VIPA6; do
      { echo "$name $address $(in_ns client curl -gs --max-time 3 --connect-timeout 3 "http://$(host_in_url "$address"):$(port_of "$name")/name" || true)" >"$WORK/page.$name.$address"; } &
      pids+=($!)
    done
  done <"$WORK/ways"
  wait "${pids[@]}"
  cat "$WORK"/page.* >"$WORK/pages"
}
# Who answers on the wire: lines "VIPA MAC".
answers() {
  in_ns client python3 "$NETNS_DIR/neighbour_probe.py" eth0 $CLIENT4 $VIPA4 | sed "s/^/$VIPA4 /"
  in_ns client python3 "$NETNS_DIR/neighbour_probe.py" eth0 $CLIENT6 $VIPA6 | sed "s/^/$VIPA6 /"
}
verified() {
  local code=0
  "$@" >"$WORK/verify.json" 2>"$WORK/verify.err" || code=$?
  [[ $code -le 1 && ! -s $WORK/verify.err ]] || fail "'$*': exit $code: $(cat "$WORK/verify.err")"
  expect_equal "exit code, as ok says" "$(json 'int(not d["ok"])' <"$WORK/verify.json")" $code
}

one_farm() {
  local seed=$1
  say "---- seed $seed"
  farm_up "$seed"
  farm_loaded "$seed"
  pages
  answers >"$WORK/answers"
  verified xdplb -j verify web
  python3 "$NETNS_DIR/verify_truth.py" "$WORK" >"$WORK/truth" || fail "seed $seed: the dispatcher's verify is not true: $(cat "$WORK/truth")"
  say "$(cat "$WORK/truth")"
  ok "seed $seed: what the dispatcher's verify says is true"
  xdplb config show >"$WORK/config.json"
  verified in_ns client "$XDPLB_BIN/xdplb" -j verify --config "$WORK/config.json" --owner $DISPATCHER_MAC
  python3 "$NETNS_DIR/verify_truth.py" "$WORK" >"$WORK/truth" || fail "seed $seed: the client's verify is not true: $(cat "$WORK/truth")"
  ok "seed $seed: what the client's verify says is true"
  xdplb cluster remove web >/dev/null
  xdplb unload >/dev/null
  for SERVER in "${FARM[@]}"; do server_drop; done
}

for ((round = 0; round < ROUNDS; round++)); do one_farm $((SEED + round)); done

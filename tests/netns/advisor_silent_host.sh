#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A server with 20 ports falls silent, as one that lost its power: all its ports are down as soon as one alone would be, though each probe
# now lasts its whole timeout. Another server's probes go on in time.
source "$(dirname "$0")/lib_advisors.sh"
advisors_lan_up
PORTS=20
for server in "s1 21" "s2 22"; do
  read -r name host <<<"$server"
  server_up "$name" a "$host"
  web_serve "$name"
done
cluster_up
for ((i = 0; i < PORTS; i++)); do
  advised web/$((7000 + i)) s1,s2 --type http --port $HTTP_PORT --path /port$i --interval 1s --connect-timeout 1s --receive-timeout 1s --fall 3
done
# all_are SERVER HEALTH: every check of it.
all_are() {
  [[ $(xdplb -j advisor list | json "len([c for a in d for c in a['checks'] if c['server'].endswith('/$1') and c['health'] == '$2'])") == $((2 * PORTS)) ]]
}
wait_until 20 all_are s1 up || fail "s1 is not up: $(problems)"
wait_until 20 all_are s2 up || fail "s2 is not up: $(problems)"
in_ns s1 nft 'add table inet silent; add chain inet silent in { type filter hook input priority 0; policy drop; }'
began=$(date +%s%N)
wait_until 60 all_are s1 down || fail "s1 is not down: $(problems)"
# A probe begins within a second, and three take a second each; the first asks the server's own address, half a second more.
expect_number "ms until all $((2 * PORTS)) checks of a silent server are down" $((($(date +%s%N) - began) / 1000000)) '<=' 7000
all_are s2 up || fail "s2 is not up: $(problems)"
in_ns s1 nft delete table inet silent
wait_until 10 all_are s1 up || fail "s1 does not come back: $(problems)"
ok "s1 is back"

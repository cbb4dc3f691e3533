#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# When half of all servers, four or more of two clusters, fail at once, demotions are frozen and a problem is raised;
# what really is down goes down when the freeze is over; one cluster's failure freezes nothing.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s2 a 22
server_up s3 b 23
server_up s4 b 24
cluster_up
port_up web/80 "" s1 s2
xdplb cluster add shop 192.0.2.11 >/dev/null
own_loopback 192.0.2.11
xdplb port add shop/80 >/dev/null
server_in shop/80 s3
server_in shop/80 s4
PACE=(--interval 1s --fast-interval 300ms --connect-timeout 500ms --fall 3 --rise 1)
xdplb advisor set web/80 --type http --path /name "${PACE[@]}" >/dev/null
xdplb advisor set shop/80 --type http --path /name "${PACE[@]}" >/dev/null
# up_is PATHS: these are up in every family, and no others in any.
up_is() {
  [[ $(xdplb -j server list | json 'sorted(s["path"] for s in d if {s["health_v4"], s["health_v6"]} <= {"up", None})') == "$1" &&
    $(xdplb -j server list | json 'sorted(s["path"] for s in d if s["health"] == "up")') == "$1" ]]
}
problem_is() { [[ $(status_json | json "any($1 for p in d['problems'])") == true ]]; }
ALL='["shop/80/s3", "shop/80/s4", "web/80/s1", "web/80/s2"]'
wait_until 10 up_is "$ALL" || fail "servers are not up: $(xdplb advisor list 2>&1; status_json)"

# silence SERVER..., speech: their answers from port 80 are lost, of all of them at the same moment.
silence() {
  in_ns dispatcher nft -f - <<NFT
table inet silence {
  chain in {
    type filter hook input priority 0
    ether saddr { $(printf '02:00:00:00:00:2%s, ' "${@#s}") } tcp sport 80 drop
  }
}
NFT
}
speech() { in_ns dispatcher nft delete table inet silence; }

# ---- one cluster: no reason to doubt ourselves
silence s1 s2
wait_until 15 up_is '["shop/80/s3", "shop/80/s4"]' || fail "a cluster that failed is not down: $(xdplb advisor list; status_json)"
problem_is 'p["code"] == "mass_failure"' && fail "one cluster froze demotions: $(status_json)"
ok "one cluster of two servers fails: it is down, nothing is frozen"
speech
wait_until 15 up_is "$ALL" || fail "servers are not up again: $(xdplb advisor list)"

# ---- both clusters at once
silence s1 s2 s3 s4
wait_until 10 problem_is 'p["code"] == "mass_failure"' || fail "nothing is frozen: $(status_json)"
ok "frozen: $(status_json | json '[p["text"] for p in d["problems"] if p["code"] == "mass_failure"][0]')"
expect_equal "servers up while frozen" true "$(xdplb -j server list | json 'len([s for s in d if s["health"] == "up"]) == 4')"
wait_until 30 up_is '[]' || fail "what is down does not go down after the freeze: $(xdplb advisor list; status_json)"
ok "after the freeze those that are down are down"
problem_gone() { ! problem_is 'p["code"] == "mass_failure"'; }
wait_until 10 problem_gone || fail "the problem stays: $(status_json)"
speech
wait_until 15 up_is "$ALL" || fail "servers are not up again: $(xdplb advisor list)"

# ---- the guard is off
xdplb set --guard off >/dev/null
silence s1 s2 s3 s4
wait_until 10 up_is '[]' || fail "with --guard off something is frozen: $(xdplb advisor list)"
ok "--guard off: down at once"
speech
wait_until 15 up_is "$ALL" || fail "servers are not up again: $(xdplb advisor list)"

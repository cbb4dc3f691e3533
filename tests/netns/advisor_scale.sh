#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 2,000 servers are probed every 2 s through the VIPA, 1,000 connections a second: CPU time and memory of the daemon, and how late probes
# begin. The servers are addresses of one namespace, 198.18.0.0/20 on LAN B.
source "$(dirname "$0")/lib_advisors.sh"
advisors_lan_up
COUNT=2000
PORTS=20 # with COUNT / PORTS servers each
FIRST=7000
ns_add farm
in_ns farm sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.core.somaxconn=4096
cable farm eth0 b 02:00:00:00:0f:01 198.18.15.1/20
ip -n "$LAB-farm" address add $VIPA4/32 dev lo
ip -n "$LAB-farm" route add default via 198.18.15.2
ip -n "$LAB-dispatcher" address add 198.18.15.2/20 dev eth1
addresses() { awk -v n=$COUNT 'BEGIN { for (i = 0; i < n; i++) printf "198.18.%d.%d\n", i / 200, i % 200 + 1 }'; }
addresses | sed 's|.*|address add &/32 dev eth0|' | ip -n "$LAB-farm" -batch -
# The kernel keeps 1,024 neighbours and this number is the machine's, not a namespace's: those that are said by hand do not count.
addresses | sed 's|.*|neighbour replace & lladdr 02:00:00:00:0f:01 nud permanent dev eth1|' | ip -n "$LAB-dispatcher" -batch -
mkdir -p "$WORK/farm.web/temp"
cat >"$WORK/farm.web/nginx.conf" <<CONF
user root;
worker_processes 1;
daemon off;
pid $WORK/farm.web/nginx.pid;
error_log $WORK/farm.web/error.log crit;
events { worker_connections 8192; multi_accept on; }
http {
  access_log off;
  client_body_temp_path $WORK/farm.web/temp; proxy_temp_path $WORK/farm.web/temp; fastcgi_temp_path $WORK/farm.web/temp;
  uwsgi_temp_path $WORK/farm.web/temp; scgi_temp_path $WORK/farm.web/temp;
  server {
$(for ((i = 0; i < PORTS; i++)); do echo "    listen $VIPA4:$((FIRST + i)) backlog=4096;"; done)
    return 204;
  }
}
CONF
spawn farm farm.log nginx -p "$WORK/farm.web" -c "$WORK/farm.web/nginx.conf" -e "$WORK/farm.web/error.log"
wait_until 10 listens_on farm $((FIRST + PORTS - 1)) || fail "nginx of the farm: $(cat "$WORK/farm.log" "$WORK/farm.web/error.log")"

xdplb --timeout 60 load eth0 eth1 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
xdplb cluster add web $VIPA4 >/dev/null
xdplb -j config show >"$WORK/config.json"
addresses | python3 -c '
import json, sys
ports, first, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
servers = [{"name": f"s{i}", "address": line.strip()} for i, line in enumerate(sys.stdin)]
each = len(servers) // ports
config = json.load(open(path))
config["clusters"][0]["ports"] = [
    {"port": first + i, "advisor": {"type": "connect", "interval": "2s"}, "servers": servers[i * each:(i + 1) * each]} for i in range(ports)]
json.dump(config, open(path, "w"))' $PORTS $FIRST "$WORK/config.json"
began=$SECONDS
xdplb --timeout 100 config apply "$WORK/config.json" >"$WORK/out" 2>&1 || fail "config apply: $(tail -n 3 "$WORK/out")"
ok "applied $COUNT servers in $((SECONDS - began)) s"
ups() { xdplb -j advisor list | json "sum(a['up'] for a in d)"; }
all_up() { (($(ups) == COUNT)); }
wait_until 60 all_up || fail "$(ups) of $COUNT servers are up: $(xdplb status 2>&1 | head -n 20)"
ok "all $COUNT servers are up $((SECONDS - began)) s after that"

pid=$(daemon_pid)
# later SINCE SECONDS: so long after it. Time itself is what is waited for: the measures are of so many seconds. Nobody asks the daemon
# anything until what it tells of the last minute has forgotten the start.
later() { ((SECONDS >= $1 + $2)); }
wait_until 90 later $SECONDS 62
before=$(ticks "$pid")
start=$(date +%s%N)
wait_until 30 later $SECONDS 10
used=$(($(ticks "$pid") - before))
elapsed=$((($(date +%s%N) - start) / 1000000))
percent=$((used * 100000 / $(getconf CLK_TCK) / elapsed))
late=$(status_json | json "d['checks']")
# Pages of the BPF maps that the daemon has mapped count as RssFile: they are the kernel's, and there without any server, too.
own=$(awk '/^RssAnon:/ { print $2 }' "/proc/$pid/status")
say "   lateness of the last minute: $late; VmRSS $(($(memory "$pid") / 1024)) MiB with mapped BPF tables"
expect_number "probes of each server, at least" $(($(status_json | json "d['checks']['probes']") / COUNT)) '>=' 30
expect_equal "servers that are up" $COUNT "$(ups)"
say "   lateness after a list of all: $(status_json | json "d['checks']")"
expect_number "percent of its interval that a probe was late, at most" "$(json "int(d['worst_late_percent'])" <<<"$late")" '<=' 10
expect_number "MiB of the daemon's own memory" $((own / 1024)) '<' 150
expect_number "CPU time of the daemon, percent of a core over $elapsed ms" $percent '<' 25

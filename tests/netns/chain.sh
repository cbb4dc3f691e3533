#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --chain attaches through libxdp's dispatcher: another XDP program runs beside ours.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s3 b 23
pass_program "$WORK/pass.o"
xdplb load eth0 eth1 --chain >"$WORK/load.out" 2>&1 || fail "load --chain: $(cat "$WORK/load.out")"
say "$(cat "$WORK/load.out")"
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
xdplb port add web/80 >/dev/null
xdplb server add web/80 192.0.2.21 --name s1 >/dev/null
xdplb server add web/80 198.51.100.23 --name s3 >/dev/null
wait_until 10 ready 2 || fail "servers did not resolve: $(xdplb status 2>&1)"

chained=1
for nic in eth0 eth1; do
  attach=$(status_json | json "[i['attach'] for i in d['interfaces'] if i['name'] == '$nic'][0]")
  # What is said must be what is there: libxdp's dispatcher is a program of that name.
  real=$(in_ns dispatcher bpftool -j prog show id "$(program_id $nic)" | json 'd["name"]')
  [[ $real == xdp_dispatcher ]] && real="dispatcher" || real="link"
  expect_equal "attach of $nic as reported" "$real" "$attach"
  [[ $real == dispatcher ]] || chained=0
done
names=$(http_names client $VIPA4 100)
expect_equal "answers" 100 "$(wc -l <<<"$names")"
if [[ $chained == 0 ]]; then
  # libxdp 1.3's check of its dispatcher fails with EPERM on some kernels (seen: 6.18), which load must say.
  grep -qi 'link' "$WORK/load.out" && ok "load said that there is no chain" || fail "load did not say that there is no chain"
  exit 0
fi
in_ns dispatcher xdp-loader load -m native eth0 "$WORK/pass.o" || fail "a second program beside ours"
expect_equal "programs on eth0" 2 "$(in_ns dispatcher xdp-loader status eth0 | grep -c '=>')"
names=$(http_names client $VIPA4 100)
expect_equal "answers with two programs" 100 "$(wc -l <<<"$names")"

xdplb unload >/dev/null
in_ns dispatcher xdp-loader status eth0 | grep -q 'pass' && ok "the other program stays when ours goes" || fail "unload took the other program away"
in_ns dispatcher xdp-loader unload eth0 --all

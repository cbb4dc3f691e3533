#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An interface with a dot in its name, as every VLAN's has: loaded, adopted after a crash, unloaded.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
cable dispatcher eth2.7 a 02:00:00:00:0a:07 192.0.2.7/24 2001:db8:1::7/64
dispatcher_port eth2.7
xdplb --timeout 60 load eth2.7 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null
port_up web/80 "" s1
wait_until 10 answered client $VIPA4 || fail "no answer"
ok "a client is served through eth2.7"
program=$(program_id eth2.7)
kill9
expect_equal "program after the daemon's death" "$program" "$(program_id eth2.7)"
xdplb --timeout 60 load eth2.7 >/dev/null
expect_equal "attached by" link "$(status_json | json 'd["interfaces"][0]["attach"]')"
answered client $VIPA6 || fail "no answer after the next start"
xdplb unload >/dev/null
wait_until 5 no_program eth2.7 || fail "a program is left on eth2.7"
ok "nothing is left on eth2.7"

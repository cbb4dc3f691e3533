#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A server that is not there gets no flows and status says why; when it comes up it gets its share.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
web_up 10
xdplb server add web/80 192.0.2.22 --name s2 >/dev/null

# what FIELD: of s2.
what() { xdplb -j server list web/80 | json "[s['$1'] for s in d if s['name'] == 's2'][0]"; }
names=$(http_names client $VIPA4 100)
expect_equal "answers while s2 is absent" 100 "$(share "$names" s1)"
expect_equal "MAC of s2" null "$(what mac)"
expect_equal "packets to s2" 0 "$(what packets)"
reason=$(what reason)
grep -Eqi 'neighbou?r|resolve|MAC|ARP' <<<"$reason" && ok "reason: $reason" || fail "s2 has no reason that says why: '$reason'"
problems=$(status_json | json '[p["text"] for p in d["problems"] if "s2" in p["object"] or "s2" in p["text"]]')
[[ $problems != "[]" ]] && ok "status: $problems" || fail "status does not mention s2: $(xdplb status)"

server_up s2 a 22
wait_until 20 ready 2 || fail "s2 came up and is not noticed: $(xdplb server list web/80)"
names=$(http_names client $VIPA4 200)
expect_equal "answers" 200 "$(wc -l <<<"$names")"
expect_number "of s2, once it is there" "$(share "$names" s2)" '>=' 50

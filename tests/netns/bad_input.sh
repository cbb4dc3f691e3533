#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every mistake gets one line and its exit code, and changes nothing.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21

# Without a daemon first.
expect_error 4 "daemon|xdplbd" xdplb status
expect_error 3 "nosuch0" xdplb load nosuch0

web_up 10
xdplb -j config show >"$WORK/before.json"

refused() {
  expect_error "$@"
  xdplb -j config show >"$WORK/after.json"
  cmp -s "$WORK/before.json" "$WORK/after.json" || fail "'${*:3}' changed the configuration: $(diff "$WORK/before.json" "$WORK/after.json")"
}

# Usage: what can be seen without knowing the state.
refused 2 "192\.0\.2\.300" xdplb cluster add other 192.0.2.300
refused 2 "70000" xdplb port add web/70000
refused 2 "-1" xdplb server add web/80 192.0.2.22 --weight -1
refused 2 "101" xdplb server add web/80 192.0.2.22 --weight 101
refused 2 "" xdplb server add web/80
refused 2 "frobnicate" xdplb frobnicate
refused 2 "sctp" xdplb port add web/80/sctp

# Not found.
refused 3 "nosuch0" xdplb load nosuch0
refused 3 "absent" xdplb cluster show absent
refused 3 "absent" xdplb port add absent/80
refused 3 "web/81" xdplb server add web/81 192.0.2.22
refused 3 "s9" xdplb server remove web/80/s9

# Conflicts: the name is there with other values.
refused 7 "web" xdplb cluster add web 192.0.2.99
refused 7 "$VIPA4" xdplb cluster add other $VIPA4
refused 7 "s1" xdplb server add web/80 192.0.2.22 --name s1
refused 7 "192\.0\.2\.21" xdplb server add web/80 192.0.2.21 --name other

# Invalid: a server that cannot work.
refused 6 "203\.0\.113\.5" xdplb server add web/80 203.0.113.5
refused 6 "$VIPA4" xdplb server add web/80 $VIPA4
refused 6 "2001:db8:1::10" xdplb server add web/80 $VIPA6

# Adding what is there already, with the same values, is no mistake.
xdplb cluster add web $VIPA4 $VIPA6 >/dev/null || fail "cluster add with the same values"
xdplb server add web/80 192.0.2.21 --name s1 --weight 10 >/dev/null || fail "server add with the same values"
ok "adding the same again succeeds"

# Configuration files.
printf '{\n  "clusters": [\n    { "name": "web" "addresses": [] }\n  ]\n}\n' >"$WORK/broken.json"
refused 6 "(line|:) ?3.*(column|:) ?[0-9]+" xdplb config check "$WORK/broken.json"
refused 6 "(line|:) ?3.*(column|:) ?[0-9]+" xdplb config apply "$WORK/broken.json"
printf '{ "clusters": [ { "name": "web", "adresses": ["192.0.2.10"] } ] }\n' >"$WORK/unknown.json"
refused 6 "adresses" xdplb config apply "$WORK/unknown.json"
printf '{ "clusters": [ { "name": "a", "name": "b", "addresses": ["192.0.2.10"] } ] }\n' >"$WORK/duplicate.json"
refused 6 "name" xdplb config apply "$WORK/duplicate.json"
printf '{ "clusters": [ { "name": "a", "addresses": ["192.0.2.10"], "ports": [ { "port": 70000 } ] } ] }\n' >"$WORK/range.json"
refused 6 "70000" xdplb config apply "$WORK/range.json"
printf '{ "clusters": [ { "name": "a", "addresses": ["192.0.2.10"] }, { "name": "a", "addresses": ["192.0.2.11"] } ] }\n' >"$WORK/twice.json"
refused '[67]' "a" xdplb config apply "$WORK/twice.json"
refused '[36]' "absent\.json" xdplb config apply "$WORK/absent.json"

# Rights: the socket is not for everybody.
refused 5 "permission|denied|root" in_ns dispatcher setpriv --reuid=65534 --regid=65534 --clear-groups "$XDPLB_BIN/xdplb" status

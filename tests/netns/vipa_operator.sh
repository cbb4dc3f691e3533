#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A person at the keyboard: who owns what, in words and as JSON; moves by hand, out of service and back, interfaces too; every mistake is one
# clear line. What was said survives the daemon's death. When nothing is left that could own a VIPA: silence, and a problem.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
dispatcher_up 3 --failback immediate
xdplb set --up-delay 0s >/dev/null

# says PATTERN COMMAND...: a text answer that has the pattern, each space of which is any white space.
says() {
  local words=$1 pattern=${1// /[[:space:]]+}
  shift
  "$@" >"$WORK/text" 2>&1 || fail "'$*': $(cat "$WORK/text")"
  tr '\n' ' ' <"$WORK/text" | grep -Eq -- "$pattern" || fail "'$*' does not say '$words': $(cat "$WORK/text")"
  ok "${*:2} says '$words'"
}
# is ADDRESS WHAT EXPRESSION: soon true of `vipa show ADDRESS`.
is() { wait_until 10 vipa_is "$1" "$3" && ok "$2" || fail "$2: $(xdplb vipa show "$1")"; }
who_has() {
  local own=$CLIENT4
  [[ $1 != *:* ]] || own=$CLIENT6
  in_ns client python3 "$NETNS_DIR/neighbour_probe.py" eth0 "$own" "$1"
}
answers() { expect_equal "$1 is answered by" "${2:+$(adapter_mac "$2")}" "$(who_has "$1")"; }
problem_is() { [[ $(status_json | json "any($1 for p in d['problems'])") == true ]]; }
status_code() {
  local code=0
  xdplb status >"$WORK/text" 2>&1 || code=$?
  echo $code
}
no_problems() { [[ $(status_json | json 'd["problems"]') == "[]" ]]; }

# ---- what there is to see
says "VIPA CLUSTER STATE OWNER SINCE LIST REASON" xdplb vipa list
says "10\.1\.1\.7 web owned e0 .* e0 e1 e2 " xdplb vipa list
says "fd00:1::7 web owned e0 " xdplb vipa list
says "vipa 10\.1\.1\.7 state owned for .* owner e0 why .* failback immediate .* ENTRY INTERFACE STATE REASON e0 e0 up " xdplb vipa show $VIPA4
expect_equal "vipa list as JSON" '["10.1.1.7", "fd00:1::7"]' "$(xdplb -j vipa list | json '[v["address"] for v in d if v["state"] == "owned" and v["owner"] == "e0" and v["pinned"] is None]')"
says "e0 up .* e1 up .* e2 up " xdplb interface list
expect_equal "interface list as JSON" '["e0", "e1", "e2"]' "$(xdplb -j interface list | json '[i["name"] for i in d if i["loaded"] and i["state"] == "up" and i["admin"] == "enabled"]')"
expect_equal "VIPAs of e0" '["10.1.1.7", "fd00:1::7"]' "$(xdplb -j interface list | json '[i["vipas"] for i in d if i["name"] == "e0"][0]')"
no_problems || fail "problems at the start: $(xdplb status)"

# ---- mistakes
expect_error 3 '10\.1\.1\.99' xdplb vipa show 10.1.1.99
expect_error 3 '10\.1\.1\.99' xdplb vipa move 10.1.1.99 e1
expect_error 3 '10\.1\.1\.99' xdplb vipa resume 10.1.1.99
expect_error 3 '10\.1\.1\.99' xdplb vipa deactivate 10.1.1.99
expect_error 3 '10\.1\.1\.99' xdplb vipa remove 10.1.1.99
expect_error 3 'nosuch0' xdplb interface disable nosuch0
expect_error 3 'e9' xdplb vipa move $VIPA4 e9
expect_error 2 'nonsense' xdplb vipa show nonsense
expect_error '[267]' 'e1.*twice|twice.*e1' xdplb vipa set $VIPA4 --prefer e0,e1,e1
expect_error '[267]' 'other family' xdplb vipa set $VIPA4 --prefer e0,fd00:1::5
expect_error '[267]' 'VIPA' xdplb vipa set $VIPA4 --prefer e0,$VIPA4
expect_error 2 '10\.1\.1\.300' xdplb vipa set $VIPA4 --prefer 10.1.1.300
expect_error 2 'sometimes' xdplb vipa set $VIPA4 --failback sometimes
expect_error 2 'hold' xdplb vipa set $VIPA4 --hold 3601s
expect_error 2 'proxy' xdplb vipa set $VIPA4 --prefer e0 --proxy s1
expect_error 3 's9' xdplb vipa set $VIPA4 --prefer none --proxy s9
expect_error '[267]' 'multicast' xdplb vipa set 224.0.0.1 --prefer e0
expect_error '[267]' 'local' xdplb vipa set $VIPA4 --prefer auto --local on
expect_error 2 'ADDRESS' xdplb vipa move
# The same as JSON: a document that names the error.
xdplb -j vipa move 10.1.1.99 e1 >"$WORK/error.json" 2>"$WORK/stderr" && fail "a move of nothing succeeded"
expect_equal "exit code of an error in JSON" true "$(json '"10.1.1.99" in json.dumps(d) and isinstance(d, dict)' <"$WORK/error.json")"
is $VIPA4 "nothing of this changed anything" 'd["owner"] == "e0" and [e["name"] for e in d["preferred"]] == ["e0", "e1", "e2"] and d["failback"] == "immediate"'

# ---- moves by hand
says "vipa 10\.1\.1\.7:? moved to e2" xdplb vipa move $VIPA4 e2
answers $VIPA4 2
answers $VIPA6 0
says "stays there already" xdplb vipa move $VIPA4 e2
says "owner e2 .* moved to e2 .* last move e0 -> e2, operator" xdplb vipa show $VIPA4
pull dispatcher 1
is $VIPA4 "e1 has failed, and everybody sees it" 'd["preferred"][1]["state"] == "failed"'
expect_error '[17]' 'e1' xdplb vipa move $VIPA4 e1
says "e0 e1\* e2" xdplb vipa list
expect_equal "exit code of status with a failed interface" 1 "$(status_code)"
plug dispatcher 1
wait_until 10 no_problems || fail "problems: $(xdplb status)"
is $VIPA4 "the pin holds" 'd["owner"] == "e2" and d["pinned"] == "e2"'

# ---- out of service
says "vipa fd00:1::7:? deactivated" xdplb vipa deactivate $VIPA6
answers $VIPA6
says "so already|unchanged|already" xdplb vipa deactivate $VIPA6
says "fd00:1::7 web disabled" xdplb vipa list
expect_error '[17]' 'fd00:1::7' xdplb vipa move $VIPA6 e1
says "interface e0:? disabled" xdplb interface disable e0
says "e0 disabled" xdplb interface list
problem_is "p['code'] == 'interface_disabled' and p['object'] == 'e0'" || fail "no problem: $(xdplb status)"
expect_error '[17]' 'e0' xdplb vipa move $VIPA4 e0

# ---- the daemon dies
kill9
answers $VIPA4
xdplb --timeout 60 load e0 e1 e2 >"$WORK/load.out" 2>&1 || fail "load: $(cat "$WORK/load.out")"
is $VIPA4 "after the restart e2 owns it, where it was moved to" 'd["state"] == "owned" and d["owner"] == "e2" and d["pinned"] == "e2" and d["failback"] == "immediate"'
is $VIPA6 "after the restart it is out of service still" 'd["state"] == "disabled"'
answers $VIPA4 2
answers $VIPA6
expect_equal "e0 after the restart" disabled "$(xdplb -j interface list | json '[i["admin"] for i in d if i["name"] == "e0"][0]')"
says "follows its list again" xdplb vipa resume $VIPA4
is $VIPA4 "back to the first healthy one" 'd["owner"] == "e1" and d["pinned"] is None'
says "interface e0:? enabled" xdplb interface enable e0
is $VIPA4 "e0 may own it again" 'd["owner"] == "e0"'
says "vipa fd00:1::7:? reactivated" xdplb vipa reactivate $VIPA6
is $VIPA6 "in service again" 'd["state"] == "owned" and d["owner"] == "e0"'
wait_until 10 no_problems || fail "problems: $(xdplb status)"

# ---- nothing is left
for i in 0 1 2; do pull dispatcher $i; done
for address in $VIPA4 $VIPA6; do
  is "$address" "$address is silent" 'd["state"] == "silent" and d["owner"] is None and d["reason"] != ""'
  problem_is "p['code'] == 'vipa_silent' and p['object'] == '$address'" || fail "no problem: $(xdplb status)"
done
expect_equal "exit code of status" 1 "$(status_code)"
grep -q "$VIPA4" "$WORK/text" && ok "status: $(grep -m 1 "$VIPA4" "$WORK/text")" || fail "status does not name it: $(cat "$WORK/text")"
event_is "e['code'] == 'vipa_silent'" || fail "no event: $(xdplb events)"
for i in 0 1 2; do plug dispatcher $i; done
for address in $VIPA4 $VIPA6; do is "$address" "$address is owned again" 'd["owner"] == "e0"'; done

# ---- an address without options
says "vipa 10\.1\.1\.7:? removed" xdplb vipa remove $VIPA4
is $VIPA4 "owned by the defaults" 'd["owner"] == "e0" and d["failback"] == "delayed" and [e["name"] for e in d["preferred"]] == ["e0", "e1", "e2"]'
says "vipa 10\.1\.1\.77" xdplb vipa set 10.1.1.77 --prefer e1
is 10.1.1.77 "a VIPA of no cluster is owned, too" 'd["owner"] == "e1" and d["clusters"] == []'
answers 10.1.1.77 1
says "removed" xdplb vipa remove 10.1.1.77
answers 10.1.1.77
expect_error 3 '10\.1\.1\.77' xdplb vipa show 10.1.1.77

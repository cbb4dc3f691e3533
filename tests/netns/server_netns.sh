#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# xdplb-server and namespaces: two servers of one host with the same VIPA, entered by name and by process, apart from each other; the host's
# own network is said to be one. A dry run changes nothing, a second setup has nothing to do, remove undoes what a setup that was killed
# had done; every mistake is one line and its exit code; without root check tells what it can.
source "$(dirname "$0")/lib_server.sh"
server_lab_up

same_state() { cmp -s "$WORK/$2" "$WORK/$3" || fail "$1: $(diff "$WORK/$2" "$WORK/$3")"; ok "$1"; }
lines() { grep -c . "$WORK/$1" || true; }
# names: what the third machine gets of the VIPA through the MAC of each server.
name_through() {
  ip -n "$LAB-third" neighbour replace $VIPA4 lladdr "$1" nud permanent dev eth0
  http_names third $VIPA4 1
  ip -n "$LAB-third" neighbour delete $VIPA4 dev eth0
}

# ---- two servers of one host
server_new bare
FIRST=$SERVER FIRST_MAC=$SERVER_MAC FIRST_PID=$SERVICE
server_new bare
SECOND=$SERVER SECOND_MAC=$SERVER_MAC
state second_before
SERVER=$FIRST
state first_before

server_tool setup $VIPA4 $VIPA6 --dry-run --netns "$LAB-$FIRST" >"$WORK/dry" 2>&1 || true
state first_dry
same_state "a dry run changes nothing" first_before first_dry
[[ ! -e $RECORDS/netns-$LAB-$FIRST.json ]] || fail "a dry run is recorded: $(cat "$RECORDS/netns-$LAB-$FIRST.json")"
setup_server
expect_equal "exit of setup" 0 "$EXIT"
# What a dry run says is what setup does.
changes() { grep -E '^ *(sysctl|address|route|link|neigh|nft)[^:]* ' "$1" | sed 's/^ *//' || true; }
expect_number "changes that setup tells" "$(changes "$WORK/setup.out" | grep -c .)" '>=' 4
expect_equal "changes of the dry run" "$(changes "$WORK/setup.out")" "$(changes "$WORK/dry")"
state first_after
setup_server
state first_again
same_state "a second setup changes nothing" first_after first_again
expect_equal "changes that the second setup tells" "" "$(changes "$WORK/setup.out")"
[[ $EXIT == 0 ]] || fail "exit of the second setup: $EXIT: $(setup_said)"
SERVER=$SECOND
state second_meanwhile
same_state "the other namespace is as it was" second_before second_meanwhile

setup_server
expect_equal "setup of the other one, exit" 0 "$EXIT"
expect_equal "who answers through the MAC of the first" "$FIRST" "$(name_through "$FIRST_MAC")"
expect_equal "who answers through that of the second" "$SECOND" "$(name_through "$SECOND_MAC")"

# By a process in it: the same namespace, the same findings.
by_name=$(server_tool check $VIPA4 $VIPA6 --port 80 --netns "$LAB-$FIRST" -j)
by_pid=$(server_tool check $VIPA4 $VIPA6 --port 80 --netns "$FIRST_PID" -j)
expect_equal "check by process as by name" "$by_name" "$by_pid"
SERVER=$FIRST
OTHER4=192.0.2.11
server_tool setup $OTHER4 --netns "$LAB-$FIRST" >/dev/null || fail "setup of a second VIPA"
server_tool remove $VIPA4 --netns "$LAB-$FIRST" >/dev/null || fail "remove $VIPA4"
expect_equal "remove of one VIPA leaves the others" "$OTHER4 $VIPA6" "$(sip -o address show dev lo | grep -oE "$VIPA4|$OTHER4|$VIPA6" | sort | paste -sd' ')"
expect_equal "what both need stays" "1 2" "$(s sysctl -n net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce | paste -sd' ')"
server_tool remove --all --netns "$LAB-$FIRST" >/dev/null || fail "remove --all"
state first_back
same_state "removed: the first is as it was" first_before first_back
expect_equal "the second still answers" "$SECOND" "$(name_through "$SECOND_MAC")"
SERVER=$SECOND
state second_before_dry
server_tool remove $VIPA4 --dry-run --netns "$LAB-$SECOND" >"$WORK/dry" || fail "remove --dry-run"
state second_dry
same_state "a dry run of remove changes nothing" second_before_dry second_dry
remove_server
state second_back
same_state "removed: the second is as it was" second_before second_back

# By a process, changes and back.
SERVER=$FIRST
server_tool setup $VIPA4 --netns "$FIRST_PID" >"$WORK/setup.out" 2>&1 || fail "setup by process: $(cat "$WORK/setup.out")"
expect_equal "alias, by a setup by process" 1 "$(sip -o address show dev lo | grep -c "$VIPA4/32")"
server_tool remove $VIPA4 --netns "$FIRST_PID" >"$WORK/remove.out" 2>&1 || fail "remove by process: $(cat "$WORK/remove.out")"
state first_back
same_state "removed by process: as it was" first_before first_back

# The network of this host is one. Its state is only read.
server_tool check $VIPA4 --netns $$ >"$WORK/host" 2>&1 || true
grep -q "shares the host's network" "$WORK/host" || fail "nothing says that it is the host's network: $(cat "$WORK/host")"
ok "a process in the host's network: $(grep -m1 "shares the host's network" "$WORK/host")"

# ---- killed in the middle
# Each time a little later, until a few setups are through before the signal comes.
killed=0 recorded=0 through=0 microseconds=1000
while ((through < 3)); do
  ((microseconds < 10000000)) || fail "setup takes more than 10 s"
  end=$(python3 "$NETNS_DIR/kill_after.py" $microseconds "$XDPLB_BIN/xdplb-server" setup $VIPA4 $VIPA6 --netns "$LAB-$FIRST")
  if [[ $end == killed ]]; then killed=$((killed + 1)); else through=$((through + 1)); fi
  if [[ -e $RECORDS/netns-$LAB-$FIRST.json ]]; then
    [[ $end != killed ]] || recorded=$((recorded + 1))
    server_tool remove --all --netns "$LAB-$FIRST" >"$WORK/remove.out" 2>&1 || fail "remove after a killed setup: $(cat "$WORK/remove.out")"
  fi
  state first_back
  cmp -s "$WORK/first_before" "$WORK/first_back" || fail "killed after $microseconds us, then removed: $(diff "$WORK/first_before" "$WORK/first_back")"
  microseconds=$((microseconds + microseconds / 12))
done
expect_number "setups killed in the middle, each undone" $killed '>=' 10
expect_number "of them such with a record" $recorded '>=' 2
say "setup took at most $microseconds us"

# ---- mistakes
unchanged() {
  expect_error "$@"
  state first_back
  cmp -s "$WORK/first_before" "$WORK/first_back" || fail "'${*:3}' changes something: $(diff "$WORK/first_before" "$WORK/first_back")"
}
IN=(--netns "$LAB-$FIRST")
unchanged 2 "192\.0\.2\.300" server_tool check 192.0.2.300 "${IN[@]}"
unchanged 2 "192\.0\.2\.10/24" server_tool setup 192.0.2.10/24 "${IN[@]}"
unchanged 2 "frobnicate" server_tool frobnicate
unchanged 2 "" server_tool setup "${IN[@]}"
unchanged 2 "70000" server_tool check $VIPA4 --port 70000 "${IN[@]}"
unchanged 2 "sctp" server_tool check $VIPA4 --port 80/sctp "${IN[@]}"
unchanged 2 "magic" server_tool setup $VIPA4 --method magic "${IN[@]}"
unchanged 2 "magic" server_tool setup $VIPA4 --persist magic "${IN[@]}"
unchanged 2 "127\.0\.0\.1" server_tool setup 127.0.0.1 "${IN[@]}"
unchanged 2 "224\.0\.0\.1" server_tool setup 224.0.0.1 "${IN[@]}"
unchanged 2 "0\.0\.0\.0" server_tool setup 0.0.0.0 "${IN[@]}"
unchanged 2 "fe80" server_tool setup fe80::1 "${IN[@]}"
unchanged 3 "absent-$$" server_tool check $VIPA4 --netns absent-$$
unchanged 3 "4194305" server_tool check $VIPA4 --netns 4194305
unchanged 3 "\.\./" server_tool check $VIPA4 --netns ../../proc/self/ns/net
unchanged 3 "192\.0\.2\.77" server_tool remove 192.0.2.77 "${IN[@]}"
for option in --help --version; do server_tool $option >"$WORK/out" || fail "$option: exit $?"; done
ok "--help and --version"

# ---- without root
mkdir -m 755 "$WORK/public"
chmod 711 "$WORK"
install -m 755 "$XDPLB_BIN/xdplb-server" "$WORK/public/xdplb-server"
nobody() { s setpriv --reuid=65534 --regid=65534 --clear-groups "$WORK/public/xdplb-server" "$@"; }
unchanged 5 "permission|root" nobody setup $VIPA4
unchanged 5 "permission|root" nobody remove $VIPA4
code=0
nobody check $VIPA4 $VIPA6 --port 80 -j >"$WORK/check.json" 2>"$WORK/check.err" || code=$?
expect_equal "check of a bare server without root" "alias_missing arp_announce arp_ignore" "$(python3 "$NETNS_DIR/fault_codes.py" check "$WORK/check.json" $code | sed 's, / .*,,')"
right_by_hand
code=0
nobody check $VIPA4 $VIPA6 --port 80 -j >"$WORK/check.json" 2>"$WORK/check.err" || code=$?
expect_equal "check of a right server without root" "clean" "$(python3 "$NETNS_DIR/fault_codes.py" check "$WORK/check.json" $code | sed 's, / .*,,')"

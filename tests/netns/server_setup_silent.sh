#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On a busy LAN, where everybody asks for the VIPAs all the time, and on a server that has something to send from them: not one ARP or ND
# answer for a VIPA, and no question in its name, leaves the server while `setup` and `remove` run, round after round. When it begins with
# a server that answers: none from the moment at which both settings are right until `remove` takes them back.
source "$(dirname "$0")/lib_server.sh"
server_lab_up
ROUNDS=${XDPLB_ROUNDS:-12}
# The wire's time stamp and the setting are read by two processors.
GRACE_S=0.005

# busy_server KIND: a server, everybody asks it, it asks for many; what it says on LAN A is in the file $SERVER.wire.
busy_server() {
  local pairs=("$THIRD4,$VIPA4" "$THIRD6,$VIPA6")
  server_new "$1"
  # The kernel asks for who does not answer again at once.
  sys ipv4.neigh.eth0.retrans_time_ms=50 ipv6.neigh.eth0.retrans_time_ms=50
  spawn switch "$SERVER.wire.log" python3 "$NETNS_DIR/neighbour_capture.py" "$WORK/$SERVER.wire" "$SERVER-eth0"
  wait_until 60 test -e "$WORK/$SERVER.wire" || fail "capture: $(cat "$WORK/$SERVER.wire.log")"
  spawn third "$SERVER.asker" python3 "$NETNS_DIR/asker.py" --every 0.001 --probes --unicast "$SERVER_MAC" eth0 "${pairs[@]}"
  ASKER=$SPAWNED
  # shellcheck disable=SC2046  # words
  spawn "$SERVER" "$SERVER.speaker4" python3 "$NETNS_DIR/speaker.py" $VIPA4 $(seq -f 192.0.2.%g 200 219)
  # shellcheck disable=SC2046
  spawn "$SERVER" "$SERVER.speaker6" python3 "$NETNS_DIR/speaker.py" $VIPA6 $(seq -f 2001:db8:1::%g 200 219)
}
busy_ends() {
  kill -9 "$ASKER"
  wait_until 10 gone "$ASKER" || fail "asker $ASKER does not end"
  server_drop
}
wire() { python3 "$NETNS_DIR/vipa_frames.py" "$WORK/$SERVER.wire" "$1"; }
wire_is() { [[ $(wire "$1") == true ]]; }
now() { date +%s.%N; }
heard() { sip -j -s link show dev eth0 | json "d[0]['stats64']['rx']['packets']"; }
# claims SINCE [UNTIL]: how many frames of the server said since then that it has a VIPA, or asked in its name.
claims() { wire "len(said('$VIPA4', $1, ${2:-9e9}) + said('$VIPA6', $1, ${2:-9e9}))"; }
expect_silence() {
  local seen
  seen=$(claims "$2" "${3:-9e9}")
  [[ $seen == 0 ]] || fail "$1: $seen frames of the server claim a VIPA, the first: $(wire "(said('$VIPA4', $2) + said('$VIPA6', $2))[0]")"
  ok "$1: not one frame claims a VIPA"
}
# asked_since TIME: the server itself asked for somebody since then, so its frames are seen.
asked_since() { wire_is "any(x['kind'] == 'question' for x in pick($1))"; }
set_up() {
  setup_server
  [[ $EXIT == 0 ]] || fail "setup: exit $EXIT: $(setup_said)"
}
taken_back() {
  remove_server
  [[ $EXIT == 0 ]] || fail "remove: exit $EXIT: $(remove_said)"
}

# ---- what careless hands do
busy_server bare
start=$(now)
alias_add $VIPA4
answers_and_asks() { wire_is "any(x['kind'] == 'answer' for x in said('$VIPA4', $start)) and any(x['kind'] == 'question' for x in said('$VIPA4', $start))"; }
wait_until 20 answers_and_asks || fail "control: an alias without settings should answer and ask: $(wire "f[-5:]")"
ok "control: an alias without settings answers, and asks in the VIPA's name"
sip address delete $VIPA4/32 dev lo
start=$(now)
sip address add $VIPA6/128 dev eth0 nodad
advertises() { wire_is "len(said('$VIPA6', $start)) > 0"; }
wait_until 20 advertises || fail "control: an IPv6 address of the NIC should be advertised"
ok "control: an IPv6 address of the NIC is advertised"
busy_ends

# ---- setup and remove, round after round
rounds() {
  local what=$1 start before round aliased
  start=$(now)
  before=$(heard)
  for ((round = 0; round < ROUNDS; round++)); do
    set_up "${@:2}"
    aliased=$(now)
    wait_until 10 asked_since "$aliased" || fail "$what: the server does not ask for anybody"
    taken_back
  done
  expect_silence "$what: $ROUNDS times setup and remove" "$start"
  expect_number "$what: questions and datagrams that the server heard meanwhile" $(($(heard) - before)) '>=' $((ROUNDS * 100))
  expect_number "$what: questions of its own" "$(wire "len(pick($start, kind='question'))")" '>=' $((ROUNDS * 5))
}
busy_server bare
rounds "bare server"
busy_ends
busy_server dual
sip address delete $VIPA4/32 dev lo
sip address delete $VIPA6/128 dev lo
sip address add $VIPA4/24 dev lo
rounds "wide alias, silent"
busy_ends

# ---- servers that answer before
wide() { sip address delete "$VIPA4/32" dev lo && sip address add "$1" dev lo; }
# leaking NAME COMMAND: setup ends it at once, remove brings it back.
leaking() {
  local name=$1 silent_since silent_until
  busy_server dual
  eval "$2"
  LEAK_START=$(now)
  wait_until 20 leaks || fail "$name: the server should answer"
  spawn "$SERVER" "$SERVER.settings.log" python3 "$NETNS_DIR/setting_watch.py" "$WORK/$SERVER.settings" net/ipv4/conf/all/arp_ignore net/ipv4/conf/all/arp_announce
  wait_until 10 test -s "$WORK/$SERVER.settings" || fail "setting_watch.py: $(cat "$WORK/$SERVER.settings.log")"
  set_up
  DONE=$(now)
  wait_until 10 asked_since "$DONE" || fail "$name: the server does not ask for anybody"
  silent_until=$(now)
  expect_silence "$name: after setup" "$DONE" "$silent_until"
  silent_since=$(settings_right)
  expect_silence "$name: since the settings were right, $(python3 -c "print('%.1f ms before setup ended' % (1000 * ($DONE - $silent_since)))")" \
    "$(python3 -c "print($silent_since + $GRACE_S)")" "$silent_until"
  taken_back
  LEAK_START=$(now)
  wait_until 20 leaks || fail "$name: remove should bring back what was"
  wait_until 10 changed_back || fail "$name: the settings were not seen to be put back: $(cat "$WORK/$SERVER.settings")"
  expect_silence "$name: until remove took the settings back" "$silent_until" "$(settings_back)"
  busy_ends
}
leaks() { [[ $(claims "$LEAK_START") != 0 ]]; }
settings() { python3 -c 'import json,sys; c=[json.loads(x) for x in open(sys.argv[1])]; print(eval(sys.argv[2]))' "$WORK/$SERVER.settings" "$1"; }
# Both right: arp_ignore 1 and arp_announce 2, since the later of the changes; from the beginning when there was none.
settings_right() { settings "max(x['since'] for x in c if x['value'] == (1 if x['setting'].endswith('ignore') else 2))"; }
# The last moment at which all that setup changed was still there.
changed_back() { [[ $(settings "sum(x['was_until'] is not None for x in c)") -ge 2 ]]; }
settings_back() { settings "min(x['was_until'] for x in c if x['was_until'] and x['value'] != (1 if x['setting'].endswith('ignore') else 2))"; }
leaking "arp_ignore 0" 'sys ipv4.conf.all.arp_ignore=0'
leaking "arp_announce 0" 'sys ipv4.conf.all.arp_announce=0'
leaking "arp_ignore 3 of a global alias" 'sys ipv4.conf.all.arp_ignore=3'
leaking "wide alias, arp_ignore and arp_announce 0" 'sys ipv4.conf.all.arp_ignore=0 ipv4.conf.all.arp_announce=0; wide 192.0.2.10/29'

# ---- an alias that answers whatever the settings are
busy_server dual
sip address add $VIPA4/32 dev eth0
sip address add $VIPA6/128 dev eth0 nodad
LEAK_START=$(now)
wait_until 20 leaks || fail "alias on the NIC: the server should answer"
set_up
DONE=$(now)
wait_until 10 asked_since "$DONE" || fail "alias on the NIC: the server does not ask for anybody"
expect_silence "alias on the NIC: after setup" "$DONE"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the kernel does not tell, or tells too fast (scenarios 18, 37): an adapter from which somebody took the XDP program owns nothing any
# more; and a daemon that missed news because its socket overflowed knows the truth within five seconds.
source "$(dirname "$0")/lib_vipa.sh"
vipa_lan_up
adapters_up dispatcher 3
capture_start wire dispatcher-e0 dispatcher-e1 dispatcher-e2
owner_up 3 --failback immediate --refresh 0
xdplb set --up-delay 0s >/dev/null
all_owned_by() { owner_is $VIPA4 "$1" && owner_is $VIPA6 "$1"; }
# announces_only N SINCE: whoever speaks last is eN, and nobody says a word in its stead.
announces_only() {
  local address since
  for address in $VIPA4 $VIPA6; do
    since="announced('$address', $2, port='dispatcher-e$1')"
    wait_until 5 captured_is wire "len($since) >= 1" || fail "e$1 does not announce $address"
    expect_captured "$address: e$1 announces it after $(captured wire "times($since, $2)[0]") s, and speaks alone" wire \
      "{x['port'] for x in said('$address', ${since}[-1]['t'])} == {'dispatcher-e$1'}"
  done
}

# ---- the program is taken off
DETACHED=$(now)
bpftool link detach pinned "/sys/fs/bpf/xdplb/$XDPLB_INSTANCE/links/e0" || fail "cannot detach e0"
no_program e0 || fail "e0 has a program still"
# No message tells of it: the daemon looks every five seconds.
wait_until 12 all_owned_by e1 || fail "e0 has no program: $(xdplb vipa show $VIPA4)"
vipa_is $VIPA4 "d['last_move']['cause'] == 'no_program'" || fail "cause: $(xdplb -j vipa show $VIPA4 | json 'd["last_move"]')"
announces_only 1 "$DETACHED"
[[ $(status_json | json "any('e0' in p['object'] and 'XDP' in p['text'] for p in d['problems'])") == true ]] || fail "no problem that names e0 and its program: $(status_json)"
xdplb unload e0 >/dev/null
xdplb --timeout 60 load e0 >/dev/null
wait_until 15 all_owned_by e0 || fail "e0 has its program again: $(xdplb vipa show $VIPA4)"
ok "e0 has its program again, and the VIPAs"

# ---- the news overflows
ip -n "$LAB-dispatcher" link add flap0 type veth peer name flap1
# Messages lost by those who listen to groups of netlink in the host's namespace: the daemon.
dropped() { in_ns dispatcher cat /proc/net/netlink | awk 'NR > 1 && $4 !~ /^0+$/ { sum += $9 } END { print sum + 0 }'; }
# overflow: the daemon stands still, and misses news.
overflow() {
  local before
  before=$(dropped)
  kill -STOP "$PID"
  for _ in $(seq 20); do
    ip -n "$LAB-dispatcher" -batch "$WORK/events"
    (($(dropped) == before)) || break
  done
  expect_number "messages that the daemon missed" $(($(dropped) - before)) '>=' 1
}
for i in $(seq 1000); do printf 'link set flap0 mtu %d\n' $((1400 + i % 50)); done >"$WORK/events"
PID=$(daemon_pid)
overflow
pull dispatcher 0
kill -CONT "$PID"
CONTINUED=$(now)
wait_until 6 all_owned_by e1 || fail "the daemon missed that e0 has no carrier: $(xdplb vipa show $VIPA4)"
expect_captured "e1 announces $(captured wire "times(announced('$VIPA4', $CONTINUED), $CONTINUED)[0]") s after the daemon goes on" wire "announced('$VIPA4', $CONTINUED, port='dispatcher-e1')[0]['t'] - $CONTINUED <= 5"
announces_only 1 "$CONTINUED"

# The other way round, and everything else that there is to miss, too.
overflow
plug dispatcher 0
ip -n "$LAB-dispatcher" link set e1 down
kill -CONT "$PID"
wait_until 6 all_owned_by e0 || fail "the daemon missed that e0 has carrier: $(xdplb vipa show $VIPA4)"
kernel_and_daemon_agree() {
  vipa_is $VIPA4 "{p['interface']: p['healthy'] for p in d['preferred']} == {'e0': True, 'e1': False, 'e2': True}"
}
wait_until 6 kernel_and_daemon_agree || fail "after the overflow: $(xdplb vipa show $VIPA4)"
ok "the daemon knows what the kernel knows"

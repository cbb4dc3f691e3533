# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# SPDX-License-Identifier: GPL-2.0-only
# The laboratory of servers: two LANs, a router, a third machine that looks at the servers from LAN A, and one server after the other,
# each in a namespace of its own: right at first, then broken by one line of a table. Source it instead of lib.sh, then call server_lab_up.
#
#   third .100 --+-- LAN A 192.0.2.0/24 2001:db8:1::/64 ----+-- eth0 server .N
#   router .1 ---+-- LAN B 198.51.100.0/24 2001:db8:2::/64 -+-- eth1 server .N, when it has two
#
# A server is as a distributor ships it (arp_ignore 0, rp_filter 2, accept_dad 1) but for what its kind says. xdplb-server runs in this
# host's own namespace and enters the server's by --netns.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RECORDS=/var/lib/xdplb-server
THIRD4=192.0.2.100
THIRD6=2001:db8:1::100
SERVER_NUMBER=0
FAILURES=()

# ---- the lab -------------------------------------------------------------------------------------------------------

server_lab_up() {
  [[ $EUID == 0 ]] || fail "network namespaces need root"
  [[ -x ${XDPLB_BIN:-}/xdplb-server ]] || fail "XDPLB_BIN must name the folder with xdplb-server, for example build/release/bin"
  WORK=$(mktemp -d "/tmp/$LAB.XXXXXX")
  server_traps
  ns_add switch
  bridge_add a
  bridge_add b
  ns_add router
  in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0
  cable router eth0 a 02:00:00:00:0a:01 192.0.2.1/24 2001:db8:1::1/64
  cable router eth1 b 02:00:00:00:0b:01 198.51.100.1/24 2001:db8:2::1/64
  ns_add third
  cable third eth0 a 02:00:00:00:0c:01 $THIRD4/24 $THIRD6/64
}

server_traps() {
  trap server_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# What setup wrote down of servers that no longer are goes, too.
server_end() {
  local code=$?
  set +e
  rm -f "$RECORDS/netns-$LAB-"*
  rmdir "$RECORDS" 2>/dev/null
  # lan_end ends with the code it finds.
  (exit "$code")
  lan_end
}

# machine ROLE: a namespace as a distributor's kernel has it. Nothing here waits for the detection of duplicate addresses, which is on:
# link-local addresses are given by hand, without.
machine() {
  ip netns add "$LAB-$1"
  LAB_NAMESPACES+=("$LAB-$1")
  ip -n "$LAB-$1" link set lo up
  in_ns "$1" sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.default.rp_filter=2
}

# machine_nic ROLE NIC LAN HOST FAMILIES: its NIC, with the addresses .HOST of these families (46, 4 or 6).
machine_nic() {
  cable "$1" "$2" "$3" "$(machine_mac "$3" "$4")"
  nic_addresses "$@"
}
nic_addresses() {
  local role=$1 nic=$2 lan=$3 host=$4 families=$5 net4=192.0.2 net6=2001:db8:1
  [[ $lan == a ]] || { net4=198.51.100 net6=2001:db8:2; }
  {
    [[ $families != *4* ]] || echo "address add $net4.$host/24 dev $nic"
    [[ $families != *6* ]] || echo "address add $net6::$host/64 dev $nic nodad"
    [[ $families != *6* ]] || echo "address add fe80::$host/64 dev $nic nodad"
    [[ $families != *4* || $nic != eth0 ]] || echo "route add default via $net4.1"
    [[ $families != *6* || $nic != eth0 ]] || echo "route add default via $net6::1"
  } | ip -n "$LAB-$role" -batch -
}
machine_mac() {
  local lan=01
  [[ $1 == a ]] || lan=02
  printf '02:00:00:00:%s:%02x' $lan "$2"
}

# server_new KIND [PORT]: the server SERVER with addresses SERVER4, SERVER6, and a web server on port 80 or this one; VIPAS is what it is a server for. Kinds:
#   dual, v4, v6  one NIC, addresses and VIPAs of both families or one, set up right by hand
#   nics          as dual, with a second NIC on LAN B
#   bare, bare_v4, bare_v6, bare_nics  the same, not set up at all
server_new() {
  local families=46
  SERVER_NUMBER=$((SERVER_NUMBER + 1))
  SERVER=n$SERVER_NUMBER
  SERVER_HOST=$((20 + SERVER_NUMBER))
  ((SERVER_HOST < 100)) || fail "more than 79 servers in one script"
  SERVER4=192.0.2.$SERVER_HOST SERVER6=2001:db8:1::$SERVER_HOST
  SERVER_MAC=$(machine_mac a "$SERVER_HOST")
  VIPAS=("$VIPA4" "$VIPA6")
  case $1 in
    *v4) families=4 VIPAS=("$VIPA4") ;;
    *v6) families=6 VIPAS=("$VIPA6") ;;
  esac
  machine "$SERVER"
  machine_nic "$SERVER" eth0 a "$SERVER_HOST" $families
  [[ $1 != *nics ]] || machine_nic "$SERVER" eth1 b "$SERVER_HOST" $families
  [[ $1 == bare* ]] || right_by_hand
  service "${2:-80}"
}

# What docs/server-setup.md says to type.
right_by_hand() {
  local address
  s sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  for address in "${VIPAS[@]}"; do alias_add "$address"; done
}
alias_add() { if [[ $1 == *:* ]]; then sip address add "$1/128" dev lo nodad; else sip address add "$1/32" dev lo; fi; }

# service [PORT [ADDRESS...]]: a web server that says the server's name; its pid is in SERVICE.
service() {
  spawn "$SERVER" "$SERVER.web-${1:-80}" python3 "$NETNS_DIR/stream_server.py" "$SERVER" "${1:-80}" "${@:2}"
  wait_until 30 listens "${1:-80}" || fail "web server of $SERVER: $(cat "$WORK/$SERVER.web-${1:-80}")"
  SERVICE=$SPAWNED
}
listens() { [[ -n $(s ss -Hltn "sport = :$1") ]]; }
service_ends() {
  kill -9 "$SERVICE"
  wait_until 10 gone "$SERVICE" || fail "web server $SERVICE does not end"
}

# server_drop: the server is gone, and what setup wrote down of it.
server_drop() {
  local pids port
  pids=$(ip netns pids "$LAB-$SERVER")
  # shellcheck disable=SC2086  # one word a pid
  [[ -z $pids ]] || kill -9 $pids 2>/dev/null || true
  # A namespace ends when the kernel has time for it: its cables go now.
  for port in eth0 eth1; do ip -n "$LAB-switch" link delete "$SERVER-$port" 2>/dev/null || true; done
  ip netns delete "$LAB-$SERVER"
  rm -f "$RECORDS/netns-$LAB-$SERVER.json"
}

# ---- words of the tables -------------------------------------------------------------------------------------------

# s COMMAND...: on the server. sip: ip on the server; sys NAME=VALUE...: its settings below net/.
s() { in_ns "$SERVER" "$@"; }
sip() { ip -n "$LAB-$SERVER" "$@"; }
sys() { s sysctl -qw "${@/#/net.}"; }
nft_rules() { s nft -f - <<<"$*"; }
# drops HOOK RULE [POLICY]
drops() {
  nft_rules "table inet filter {
    chain $1 {
      type filter hook $1 priority 0; policy ${3:-accept};
      $2
    }
  }"
}

# ---- the programs --------------------------------------------------------------------------------------------------

server_tool() { "$XDPLB_BIN/xdplb-server" "$@"; }

# check_codes [OPTION...]: what `check` says of the server: the codes of its faults, sorted, then / and those of its warnings. The document
# is in $WORK/check.json.
check_codes() {
  local code=0
  server_tool check "${VIPAS[@]}" --port 80 --netns "$LAB-$SERVER" -j "$@" >"$WORK/check.json" 2>"$WORK/check.err" || code=$?
  python3 "$NETNS_DIR/fault_codes.py" check "$WORK/check.json" "$code" || echo "exit $code: $(cat "$WORK/check.err")"
}

# verify_codes: what `verify` says of it from the third machine, in the same way; in $WORK/verify.json.
verify_codes() {
  local code=0 options=() vipa
  for vipa in "${VIPAS[@]}"; do options+=(--vipa "$vipa"); done
  [[ ${VIPAS[0]} == *:* ]] && options+=(--server "$SERVER6") || options+=(--server "$SERVER4")
  in_ns third "$XDPLB_BIN/xdplb" -j verify "${options[@]}" --port 80/tcp --interface eth0 --owner none --wait 300ms >"$WORK/verify.json" 2>"$WORK/verify.err" || code=$?
  python3 "$NETNS_DIR/fault_codes.py" verify "$WORK/verify.json" "$code" || echo "exit $code: $(cat "$WORK/verify.err")"
}

# setup_server [OPTION...], remove_server [OPTION...]: what they say is in $WORK/setup.out and .err, their exit code in EXIT.
setup_server() {
  EXIT=0
  server_tool setup "${VIPAS[@]}" --port 80 --netns "$LAB-$SERVER" "$@" >"$WORK/setup.out" 2>"$WORK/setup.err" || EXIT=$?
}
remove_server() {
  EXIT=0
  server_tool remove "${VIPAS[@]}" --netns "$LAB-$SERVER" "$@" >"$WORK/remove.out" 2>"$WORK/remove.err" || EXIT=$?
}
setup_said() { cat "$WORK/setup.out" "$WORK/setup.err"; }
remove_said() { cat "$WORK/remove.out" "$WORK/remove.err"; }

# state FILE: all that a set-up is made of, as the kernel has it.
state() {
  {
    # Whether detection of duplicates is over is no setting.
    sip -d address | sed 's/ tentative//'
    sip -4 route show table all
    sip -6 route show table all
    sip -4 rule
    sip -6 rule
    sip -4 neighbour show proxy
    sip -6 neighbour show proxy
    # Some can only be written.
    s grep -rs '' /proc/sys/net/ipv4 /proc/sys/net/ipv6 | grep -v '/neigh/' | sort || true
    s nft list ruleset
  } >"$WORK/$1"
}

# ---- the matrix ----------------------------------------------------------------------------------------------------

# wrong TEXT: one more failure; the matrix goes on.
wrong() {
  printf 'WRONG: %s\n' "$*" >&2
  FAILURES+=("$*")
}
# right WHAT EXPECTED SEEN [MORE...]: true when both are the same.
right() {
  [[ $2 == "$3" ]] && return
  wrong "$1: expected '$2', saw '$3' ${*:4}"
  return 1
}

# matrix KIND: a table on stdin, a row a broken set-up, its columns parted by |; the first line may name them.
#   what is broken | how | faults of check | faults of verify | faults of check after setup
# Codes are sorted and parted by blanks, "clean" is none; warnings follow a /. verify is not asked when its column is -.
matrix() {
  local kind=$1 name how check verify after
  while IFS='|' read -r -u 3 name how check verify after; do
    [[ -n $after && $name != "what is broken"* ]] || continue
    matrix_row "$kind" "$(trim "$name")" "$how" "$(trim "$check")" "$(trim "$verify")" "$(trim "$after")"
  done 3<&0
}
trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

matrix_row() {
  local kind=$1 name=$2 how=$3 check=$4 verify=$5 after=$6 cured=clean faults_before=${#FAILURES[@]}
  server_new "$kind"
  eval "$how" || fail "$name: cannot be made: $how"
  right "$name: check" "$check" "$(check_codes)" "$(texts check)" || true
  cp "$WORK/check.json" "$WORK/broken.json"
  [[ $verify == - ]] || right "$name: verify" "$verify" "$(verify_codes)" "$(texts verify)" || true
  # Verify agrees that it is cured, or sees what it saw.
  [[ $after == clean* && $verify != - ]] || cured=-
  [[ $check != "$after" ]] || cured=$verify
  cured_and_back "$name" "$cured" "$after"
  cured_by_hand "$name" "$after"
  server_drop
  [[ $faults_before != "${#FAILURES[@]}" ]] || ok "$name: $check; after setup $after"
}
texts() { json "' '.join('%s: %s.' % (x['code'], x['text']) for x in d['faults'])" <"$WORK/$1.json" 2>/dev/null || true; }

# cured_and_back NAME VERIFY AFTER: setup cures what it can, a second one has nothing to do, remove puts everything back.
cured_and_back() {
  local name=$1 verify=$2 after=$3 seen changes
  state before
  setup_server
  changes=$EXIT
  seen=$(check_codes)
  right "$name: check after setup" "$after" "$seen" "$(texts check) setup: $(setup_said)" || true
  right "$name: exit of setup" "$([[ $seen == clean* ]] && echo 0 || echo 1)" "$changes" "$(setup_said)" || true
  [[ $verify == - ]] || right "$name: verify after setup" "$verify" "$(verify_codes)" "$(texts verify)" || true
  state after
  setup_server
  state again
  cmp -s "$WORK/after" "$WORK/again" || wrong "$name: a second setup changes something: $(diff "$WORK/after" "$WORK/again")"
  put_back "$name"
}

# put_back NAME: remove undoes all that setup did; nothing was recorded when that was nothing.
put_back() {
  local expected=0
  [[ -e $RECORDS/netns-$LAB-$SERVER.json ]] || expected=3
  remove_server
  right "$1: exit of remove" $expected "$EXIT" "$(remove_said)" || true
  state back
  cmp -s "$WORK/before" "$WORK/back" || wrong "$1: remove does not restore: $(diff "$WORK/before" "$WORK/back")"
  [[ ! -e $RECORDS/netns-$LAB-$SERVER.json ]] || wrong "$1: a record is left: $(cat "$RECORDS/netns-$LAB-$SERVER.json")"
}

# cured_by_hand NAME AFTER: the remedies that check names, typed in its order, cure the same.
cured_by_hand() {
  local remedy
  # One remedy may cure two faults.
  json "'\n'.join(dict.fromkeys(x['remedy'] for x in d['faults'] if x['curable']))" <"$WORK/broken.json" >"$WORK/remedies" || return 0
  while read -r -u 4 remedy; do
    [[ -n $remedy ]] || continue
    # Typed on the host, as printed, it acts in the namespace and nowhere else.
    [[ $remedy == "nsenter --net=/run/netns/$LAB-$SERVER sh -c '"* ]] || { wrong "$1: not for the namespace: $remedy"; continue; }
    bash -c "$remedy" >"$WORK/remedy.out" 2>&1 || wrong "$1: '$remedy' fails: $(cat "$WORK/remedy.out")"
  done 4<"$WORK/remedies"
  right "$1: check after the remedies" "$2" "$(check_codes)" "$(texts check) remedies: $(cat "$WORK/remedies")" || true
}

# matrix_end COUNT: so many broken set-ups at least, and nothing was wrong.
matrix_end() {
  expect_number "set-ups" "$SERVER_NUMBER" '>=' "$1"
  ((${#FAILURES[@]} == 0)) || fail "${#FAILURES[@]} of the above are wrong"
}

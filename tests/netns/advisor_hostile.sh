#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Services that are slow, silent, broken, endless or rude: each time the code says what was wrong, in both families; nothing of what
# they send reaches the terminal raw, and the daemon's memory stays as it is.
source "$(dirname "$0")/lib_advisors.sh"
advisors_lan_up
make_ca
make_certificate good $TLS_NAME 200
make_certificate expired $TLS_NAME -3
make_certificate wrong-name other.example.com 200
make_self_signed self-signed $TLS_NAME
server_up s1 a 21

# NAME BEHAVIOUR CODE OPTIONS of advisor set; behaviours: hostile_server.py. SHORT is a time limit of 400 ms.
VERIFY="--verify on --ca-file $WORK/ca.pem --server-name $TLS_NAME"
SHORT="--connect-timeout 400ms --receive-timeout 400ms"
DNS="--type dns --name $TLS_NAME --query-type A"
cat >"$WORK/cases" <<CASES
http-fine          fine          L7OK   --type http --body fine
http-slow          slow          L7OK   --type http
http-too-slow      slow          L7TOUT --type http $SHORT
http-hang          hang          L7TOUT --type http $SHORT
http-full          full          L4TOUT --type http $SHORT
http-half          half          L7RSP  --type http
http-reset         reset         L7RSP|L4CON --type http
http-reset-asked   reset_asked   L7RSP  --type http
http-garbage       garbage       L7RSP  --type http
http-drip          drip          L7TOUT --type http $SHORT
http-cut           cut           L7RSP  --type http --body not-there
http-busy          busy          L7STS  --type http
http-red-status    red_status    L7RSP  --type http
http-red-body      red_body      L7RSP  --type http --body not-there
http-smtp          refusing      L7RSP  --type http
http-not-body      fine          L7RSP  --type http --body not-there
http-not-status    fine          L7STS  --type http --status 204,300-399
connect-full       full          L4TOUT --type connect $SHORT
connect-hang       hang          L4OK   --type connect
https-good         tls:good      L7OK   --type https $VERIFY
https-expired      tls:expired   L6RSP  --type https $VERIFY
https-wrong-name   tls:wrong-name L6RSP --type https $VERIFY
https-self-signed  tls:self-signed L6RSP --type https $VERIFY
https-unverified   tls:expired   L7OK   --type https
https-no-alpn      tls:good      L6RSP  --type https --alpn h2
https-plain        refusing      L6RSP  --type https
https-http         garbage       L6RSP  --type https
https-half         half          L6RSP  --type https
https-hang         hang          L6TOUT --type https $SHORT
https-reset        reset_asked   L6RSP  --type https
connect-tls-expired tls:expired  L6RSP  --type connect --tls on $VERIFY
tcp-not-there      red_greeting  L7TOUT --type tcp --expect welcome $SHORT
tcp-refusing       refusing      L7RSP  --type tcp --expect 220
tcp-hang           greeting_hang L7TOUT --type tcp --expect '220 mail' --expect 250 $SHORT
tcp-half           half          L7RSP  --type tcp --expect 220
tcp-drip           drip_line     L7TOUT --type tcp --expect '220 mail' $SHORT
tcp-reset          reset_asked   L7RSP  --type tcp --send 'HELLO\r\n' --expect 220
smtp-red           red_greeting  L7OK   --type smtp
smtp-refusing      refusing      L7RSP  --type smtp
smtp-hang          greeting_hang L7TOUT --type smtp $SHORT
smtp-silent        hang          L7TOUT --type smtp $SHORT
smtp-drip          drip_line     L7TOUT --type smtp $SHORT
smtp-garbage       garbage       L7RSP  --type smtp
agent-red          red_agent     L7STS  --type agent
agent-hang         hang          L7TOUT --type agent $SHORT
agent-garbage      garbage       L7RSP  --type agent
agent-half         half          L7RSP  --type agent
dns-tcp-promise    dns_promise   L7TOUT $DNS --over-tcp on $SHORT
dns-tcp-garbage    dns_garbage   L7RSP  $DNS --over-tcp on
dns-tcp-half       half          L7RSP  $DNS --over-tcp on
dns-silent         udp:silent    L4TOUT $DNS $SHORT
dns-garbage        udp:garbage   L7RSP  $DNS $SHORT
dns-short          udp:short     L7RSP  $DNS $SHORT
dns-wrong-id       udp:wrong_id  L7RSP  $DNS $SHORT
dns-failing        udp:failing   L7STS  $DNS
dns-loop           udp:loop      L7RSP  $DNS $SHORT
CASES
cat >"$WORK/huge" <<CASES
http-huge          huge_body     L7OK   --type http
http-huge-body     huge_body     L7RSP  --type http --body not-there
http-huge-header   huge_header   L7RSP  --type http
http-huge-chunks   huge_chunks   L7RSP  --type http --body not-there
http-interim       interim       L7RSP  --type http
http-huge-line     huge_line     L7RSP  --type http
tcp-huge-line      huge_line     L7RSP  --type tcp --expect not-there
smtp-talker        talker        L7RSP|L7TOUT --type smtp
smtp-huge-line     huge_line     L7RSP|L7TOUT --type smtp
agent-huge-line    huge_line     L7RSP  --type agent
CASES

port=9000
words=()
for file in cases huge; do
  while read -r name behaviour code options; do
    port=$((port + 1))
    path=web/$port
    [[ $behaviour != udp:* ]] || path+=/udp
    words+=("$port=$behaviour")
    printf '%s %s %s %s %s\n' "$name" "$path" $port "$code" "$options" >>"$WORK/$file.ports"
  done <"$WORK/$file"
done
spawn s1 hostile.log env VIPAS="$VIPA4 $VIPA6" python3 "$NETNS_DIR/hostile_server.py" "$WORK" "${words[@]}"
wait_until 20 grep -q ready "$WORK/hostile.log" || fail "hostile_server.py: $(cat "$WORK/hostile.log")"
cluster_up

# advise FILE: a port and an advisor for each case.
advise() {
  local name path port code options pace=(--interval 500ms --fall 1 --rise 1)
  while read -r name path port code options; do
    [[ $options != *'--type agent'* ]] || options+=" --port $port"
    eval "words=($options)"
    advised "$path" s1 "${pace[@]}" "${words[@]}"
  done <"$WORK/$1.ports"
}
# table FILE: what is expected of its cases.
table() {
  while read -r name path port code _; do
    case $code in *OK) echo "$path/s1 up $code" ;; *) echo "$path/s1 down $code" ;; esac
  done <"$WORK/$1.ports" >"$WORK/$1.table"
}
# judged FILE EXPRESSION: over c, the checks of the file's cases; name and code, the case and what is expected by port.
judged() {
  local path
  while read -r _ path _; do xdplb -j advisor show "$path"; done <"$WORK/$1.ports" >"$WORK/$1.shown"
  python3 -c '
import json, re, sys
d, rest = [], sys.stdin.read().strip()
while rest:
    one, end = json.JSONDecoder().raw_decode(rest)
    d, rest = d + one, rest[end:].strip()
rows = [line.split() for line in open(sys.argv[1])]
name, code = {row[1]: row[0] for row in rows}, {row[1]: row[3] for row in rows}
c = [x for a in d for x in a["checks"]]
port = lambda x: x["server"].rsplit("/", 1)[0]
wrong = lambda x: [h["code"] + " " + h["text"] for h in x["history"] if not re.fullmatch(code[port(x)], h["code"])]
r = eval(sys.argv[2])
print(r if isinstance(r, str) else json.dumps(r))' "$WORK/$1.ports" "$2" <"$WORK/$1.shown"
}
each_often() { [[ $(judged "$1" "all(len(x['history']) >= $2 for x in c)") == true ]]; }

# expect_cases WHAT FILE RESULTS: after so many results of each check it is the right code every time.
expect_cases() {
  wait_until 60 each_often "$2" "$3" || fail "$1: no $3 results: $(judged "$2" "'\n'.join(name[port(x)] + ' ' + str(len(x['history'])) for x in c if len(x['history']) < $3)")"
  table "$2"
  wrong=$(judged "$2" "'\n'.join('%s to %s: %d of %d: %s' % (name[port(x)], x['destination'], len(wrong(x)), len(x['history']), wrong(x)[0]) for x in c if wrong(x))")
  [[ -z $wrong ]] || fail "$1: codes that are not expected:"$'\n'"$wrong"
  all_met "$WORK/$2.table" || fail "$1:"$'\n'"$(unmet "$WORK/$2.table")"
  ok "$1: $(judged "$2" "'%d results of %d checks, every code is right' % (sum(len(x['history']) for x in c), len(c))")"
}

advise cases
expect_cases "hostile services" cases 5

# text_of NAME: what is told of a case.
text_of() { judged cases "[x['text'] for x in c if name[port(x)] == '$1'][0]"; }
while read -r name words; do
  text=$(text_of "$name")
  [[ $text == *$words* ]] && ok "$name: $text" || fail "$name: '$text' lacks '$words'"
done <<'TEXTS'
https-expired expired
https-wrong-name other.example.com
https-self-signed self-signed
http-busy 503
http-full 400 ms
http-too-slow timed out
TEXTS
# ---- nothing raw
show_all() {
  local name path rest
  xdplb advisor list
  while read -r name path rest; do
    xdplb advisor show "$path"
    [[ $name != *red* ]] || xdplb advisor run "$path/s1" || true
    [[ $name != *red* ]] || xdplb server show "$path/s1"
  done <"$WORK/cases.ports"
  xdplb status || true
  xdplb events
}
show_all >"$WORK/shown" 2>&1
raw=$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$WORK/shown" || true)
expect_equal "lines with control characters of strangers" 0 "$raw"
expect_number "lines that show the red greeting, cleaned" "$(grep -c 'red' "$WORK/shown")" '>=' 3

# ---- 100 MB, again and again
pid=$(daemon_pid)
before=$(memory "$pid")
advise huge
expect_cases "endless replies" huge 10
after=$(memory "$pid")
expect_number "MiB that the daemon grew, from $((before / 1024)) MiB" $(((after - before) / 1024)) '<=' 32

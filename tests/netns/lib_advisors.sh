# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of advisors share: services of every kind on the servers of lib.sh's laboratory, certificates, and questions about
# what the checks found. Source it instead of lib.sh, then call advisors_lan_up.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HTTP_PORT=8081
TLS_NAME=www.example.com
# Of most checks: quick, so that a test need not wait long.
# shellcheck disable=SC2034  # for the scripts
PACE=(--interval 300ms --fall 2 --rise 1)

# advisors_lan_up: the laboratory, and a folder /run/LAB that only root writes to: programs of exec advisors may not lie in /tmp.
advisors_lan_up() {
  local tool
  for tool in openssl dnsmasq redis-server; do
    command -v $tool >/dev/null || PATH=$PATH:/usr/sbin command -v $tool >/dev/null || fail "no $tool: run tools/test once"
  done
  PATH=$PATH:/usr/sbin
  lan_up
  SAFE=/run/$LAB
  trap 'advisors_lan_end' EXIT
  mkdir -m 755 "$SAFE"
}

# lan_end goes on with the exit code.
advisors_lan_end() {
  local code=$?
  set +e
  rm -rf "$SAFE"
  (exit $code)
  lan_end
}

# ---- certificates --------------------------------------------------------------------------------------------------

# new_key FILE
new_key() { openssl ecparam -genkey -name prime256v1 -noout -out "$1" 2>/dev/null; }

# make_ca: $WORK/ca.pem, and what it needs to sign.
make_ca() {
  new_key "$WORK/ca.key"
  openssl req -x509 -new -key "$WORK/ca.key" -subj "/CN=Test CA" -days 3650 -out "$WORK/ca.pem"
  mkdir -p "$WORK/ca"
  : >"$WORK/ca/index"
  echo 01 >"$WORK/ca/serial"
  cat >"$WORK/ca.conf" <<CONF
[ca]
default_ca = test
[test]
database = $WORK/ca/index
serial = $WORK/ca/serial
new_certs_dir = $WORK/ca
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
CONF
}

# make_certificate FILE NAME DAYS: $WORK/FILE.pem and FILE.key, for NAME, by the CA; begun a month ago, with negative DAYS it has ended.
make_certificate() {
  local as=+%y%m%d%H%M%SZ
  new_key "$WORK/$1.key"
  openssl req -new -key "$WORK/$1.key" -subj "/CN=$2" -out "$WORK/$1.csr"
  printf 'subjectAltName=DNS:%s\n' "$2" >"$WORK/$1.ext"
  openssl ca -batch -config "$WORK/ca.conf" -in "$WORK/$1.csr" -cert "$WORK/ca.pem" -keyfile "$WORK/ca.key" -notext \
    -startdate "$(date -u -d '30 days ago' $as)" -enddate "$(date -u -d "$3 days" $as)" -extfile "$WORK/$1.ext" -out "$WORK/$1.pem" \
    >"$WORK/$1.log" 2>&1 || fail "certificate $1: $(cat "$WORK/$1.log")"
}

# make_self_signed FILE NAME
make_self_signed() {
  new_key "$WORK/$1.key"
  openssl req -x509 -new -key "$WORK/$1.key" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -days 365 -out "$WORK/$1.pem"
}

# certificate_end FILE: as documents have it, 2027-01-01T00:00:00Z.
certificate_end() { date -u -d "$(openssl x509 -enddate -noout -in "$WORK/$1.pem" | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ; }

# ---- services ------------------------------------------------------------------------------------------------------

# web_serve NAME [ADDRESS...]: nginx with HTTP on 8081 and HTTPS on 443 (certificate tls.pem; h2 and http/1.1), on all addresses or
# on these only. Its access log has the local address, the path, the name of TLS and the protocol chosen there.
web_serve() {
  local name=$1 root=$WORK/$1.web address listens=
  shift
  (($#)) || set -- 0.0.0.0 ::
  for address; do
    listens+="listen $(host_in_url "$address"):$HTTP_PORT backlog=4096; "
    [[ ! -e $WORK/tls.pem ]] || listens+="listen $(host_in_url "$address"):443 ssl http2; "
  done
  mkdir -p "$root/temp"
  cat >"$root/nginx.conf" <<CONF
user root;
worker_processes 1;
daemon off;
pid $root/nginx.pid;
error_log $root/error.log;
events { worker_connections 4096; }
http {
  log_format local '\$server_addr \$uri \$http_user_agent \$ssl_server_name \$ssl_alpn_protocol';
  access_log $root/access.log local;
  client_body_temp_path $root/temp; proxy_temp_path $root/temp; fastcgi_temp_path $root/temp;
  uwsgi_temp_path $root/temp; scgi_temp_path $root/temp;
  default_type text/plain;
$([[ ! -e $WORK/tls.pem ]] || printf '  ssl_certificate %s; ssl_certificate_key %s;' "$WORK/tls.pem" "$WORK/tls.key")
  server {
    $listens
    location / { return 200 "$name is well\n"; }
    location = /name { return 200 "$name\n"; }
    location = /broken { return 503; }
  }
}
CONF
  spawn "$name" "$name.web.log" nginx -p "$root" -c "$root/nginx.conf" -e "$root/error.log"
  wait_until 10 listens_on "$name" $HTTP_PORT || fail "nginx of $name: $(cat "$root/error.log" "$WORK/$name.web.log")"
}

# listens_on ROLE PORT [COUNT]: so many sockets, one when not said, listen there (TCP) or are bound (UDP).
listens_on() { (($(in_ns "$1" ss -Hlntu "sport = $2" | wc -l) >= ${3:-1})); }

dns_serve() {
  spawn "$1" "$1.dns" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= --log-facility=- --log-queries \
    --no-resolv --no-hosts --bind-interfaces --listen-address=$VIPA4,$VIPA6 --host-record=$TLS_NAME,192.0.2.80,2001:db8::80
  wait_until 10 listens_on "$1" 53 4 || fail "dnsmasq of $1: $(cat "$WORK/$1.dns")"
}

redis_serve() {
  spawn "$1" "$1.redis" redis-server --bind $VIPA4 $VIPA6 --port 6379 --save '' --appendonly no --protected-mode no --dir "$WORK"
  wait_until 10 listens_on "$1" 6379 2 || fail "redis of $1: $(cat "$WORK/$1.redis")"
}

# Debian's python3 has aiosmtpd; another in PATH need not.
smtp_serve() {
  spawn "$1" "$1.smtp" /usr/bin/python3 "$NETNS_DIR/smtp_server.py" "$WORK/$1.smtp.local" 25
  wait_until 20 listens_on "$1" 25 2 || fail "SMTP server of $1: $(cat "$WORK/$1.smtp")"
}

# agent_serve NAME: an agent on port 5555 that says what `agent_says NAME WORDS` told it last; "up ready 100%" at first.
AGENT_PORT=5555
agent_serve() {
  [[ -e $WORK/$1.agent ]] || agent_says "$1" "up ready 100%"
  spawn "$1" "$1.agent.log" python3 "$NETNS_DIR/agent_server.py" "$WORK/$1.agent" "$WORK/$1.agent.local" $AGENT_PORT
  wait_until 10 listens_on "$1" $AGENT_PORT 2 || fail "agent of $1: $(cat "$WORK/$1.agent.log")"
}
agent_says() {
  printf '%s\n' "$2" >"$WORK/$1.agent.new"
  mv "$WORK/$1.agent.new" "$WORK/$1.agent"
}

# stop_all NAME: every process of the server dies at once, as in a crash; its kernel goes on.
stop_all() {
  local pids
  pids=$(ip netns pids "$LAB-$1")
  # shellcheck disable=SC2086  # one word a pid
  [[ -z $pids ]] || kill -9 $pids
  wait_until 10 nothing_runs "$1" || fail "processes of $1 do not die"
}
nothing_runs() {
  local pid
  for pid in $(ip netns pids "$LAB-$1"); do gone "$pid" || return 1; done
}

# ---- questions -----------------------------------------------------------------------------------------------------

# advised PATH SERVERS OPTIONS...: a port with these servers (words, comma between) and an advisor of these options.
advised() {
  local path=$1 server
  xdplb port add "$path" >/dev/null
  for server in ${2//,/ }; do server_in "$path" "$server"; done
  shift 2
  xdplb advisor set "$path" "$@" >"$WORK/out" 2>&1 || fail "advisor set $path $*: $(cat "$WORK/out")"
}

# checks PATH[/SERVER] EXPRESSION: over c, the list of checks there.
checks() { xdplb -j advisor show "$1" | json "(lambda c: $2)([x for a in d for x in a['checks']])"; }
checks_are() { [[ $(checks "$1" "bool(c) and bool($2)") == true ]]; }

# unmet TABLE: the lines of the table, PATH HEALTH CODE (a pattern of grep -E), that a check of PATH, a server or a port, does not
# fulfil, with what it is.
unmet() { xdplb -j advisor list | python3 "$NETNS_DIR/advisor_table.py" "$1"; }
all_met() { [[ -z $(unmet "$1") ]]; }

# expect_checks WHAT SECONDS TABLE
expect_checks() {
  wait_until "$2" all_met "$3" || fail "$1:"$'\n'"$(unmet "$3")"
  ok "$1: $(grep -c . "$3") rows"
}

# problem_is EXPRESSION: over p, true when one problem of the status fits.
problem_is() { [[ $(status_json | json "any($1 for p in d['problems'])") == true ]]; }

problems() { status_json | json "d['problems']"; }

# memory PID: VmRSS in KiB. ticks PID: CPU time in clock ticks.
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `xdplb doctor` on the laboratory's dispatcher: its report, what is bad in it, and its cures. Source it instead of lib.sh.
# shellcheck disable=SC2119,SC2120  # look takes words or none
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# doctor_up: the laboratory, and $CONFIG for it.
doctor_up() {
  lan_up
  CONFIG=$WORK/web.json
  cat >"$CONFIG" <<JSON
{"interfaces": ["eth0", "eth1"],
 "clusters": [{"name": "web", "addresses": ["$VIPA4", "$VIPA6"], "ports": [{"port": 80, "advisor": {"type": "ping"},
   "servers": [{"name": "s1", "address": "192.0.2.21"}, {"name": "s3", "address": "198.51.100.23"}]}]}]}
JSON
  # Where doctor has the configuration from: words; none: the daemon.
  SOURCE=(--config "$CONFIG")
}

# look ARGUMENT...: the report in $WORK/report, the exit code in LOOKED.
look() {
  LOOKED=0
  xdplb -j doctor "${SOURCE[@]}" "$@" >"$WORK/report" 2>"$WORK/stderr" || LOOKED=$?
  [[ $LOOKED == [01] ]] || fail "doctor $*: exit code $LOOKED: $(cat "$WORK/report" "$WORK/stderr")"
}

report() { json "$1" <"$WORK/report"; }

# bad VERDICT: the codes of that verdict.
bad() { report "' '.join(sorted({c['code'] for c in d['checks'] if c['verdict'] == '$1'}))"; }

# expect_clean WHAT
expect_clean() {
  [[ -z $(bad fail) && $LOOKED == 0 ]] || fail "$1: exit code $LOOKED, $(report "[c for c in d['checks'] if c['verdict'] == 'fail']")"
  ok "$1: no check failed (warned: $(bad warn))"
}

# expect_check VERDICT CODE OBJECT: there is this check; of a failure it is the only code that failed. REMEDY has its command.
expect_check() {
  local it="c for c in d['checks'] if c['code'] == '$2' and c['object'] == '$3' and c['verdict'] == '$1'"
  [[ $(report "any(True for c in [$it])") == true ]] || fail "no $1 $2 '$3': $(cat "$WORK/report")"
  REMEDY=$(report "[$it][0]['remedy']")
  [[ $1 != fail ]] || expect_equal "failed codes, exit code" "$2 1" "$(bad fail) $LOOKED"
  ok "$1 $2 $3: $(report "[$it][0]['text']")"
}

# cure: what the check said helps.
cure() {
  in_ns dispatcher env "PATH=$XDPLB_BIN:$PATH" bash -c "$REMEDY" >"$WORK/cure" 2>&1 || fail "'$REMEDY': $(cat "$WORK/cure")"
  look
  expect_clean "cured by '$REMEDY'"
}

# broken CODE OBJECT COMMAND...: breaks the dispatcher, expects the failure, and cures it.
broken() {
  local code=$1 object=$2
  shift 2
  in_ns dispatcher "$@" || fail "'$*' failed"
  look
  expect_check fail "$code" "$object"
  cure
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What cmake --install puts into place works from there.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
DESTDIR=$WORK/root cmake --install "$XDPLB_BUILD" --prefix /usr >"$WORK/install.log" 2>&1 || fail "cmake --install: $(cat "$WORK/install.log")"
for program in xdplb xdplbd; do
  file=$(find "$WORK/root/usr" -type f -name $program -perm -u+x)
  [[ -n $file ]] || fail "$program is not installed: $(find "$WORK/root" -type f)"
  grep -Eq '[0-9]+\.[0-9]+' <<<"$("$file" --version)" || fail "$program --version says '$("$file" --version)'"
  ok "$program: $("$file" --version)"
done
XDPLB_BIN=$(dirname "$(find "$WORK/root/usr" -type f -name xdplb)")
web_up 10
ok "the installed xdplb starts the installed xdplbd"
expect_equal "the daemon's program" "$WORK/root" "$(readlink "/proc/$(daemon_pid)/exe" | grep -o "^$WORK/root")"
expect_equal "answers" 20 "$(http_names client $VIPA4 20 | wc -l)"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The dispatcher is a server, too: its share goes up its own stack, with the interface's own address as the server's.
source "$(dirname "$0")/lib.sh"
lan_up
server_up s1 a 21
server_up s3 b 23
# As on every server, before the address is there: nobody but the dispatcher's daemon answers for it.
in_ns dispatcher sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
cluster_up
port_up web/80 "" s1 s3
xdplb server add web/80 192.0.2.2 --name here >/dev/null
# After the server: only a dispatcher that is one may have its VIPAs.
ip -n "$LAB-dispatcher" address add "$VIPA4/32" dev lo
ip -n "$LAB-dispatcher" address add "$VIPA6/128" dev lo nodad
serve dispatcher
wait_until 10 answered client $VIPA4 || fail "no answer"
wait_until 10 answered client $VIPA6 || fail "no answer over IPv6"
expect_equal "interface of the dispatcher as a server" local "$(xdplb -j server show web/80/here | json 'd["interface"]')"

before=$(outcome local)
for role in client remote; do
  for address in $VIPA4 $VIPA6; do
    names=$(http_names $role "$address" 120)
    expect_equal "$role $address: answers" 120 "$(count_of "$names")"
    expect_number "$role $address: of the dispatcher" "$(share "$names" dispatcher)" '>=' 15
    expect_number "$role $address: of s1" "$(share "$names" s1)" '>=' 15
    expect_number "$role $address: of s3" "$(share "$names" s3)" '>=' 15
  done
done
expect_number "packets counted as local" $(($(outcome local) - before)) '>=' 400
expect_number "packets counted for the server" "$(xdplb -j server show web/80/here | json 'd["packets"]')" '>=' 400

downloads_start client local 40 http://$VIPA4/big "http://[$VIPA6]/big"
expect_number "downloads of the dispatcher" "$(json 'd["servers"]["dispatcher"]["alive"]' <"$WORK/local")" '>=' 3
xdplb server drain web/80/here >/dev/null
downloads_all_run "drained" "local:$DOWNLOADS"
expect_equal "new connections of the drained dispatcher" 0 "$(share "$(http_names client $VIPA4 60)" dispatcher)"
kill9
downloads_all_run "daemon killed" "local:$DOWNLOADS"

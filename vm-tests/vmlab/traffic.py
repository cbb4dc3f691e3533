# SPDX-License-Identifier: GPL-2.0-only
"""Downloads that last, each on one connection: whether they go on, and whether all that was sent came."""
from .words import Failure, expect, wait_until

WWW = "/tmp/www"
# /cgi-bin/lines: numbered lines, ten a second, for ever.
LINES = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
number=0
while number=$((number + 1)); do
  printf '%d\\n' $number
  sleep 0.1
done
"""


def in_url(address):
    return f"[{address}]" if ":" in address else address


def serve(guest, *addresses):
    """/name and /cgi-bin/lines on port 80 of all addresses of a guest; returns when these answer."""
    guest.sh(f"""mkdir -p {WWW}/cgi-bin && echo {guest.name} >{WWW}/name
        cat >{WWW}/cgi-bin/lines <<'END'\n{LINES}END
        chmod +x {WWW}/cgi-bin/lines
        setsid httpd -f -p '[::]:80' -h {WWW} >/dev/null 2>&1 &""")
    urls = " ".join(f"http://{in_url(address)}/name" for address in addresses)
    guest.wait(f"{guest.name} serves", f"curl -gsf -m 2 {urls}")


class Download:
    """Of a client, until end()."""

    def __init__(self, client, address, name):
        self.client, self.name = client, name
        self.file = f"/tmp/{name}.lines"
        client.sh(f"""rm -f {self.file}
            (setsid curl -gsSN -o {self.file} http://{in_url(address)}/cgi-bin/lines
             echo "curl ended with $?" >{self.file}.end) >{self.file}.log 2>&1 &""")
        wait_until(f"download {name} begins", 60, lambda: self.lines() > 0, pause=0.3)

    def lines(self):
        """How many have come."""
        done = self.client.run(f"[ ! -e {self.file}.end ] || cat {self.file}.log {self.file}.end; wc -l <{self.file}")
        *end, count = done.output.split("\n")[:-1]
        if done.code == 0 and end:
            raise Failure(f"download {self.name}: {' '.join(end)} after {count} lines")
        return int(count) if done.code == 0 else 0

    def goes_on(self, when, seconds=90):
        """New lines come, on the same connection."""
        before = self.lines()
        wait_until(f"{when}: download {self.name} goes on after line {before}", seconds, lambda: self.lines() > before + 5, pause=0.3)

    def check(self):
        """No line is missing."""
        wrong = self.client.sh(f"head -n -1 {self.file} | awk '$0 != NR {{print NR\": \"$0; exit}}'")
        expect(f"download {self.name}: all {self.lines()} lines came, in order", not wrong, wrong)


def all_go_on(downloads, when):
    for download in downloads:
        download.goes_on(when)
    expect(f"{when}: all {len(downloads)} downloads go on", True)

# SPDX-License-Identifier: GPL-2.0-only
"""load --chain: the program in libxdp's dispatcher, behind xdp-filter and watched by xdpdump."""
import json
import re

from lan import PAGES, VIPA4, VIPA6, boot_hosts, complaints, pages, serve
from vmlab.catalog import scenario
from vmlab.words import Skip, expect, expect_equal, step

SUSPECT = "192.0.2.101"  # a second address of the client
FILTER, OURS = "xdpfilt_alw_all", "xdplb_dispatch"


@scenario("chain", "libxdp's dispatcher: xdp-filter before us and xdpdump beside us, loaded and unloaded in both orders")
def chain(lab):
    lab.note(driver="virtio-net", mode="native and generic, libxdp's dispatcher")
    step("four machines boot")
    boot_hosts(lab, whole=["dispatcher"], nic={"queues": 4})
    dispatcher, client = lab.guests["dispatcher"], lab.guests["client"]
    dispatcher.sh(f"ln -sf {lab.programs}/xdplb {lab.programs}/xdplbd /usr/local/bin/")
    for name in ("s1", "s2"):
        serve(lab.guests[name])
    client.sh(f"ip address add {SUSPECT}/24 dev eth0")

    step("xdp-filter first, then xdplb")
    dispatcher.sh("xdp-filter load eth0")
    expect_dispatchers(dispatcher)
    refusal = dispatcher.run("xdplb load eth0", seconds=90)
    expect("alone it is refused, and the way out is named", refusal.code == 7 and "--chain" in refusal.output, refusal.output)
    load(dispatcher)
    expect_chain(dispatcher, [FILTER, OURS])
    dispatcher.sh(f"""xdplb cluster add web {VIPA4} {VIPA6}
        xdplb port add web/80
        xdplb server add web/80 192.0.2.21 --name s1
        xdplb server add web/80 192.0.2.22 --name s2
        xdp-filter ip -m src {SUSPECT}""", seconds=90)
    for address in (VIPA4, f"[{VIPA6}]"):
        client.wait(f"a first page from {address}", f"curl -gsf -m 2 'http://{address}/name'", 60)
    expect_filtered(client)
    expect_frames_are_seen(dispatcher, client)
    expect_equal("doctor's complaints of eth0", [], complaints(dispatcher))

    step("the daemon is killed and started again")
    dispatcher.sh("kill -9 $(pidof xdplbd)")
    expect_filtered(client)
    load(dispatcher)
    expect_chain(dispatcher, [FILTER, OURS])
    expect_filtered(client)

    step("xdplb goes, xdp-filter stays")
    dispatcher.sh("xdplb unload", seconds=60)
    expect_chain(dispatcher, [FILTER])
    client.sh("ping -c 1 -W 5 192.0.2.2")
    expect("the suspect does not reach the dispatcher", client.run(f"ping -c 2 -W 1 -I {SUSPECT} 192.0.2.2").code != 0)

    step("xdplb comes back, xdp-filter goes")
    load(dispatcher)
    dispatcher.sh("xdp-filter unload eth0")
    expect_chain(dispatcher, [OURS])
    expect_served(client)
    client.wait("the suspect is served", f"curl -gsf -m 2 --interface {SUSPECT} http://{VIPA4}/name")

    step("xdp-filter after xdplb")
    dispatcher.sh(f"xdp-filter load eth0 && xdp-filter ip -m src {SUSPECT}")
    expect_chain(dispatcher, [FILTER, OURS])
    expect_filtered(client)

    step("xdp-filter in generic mode")
    dispatcher.sh("xdp-filter unload --all")
    dispatcher.sh("xdplb unload eth0", seconds=60)
    dispatcher.sh("xdp-filter load -m skb eth0")
    refusal = dispatcher.run("xdplb load eth0 --chain --mode native", seconds=90)
    expect("the mode of a dispatcher is everybody's", refusal.code == 7 and "generic mode" in refusal.output, refusal.output)
    load(dispatcher, "generic")
    expect_chain(dispatcher, [FILTER, OURS])

    step("both go")
    dispatcher.sh("xdp-filter unload --all")
    dispatcher.sh("xdplb unload", seconds=60)
    expect_equal("pins that are left", "", dispatcher.sh("find /sys/fs/bpf -mindepth 2 || true").strip())
    expect_equal("programs that are left", "", dispatcher.sh("bpftool prog list | grep -E 'xdp|ext' || true").strip())


def expect_dispatchers(dispatcher):
    """Else the scenario ends here, when doctor says so, and load."""
    told = dispatcher.run("xdplb -q doctor", seconds=90).output
    refused = re.search(r"^warn dispatcher_ext: (.*)", told, re.M)
    if not refused:
        return
    tried = dispatcher.run("xdplb load eth0 --chain", seconds=90)
    expect("load is refused, as the other program would go", tried.code == 7, tried.output)
    expect_chain(dispatcher, [FILTER])
    raise Skip(refused[1])


def load(dispatcher, mode="native"):
    said = dispatcher.sh("xdplb load eth0 --chain", seconds=90)
    # Generic mode is a problem that status tells, by its exit code as well.
    seen = json.loads(dispatcher.run("xdplb -j status").output)["interfaces"][0]
    expect_equal(f"{said.strip()}; status", (mode, "dispatcher"), (seen["mode"], seen["attach"]))


def expect_chain(dispatcher, programs):
    """Programs of eth0 in the order in which frames meet them."""
    told = dispatcher.sh("xdp-loader status eth0")
    expect_equal("programs of eth0", programs, re.findall(r"^ => +\d+ +(\S+)", told, re.M))


def expect_served(client):
    for address in (VIPA4, f"[{VIPA6}]"):
        seen = pages(client, address)
        expect_equal(f"pages from {address}", PAGES, seen["s1"] + seen["s2"])


def expect_filtered(client):
    expect_served(client)
    done = client.run(f"curl -gsf --connect-timeout 3 --interface {SUSPECT} http://{VIPA4}/name")
    expect("the suspect gets no connection", done.code == 28, done)


def expect_frames_are_seen(dispatcher, client):
    """xdpdump tells of every frame what became of it in each program."""
    dispatcher.sh("setsid stdbuf -oL xdpdump -i eth0 -p all --rx-capture exit >/tmp/dump 2>&1 & echo $! >/tmp/dump.pid")
    dispatcher.wait("xdpdump listens", "grep -q 'listening on' /tmp/dump")
    client.sh(f"curl -gsf -m 10 http://{VIPA4}/name; curl -gsf --connect-timeout 2 --interface {SUSPECT} http://{VIPA4}/name; true")
    dispatcher.wait("it has seen our frames leave", f"grep -q '{OURS}()@exit\\[TX\\]' /tmp/dump")
    dispatcher.wait("and the suspect's frames end", f"grep -q '{FILTER}()@exit\\[DROP\\]' /tmp/dump")
    dispatcher.sh("kill -INT $(cat /tmp/dump.pid)")
    dispatcher.wait("xdpdump ends", "! pidof xdpdump")

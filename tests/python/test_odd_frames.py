"""Odd and hostile frames on the wire of a live run, over each kind of port.

Scapy builds them, a raw socket on the exchange's host sends them while the run trades. A frame must
either go to the kernel of the appliance's host, where a packet socket sees it, or be counted as
what it is. The feed goes on, and at the end both records say the same.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw
from waiting import LIMIT_S, wait_until

from appliance import demo
from appliance.two_hosts import INTERFACE, two_hosts
from dataplane.errors import DataplaneError
from dataplane.port_kind import kinds
from dataplane.region import Region

TIMES = 5
KERNEL = "the kernel"
DPDK = 3
COLUMNS = {"uring": 1, "xdp": 2, "dpdk": DPDK}
DROPS = (
    "net_dropped", "net_checksum_bad", "net_fragments", "net_foreign", "mold_malformed",
    "mold_gaps", "mold_lost", "itch_malformed",
)  # fmt: skip
SOURCE = "02:0d:d0:00:00:"  # and the number of a kind of frame: how the packet socket knows them
# Sends lines of hex; says a line for each frame of ours that reaches the kernel.
SENDER = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((sys.argv[1], 0))
for line in sys.stdin:
    wire.send(bytes.fromhex(line))
"""
TAP = """
import socket, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind((sys.argv[1], 0))
print("READY", flush=True)
while True:
    source = tap.recv(65535)[6:12]
    if source[:5] == bytes.fromhex("020dd00000"):
        print(source[5], flush=True)
"""


def ether(number: int, group: str, **fields: object) -> Ether:
    last = [int(byte) for byte in group.split(".")[1:]]
    mac = f"01:00:5e:{last[0] & 0x7F:02x}:{last[1]:02x}:{last[2]:02x}"
    return Ether(**{"src": f"{SOURCE}{number:02x}", "dst": mac, **fields})


def odd_frames(place: demo.Place) -> dict[str, tuple[Packet, str, str, str]]:
    """Return each kind of frame, and what becomes of it over uring, xdp and dpdk.

    The device below dpdk is net_af_packet, for which the kernel joins fragments.
    """
    group, port = place.at("a").split(":")
    ip = IP(src=place.hosts.venue.ip, dst=group, ttl=4)
    udp = UDP(sport=4000, dport=int(port))
    cut = Raw(b"1         " + (1).to_bytes(8, "big") + b"\0\3" + b"\0\x20only a part")
    on = lambda number, **fields: ether(number, group, **fields)  # noqa: E731
    foreign, bad_sum, cut_short = "net_foreign", "net_checksum_bad", "net_dropped"
    malformed = "mold_malformed"
    other = "net_other"  # not looked at: much of it is other people's
    return {
        "a mold packet cut in a block": (on(1) / ip / udp / cut, malformed, malformed, malformed),
        "a mold header cut": (on(2) / ip / udp / Raw(b"1   "), malformed, malformed, malformed),
        "no payload at all": (on(3) / ip / udp, malformed, malformed, malformed),
        "a first fragment": (on(4) / IP(**{**ip.fields, "flags": "MF"}) / udp / cut,
                             KERNEL, KERNEL, KERNEL),
        "a last fragment": (on(5) / IP(**{**ip.fields, "frag": 9}) / Raw(bytes(64)),
                            KERNEL, KERNEL, KERNEL),
        "a vlan tag": (on(6) / Dot1Q(vlan=7) / ip / udp / cut, KERNEL, KERNEL, malformed),
        "ip options": (on(7) / IP(**{**ip.fields, "options": [IPOption_Router_Alert()]}) / udp
                       / cut, malformed, KERNEL, malformed),
        "a wrong ip checksum": (on(8) / IP(**{**ip.fields, "chksum": 1}) / udp / cut,
                                KERNEL, bad_sum, bad_sum),
        "a wrong udp checksum": (on(9) / ip / UDP(**{**udp.fields, "chksum": 1}) / cut,
                                 KERNEL, bad_sum, bad_sum),
        "a udp length beyond the packet": (on(10) / ip / UDP(**{**udp.fields, "len": 900}) / cut,
                                           KERNEL, cut_short, cut_short),
        "an ip length beyond the frame": (on(11) / IP(**{**ip.fields, "len": 900}) / udp / cut,
                                          KERNEL, cut_short, cut_short),
        "another group": (on(12) / IP(**{**ip.fields, "dst": "239.77.9.9"}) / udp / cut,
                          KERNEL, KERNEL, foreign),
        "another port": (on(13) / ip / UDP(sport=4000, dport=int(port) + 77) / cut,
                         KERNEL, KERNEL, foreign),
        "another hardware address": (on(14, dst="02:00:00:00:99:99") / ip / udp / cut,
                                     KERNEL, foreign, foreign),
        "tcp to the line": (on(15) / ip / TCP(sport=4000, dport=int(port)) / cut,
                            KERNEL, KERNEL, other),
        "ipv6": (on(16) / IPv6(dst="ff02::1") / udp / cut, KERNEL, KERNEL, other),
        "arp": (on(17, dst="ff:ff:ff:ff:ff:ff") / ARP(pdst="10.77.0.200"), KERNEL, KERNEL, other),
        "a frame that ends in the ip header": (Raw(bytes(on(18) / ip / udp)[:30]),
                                               KERNEL, KERNEL, cut_short),
    }  # fmt: skip


class Bench:
    """A live run with somebody odd on its wire."""

    def __init__(self, place: demo.Place, port: str) -> None:
        self.place = place
        self.column = COLUMNS[port]
        hosts = place.hosts
        self.seen = place.folder.with_name("tap")
        with self.seen.open("w") as file:
            self.tap = self.process(hosts.appliance, TAP, stdout=file)
        wait_until(lambda: self.seen.read_text() == "READY\n", process=self.tap)
        self.sender = self.process(hosts.venue, SENDER, stdin=subprocess.PIPE)
        self.run = demo.start(
            hosts.appliance, hosts, "run", place.folder / "live.yaml",
            "--strategy", "market_maker", "--ready-seconds", LIMIT_S, "--journal", place.journal,
            "--json", place.folder / "report.json", stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.run.stdout.readline().startswith("READY")

    def process(self, host, program, **pipes):
        words = self.place.hosts.words(host, [sys.executable, "-c", program, INTERFACE])
        return subprocess.Popen(words, text=True, **pipes)

    def counters(self):
        """Return the counters of the run; None as long as its memory is being made."""
        try:
            path = next(demo.Path("/dev/shm").glob(f"tickplane-*-{self.run.pid}"))
            with Region.attach(path) as region:
                return region.counters()
        except (DataplaneError, StopIteration):
            return None

    def send(self, packet, times=TIMES):
        for _ in range(times):
            self.sender.stdin.write(bytes(packet).hex() + "\n")
        self.sender.stdin.flush()

    def tapped(self, number):
        """Return how many frames of that number the kernel has seen so far."""
        return self.seen.read_text().split("\n")[:-1].count(str(number))

    def drops(self):
        counters = self.counters()
        return {name: counters[name] for name in DROPS}

    def check(self, name, odd, barrier):
        """Send one kind of frame, behind it one that is counted in any case; then look."""
        number = bytes(odd[0])[11]
        expected = odd[self.column]
        before = self.drops()
        self.send(odd[0])
        self.send(barrier, 1)
        malformed = before["mold_malformed"] + 1 + TIMES * (expected == "mold_malformed")
        wait_until(lambda: self.counters()["mold_malformed"] >= malformed, process=self.run)
        if expected == KERNEL:
            wait_until(lambda: self.tapped(number) >= TIMES, process=self.run)
        after = self.drops()
        grown = {key: after[key] - before[key] for key in DROPS if after[key] != before[key]}
        if self.column == DPDK and "net_foreign" in grown:  # it hears the answers to our requests
            assert grown["net_foreign"] >= TIMES or expected != "net_foreign", name
            grown["net_foreign"] = min(grown["net_foreign"], TIMES)
            if expected != "net_foreign":
                del grown["net_foreign"]
        wanted = {"mold_malformed": malformed - before["mold_malformed"]}
        if expected in DROPS and expected != "mold_malformed":
            wanted[expected] = TIMES
        assert grown == wanted, name

    def close(self):
        for process in (self.run, self.sender, self.tap):
            process.kill()
            process.communicate()


def needs(port):
    if os.geteuid() != 0:
        pytest.skip("needs root: raw frames on hosts of their own")
    kind = next(kind for kind in kinds() if kind["name"] == port)
    if not kind["is_built"] or kind["problem"]:
        pytest.skip(f"needs the port {port}: see tickplane ports")


def arguments(folder, port):
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return parser.parse_args(["--folder", str(folder), "--port", port])


def trade(place, port, orders):
    """Trade until so many orders were sent; return what the report says of the live run."""
    with demo.exchange(place):
        bench = Bench(place, port)
        try:
            wait_until(lambda: bench.counters()["orders_sent"] >= orders, process=bench.run)
            bench.run.send_signal(signal.SIGTERM)
            bench.run.communicate(timeout=LIMIT_S)
        finally:
            bench.close()
    return json.loads((place.folder / "report.json").read_text())["live"]


JUMBO_MTU = 9000
# A ring of the kernel's packet socket takes frames of at most 2 KiB by default.
LONG_FRAMES = ",blocksz=12288,framesz=12288,framecnt=512"


def jumbo(place, number):
    """Return a MoldUDP64 packet as long as the wire takes, whole, of a session of its own."""
    group, port = place.at("a").split(":")
    ip = IP(src=place.hosts.venue.ip, dst=group, ttl=4)
    block = b"\x10\x00" + bytes(0x1000)
    room = JUMBO_MTU - 28 - 20 - 2 * len(block)
    blocks = 2 * block + (room - 2).to_bytes(2, "big") + bytes(room - 2)
    header = b"JUMBO%05d" % number + (1).to_bytes(8, "big") + b"\0\3"
    packet = ether(30, group) / ip / UDP(sport=4000, dport=int(port)) / Raw(header + blocks)
    assert len(bytes(packet)) == JUMBO_MTU + 14
    return packet


def jumbo_place(folder, hosts, port, edits):
    """Return a place whose wire takes jumbo frames."""
    place = demo.Place(folder / "demo", hosts, demo.choose_ports(hosts))
    place.folder.mkdir()
    demo.write_configurations(place, arguments(place.folder, port))
    path = place.folder / "live.yaml"
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    for host in (hosts.venue, hosts.appliance):
        words = hosts.words(host, ["ip", "link", "set", INTERFACE, "mtu", str(JUMBO_MTU)])
        subprocess.run(words, check=True)
    return place


@pytest.mark.parametrize(
    ("port", "edits", "counter"),
    [
        ("uring", [], "mold_strange"),
        ("xdp", [], "mold_strange"),
        (
            "dpdk",
            [(",framecnt=4096", LONG_FRAMES),
             ("  port: dpdk\n", f"  port: dpdk\n  mtu: {JUMBO_MTU}\n")],
            "mold_strange",
        ),
        ("dpdk", [], "net_dropped"),  # its device cuts what it was not opened for
    ],
)  # fmt: skip
def test_jumbo_frames_are_read_whole_or_counted(port, edits, counter, tmp_path):
    needs(port)
    with two_hosts() as hosts:
        if hosts.reason:
            pytest.skip(hosts.reason)
        place = jumbo_place(tmp_path, hosts, port, edits)
        with demo.exchange(place):
            bench = Bench(place, port)
            try:
                before = bench.counters()
                for number in range(TIMES):
                    bench.send(jumbo(place, number), 1)
                wait_until(
                    lambda: bench.counters()[counter] >= before[counter] + TIMES, process=bench.run
                )
                after = bench.counters()
                bench.run.send_signal(signal.SIGTERM)
                bench.run.communicate(timeout=LIMIT_S)
                assert bench.run.returncode == 0
            finally:
                bench.close()
    grown = {name for name in (*DROPS, "mold_strange") if after[name] != before[name]}
    assert grown - {"net_foreign"} == {counter}
    assert demo.compare(place) == 0


def test_a_kernel_thread_may_submit_for_the_lines(tmp_path):
    needs("uring")
    with two_hosts() as hosts:
        place = demo.Place(tmp_path / "demo", hosts, demo.choose_ports(hosts))
        place.folder.mkdir()
        demo.write_configurations(place, arguments(place.folder, "uring"))
        path = place.folder / "live.yaml"
        written = path.read_text()
        path.write_text(written.replace("  port: uring\n", "  port: uring\n  sqpoll_cpu: 0\n"))
        assert path.read_text() != written
        live = trade(place, "uring", 5)
    assert "submitted by a kernel thread" in live["ports"]
    assert demo.compare(place) == 0


def test_lines_that_come_on_several_queues_are_heard(tmp_path):
    needs("xdp")
    with two_hosts(queues=2) as hosts:
        if hosts.reason:
            pytest.skip(hosts.reason)
        place = demo.Place(tmp_path / "demo", hosts, demo.choose_ports(hosts))
        place.folder.mkdir()
        demo.write_configurations(place, arguments(place.folder, "xdp"))
        live = trade(place, "xdp", 20)
    assert live["ports"].startswith("xdp: eth0 queues 0 to 1, ")
    queues = [one for one in live["port_counters"] if one["port"] == "xdp"]
    assert len(queues) == 2 and all(one["is_up"] for one in queues)
    assert all(line["packets"] and not line["lost"] for line in live["lines"][:2])
    assert demo.compare(place) == 0


@pytest.mark.parametrize("port", ["uring", "xdp", "dpdk"])
def test_odd_frames_are_counted_or_the_kernels_and_the_feed_is_whole(port, tmp_path):
    needs(port)
    with two_hosts() as hosts:
        if hosts.reason:
            pytest.skip(hosts.reason)
        place = demo.Place(tmp_path / "demo", hosts, demo.choose_ports(hosts))
        place.folder.mkdir()
        demo.write_configurations(place, arguments(place.folder, port))
        with demo.exchange(place):
            bench = Bench(place, port)
            try:
                frames = odd_frames(place)
                barrier = frames["a mold header cut"][0]
                for name, odd in frames.items():
                    bench.check(name, odd, barrier)
                before = bench.counters()["itch_messages"]
                wait_until(lambda: bench.counters()["itch_messages"] > before, process=bench.run)
                bench.run.send_signal(signal.SIGTERM)
                bench.run.communicate(timeout=LIMIT_S)
                assert bench.run.returncode == 0
            finally:
                bench.close()
    report = json.loads((place.folder / "report.json").read_text())
    assert report["counters"]["mold_lost"] == report["counters"]["itch_malformed"] == 0
    assert demo.compare(place) == 0

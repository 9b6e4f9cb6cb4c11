"""Queues that a card steers to: as text, as the kernel's structs, and in a plan."""

from __future__ import annotations

import dataclasses
import errno
import json
import struct
import subprocess

import pytest
from machine import VETH, changed, documented, in_namespace

from control import shell, steering
from control.plan import plan
from control.profile import ProfileError, parse
from control.setting import DRIFT, OK

FEED = "udp to 239.1.1.1:9101 queue 1"
BOTH_UP = VETH + "\nip link set tp-peer up\nip link set tp-feed up"
ORDERS = "tcp from 10.7.0.1:9001 queue 2"
# struct ethtool_rx_flow_spec: UDP_V4_FLOW, header, mask, ring 1, location 3.
FEED_BYTES = (
    struct.pack("=I", 2) + bytes(4) + bytes([239, 1, 1, 1]) + bytes(2) + b"\x23\x8d" + bytes(60)
    + bytes(4) + b"\xff" * 4 + bytes(2) + b"\xff\xff" + bytes(60) + bytes(4)
    + struct.pack("=QI4x", 1, 3)
)  # fmt: skip


class Driver:
    """What the kernel answers for a card with a table and room for eight rules."""

    def __init__(self, *, chooses: bool = False) -> None:
        self.chooses = chooses
        self.table = [0, 1, 2, 3] * 2
        self.rules: dict[int, bytes] = {}
        self.deleted = 0

    def __call__(self, command: int, size: int, payload: bytes) -> bytes:
        data = bytearray(struct.pack("I", command) + payload.ljust(size, b"\0"))
        rule = data[16 : 16 + 168]
        (place,) = struct.unpack_from("I", rule, 160) if len(rule) == 168 else (0,)
        if command == steering.GET_TABLE:
            (asked,) = struct.unpack_from("I", data, 4)
            return struct.pack(f"II{asked}I", command, len(self.table), *self.table[:asked])
        if command == steering.SET_TABLE:
            (asked,) = struct.unpack_from("I", data, 4)
            self.table = list(struct.unpack_from(f"{asked}I", data, 8))
        elif command == steering.INSERT_RULE:
            place = self.place(place)
            self.rules[place] = bytes(rule[:160]) + struct.pack("=I4x", place)
        elif command == steering.DELETE_RULE:
            del self.rules[place]
            self.deleted += 1
        elif command == steering.GET_RULE:
            data[16 : 16 + 168] = self.rules[place]
        else:
            struct.pack_into("=Q", data, 8, steering.LOCATION_SPECIAL if self.chooses else 8)
            struct.pack_into("I", data, 184, len(self.rules))
            if command == steering.GET_ALL_RULES:
                struct.pack_into(f"{len(self.rules)}I", data, 188, *self.rules)
        return bytes(data)

    def place(self, asked: int) -> int:
        """Return where a rule goes; a driver takes only the kind of place that it has."""
        if self.chooses == (asked == steering.LOCATION_ANY) and asked not in self.rules:
            return 100 + len(self.rules) + self.deleted if self.chooses else asked
        raise OSError(errno.EINVAL, "no such place")


def test_a_rule_is_the_bytes_of_the_kernel():
    assert steering.pack_rule(FEED, 3) == FEED_BYTES
    assert [steering.render_rule(steering.pack_rule(text, 5)) for text in (FEED, ORDERS)] == [
        FEED, ORDERS,
    ]  # fmt: skip


@pytest.mark.parametrize("chooses", [False, True])
def test_a_card_has_the_wanted_rules_and_no_other(chooses: bool):
    card = Driver(chooses=chooses)
    steering.write_rules(card, steering.canonical([FEED, ORDERS]))
    assert steering.canonical([*steering.read_rules(card).values()]) == f"{ORDERS}; {FEED}"
    kept = {place for place, rule in steering.read_rules(card).items() if rule == FEED}
    third = "udp to 239.1.1.2:9102 queue 3"
    steering.write_rules(card, steering.canonical([FEED, third]))
    after = steering.read_rules(card)
    assert sorted(after.values()) == [FEED, third]
    assert kept <= set(after) and card.deleted == 1  # what may stay is not touched
    steering.write_rules(card, steering.NO_RULES)
    assert steering.read_rules(card) == {}


def test_somebody_elses_rule_is_given_back_as_it_was():
    card = Driver()
    foreign = bytearray(steering.pack_rule(FEED, 6))
    foreign[12] = 7  # a port of the sender, which our words cannot say
    card.rules[6] = bytes(foreign)
    before = steering.canonical([*steering.read_rules(card).values()])
    assert before == f"raw {foreign.hex()}"
    steering.write_rules(card, FEED)
    assert steering.read_rules(card) == {0: FEED}
    steering.write_rules(card, before)
    assert card.rules == {6: bytes(foreign)}


def test_a_table_is_written_and_read_as_text():
    card = Driver()
    assert steering.read_table(card) == "even 4"
    steering.write_table(card, "even 2")
    assert card.table == [0, 1] * 4
    steering.write_table(card, "0 0 0 0 1 1 1 1")
    assert steering.read_table(card) == "0 0 0 0 1 1 1 1"
    with pytest.raises(OSError, match="the card's table has 8 entries"):
        steering.write_table(card, "0 1")
    card.table = []
    assert steering.read_table(card) is None


# ---- in a plan ----

PROFILE = """\
cpu: {isolated: "4-7", roles: {feed: 2}}
nics:
  feed:
    ids: ["15b3:101d"]
    role: feed
    rss_queues: 1
    xps: role
    flow_rules:
      line_b: udp to 239.1.1.2:9102 queue 1
      line_a: udp to 239.1.1.1:9101 queue 1
"""
RULES = "udp to 239.1.1.1:9101 queue 1; udp to 239.1.1.2:9102 queue 1"


def machine():
    facts = documented("epyc-connectx")
    name = facts.nics[0].name
    sent = f"file:/sys/class/net/{name}/queues/tx-%d/xps_cpus"
    facts = dataclasses.replace(
        facts, nics=(dataclasses.replace(facts.nics[0], tx_queues=2), *facts.nics[1:])
    )
    return name, changed(facts, **{
        f"nic:{name}:rss": "even 4", f"nic:{name}:rules": "none", sent % 0: "0", sent % 1: "ff",
    })  # fmt: skip


def test_the_steering_of_a_card_is_planned():
    name, facts = machine()
    first = plan(parse(PROFILE, source="t.yaml"), facts)
    found = {one.setting.target: one for one in first.findings if "role" not in one.setting.key}
    table, rules = found[f"nic:{name}:rss"], found[f"nic:{name}:rules"]
    assert (table.setting.wanted, table.state) == ("even 1", DRIFT)
    assert (rules.setting.wanted, rules.state) == (RULES, DRIFT)
    sending = [one.setting.wanted for target, one in found.items() if "xps" in target]
    assert sending == ["10", "20"]
    done = {one.setting.target: one.setting.wanted for one in found.values()}
    again = plan(parse(PROFILE, source="t.yaml"), changed(facts, **done))
    assert {one.state for one in again.findings if one.setting.target in done} == {OK}


def test_the_steering_of_a_card_as_commands():
    name, facts = machine()
    script = shell.render(plan(parse(PROFILE, source="t.yaml"), facts))
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert f"ethtool -X {name} equal 1\n" in script
    assert f"ethtool -N {name} flow-type udp4 dst-ip 239.1.1.2 dst-port 9102 action 1\n" in script


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    role: feed\n", "", "t.yaml:6: nics.feed.xps: this card has no role; give it one, or"),
        ("udp to 239.1.1.2:9102 queue 1", "udp 239.1.1.2:9102",
         "t.yaml:9: nics.feed.flow_rules.line_b: 'udp 239.1.1.2:9102' has another form; "
         "write it like udp to 239.1.1.1:9101 queue 1"),
        ("239.1.1.2:9102", "239.1.1.256:9102",
         "t.yaml:9: nics.feed.flow_rules.line_b: 'udp to 239.1.1.256:9102 queue 1' has"),
        ("239.1.1.2:9102", "239.1.1.2:65536",
         "t.yaml:9: nics.feed.flow_rules.line_b: 'udp to 239.1.1.2:65536 queue 1' has"),
    ],
)  # fmt: skip
def test_steering_that_cannot_be_is_refused(old: str, new: str, words: str):
    assert PROFILE.count(old) == 1
    with pytest.raises(ProfileError) as caught:
        parse(PROFILE.replace(old, new), source="t.yaml")
    assert str(caught.value).startswith(words)


# ---- on a real link ----


def test_a_driver_without_steering_has_no_such_values_and_copies():
    ran = in_namespace(
        """
import json
from control import ethtool, profile
from control.collect import collect
from control.effects import with_effects
from control.host import Host
from control.plan import plan
with ethtool.opened() as library:
    found = ethtool.Card("tp-feed", library).values()
wanted = profile.parse("nics: {feed: {interface: tp-feed, driver: af_xdp, rss_queues: 1}}",
                       source="t.yaml")
facts = collect(Host())
proven = with_effects(plan(wanted, facts), facts)
print(json.dumps([[name for name in found if name in ("rss", "rules")],
                  [[one.setting.key, one.state, one.found] for one in proven.findings[:2]]]))
""",
        setup=BOTH_UP,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [
        [],
        [["nics.feed.rss_queues", "unsupported", None], ["nics.feed.driver", "drift", "copies"]],
    ]


PROBED = """
import json, os
from pathlib import Path
from control import profile, target
from control.collect import collect
from control.effects import with_effects
from control.host import Host
from control.plan import plan
# The other end sends by queue 1 whatever it sends: veth delivers to the queue of that number.
everyone = "%x" % ((1 << os.cpu_count()) - 1)
for queue in range(4):
    Path(f"/sys/class/net/tp-peer/queues/tx-{queue}/xps_cpus").write_text(
        everyone if queue == 1 else "0")
# Merging what comes from who does not send in large pieces, veth counts by queue.
target.write(Host(), "nic:tp-feed:offload.rx-gro", "on")
for kind in ("tcp", "tcp-ecn", "tcp-mangleid", "tcp6"):
    target.write(Host(), f"nic:tp-peer:offload.tx-{kind}-segmentation", "off")
wanted = profile.parse(
    "nics: {feed: {interface: tp-feed, probe_from: SENDER, flow_rules: {"
    "a: udp to 239.1.1.1:9101 queue 1, b: tcp from 10.7.0.1:9001 queue 1, "
    "c: udp to 10.7.0.2:9102 queue 2}}}", source="t.yaml")
facts = collect(Host())
proven = with_effects(plan(wanted, facts), facts)
print(json.dumps([[one.setting.key, one.setting.wanted, one.found, one.state]
                  for one in proven.findings if one.setting.target.startswith("fact:")]))
"""


def test_a_probe_finds_the_queue_that_counted_it():
    ran = in_namespace(PROBED.replace("SENDER", "tp-peer"), setup=BOTH_UP)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [
        ["nics.feed.flow_rules.a", "1", "1", "ok"],
        ["nics.feed.flow_rules.b", "1", "1", "ok"],
        ["nics.feed.flow_rules.c", "2", "1", "drift"],
    ]


def test_a_probe_that_cannot_be_sent_is_said():
    ran = in_namespace(PROBED.replace("SENDER", "tp-none"), setup=BOTH_UP)
    assert ran.returncode == 0, ran.stderr
    assert {(found, state) for _, _, found, state in json.loads(ran.stdout)} == {
        ("not sent from tp-none: no such device", "drift"),
    }  # fmt: skip

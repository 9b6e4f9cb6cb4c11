"""The section ``live`` of the configuration: where a live run's packets come from and go to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from appliance.config_section import Section

KINDS = ("uring", "xdp", "dpdk")
IDLES = ("yield", "spin", "adaptive")
TCPS = ("kernel", "lwip")
YES_NO = ("no", "yes")
LINES_MAX = 3
JUMBO_MAX = 9216  # of dp_port.h
SERVERS_MAX = 4
ADDRESSES_MAX = 4
CHANNELS_MAX = 8
SESSIONS_MAX = 8
SPREADS = ("strategy", "instrument", "least_loaded")
THROTTLED = ("reject", "queue")
ACTIONS = {"count": "clear", "reject-new": "reject-new", "cancel-all": "cancel-all"}
DIFFERENCES = {  # what the venue may contradict, and what is done about it
    "duplicate": "count",
    "venue_only": "reject-new",
    "quantity": "reject-new",
    "price": "reject-new",
    "execution": "reject-new",
    "instrument": "reject-new",
    "status": "reject-new",
    "unreadable": "reject-new",
}
MICROSECOND_NS = 1_000
MILLISECOND_NS = 1_000_000

Address = tuple[int, int]


@dataclass(frozen=True)
class LwipConfig:
    """TCP in user space: its address, the first of 16 local ports, and who is next on the wire."""

    ip: int
    port_first: int
    next_hop: bytes


@dataclass(frozen=True)
class SessionConfig:
    """One order session: who logs in, and where, the primary address first."""

    user: str
    password: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class ChannelConfig:
    """One channel of the feed: its lines, its servers, and how many books it has."""

    lines: tuple[Address, ...]
    servers: tuple[Address, ...]
    snapshots: tuple[Address, ...]
    instruments: int | None  # None: a share of those that there are


@dataclass(frozen=True)
class ThrottleConfig:
    """What the venue takes of one session, and what becomes of an order beyond that."""

    rate: int
    burst: int
    headroom_percent: int
    queues: bool


@dataclass(frozen=True)
class LiveConfig:
    """Ports, lines, servers and the order sessions of a live run."""

    kind: str
    interface: str
    queue: int
    queue_count: int
    huge_pages: bool
    mtu: int
    sqpoll_cpu: int
    busy_poll_us: int
    local_ip: int
    lwip: LwipConfig | None
    warm_after_ns: int
    idle: str
    channels: tuple[ChannelConfig, ...]
    window_max: int
    sessions: tuple[SessionConfig, ...]
    spread: str
    throttle: ThrottleConfig
    differences: dict[str, str]
    heartbeat_ns: int
    silence_ns: int


def parse_live(root: Section) -> LiveConfig | None:
    """Check ``live``; None when the configuration has none."""
    if "live" not in root:
        return None
    section = root.section("live")
    section.only(
        "port", "interface", "queue", "queues", "huge_pages", "mtu", "sqpoll_cpu",
        "busy_poll_us", "local_ip", "tcp", "tcp_ip", "tcp_port", "next_hop", "warm_after_us",
        "idle", "lines", "channels", "requests", "snapshots", "window", "sessions", "orders",
        "user", "password", "spread", "message_rate", "message_burst", "headroom_percent",
        "throttled", "differences",
        "heartbeat_ms", "silence_ms",
    )  # fmt: skip
    kind = section.one_of("port", KINDS, "uring")
    interface = section.text("interface", "", example="eth1", size_max=199)
    if kind != "uring" and not interface:
        section.fail("interface", f"missing; the port {kind} needs one, like `interface: eth1`")
    return LiveConfig(
        kind=kind,
        interface=interface,
        queue=section.integer("queue", 0, 63, default=0),
        queue_count=section.integer("queues", 1, 16, default=1),
        huge_pages=section.one_of("huge_pages", YES_NO, "yes") == "yes",
        mtu=section.integer("mtu", 576, JUMBO_MAX, default=1500),
        sqpoll_cpu=section.integer("sqpoll_cpu", -1, 1023, default=-1),
        busy_poll_us=section.integer("busy_poll_us", 0, 1000, default=0),
        local_ip=parse_ip(section, "local_ip", section.text("local_ip", "0.0.0.0")),
        lwip=parse_tcp(section, kind),
        warm_after_ns=section.integer("warm_after_us", 0, 1_000_000, default=1000) * MICROSECOND_NS,
        idle=section.one_of("idle", IDLES, "yield"),
        channels=parse_channels(section),
        window_max=section.integer("window", 1, 1_000_000_000, default=10_000),
        sessions=parse_sessions(section),
        spread=section.one_of("spread", SPREADS, "strategy"),
        throttle=parse_throttle(section),
        differences=parse_differences(section),
        heartbeat_ns=section.integer("heartbeat_ms", 10, 60_000, default=1000) * MILLISECOND_NS,
        silence_ns=section.integer("silence_ms", 20, 600_000, default=15_000) * MILLISECOND_NS,
    )


def own_sections(
    live: Section, name: str, keys: tuple[str, ...], count_max: int
) -> tuple[Section, ...]:
    """Return a list of one to ``count_max``, of which each has its own ``keys``: ``live`` none."""
    for key in keys:
        if key in live:
            live.fail(key, f"each of `{name}` has its own; leave it out here")
    sections = live.sections(name)
    if not 1 <= len(sections) <= count_max:
        live.fail(name, f"{len(sections)} {name}; give 1 to {count_max}")
    return sections


def parse_channels(live: Section) -> tuple[ChannelConfig, ...]:
    """Return the channels of the feed: a list, or the one that stands in ``live`` itself."""
    if "channels" not in live:
        return (parse_channel(live, None),)
    sections = own_sections(live, "channels", ("lines", "requests", "snapshots"), CHANNELS_MAX)
    for section in sections:
        section.only("lines", "requests", "snapshots", "instruments")
    channels = tuple(parse_channel(one, parse_share(one)) for one in sections)
    seen: set[Address] = set()
    for channel, section in zip(channels, sections, strict=True):
        if seen & set(channel.lines):
            section.fail("lines", "one of them is a line of another channel; a line has one")
        seen |= set(channel.lines)
    return channels


def parse_share(section: Section) -> int | None:
    """Return how many instruments a channel may name; None: an equal part of the rest."""
    if "instruments" not in section:
        return None
    return section.integer("instruments", 1, 65_536)


def parse_channel(section: Section, instruments: int | None) -> ChannelConfig:
    """Return one channel of the feed."""
    return ChannelConfig(
        lines=addresses(section, "lines", LINES_MAX),
        servers=addresses(section, "requests", SERVERS_MAX) if "requests" in section else (),
        snapshots=addresses(section, "snapshots", ADDRESSES_MAX) if "snapshots" in section else (),
        instruments=instruments,
    )


def parse_sessions(live: Section) -> tuple[SessionConfig, ...]:
    """Return the order sessions: a list, or the one that stands in ``live`` itself."""
    if "sessions" not in live:
        return (parse_session(live),)
    sections = own_sections(live, "sessions", ("orders", "user", "password"), SESSIONS_MAX)
    for section in sections:
        section.only("orders", "user", "password")
    sessions = tuple(map(parse_session, sections))
    names = [one.user for one in sessions]
    for name, section in zip(names, sections, strict=True):
        if names.count(name) > 1:
            section.fail("user", f"{name!r} is in two sessions; a user has one at a time")
    return sessions


def parse_session(section: Section) -> SessionConfig:
    """Return one order session."""
    return SessionConfig(
        addresses=addresses(section, "orders", ADDRESSES_MAX),
        user=section.text("user", example="alice", size_max=6),
        password=section.text("password", example="secret", size_max=10),
    )


def parse_throttle(section: Section) -> ThrottleConfig:
    """Return what the venue takes; without a rate there is no limit."""
    for key in ("message_burst", "headroom_percent", "throttled"):
        if key in section and "message_rate" not in section:
            section.fail(key, "stands for nothing without a limit; give message_rate too")
    rate = section.integer("message_rate", 1, 1_000_000, default=0)
    return ThrottleConfig(
        rate=rate,
        burst=section.integer("message_burst", 1, 1_000_000, default=max(rate // 10, 1)),
        headroom_percent=section.integer("headroom_percent", 0, 90, default=20),
        queues=section.one_of("throttled", THROTTLED, "reject") == "queue",
    )


def parse_differences(live: Section) -> dict[str, str]:
    """Return the mode of the firm's switch for each contradiction of the venue."""
    section = live.section("differences")
    section.only(*DIFFERENCES)
    return {
        name: ACTIONS[section.one_of(name, tuple(ACTIONS), action)]
        for name, action in DIFFERENCES.items()
    }


def parse_tcp(section: Section, kind: str) -> LwipConfig | None:
    """Return what TCP in user space needs; None: the kernel's carries the orders."""
    keys = ("tcp_ip", "tcp_port", "next_hop")
    if section.one_of("tcp", TCPS, "kernel") == "kernel":
        for key in keys:
            if key in section:
                section.fail(key, "only `tcp: lwip` has one; leave it out, or change tcp")
        return None
    if kind == "uring":
        section.fail("tcp", "'lwip' stands on a port of frames; use `port: xdp` or `port: dpdk`")
    return LwipConfig(
        ip=parse_ip(section, "tcp_ip", section.text("tcp_ip", example="10.7.0.9")),
        port_first=section.integer("tcp_port", 1024, 65_519, default=40_000),
        next_hop=parse_mac(section, "next_hop"),
    )


def parse_mac(section: Section, key: str) -> bytes:
    """Return a hardware address as six bytes."""
    text = section.text(key, example='"02:00:00:00:00:02"')
    if not re.fullmatch("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", text):
        section.fail(key, f"{text!r} is not a hardware address; give one like 02:00:00:00:00:02")
    return bytes.fromhex(text.replace(":", ""))


def addresses(section: Section, key: str, count_max: int) -> tuple[Address, ...]:
    """Return a list of ADDRESS:PORT."""
    words = section.words(key)
    if len(words) > count_max:
        section.fail(key, f"{len(words)} addresses; give at most {count_max}")
    return tuple(parse_address(section, key, word) for word in words)


def parse_address(section: Section, key: str, text: str) -> Address:
    """Return an IPv4 address and a port as numbers."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        section.fail(key, f"{text!r} is not an address; give one like 127.0.0.1:9001")
    return parse_ip(section, key, host), int(port)


def parse_ip(section: Section, key: str, text: str) -> int:
    """Return an IPv4 address as a number."""
    try:
        return int(ipaddress.IPv4Address(text))
    except ValueError:
        section.fail(key, f"{text!r} is not an IPv4 address; give one like 127.0.0.1")


def text_of(address: Address) -> str:
    """Return an address as a person writes it."""
    return f"{ipaddress.IPv4Address(address[0])}:{address[1]}"

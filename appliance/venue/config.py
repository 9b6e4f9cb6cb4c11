"""The configuration of ``tickplane venue``: read once, checked whole, then trusted.

Every complaint is ``FILE:LINE: key: problem; remedy``. docs/venue.md describes every key.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from importlib import resources

from appliance.config_section import ConfigError, Section, compose
from appliance.errors import CommandError
from appliance.venue.messages import duration_ns
from dataplane.exchange import POLICIES, SESSIONS, SHORT_SALES, STP_MODES
from dataplane.server import LOOPBACK

PPM = 1_000_000
DAY_NS = 86_400_000_000_000
# A price on the feed has four decimals; half a tick, a midpoint, must have no more.
TICK_STEP_NANOS = 200_000
QTY_MAX = 999_999
YES_NO = ("no", "yes")
LMM_POLICIES = ("fifo_lmm", "fifo_top_lmm")
LMMS_MAX = 4
AGENT_KINDS = ("zero_intelligence", "informed", "market_maker", "bursts", "halts")

Address = tuple[int, int]


@dataclass(frozen=True)
class LineConfig:
    """One of the two lines of market data."""

    address: Address
    delay_ns: int
    loss_ppm: int
    reorder_ppm: int
    duplicate_ppm: int


@dataclass(frozen=True)
class InstrumentConfig:
    """What is traded, and how it is matched."""

    symbol: str
    tick_nanos: int
    reference_nanos: int
    policy: str
    session: str
    lot: int
    allocation_min: int
    top_max: int
    band_ppm: int
    pause_ns: int
    lmms: tuple[tuple[str, int], ...]
    short_sale: str


@dataclass(frozen=True)
class UserConfig:
    """Who may log in."""

    user: str
    password: str
    firm: str
    fees: str
    self_match: str
    group: int
    cancel_on_disconnect: bool
    requests_per_second: int
    locate_required: bool


@dataclass(frozen=True)
class FeeTier:
    """What a side pays from a traded quantity on; negative: receives."""

    from_qty: int
    maker_nanos: int
    taker_nanos: int
    maker_ppm: int
    taker_ppm: int


@dataclass(frozen=True)
class AgentConfig:
    """One kind of background flow."""

    kind: str
    count: int
    symbols: tuple[str, ...]
    interval_ns: int
    qty_max: int
    spread_ticks: int


@dataclass(frozen=True)
class VenueConfig:
    """One exchange of the process."""

    name: str
    session: str
    dark: bool
    follows: str
    newest_login_wins: bool
    order_latency_ns: int
    report_latency_ns: int
    heartbeat_ns: int
    silence_ns: int
    login_ns: int
    imbalance_ns: int
    connections: int
    orders_max: int
    store_mib: int
    slow_mib: int
    orders: Address
    snapshot: Address
    requests: Address
    multicast_ip: int
    lines: tuple[LineConfig, LineConfig]
    instruments: tuple[InstrumentConfig, ...]
    users: tuple[UserConfig, ...]
    fees: dict[str, tuple[FeeTier, ...]]
    agents: tuple[AgentConfig, ...]
    recording: str
    recording_speed: int


@dataclass(frozen=True)
class Config:
    """A whole process."""

    source: str
    seed: int
    record: str
    venues: tuple[VenueConfig, ...]


def parse(text: str, *, source: str) -> Config:
    """Turn YAML text into a checked configuration, or raise ConfigError."""
    root = compose(text, source)
    root.only("seed", "record", "venues")
    return Config(
        source=source,
        seed=root.integer("seed", 0, (1 << 63) - 1, default=1),
        record=root.text("record", "", example="venue.tape", size_max=4096),
        venues=parse_venues(root),
    )


def parse_venues(root: Section) -> tuple[VenueConfig, ...]:
    """Check ``venues``, by name."""
    section = root.section("venues")
    venues: list[VenueConfig] = []
    for name in section:
        venue = parse_venue(section.section(name), name)
        check_follows(section.section(name), venue, venues)
        check_lmms(section.section(name), venue)
        venues.append(venue)
    if not venues:
        root.fail("venues", "none; name at least one, and its instruments and users below it")
    return tuple(venues)


def example_text() -> str:
    """Return the example that ships, comments and all."""
    return (resources.files("appliance") / "configs" / "venue.yaml").read_text(encoding="utf-8")


def load(path: str) -> Config:
    """Read a file."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read(), source=path)
    except UnicodeDecodeError:
        raise ConfigError(f"{path}:1: not text; give a YAML file in UTF-8") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{path}: {reason}; give a configuration that can be read") from None


def check_follows(section: Section, venue: VenueConfig, before: list[VenueConfig]) -> None:
    """A dark venue takes its midpoints from one lit venue above it, which has one follower."""
    if venue.dark != bool(venue.follows):
        section.fail(
            "follows", "a dark venue follows a lit one, no other does; write `follows: NAME`"
        )
    lit = [other.name for other in before if not other.dark]
    if venue.follows and venue.follows not in lit:
        section.fail(
            "follows", f"{venue.follows!r} is no lit venue above this one; known: {', '.join(lit)}"
        )
    if venue.follows and venue.follows in [other.follows for other in before]:
        section.fail("follows", f"{venue.follows!r} has a follower already; give it its own")


VENUE_KEYS = (
    "session", "dark", "follows", "second_login", "order_latency", "report_latency", "heartbeat",
    "silence", "login_timeout", "imbalance", "connections", "orders_max", "store_mib", "slow_mib",
    "orders", "snapshot", "requests", "multicast_interface", "lines", "instruments", "users",
    "fees", "agents", "recording", "recording_speed",
)  # fmt: skip


def parse_venue(section: Section, name: str) -> VenueConfig:
    """Check one venue."""
    section.only(*VENUE_KEYS)
    fees = parse_fees(section.section("fees"))
    lines = section.section("lines")
    lines.only("a", "b")
    return VenueConfig(
        name=name,
        session=section.text("session", "1", size_max=10),
        dark=yes(section, "dark"),
        follows=section.text("follows", "", example="lit"),
        newest_login_wins=section.one_of("second_login", ("refused", "wins"), "refused") == "wins",
        order_latency_ns=time_ns(section, "order_latency", "0s"),
        report_latency_ns=time_ns(section, "report_latency", "0s"),
        heartbeat_ns=time_ns(section, "heartbeat", "1s", least_ns=1),
        silence_ns=time_ns(section, "silence", "15s", least_ns=1),
        login_ns=time_ns(section, "login_timeout", "30s", least_ns=1),
        imbalance_ns=time_ns(section, "imbalance", "1s"),
        connections=section.integer("connections", 1, 65_536, default=1_024),
        orders_max=section.integer("orders_max", 1, 4_000_000, default=65_536),
        store_mib=section.integer("store_mib", 1, 65_536, default=64),
        slow_mib=section.integer("slow_mib", 1, 65_536, default=16),
        orders=address(section, "orders"),
        snapshot=address(section, "snapshot"),
        requests=address(section, "requests"),
        multicast_ip=interface(section),
        lines=(parse_line(lines.section("a")), parse_line(lines.section("b"))),
        instruments=parse_instruments(section),
        users=parse_users(section, fees),
        fees=fees,
        agents=parse_agents(section),
        recording=section.text("recording", "", example="day.itch", size_max=4096),
        recording_speed=section.integer("recording_speed", 1, 1_000_000, default=1),
    )


def yes(section: Section, key: str) -> bool:
    """Return whether a key says yes."""
    return section.one_of(key, YES_NO, "no") == "yes"


def time_ns(section: Section, key: str, default: str, *, least_ns: int = 0) -> int:
    """Return a time like 50ms or 1.5s."""
    text = section.text(key, default, example=default)
    try:
        value = duration_ns(text, "time")
    except CommandError:
        section.fail(key, f"{text!r} is not a time; give one like 50ms or 1.5s")
    if not least_ns <= value <= DAY_NS:
        section.fail(key, f"{text} is out of reach; give more than nothing and less than a day")
    return value


def address(section: Section, key: str, *, default: Address = (LOOPBACK, 0)) -> Address:
    """Return ``IP:PORT`` as numbers; without one a free port of the loopback."""
    if key not in section:
        return default
    text = section.text(key, example="127.0.0.1:9001")
    ip, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535 or ip_number(ip) is None:
        section.fail(key, f"{text!r} is not an address; give one like 127.0.0.1:9001")
    return ip_number(ip) or 0, int(port)


def ip_number(text: str) -> int | None:
    """Return an IPv4 address as a number; None when it is none."""
    try:
        return int(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def interface(section: Section) -> int:
    """Return the address of the interface that multicast leaves by; 0: the system's choice."""
    text = section.text("multicast_interface", "", example="127.0.0.1")
    number = ip_number(text) if text else 0
    if number is None:
        section.fail("multicast_interface", f"{text!r} is not an address; give one like 127.0.0.1")
    return number


def parse_line(section: Section) -> LineConfig:
    """Check one line; without ``to`` nothing is sent."""
    section.only("to", "delay", "loss_ppm", "reorder_ppm", "duplicate_ppm")
    return LineConfig(
        address=address(section, "to", default=(0, 0)),
        delay_ns=time_ns(section, "delay", "0s"),
        loss_ppm=section.integer("loss_ppm", 0, PPM, default=0),
        reorder_ppm=section.integer("reorder_ppm", 0, PPM, default=0),
        duplicate_ppm=section.integer("duplicate_ppm", 0, PPM, default=0),
    )


def parse_instruments(venue: Section) -> tuple[InstrumentConfig, ...]:
    """Check the instruments of a venue, by symbol."""
    section = venue.section("instruments")
    instruments = tuple(parse_instrument(section.section(symbol), symbol) for symbol in section)
    if not instruments:
        venue.fail("instruments", "none; name at least one, like `TPLN: {reference: 10.00}`")
    for one in instruments:
        if not one.symbol.isascii() or len(one.symbol) > 8 or " " in one.symbol:
            section.fail(one.symbol, "not a symbol; give 1 to 8 characters without spaces")
    return instruments


def parse_instrument(section: Section, symbol: str) -> InstrumentConfig:
    """Check one instrument."""
    section.only(
        "tick", "reference", "policy", "session", "lot", "allocation_min", "top_max", "band_ppm",
        "pause", "lmms", "short_sale",
    )  # fmt: skip
    tick_nanos = section.nanos("tick", TICK_STEP_NANOS, 10**12, default_nanos=10_000_000)
    if tick_nanos % TICK_STEP_NANOS != 0:
        section.fail("tick", "half of it has more than four decimals; give a multiple of 0.0002")
    return InstrumentConfig(
        symbol=symbol,
        tick_nanos=tick_nanos,
        reference_nanos=section.nanos("reference", 100_000, default_nanos=10_000_000_000),
        policy=section.one_of("policy", POLICIES, "fifo"),
        session=section.one_of("session", SESSIONS, "continuous"),
        lot=section.integer("lot", 1, QTY_MAX, default=1),
        allocation_min=section.integer("allocation_min", 0, QTY_MAX, default=0),
        top_max=section.integer("top_max", 0, QTY_MAX, default=0),
        band_ppm=section.integer("band_ppm", 0, PPM, default=0),
        pause_ns=time_ns(section, "pause", "5s"),
        lmms=parse_lmms(section),
        short_sale=section.one_of("short_sale", SHORT_SALES, "free"),
    )


def parse_lmms(instrument: Section) -> tuple[tuple[str, int], ...]:
    """Check the lead market makers: of each its user and its share, in the order of their turn."""
    section = instrument.section("lmms")
    lmms = tuple((user, section.integer(user, 1, PPM)) for user in section)
    if lmms and instrument.one_of("policy", POLICIES, "fifo") not in LMM_POLICIES:
        instrument.fail("lmms", f"only of policies {' and '.join(LMM_POLICIES)}; name one of them")
    if len(lmms) > LMMS_MAX:
        instrument.fail("lmms", f"{len(lmms)} users; give at most {LMMS_MAX}")
    if sum(share for _, share in lmms) > PPM:
        instrument.fail("lmms", f"more than {PPM} in all; give parts of a million")
    return lmms


def check_lmms(section: Section, venue: VenueConfig) -> None:
    """A lead market maker is a user of its venue."""
    known = [one.user for one in venue.users]
    for instrument in venue.instruments:
        for user, _ in instrument.lmms:
            if user not in known:
                lmms = section.section("instruments").section(instrument.symbol).section("lmms")
                lmms.fail(user, f"no user of this venue; known: {', '.join(known)}")


def parse_users(venue: Section, fees: dict[str, tuple[FeeTier, ...]]) -> tuple[UserConfig, ...]:
    """Check who may log in, by name."""
    section = venue.section("users")
    users = tuple(parse_user(section.section(name), name, fees) for name in section)
    if not users:
        venue.fail("users", "none; name at least one, like `alice: {password: secret}`")
    for one in users:
        if not one.user.isascii() or len(one.user) > 6 or one.user.lower() != one.user:
            section.fail(one.user, "not a user; give 1 to 6 lower-case characters")
    return users


def parse_user(section: Section, name: str, fees: dict[str, tuple[FeeTier, ...]]) -> UserConfig:
    """Check one user."""
    section.only(
        "password", "firm", "fees", "self_match", "group", "cancel_on_disconnect",
        "requests_per_second", "locate_required",
    )  # fmt: skip
    return UserConfig(
        user=name,
        password=section.text("password", example="secret", size_max=10),
        firm=section.text("firm", "", example="TPLN", size_max=4),
        fees=section.one_of("fees", fees, "none"),
        self_match=section.one_of("self_match", ("none", *STP_MODES), "none"),
        group=section.integer("group", 1, 65_535, default=1),
        cancel_on_disconnect=yes(section, "cancel_on_disconnect"),
        requests_per_second=section.integer("requests_per_second", 0, 1_000_000_000, default=0),
        locate_required=yes(section, "locate_required"),
    )


def parse_fees(section: Section) -> dict[str, tuple[FeeTier, ...]]:
    """Check the classes of fees; ``none`` is there always."""
    fees: dict[str, tuple[FeeTier, ...]] = {"none": ()}
    for name in section:
        fees[name] = tuple(parse_tier(tier) for tier in section.sections(name))
    return fees


def parse_tier(section: Section) -> FeeTier:
    """Check one tier of a class."""
    section.only("from", "maker", "taker", "maker_ppm", "taker_ppm")
    rate_max = 10**12
    return FeeTier(
        from_qty=section.integer("from", 0, 1 << 62, default=0),
        maker_nanos=section.nanos("maker", -rate_max, rate_max, default_nanos=0),
        taker_nanos=section.nanos("taker", -rate_max, rate_max, default_nanos=0),
        maker_ppm=section.integer("maker_ppm", -PPM, PPM, default=0),
        taker_ppm=section.integer("taker_ppm", -PPM, PPM, default=0),
    )


def parse_agents(venue: Section) -> tuple[AgentConfig, ...]:
    """Check the background flow."""
    if "agents" not in venue:
        return ()
    return tuple(parse_agent(section) for section in venue.sections("agents"))


def parse_agent(section: Section) -> AgentConfig:
    """Check one kind of background flow."""
    section.only("kind", "count", "symbols", "interval", "qty_max", "spread_ticks")
    return AgentConfig(
        kind=section.one_of("kind", AGENT_KINDS),
        count=section.integer("count", 1, 256, default=1),
        symbols=section.words("symbols") if "symbols" in section else (),
        interval_ns=time_ns(section, "interval", "100ms", least_ns=1_000),
        qty_max=section.integer("qty_max", 1, QTY_MAX, default=500),
        spread_ticks=section.integer("spread_ticks", 1, 10_000, default=5),
    )

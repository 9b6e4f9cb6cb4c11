"""The configuration: YAML, checked once into frozen values, trusted afterwards.

    config = load("my.yaml")        # or default(): the example that ships
    config.session.midnight_ns

Names here are those of the C structs they fill; docs/configuration.md has every key. Prices
and amounts are integers in 1e-9 (``_nanos``), times are nanoseconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

from appliance.card_config import CardConfig, parse_card
from appliance.config_risk import (
    AccountConfig,
    GroupLimits,
    InstrumentLimits,
    StrategyLimits,
    parse_account,
    parse_accounts,
    parse_group_limits,
    parse_instrument_limits,
    parse_strategy_limits,
)
from appliance.config_section import ConfigError, Section, compose
from appliance.desk_config import DeskConfig, parse_desk
from appliance.live_config import LiveConfig, parse_live
from control.section import suggestion
from dataplane.segment import CLASSES, DURABILITIES

# A configuration is a page or two; this keeps a wrong file (a capture, /dev/zero) out of memory.
SIZE_MAX = 1 << 20
STRATEGIES_MAX = 16
COUNT_MAX = 1 << 30  # of records in one part of the region
SECOND_NS = 1_000_000_000
DESK = "desk"  # orders come from other processes
BUILT_IN = ("market_maker", "imbalance_taker", DESK)
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
SYMBOL = re.compile(r"[!-~]{1,8}")


@dataclass(frozen=True)
class SessionConfig:
    """The day that was recorded: feed times count from its local midnight."""

    date: date
    timezone: str
    midnight_ns: int


@dataclass(frozen=True)
class CapacityConfig:
    """Records laid out before the first packet; nothing grows afterwards."""

    instruments: int
    orders: int
    levels: int
    own_orders: int


@dataclass(frozen=True)
class FeedConfig:
    """How long a missing packet is waited for."""

    gap_timeout_ns: int


@dataclass(frozen=True)
class VenueConfig:
    """Where orders go: distance in time, and what every order carries."""

    name: str
    order_latency_ns: int
    report_latency_ns: int
    cl_ord_id_prefix: str
    capacity: str
    display: str


@dataclass(frozen=True)
class StrategyConfig:
    """One strategy: what it is, what it trades, how far it may go.

    ``kind`` is a built-in name, ``desk`` for orders of other processes, ``python`` or ``cython``
    with ``target`` as ``module:name``, or ``library`` with ``target`` as the path of a shared
    library.
    ``params`` is checked by the strategy itself, with the same complaints.
    """

    name: str
    kind: str
    target: str
    symbols: tuple[str, ...]  # empty: not chosen by name
    first: int  # the first so many of the directory; 0: not chosen by place
    account: str
    params: Section
    limits: StrategyLimits

    def trades(self, symbol: str, place: int) -> bool:
        """Say whether it trades the instrument that is number ``place`` (0, 1 ...) to be opened."""
        return symbol in self.symbols if self.symbols else place < self.first


@dataclass(frozen=True)
class JournalConfig:
    """Where the journal is, the size of one file, and what an outgoing order waits for."""

    directory: str  # "" for none but what the command line names
    segment_size: int
    durability: Mapping[str, str]  # by record class: new, replace, cancel
    seal: bool  # a live run seals closed segments in the background
    keep_mib: int | None  # of sealed segments' own files; None: all
    keep_hours: int | None
    keys: str  # folder of the keys that sign sealed segments; "": none signs

    def numbers(self) -> tuple[int, ...]:
        """Return the durability of each class as the journal's format has it."""
        return tuple(DURABILITIES.index(self.durability[name]) for name in CLASSES)


@dataclass(frozen=True)
class CpuConfig:
    """The core of the engine's thread, and whether the process's memory must stay."""

    engine: int | None
    lock_memory: bool


@dataclass(frozen=True)
class Config:
    """Everything that one run of the appliance is told."""

    source: str
    name: str
    session: SessionConfig
    capacity: CapacityConfig
    feed: FeedConfig
    card: CardConfig
    venue: VenueConfig
    firm: GroupLimits
    accounts: tuple[AccountConfig, ...]
    instrument_limits: InstrumentLimits
    overrides: Mapping[str, InstrumentLimits]
    strategies: tuple[StrategyConfig, ...]
    desk: DeskConfig
    journal: JournalConfig
    cpu: CpuConfig
    live: LiveConfig | None  # None: for replays only
    seed: int
    fingerprint: str  # SHA-256 of the text that it was read from

    def limits_of(self, symbol: str) -> InstrumentLimits:
        """Return the limits of an instrument: its own, else the default ones."""
        return self.overrides.get(symbol, self.instrument_limits)

    def has_desk(self) -> bool:
        """Say whether a strategy takes its orders from other processes."""
        return any(strategy.kind == DESK for strategy in self.strategies)

    def account_index(self, strategy: StrategyConfig) -> int:
        """Return the place of a strategy's account."""
        return [account.name for account in self.accounts].index(strategy.account)

    def only_strategy(self, words: str) -> Config:
        """Return the same with the strategies of that name or kind alone.

        A kind that is not configured takes the place, instruments and limits of the first
        strategy, with default parameters: enough to try one out.
        """
        chosen = tuple(one for one in self.strategies if words in (one.name, one.kind))
        if not chosen:
            names = [one.name for one in self.strategies]
            kind, target = parse_kind(words, "--strategy", names)
            params = compose("{}", "--strategy")
            first = replace(self.strategies[0], name=kind, kind=kind, target=target, params=params)
            chosen = (first,)
        return replace(self, strategies=chosen)


def load(path: str) -> Config:
    """Read and check a configuration file, or raise ConfigError."""
    try:
        with open(path, "rb") as file:
            data = file.read(SIZE_MAX + 1)
    except OSError as error:
        words = (error.strerror or "it cannot be opened").lower()
        raise ConfigError(
            f"{path}: cannot be read: {words}; give a file like appliance/configs/example.yaml"
        ) from None
    if len(data) > SIZE_MAX:
        raise ConfigError(f"{path}: larger than {SIZE_MAX} bytes; give a page of YAML")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8 text"
        ) from None
    return parse(text, source=path)


def parse(text: str, *, source: str) -> Config:
    """Turn YAML text into a checked configuration, or raise ConfigError."""
    root = compose(text, source)
    root.only(
        "appliance", "session", "capacity", "feed", "card", "venue", "firm", "accounts",
        "instruments", "strategies", "desk", "journal", "live", "seed", "cpu",
    )  # fmt: skip
    appliance = root.section("appliance")
    appliance.only("name")
    instruments = root.section("instruments")
    instruments.only("default", "overrides")
    base = instruments.section("default")
    accounts = parse_accounts(root)
    return Config(
        source=source,
        name=parse_name(appliance),
        session=parse_session(root.section("session")),
        capacity=parse_capacity(root.section("capacity")),
        feed=parse_feed(root.section("feed")),
        card=parse_card(root.section("card")),
        venue=parse_venue(root.section("venue")),
        firm=parse_group_limits(root.section("firm")),
        accounts=accounts,
        instrument_limits=parse_instrument_limits(base),
        overrides=parse_overrides(instruments.section("overrides"), base),
        strategies=parse_strategies(root, accounts),
        desk=parse_desk(root.section("desk")),
        journal=parse_journal(root.section("journal")),
        cpu=parse_cpu(root.section("cpu")),
        live=parse_live(root),
        seed=root.integer("seed", 0, (1 << 64) - 1, default=1),
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
    )


def example_text() -> str:
    """Return the example that ships, comments and all."""
    return (resources.files("appliance") / "configs" / "example.yaml").read_text(encoding="utf-8")


def default() -> Config:
    """Return the example that ships, checked like any other file."""
    return parse(example_text(), source="example.yaml")


def parse_name(section: Section) -> str:
    """Check ``appliance.name``, which becomes part of file names."""
    name = section.text("name", example="demo")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        section.fail("name", f"{name!r} does not fit; give letters, digits, dots and dashes")
    return name


def parse_session(section: Section) -> SessionConfig:
    """Check ``session``."""
    section.only("date", "timezone")
    text = section.text("date", example="2026-01-02")
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        section.fail("date", f"{text!r} is not a day; write it like 2026-01-02")
    # Nanoseconds since 1970 end in 2262; the feeds that we read began in this century.
    if not 1990 <= day.year <= 2200:
        section.fail("date", f"{day} is out of reach; give a day from 1990 to 2200")
    name = section.text("timezone", example="America/New_York")
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        zones = available_timezones()
        remedy = suggestion(name, zones) if len(zones) > 1 else "install the package tzdata"
        if remedy.startswith("known:"):
            remedy = "write it like America/New_York"
        section.fail("timezone", f"{name!r} is not a time zone here; {remedy}")
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    seconds = (midnight - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return SessionConfig(date=day, timezone=name, midnight_ns=seconds * SECOND_NS)


def parse_capacity(section: Section) -> CapacityConfig:
    """Check ``capacity``."""
    section.only("instruments", "orders", "levels", "own_orders")
    return CapacityConfig(
        instruments=section.integer("instruments", 1, 65_536, default=65_536),
        orders=section.integer("orders", 1, COUNT_MAX, default=1 << 21),
        levels=section.integer("levels", 1, COUNT_MAX, default=1 << 19),
        own_orders=section.integer("own_orders", 1, COUNT_MAX, default=1 << 20),
    )


def parse_feed(section: Section) -> FeedConfig:
    """Check ``feed``."""
    section.only("gap_timeout_ms")
    return FeedConfig(section.integer("gap_timeout_ms", 1, 60_000, default=50) * 1_000_000)


def parse_venue(section: Section) -> VenueConfig:
    """Check ``venue``."""
    section.only(
        "name", "order_latency_ns", "report_latency_ns", "cl_ord_id_prefix", "capacity", "display"
    )
    prefix = section.text("cl_ord_id_prefix", default="TP")
    if not re.fullmatch(r"[A-Za-z0-9]{1,6}", prefix):
        section.fail("cl_ord_id_prefix", f"{prefix!r} does not fit; give 1 to 6 letters and digits")
    return VenueConfig(
        name=section.one_of("name", ("nasdaq",), default="nasdaq"),
        order_latency_ns=section.integer("order_latency_ns", 0, SECOND_NS, default=20_000),
        report_latency_ns=section.integer("report_latency_ns", 0, SECOND_NS, default=20_000),
        cl_ord_id_prefix=prefix,
        capacity=section.one_of("capacity", ("A", "P", "R", "O"), default="P"),
        display=section.one_of("display", ("Y", "N", "A"), default="Y"),
    )


def parse_overrides(section: Section, base: Section) -> dict[str, InstrumentLimits]:
    """Check ``instruments.overrides``: symbol to what differs from the default."""
    for symbol in section:
        if not SYMBOL.fullmatch(symbol):
            section.fail(symbol, "not a symbol; give 1 to 8 printable characters")
    return {
        symbol: parse_instrument_limits(section.section(symbol).on_top_of(base))
        for symbol in section
    }


def parse_strategies(
    root: Section, accounts: tuple[AccountConfig, ...]
) -> tuple[StrategyConfig, ...]:
    """Check ``strategies``: a list, each with a name of its own."""
    sections = root.sections("strategies")
    if len(sections) > STRATEGIES_MAX:
        root.fail("strategies", f"{len(sections)} of them; give at most {STRATEGIES_MAX}")
    strategies: list[StrategyConfig] = []
    for section in sections:
        strategy = parse_strategy(section, accounts)
        if any(strategy.name == other.name for other in strategies):
            section.fail("name", f"{strategy.name!r} is taken; give each strategy its own name")
        strategies.append(strategy)
    return tuple(strategies)


def parse_strategy(section: Section, accounts: tuple[AccountConfig, ...]) -> StrategyConfig:
    """Check one of ``strategies``."""
    section.only("name", "kind", "symbols", "first", "account", "params", "risk")
    words = section.text("kind", example="market_maker", size_max=200)
    try:
        kind, target = parse_kind(words, "kind", ())
    except ConfigError as error:
        section.fail("kind", str(error).split(": ", 1)[1])
    is_blind = kind == DESK and "symbols" not in section and "first" not in section
    symbols, first = ((), 0) if is_blind else parse_choice(section)
    return StrategyConfig(
        name=section.text("name", default=kind),
        kind=kind,
        target=target,
        symbols=symbols,
        first=first,
        account=parse_account(section, accounts),
        params=section.section("params"),
        limits=parse_strategy_limits(section.section("risk")),
    )


def parse_kind(words: str, where: str, names: list[str] | tuple[str, ...]) -> tuple[str, str]:
    """Return a strategy's kind and target from ``market_maker`` or ``python module:Class``."""
    kind, _, target = words.partition(" ")
    if kind in BUILT_IN and not target:
        return kind, ""
    if kind == "library":
        if not target.startswith("/"):
            raise ConfigError(f"{where}: {words!r} names no file; write `library /full/path.so`")
        return kind, target
    if kind in ("python", "cython"):
        if not TARGET.fullmatch(target):
            raise ConfigError(f"{where}: {words!r} names no code; write `{kind} module:name`")
        return kind, target
    known = (*names, *BUILT_IN, "python module:name", "cython module:name", "library /path.so")
    raise ConfigError(f"{where}: no strategy is called {words!r}; {suggestion(words, known)}")


def parse_choice(section: Section) -> tuple[tuple[str, ...], int]:
    """Return what a strategy trades: its symbols, or how many from the start of the directory."""
    if ("symbols" in section) == ("first" in section):
        section.fail("symbols", "give either `symbols: [AAA, BBB]`, `symbols: all` or `first: 20`")
    if "first" in section:
        return (), section.integer("first", 1, 65_536)
    if not section.is_list("symbols"):
        section.one_of("symbols", ("all",))
        return (), 65_536
    symbols = section.words("symbols")
    for symbol in symbols:
        if not SYMBOL.fullmatch(symbol):
            section.fail("symbols", f"{symbol!r} is not a symbol; give 1 to 8 printable characters")
    return symbols, 0


def parse_cpu(section: Section) -> CpuConfig:
    """Check ``cpu``."""
    section.only("engine", "lock_memory")
    return CpuConfig(
        engine=section.integer("engine", 0, 1023) if "engine" in section else None,
        lock_memory=section.one_of("lock_memory", ("false", "true"), "false") == "true",
    )


def parse_journal(section: Section) -> JournalConfig:
    """Check ``journal``."""
    section.only(
        "directory", "segment_size_mib", "durability", "durability_of", "seal", "keep_mib",
        "keep_hours", "keys",
    )  # fmt: skip
    default = parse_durability(section, "durability", "memory")
    classes = section.section("durability_of")
    classes.only(*CLASSES)
    return JournalConfig(
        directory=section.text("directory", "", example="/var/lib/tickplane/journal", size_max=199),
        segment_size=section.integer("segment_size_mib", 1, 4096, default=64) << 20,
        durability={name: parse_durability(classes, name, default) for name in CLASSES},
        seal=section.one_of("seal", ("false", "true"), "false") == "true",
        keep_mib=section.integer("keep_mib", 0, 1 << 30) if "keep_mib" in section else None,
        keys=section.text("keys", "", example="/etc/tickplane/keys", size_max=4096),
        keep_hours=section.integer("keep_hours", 0, 1 << 20) if "keep_hours" in section else None,
    )


def parse_durability(section: Section, key: str, default: str) -> str:
    """Return what a class waits for; a replica is a word of the format that nobody serves yet."""
    word = section.one_of(key, DURABILITIES, default)
    if "replica" in word:
        section.fail(key, f"{word!r} needs a standby, and there is none yet; use memory or fsync")
    return word

"""The configuration: what the example means, and every complaint word for word."""

from __future__ import annotations

import dataclasses
import os
import random
from pathlib import Path

import pytest

from appliance import config
from appliance.config_section import ConfigError, compose

DOLLAR = 1_000_000_000


def edited(old: str, new: str) -> str:
    """Return the example with one change, which must be possible in exactly one place."""
    text = config.example_text()
    assert text.count(old) == 1, (old, text.count(old))
    return text.replace(old, new)


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, source="t.yaml")
    return str(caught.value)


def test_the_example_says_what_its_comments_say():
    example = config.default()
    assert example.name == "demo"
    assert example.session.midnight_ns == 1_767_330_000 * DOLLAR  # 05:00 UTC of 2 January 2026
    assert example.feed.gap_timeout_ns == 50_000_000
    assert example.venue == config.VenueConfig("nasdaq", 20_000, 20_000, "TP", "P", "Y")
    assert example.instrument_limits == config.InstrumentLimits(
        order_qty_max=1000,
        order_notional_max_nanos=250_000 * DOLLAR,
        position_max=5000,
        collar_bps=500,
        collar_abs_nanos=50_000_000,
    )
    maker, taker = example.strategies
    assert (maker.name, maker.kind, maker.target) == ("maker", "market_maker", "")
    assert (taker.name, taker.kind, taker.target) == ("taker", "imbalance_taker", "")
    assert maker.trades("ANY", 99) and not maker.trades("ANY", 100)
    assert maker.limits.duplicate_window_ns == 100_000_000
    assert example.journal.segment_size == 64 << 20


def test_the_same_text_gives_an_equal_configuration_and_another_does_not():
    assert config.default() == config.default()
    other = config.parse(edited("params: {}                    #", "params: {qty: 7} #"), source="")
    assert other.strategies[0].params != config.default().strategies[0].params


def test_a_configuration_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.default().seed = 2


def test_what_may_be_left_out_has_the_defaults_of_the_docs():
    text = config.example_text()
    for name in ("capacity", "feed", "venue", "journal"):
        start = text.index(f"\n{name}:")
        end = text.index("\n\n", start)
        text = text[:start] + text[end:]
    bare = config.parse(text[: text.index("\nseed:")] + "\n", source="example.yaml")
    assert dataclasses.replace(bare, fingerprint="") == dataclasses.replace(
        config.default(), fingerprint=""
    )
    assert bare.fingerprint != config.default().fingerprint


@pytest.mark.parametrize(
    ("day", "seconds"),
    [
        ("2026-01-02", 1_767_330_000),  # winter: five hours behind
        ("2026-07-01", 1_782_878_400),  # summer: four
        ("2026-03-08", 1_772_946_000),  # the clock changes later that day
        ("2026-11-01", 1_793_505_600),
    ],
)
def test_midnight_is_the_local_one(day: str, seconds: int):
    parsed = config.parse(edited("2026-01-02 ", day + " "), source="t.yaml")
    assert parsed.session.midnight_ns == seconds * DOLLAR


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("0.05", 50_000_000),
        ('"0.05"', 50_000_000),
        ("0.1", 100_000_000),
        ("0.000000001", 1),
        ("1_000.5", 1_000_500_000_000),
        ("007", 7 * DOLLAR),
        ("9007199.254740993", 9_007_199_254_740_993),  # a float would lose the last digit
        ("9223372036.854775806", (1 << 63) - 2),
    ],
)
def test_amounts_are_exact(text: str, nanos: int):
    parsed = config.parse(edited("collar_abs: 0.05", f"collar_abs: {text}"), source="t.yaml")
    assert parsed.instrument_limits.collar_abs_nanos == nanos


def test_an_override_changes_only_what_it_names():
    text = edited("overrides: {}", "overrides: {ON: {max_position: 7, collar_abs: 1.5}}")
    parsed = config.parse(text, source="t.yaml")
    assert parsed.limits_of("ON") == dataclasses.replace(
        parsed.instrument_limits, position_max=7, collar_abs_nanos=1_500_000_000
    )
    assert parsed.limits_of("NO") == parsed.instrument_limits


@pytest.mark.parametrize(
    ("choice", "yes", "no"),
    [
        ("first: 2", [("A", 0), ("B", 1)], [("C", 2)]),
        ("symbols: [B, ON]", [("B", 99), ("ON", 0)], [("A", 0)]),
        ("symbols: all", [("A", 0), ("B", 65_535)], []),
    ],
)
def test_a_strategy_chooses_its_instruments(choice, yes, no):
    text = edited("first: 100                    #", f"{choice} #")
    strategy = config.parse(text, source="t.yaml").strategies[0]
    assert all(strategy.trades(*one) for one in yes)
    assert not any(strategy.trades(*one) for one in no)


def test_a_strategy_is_picked_by_name_by_kind_or_tried_out():
    example = config.default()
    assert [one.name for one in example.only_strategy("taker").strategies] == ["taker"]
    assert [one.name for one in example.only_strategy("market_maker").strategies] == ["maker"]
    (tried,) = example.only_strategy("python my.house:Quoter").strategies
    assert (tried.kind, tried.target) == ("python", "my.house:Quoter")
    assert (tried.limits, tried.first) == (example.strategies[0].limits, 100)
    with pytest.raises(ConfigError) as caught:
        example.only_strategy("market_taker")
    assert str(caught.value) == (
        "--strategy: no strategy is called 'market_taker'; did you mean market_maker?"
    )


# name, old text, new text, lines from that text to the one complained about, complaint
COMPLAINTS = [
    (
        "unknown key",
        "  timezone: America",
        "  timezon: America",
        0,
        "session.timezon: unknown key; did you mean timezone?",
    ),
    (
        "unknown section",
        "feed:\n",
        "wires:\n",
        0,
        "wires: unknown key; "
        "known: appliance, session, capacity, feed, card, venue, firm, accounts, instruments, "
        "strategies, desk, journal, live, seed, cpu",
    ),
    (
        "firm without a limit",
        "  max_net: 100000000 ",
        "  # max_net: 100000000 ",
        -1,
        "firm.max_net: missing; write `max_net: 0.05`",
    ),
    (
        "account twice",
        "accounts:\n",
        "accounts:\n  - {name: house, max_gross: 1, max_net: 1, max_open_orders: 1,"
        " max_open_notional: 1, max_entered: 1, message_floor: 1, message_ratio: 1,"
        " order_rate: 1, order_burst: 1}\n",
        2,
        "accounts[1].name: 'house' is taken; give each account its own name",
    ),
    (
        "unknown account",
        "    kind: market_maker ",
        "    account: hause\n    kind: market_maker ",
        0,
        "strategies[0].account: 'hause' is not one of its values; did you mean house?",
    ),
    (
        "duplicate key",
        "  levels: 524288 ",
        "  orders: 5 ",
        0,
        "capacity.orders: given twice, first in line 18; remove one",
    ),
    ("missing key", "  name: demo ", "  # ", -1, "appliance.name: missing; write `name: demo`"),
    (
        "missing section",
        "appliance:\n  name: demo ",
        "#\n# ",
        3,
        "appliance.name: missing; write `name: demo`",
    ),
    (
        "name that is a path",
        "name: demo ",
        "name: ../demo ",
        0,
        "appliance.name: '../demo' does not fit; give letters, digits, dots and dashes",
    ),
    (
        "library without a path",
        "kind: imbalance_taker",
        "kind: library",
        0,
        "strategies[1].kind: 'library' names no file; write `library /full/path.so`",
    ),
    (
        "wrong type",
        "gap_timeout_ms: 50",
        "gap_timeout_ms: soon",
        0,
        "feed.gap_timeout_ms: 'soon' is not a whole number; give a whole number from 1 to 60000",
    ),
    (
        "list for a number",
        "gap_timeout_ms: 50",
        "gap_timeout_ms: [50]",
        0,
        "feed.gap_timeout_ms: a list; write one value, like 1",
    ),
    (
        "number for a section",
        "  - name: maker\n",
        "  - 5\n  - name: maker\n",
        0,
        "strategies[0]: the single value '5'; write `key: value` lines",
    ),
    (
        "fraction for a whole number",
        "order_latency_ns: 20000     # from our",
        "order_latency_ns: 0.5       # from our",
        0,
        "venue.order_latency_ns: '0.5' is not a whole number; "
        "give a whole number from 0 to 1000000000",
    ),
    (
        "octal",
        "gap_timeout_ms: 50",
        "gap_timeout_ms: 010",
        0,
        "feed.gap_timeout_ms: '010' is not a whole number; give a whole number from 1 to 60000",
    ),
    (
        "negative limit",
        "max_position: 5000",
        "max_position: -5000",
        0,
        "instruments.default.max_position: -5000 is too small; "
        "give a whole number from 0 to 1099511627776",
    ),
    (
        "negative amount",
        "max_gross: 1000000000 ",
        "max_gross: -1 ",
        0,
        "strategies[0].risk.max_gross: -1 is too small; "
        "give an amount from 0.000000001 to 9223372036.854775806",
    ),
    (
        "amount out of reach",
        "max_gross: 1000000000 ",
        "max_gross: 9223372036.854775807 ",
        0,
        "strategies[0].risk.max_gross: 9223372036.854775807 is too large; "
        "give an amount from 0.000000001 to 9223372036.854775806",
    ),
    (
        "too fine an amount",
        "collar_abs: 0.05",
        "collar_abs: 0.0000000001",
        0,
        "instruments.default.collar_abs: 0.0000000001 has 10 decimals; give at most 9",
    ),
    (
        "amount with exponent",
        "collar_abs: 0.05",
        "collar_abs: 5e-2",
        0,
        "instruments.default.collar_abs: '5e-2' is not an amount; write it like 250000 or 0.05",
    ),
    (
        "unknown strategy",
        "kind: imbalance_taker",
        "kind: imbalance_maker",
        0,
        "strategies[1].kind: no strategy is called 'imbalance_maker'; "
        "did you mean imbalance_taker?",
    ),
    (
        "strategy without code",
        "kind: imbalance_taker",
        "kind: python house.py",
        0,
        "strategies[1].kind: 'python house.py' names no code; write `python module:name`",
    ),
    (
        "same name twice",
        "name: taker",
        "name: maker",
        0,
        "strategies[1].name: 'maker' is taken; give each strategy its own name",
    ),
    (
        "no choice of instruments",
        "    first: 100                    #",
        "    #",
        -2,
        "strategies[0].symbols: give either `symbols: [AAA, BBB]`, `symbols: all` or `first: 20`",
    ),
    (
        "symbol twice",
        "first: 100                    #",
        "symbols: [A, B, A] #",
        0,
        "strategies[0].symbols: 'A' is in the list twice; remove one",
    ),
    (
        "symbol too long",
        "first: 100                    #",
        "symbols: [ABCDEFGHI] #",
        0,
        "strategies[0].symbols: 'ABCDEFGHI' is not a symbol; give 1 to 8 printable characters",
    ),
    (
        "a word of a list",
        "display: Y ",
        "display: visible ",
        0,
        "venue.display: 'visible' is not one of its values; known: Y, N, A",
    ),
    (
        "prefix",
        "cl_ord_id_prefix: TP",
        "cl_ord_id_prefix: T-P",
        0,
        "venue.cl_ord_id_prefix: 'T-P' does not fit; give 1 to 6 letters and digits",
    ),
    (
        "no such day",
        "date: 2026-01-02",
        "date: 2026-02-30",
        0,
        "session.date: '2026-02-30' is not a day; write it like 2026-01-02",
    ),
    (
        "no such zone",
        "America/New_York",
        "America/NewYork",
        0,
        "session.timezone: 'America/NewYork' is not a time zone here; "
        "did you mean America/New_York?",
    ),
    (
        "zone that is a path",
        "America/New_York",
        "../../etc/passwd",
        0,
        "session.timezone: '../../etc/passwd' is not a time zone here; "
        "write it like America/New_York",
    ),
    (
        "override of an unknown limit",
        "overrides: {}",
        "overrides: {A: {max_size: 1}}",
        0,
        "instruments.overrides.A.max_size: unknown key; did you mean max_position?",
    ),
    (
        "not YAML",
        "  name: demo ",
        "  name: [demo ",
        2,
        "not YAML: expected ',' or ']', but got '<scalar>'; "
        "compare with the example, and indent with spaces",
    ),
    (
        "tab",
        "  name: demo ",
        "\tname: demo ",
        0,
        "not YAML: found character '\\t' that cannot start any token; "
        "compare with the example, and indent with spaces",
    ),
    (
        "two documents",
        "seed: 1 ",
        "---\nseed: 1 ",
        0,
        "not YAML: but found another document; compare with the example, and indent with spaces",
    ),
    (
        "key that is a list",
        "seed: 1 ",
        "[seed]: 1 ",
        0,
        "a list stands where a key belongs; write a plain word",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "lines", "expected"),
    [row[1:] for row in COMPLAINTS],
    ids=[row[0] for row in COMPLAINTS],
)
def test_every_complaint_names_line_key_value_and_remedy(old, new, lines, expected):
    text = config.example_text()
    line = text[: text.index(old)].count("\n") + 1 + lines
    assert complaint(edited(old, new)) == f"t.yaml:{line}: {expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: no settings in it; start from a copy of appliance/configs/example.yaml"),
        (
            "# only a remark\n",
            "1: no settings in it; start from a copy of appliance/configs/example.yaml",
        ),
        ("- a\n", "1: a list; write `key: value` lines"),
        ("hello", "1: the single value 'hello'; write `key: value` lines"),
        ("a\0b", "1: not YAML: it holds control characters; give a text file"),
        ("[" * 5000, "1: nested too deeply; a configuration has 4 levels"),
    ],
    ids=["empty", "only a comment", "a list", "a word", "control characters", "deep"],
)
def test_what_is_no_configuration_is_said_so(text: str, expected: str):
    assert complaint(text) == f"t.yaml:{expected}"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    remedy = "give a file like appliance/configs/example.yaml"
    for path, words in (
        (tmp_path / "none.yaml", "no such file or directory"),
        (tmp_path, "is a directory"),
    ):
        with pytest.raises(ConfigError) as caught:
            config.load(str(path))
        assert str(caught.value) == f"{path}: cannot be read: {words}; {remedy}"


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path):
    path = tmp_path / "sparse.yaml"
    with open(path, "wb") as file:
        os.truncate(file.fileno(), 4 << 30)
    with pytest.raises(ConfigError, match="larger than 1048576 bytes; give a page of YAML"):
        config.load(str(path))


def test_bytes_that_are_not_text_are_located(tmp_path: Path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(ConfigError) as caught:
        config.load(str(path))
    assert str(caught.value) == f"{path}:2: byte 8 is not UTF-8; save the file as UTF-8 text"


def test_params_are_checked_by_whoever_takes_them():
    params = compose("qty: 100\nedge: 0.01\n", "t.yaml")
    assert params.integer("qty", 1, 1000) == 100
    assert params.nanos("edge") == 10_000_000
    assert params.integer("levels", 1, 9, default=3) == 3
    with pytest.raises(ConfigError) as caught:
        params.only("qty", "edges")
    assert str(caught.value) == "t.yaml:2: edge: unknown key; did you mean edges?"


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_example_never_ends_in_a_traceback(seed: int):
    source = random.Random(seed)
    for _ in range(30):
        text = list(config.example_text())
        for _ in range(source.randrange(1, 6)):
            place = source.randrange(len(text))
            text[place : place + source.randrange(3)] = source.choice(
                ["", " ", "\n", ":", "-", "[", "{", "}", "&a ", "*a", "!!int ", "'", "~", "\t", "9"]
            )
        try:
            config.parse("".join(text), source="t.yaml")
        except ConfigError as error:
            assert str(error).startswith("t.yaml:"), error

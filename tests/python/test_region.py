"""A second look at an appliance: the region from outside, and ``tickplane top``."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import cli, top
from dataplane.control import Control
from dataplane.engine import Engine, EngineSettings
from dataplane.errors import DataplaneError
from dataplane.generate import session_bytes
from dataplane.region import Region

PARTS = [
    "status", "page", "counters", "recent", "hist.decode", "hist.book", "hist.strategy",
    "hist.risk", "hist.submit", "hist.tick_to_order", "books", "orders", "risk", "commands",
    "submit.tx",
]  # fmt: skip
LAYOUT_HASH_OFFSET = 16  # behind magic, layout_version and part_count

MAKER = """
import sys
from dataplane.engine import Engine, EngineSettings
engine = Engine(EngineSettings(
    name="desk", midnight_ns=0, region_path=sys.argv[1], instrument_count_max=64,
    order_count_max=20000, level_count_max=20000, own_order_count_max=1000))
engine.start(sys.argv[2])
engine.run(10_000)
print("running", flush=True)
sys.stdin.readline()
"""


def settings(path: Path) -> EngineSettings:
    return EngineSettings(
        name="desk", midnight_ns=0, region_path=str(path), instrument_count_max=64,
        order_count_max=20_000, level_count_max=20_000, own_order_count_max=1_000,
    )  # fmt: skip


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "day.itch"
    path.write_bytes(session_bytes(20_000, symbols=8, seed=3))
    return path


@pytest.fixture
def place():
    """A path in /dev/shm that is free before and after."""
    path = Path(f"/dev/shm/tickplane-test-{os.getpid()}")
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def engine(session, place):
    engine = Engine(settings(place))
    engine.start(str(session))
    engine.run(10_000)
    return engine


def test_all_parts_are_where_the_map_says(engine, place):
    with Region.attach(place) as region:
        assert list(region.parts) == PARTS
        ends = [offset + size for offset, size in region.parts.values()]
        starts = [offset for offset, _ in region.parts.values()]
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
        assert ends[-1] <= region.header["used"] <= region.header["size"] <= place.stat().st_size
        assert region.header["pid"] == os.getpid()


def test_outside_and_inside_see_the_same(engine, place):
    with Region.attach(place) as region:
        assert region.counters() == engine.counters()
        assert region.orders() == engine.orders()
        status = region.status()
        assert (status["name"], status["state"]) == ("desk", "running")
        assert 0 < status["position"] < status["size"]
        tops = region.tops()
        assert len(tops) == 8
        for symbol, changes, bid, _, ask, _ in tops.values():
            assert symbol
            assert changes > 0
            assert bid is None or ask is None or bid < ask


def test_a_closed_region_answers_with_an_error(engine, place):
    region = Region.attach(place)
    region.close()
    region.close()
    for look in (region.status, region.counters, region.orders, region.tops, region.latencies):
        with pytest.raises(DataplaneError, match="region: closed"):
            look()
    control = Control.attach(place)
    control.close()
    for look in (control.names, lambda: control.mode("firm"), lambda: control.limits("firm")):
        with pytest.raises(DataplaneError, match="region: closed"):
            look()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"x" * 100, "no tickplane region"),
        (b"x" * 10_000, "no tickplane region"),
        (bytes(10_000), "still being made"),
    ],
)
def test_what_is_no_region_is_refused(place, content, words):
    place.write_bytes(content)
    with pytest.raises(DataplaneError, match=words):
        Region.attach(place)


def test_another_layout_is_refused_with_its_build(engine, place, capsys):
    with place.open("r+b") as file:
        file.seek(LAYOUT_HASH_OFFSET)
        file.write(b"12345678")
    assert cli.main(["top", str(place), "--once"]) == 2
    err = capsys.readouterr().err
    assert "layout: made by 'tickplane " in err
    assert "use the tickplane that made it" in err


def test_top_shows_a_running_appliance(engine, place, capsys):
    assert cli.main(["top", place.name.removeprefix("tickplane-"), "--once"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"desk: running, pid {os.getpid()}   ")
    assert f"messages {engine.counters()['itch_messages']:,} " in out
    assert "latency ns" in out
    assert "itch_messages" in out
    assert "\x1b" not in out


def test_top_takes_the_newest(engine, place):
    os.utime(place, ns=(2**62, 2**62))
    assert top.find(None) == place


def test_top_says_that_the_writer_died(session, place, capsys):
    command = [sys.executable, "-P", "-c", MAKER, str(place), str(session)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as child:
        assert child.stdout.readline() == "running\n"
        child.kill()
    assert cli.main(["top", str(place), "--interval", "0.05"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"desk: the writer died while running (pid {child.pid} is gone)")


def test_an_appliance_is_found_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setattr(top, "SHM", tmp_path)
    for age, name in enumerate(["desk-12", "desk-7", "desk-b-9", "desk.making.5"]):
        (tmp_path / f"tickplane-{name}").touch()
        os.utime(tmp_path / f"tickplane-{name}", ns=(age, age))
    assert top.find("desk").name == "tickplane-desk-7"
    assert top.find("desk-12").name == "tickplane-desk-12"
    assert top.find("desk-b").name == "tickplane-desk-b-9"
    assert top.find(None).name == "tickplane-desk-b-9"


def test_rates_are_between_two_looks(engine, place):
    before = top.take(place)

    after = replace(
        before,
        taken_ns=before.taken_ns + 2_000_000_000,
        counters=before.counters | {"itch_messages": before.counters["itch_messages"] + 500},
    )
    assert top.rate(after, before, "itch_messages") == 250


def test_no_region_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(top, "SHM", tmp_path)
    assert cli.main(["top"]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: top: no appliance in {tmp_path}; start one in another terminal:"
        " tickplane replay FILE\n"
    )
    assert cli.main(["top", "nobody"]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: top: nobody: no such appliance in {tmp_path}; running now: none\n"
    )
    assert cli.main(["top", "--interval", "0"]) == 2
    assert "give 0.05 to 3600 seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("price_nanos", "text"),
    [(None, "-"), (1_234_500_000, "1.2345"), (1_000_000 * 10**9 + 100_000, "1,000,000.0001")],
)
def test_prices_have_four_decimals(price_nanos, text):
    assert top.render_price(price_nanos) == text

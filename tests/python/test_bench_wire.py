"""The rows of ports over real links: what they say, not how fast they are.

The far end counts orders and packets itself, so a reading is a proof that they went over the wire.
"""

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from appliance.bench import wire, wire_net, wire_run
from appliance.bench.wire_run import Process
from appliance.cli import main
from appliance.errors import CommandError
from dataplane.port_kind import kinds

BUILT = {kind["name"]: kind["is_built"] and not kind["problem"] for kind in kinds()}
TICKS = 300
BUSY_LOST = TICKS // 10  # what comes too late on a machine that has other work counts as lost


def needs(kind: str) -> None:
    """Skip where the build or the machine lacks what the kind takes."""
    if not BUILT[kind]:
        pytest.skip(f"needs the port {kind}: see tickplane ports")
    if (why := wire_run.why_not(kind)) is not None:
        pytest.skip(why)


@pytest.mark.parametrize("role", ["trade", "send_back", "echo"])
@pytest.mark.parametrize("kind", wire.KINDS)
def test_every_tick_is_answered(kind: str, role: str) -> None:
    needs(kind)
    reading = wire_run.answers(kind, role, TICKS)
    assert reading.lost <= BUSY_LOST
    assert 0 < reading.least <= reading.p50 <= reading.p99


@pytest.mark.parametrize("idle", wire.IDLES)
@pytest.mark.parametrize("kind", wire.KINDS)
def test_however_it_idles_it_answers_and_what_it_takes_of_a_core_is_told(
    kind: str, idle: str
) -> None:
    needs(kind)
    found = wire_run.idling(kind, idle, 20, 0.2)
    assert 0 < found.answers.least <= found.answers.p50 <= found.answers.p99
    assert 0 <= found.quiet < 2 and 0 <= found.busy < 2


@pytest.mark.parametrize("tcp", ["plain", "kernel", "lwip"])
def test_every_order_of_a_session_is_answered(tcp: str) -> None:
    needs("xdp" if tcp == "lwip" else "uring")
    reading = wire_run.session_answers(tcp, TICKS)
    assert reading.lost <= BUSY_LOST
    assert 0 < reading.least <= reading.p50 <= reading.p99


def test_the_plain_program_does_the_same_job() -> None:
    needs("uring")
    assert wire_run.answers("plain", "trade", TICKS).lost <= BUSY_LOST


def test_without_root_uring_trades_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    if not BUILT["uring"] or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs the port uring and two cores")
    monkeypatch.setattr(wire_run, "missing", lambda: "needs root, for network namespaces")
    assert wire_run.why_not("uring") is None
    assert wire_run.why_not("xdp") == "needs root, for network namespaces"
    assert wire_run.answers("uring", "trade", TICKS).lost == 0


def test_a_row_that_cannot_be_measured_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wire_run, "missing", lambda: "needs root, for network namespaces")
    names = [f"wire.xdp.{name}" for name in ("tick_to_trade", "echo", "rate")]
    assert main(["bench", *names, "--json", "-"]) == 0
    for row in json.loads(capsys.readouterr().out):
        assert row["value"] is None
        assert row["reference"]["name"] in ("needs root, for network namespaces", "needs two cores")
    assert main(["bench", names[0]]) == 0
    assert "needs root" in capsys.readouterr().out


@pytest.mark.parametrize("measure", [wire_run.taken_a_second, wire_run.given_a_second])
@pytest.mark.parametrize("kind", [*wire.KINDS, "mmsg"])
def test_packets_are_counted_both_ways(kind: str, measure: Callable[[str], float]) -> None:
    needs("uring" if kind == "mmsg" else kind)
    if wire_net.missing():
        pytest.skip("needs root: the far interface counts")
    # On a busy machine the sender may not have run at all while the far end counted.
    assert any(measure(kind) > 0 for _ in range(30))


def test_what_a_steady_stream_loses_is_counted() -> None:
    needs("xdp")
    sent, lost = wire_run.lost_at("xdp", 2_000, 0.5)
    assert sent > 0 and 0 <= lost <= sent  # a reader without a core loses all of it


def test_hosts_vanish_with_their_bench() -> None:
    needs("xdp")
    with wire_net.Hosts() as hosts:
        inside = hosts.inside(0)
        assert b"wo" in subprocess.check_output([*inside, "ip", "link"])
    assert subprocess.run([*inside, "true"], capture_output=True, check=False).returncode != 0


def test_a_role_that_dies_is_told_and_not_waited_for() -> None:
    needs("uring")
    with wire_run.wire("uring") as both, pytest.raises(CommandError, match="no_such_role"):
        both.start(0, "no_such_role")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo one >&2; echo two >&2; exit 1", "two"),
        ("exit 3", "ended without a word, status 3"),
        ("kill -BUS $$", "ended without a word by SIGBUS"),
    ],
)
def test_a_process_that_fails_says_its_last_words_or_how_it_ended(script: str, words: str) -> None:
    process = Process(["sh", "-c", script])
    assert process.line() is None
    assert process.last_words() == words


def test_a_process_that_says_nothing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_run, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(wire_run, "END_SECONDS", 0.1)
    process = Process(["sleep", "1000"])
    assert process.line() is None
    assert process.last_words() == "said nothing for 0.1 s and was killed"

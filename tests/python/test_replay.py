"""The main job, end to end: sessions in, report, journal and frames out."""

import filecmp
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from waiting import LIMIT_S, wait_until

from appliance.cli import main
from appliance.config import example_text
from dataplane.card import kinds
from dataplane.errors import DataplaneError
from dataplane.region import Region

MESSAGES = "60000"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "day.itch"
    assert (
        main(["generate", str(path), "--seed", "7", "--messages", MESSAGES, "--symbols", "50"]) == 0
    )
    return path


def replay(session, folder, *words):
    report = folder / "report.json"
    status = main(["replay", str(session), "--quiet", "--json", str(report), *words])
    return status, json.loads(report.read_text())


@pytest.fixture(scope="module")
def result(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("result")
    status, facts = replay(
        session,
        folder,
        "--journal",
        str(folder / "journal"),
        "--pcap-out",
        str(folder / "out.pcap"),
    )
    return status, facts, folder


def test_the_report_has_every_promised_name(result):
    status, facts, _ = result
    assert status == 0
    promised = {
        "messages", "messages_by_type", "books_digest", "orders", "risk_rejects", "filled_qty",
        "latency_ns", "messages_per_second", "events_digest", "wire_digest", "journal",
    }  # fmt: skip
    assert promised <= set(facts)
    assert set(facts["latency_ns"]) == {
        "decode", "book", "strategy", "risk", "submit", "tick_to_order",
    }  # fmt: skip
    assert {"p50", "p99", "p999", "max"} <= set(facts["latency_ns"]["submit"])
    assert facts["journal"]["verified"] is True


def test_every_message_is_accounted_for(result):
    _, facts, _ = result
    assert facts["messages"] == int(MESSAGES)
    assert sum(facts["messages_by_type"].values()) == int(MESSAGES)
    faults = ("itch_unknown", "itch_malformed", "book_unknown_order", "book_invalid", "book_full")
    assert [facts["counters"][name] for name in faults] == [0] * len(faults)


def test_the_strategies_really_trade(result):
    _, facts, _ = result
    assert facts["counters"]["orders_sent"] > 100
    assert facts["filled_qty"] > 0
    assert facts["venue"]["executions"] > 0
    assert facts["counters"]["reports_anomaly"] == 0
    assert facts["counters"]["reports_unknown"] == 0
    assert facts["counters"]["ouch_malformed"] == 0


def test_nothing_is_open_at_the_end(result):
    _, facts, _ = result
    assert set(facts["orders"]) <= {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED"}


def test_orders_in_the_report_are_those_sent_and_refused(result):
    _, facts, _ = result
    refused_new = facts["orders"].get("DENIED", 0)
    assert sum(facts["orders"].values()) == facts["counters"]["orders_sent"] + refused_new


def test_profit_adds_up_in_integers(result):
    _, facts, _ = result
    for row in facts["positions"]:
        assert row["position"] == row["bought_qty"] - row["sold_qty"]
        if row["mark_nanos"] is not None:
            assert row["pnl_nanos"] == row["position"] * row["mark_nanos"] + row["cash_nanos"]


def test_two_runs_give_the_same_digests_and_bytes(session, result, tmp_path):
    _, first, folder = result
    _, second = replay(
        session, tmp_path, "--journal", str(tmp_path / "journal"), "--pcap-out", str(tmp_path / "b")
    )
    for name in ("books_digest", "events_digest", "wire_digest", "orders", "positions", "counters"):
        assert first[name] == second[name], name
    assert filecmp.cmp(folder / "out.pcap", tmp_path / "b", shallow=False)


def test_measuring_and_recording_do_not_change_what_happens(session, result, tmp_path):
    _, first, _ = result
    _, bare = replay(session, tmp_path)
    assert bare["journal"] is None
    assert bare["events_digest"] == first["events_digest"]
    assert bare["wire_digest"] == first["wire_digest"]


def test_books_digest_is_that_of_the_book_verb(session, result, capsys):
    _, facts, _ = result
    capsys.readouterr()
    assert main(["book", str(session), "--json"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last)["books_digest"] == facts["books_digest"]


def test_a_capture_of_two_lossy_lines_trades_like_the_file(session, result, tmp_path):
    _, facts, _ = result
    pcap = tmp_path / "day.pcap"
    words = ["--seed", "7", "--messages", MESSAGES, "--symbols", "50", "--format", "pcap"]
    loss = ["--loss-a", "20000", "--loss-b", "20000", "--reorder", "20000", "--duplicate", "20000"]
    assert main(["generate", str(pcap), *words, *loss]) == 0
    status, lossy = replay(pcap, tmp_path)
    assert status == 0
    assert lossy["counters"]["mold_lost"] == 0
    assert lossy["books_digest"] == facts["books_digest"]
    assert lossy["wire_digest"] == facts["wire_digest"]


LOSSES = [[], ["--lose-both", "1", "--loss-a", "20000", "--reorder", "20000"]]


@pytest.mark.parametrize("loss", LOSSES, ids=["whole", "lossy"])
def test_a_replay_behind_a_card_is_the_same(loss, tmp_path):
    pcap = tmp_path / "day.pcap"
    words = ["--seed", "7", "--messages", MESSAGES, "--symbols", "50", "--format", "pcap"]
    assert main(["generate", str(pcap), *words, *loss]) == 0
    same = ("counters", "orders", "books_digest", "events_digest", "wire_digest")
    found = []
    for card in [kind["name"] for kind in kinds() if not kind["where"]]:
        folder = tmp_path / card
        folder.mkdir()
        text = example_text() + f"\ncard:\n  backend: {card}\n"
        (folder / "it.yaml").write_text(text)
        status, facts = replay(
            pcap, folder, "--config", str(folder / "it.yaml"), "--pcap-out", str(folder / "out")
        )
        assert status == 0 and facts["counters"]["tx_frames"] > 0
        found.append([facts[name] for name in same] + [(folder / "out").read_bytes()])
    assert len(found) > 1
    assert all(one == found[0] for one in found)


def test_a_gap_makes_books_stale_and_the_gate_refuses(tmp_path):
    pcap = tmp_path / "day.pcap"
    words = ["--seed", "7", "--messages", MESSAGES, "--symbols", "50", "--format", "pcap"]
    assert main(["generate", str(pcap), *words, "--lose-both", "1"]) == 0
    _, facts = replay(pcap, tmp_path)
    assert facts["counters"]["mold_gaps"] == 1
    assert facts["counters"]["mold_lost"] > 0
    assert facts["books"]["stale"] > 0
    assert facts["counters"]["itch_messages"] + facts["counters"]["mold_lost"] == int(MESSAGES)


def test_frames_are_what_another_decoder_expects(result):
    scapy = pytest.importorskip("scapy.all", reason="scapy is a test dependency")
    _, facts, folder = result
    packets = scapy.rdpcap(str(folder / "out.pcap"))
    assert len(packets) == facts["counters"]["tx_frames"]
    next_seq = 1
    for packet in packets[:2000]:
        rebuilt = packet.copy()
        del rebuilt[scapy.IP].chksum, rebuilt[scapy.TCP].chksum
        rebuilt = scapy.Ether(bytes(rebuilt))
        assert rebuilt[scapy.IP].chksum == packet[scapy.IP].chksum
        assert rebuilt[scapy.TCP].chksum == packet[scapy.TCP].chksum
        payload = bytes(packet[scapy.TCP].payload)
        assert int.from_bytes(payload[:2], "big") == len(payload) - 2
        assert payload[2:3] == b"U" and payload[3:4] in (b"O", b"U", b"X")
        assert packet[scapy.TCP].seq == next_seq
        next_seq += len(payload)


def test_every_frame_follows_its_journal_record(result, capsys):
    """Never lost, never doubled: each frame's number stands in the journal once."""
    scapy = pytest.importorskip("scapy.all", reason="scapy is a test dependency")
    _, _, folder = result
    capsys.readouterr()
    assert main(["journal", "dump", str(folder / "journal"), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    sent = [
        (event["event"], event["user_ref_num"])
        for event in events
        if event["event"] in ("NEW", "REPLACE", "CANCEL")
    ]
    kinds = {b"O": "NEW", b"U": "REPLACE", b"X": "CANCEL"}
    frames = []
    for packet in scapy.rdpcap(str(folder / "out.pcap")):
        ouch = bytes(packet[scapy.TCP].payload)[3:]
        offset = 5 if ouch[:1] == b"U" else 1
        frames.append((kinds[ouch[:1]], int.from_bytes(ouch[offset : offset + 4], "big")))
    assert frames == sent


def test_the_report_is_readable(session, capsys):
    capsys.readouterr()
    assert main(["replay", str(session)]) == 0
    text = capsys.readouterr().out
    for word in (
        "MARKET DATA",
        "BOOKS",
        "ORDERS",
        "POSITIONS",
        "LATENCY",
        "PROOF",
        "tick-to-order",
    ):
        assert word in text
    assert max(len(line) for line in text.splitlines()) <= 120


# ---- bad input ----


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["missing.itch"], 2, "missing.itch"),
        (["."], 2, "directory"),
        (["{session}", "--config", "missing.yaml"], 2, "missing.yaml"),
        (["{session}", "--strategy", "moon_shot"], 2, "moon_shot"),
        (["{session}", "--strategy", "python no_such_module:First"], 2, "no_such_module"),
        (["{session}", "--strategy", "library /no/such.so"], 2, "/no/such.so"),
        (["{session}", "--json", "/no/such/folder/x"], 2, "/no/such/folder/x"),
        (["{session}", "--pcap-out", "/no/such/folder/x"], 2, "/no/such/folder/x"),
        (["{session}", "--journal", "/no/such/folder/x"], 2, "/no/such/folder/x"),
        (["{session}", "--journal", "/dev/null"], 2, "/dev/null"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_the_operator_can_mend_is_one_line(session, capsys, words, status, text):
    capsys.readouterr()
    words = [word.format(session=session) for word in words]
    assert main(["replay", *words, "--quiet"]) == status
    err = capsys.readouterr().err
    assert text in err and err.startswith("tickplane: ") and err.count("\n") == 1
    assert "Traceback" not in err


def test_a_second_journal_never_overwrites_the_first(session, result, capsys):
    _, _, folder = result
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (folder / "journal").iterdir())
    assert main(["replay", str(session), "--quiet", "--journal", str(folder / "journal")]) == 2
    after = sorted((path.name, path.stat().st_mtime_ns) for path in (folder / "journal").iterdir())
    assert before == after


def test_a_cut_recording_is_worked_through_and_named(session, tmp_path, capsys):
    cut = tmp_path / "cut.itch"
    cut.write_bytes(session.read_bytes()[:-3])
    capsys.readouterr()
    status, facts = replay(cut, tmp_path, "--journal", str(tmp_path / "journal"))
    assert status == 1
    assert facts["messages"] == int(MESSAGES) - 1
    assert "cut" in facts["fault"]
    assert facts["journal"]["verified"] is True
    assert str(cut) in capsys.readouterr().err


def tickplane(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "appliance", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


# Takes so long over everything that a replay of it does not end before somebody ends it.
PATIENT = """
import time
from dataplane.strategy import BUY, OrderDenied

class Patient:
    def __init__(self, params): pass
    def on_book(self, gateway, top):
        time.sleep(0.05)
        if top.ask_price_nanos:
            try:
                gateway.submit(top.instrument_index, BUY, 100, top.ask_price_nanos)
            except OrderDenied:
                pass
"""


def endless_replay(session, folder, *words):
    (folder / "patient.py").write_text(PATIENT)
    return tickplane("replay", session, "--strategy", "python patient:Patient", *words, cwd=folder)


def wait_for_work(process, counter):
    """Wait until the run has counted something; return the name of its region."""

    def look():
        names = [name for name in os.listdir("/dev/shm") if name.endswith(f"-{process.pid}")]
        try:
            with Region.attach(f"/dev/shm/{names[0]}") as region:
                return names[0] if region.counters()[counter] else None
        except (DataplaneError, IndexError):  # still being made
            return None

    return wait_until(look, process=process)


def test_ctrl_c_stops_cleanly_with_a_report_and_a_valid_journal(session, tmp_path):
    process = endless_replay(session, tmp_path, "--journal", "j", "--json", tmp_path / "r")
    wait_for_work(process, "journal_records")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT_S)
    facts = json.loads((tmp_path / "r").read_text())
    assert process.returncode == 130, err
    assert facts["interrupted"] is True
    assert facts["messages"] < int(MESSAGES)
    assert facts["journal"]["verified"] is True
    assert "stopped by Ctrl-C" in out
    assert "Traceback" not in err


def test_sigkill_leaves_a_journal_that_verifies(session, tmp_path, capsys):
    process = endless_replay(session, tmp_path, "--journal", "j")
    name = wait_for_work(process, "journal_records")
    try:
        process.kill()
        process.communicate(timeout=LIMIT_S)
        capsys.readouterr()
        assert main(["journal", "verify", str(tmp_path / "j")]) == 0
    finally:
        os.unlink(f"/dev/shm/{name}")


def test_top_reads_a_running_replay(session, tmp_path):
    process = endless_replay(session, tmp_path, "--quiet")
    name = wait_for_work(process, "itch_messages")
    seen = tickplane("top", name.removeprefix("tickplane-"), "--once", cwd=tmp_path)
    out, err = seen.communicate(timeout=LIMIT_S)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT_S)
    assert seen.returncode == 0, err
    assert "messages" in out


def test_a_full_disk_is_said_before_the_run(session, small_disk, tmp_path):
    journal = small_disk("1m") / "j"
    process = tickplane("replay", session, "--quiet", "--journal", journal, cwd=tmp_path)
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert "no space" in err and err.count("\n") == 1


def test_a_capacity_beyond_the_machine_is_said_at_once(session, tmp_path, capsys):
    from appliance.config import example_text

    config = tmp_path / "c.yaml"
    config.write_text(example_text().replace("orders: 2097152", "orders: 1073741824", 1))
    capsys.readouterr()
    assert main(["replay", str(session), "--quiet", "--config", str(config)]) == 2
    err = capsys.readouterr().err
    assert "lower capacity.orders" in err and err.count("\n") == 1


def test_json_without_a_file_is_stdout(session, capsys):
    capsys.readouterr()
    assert main(["replay", str(session), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == int(MESSAGES)


def test_the_recorded_timing_is_kept_and_changes_nothing(session, result, tmp_path):
    """A day of six and a half hours, ten thousand times as fast: never in less than its share."""
    _, facts, _ = result
    begun = time.monotonic()
    status, paced = replay(session, tmp_path, "--speed", "10000")
    took = time.monotonic() - begun
    assert status == 0
    with open(session, "rb") as file:
        stamps = list(times_of(file.read()))
    assert took >= (stamps[-1] - stamps[0]) / 1e9 / 10_000
    assert paced["pace"]["speed"] == 10_000
    assert 0 <= paced["pace"]["late_ns_mean"] <= paced["pace"]["late_ns_max"]
    assert facts["pace"] is None
    for digest in ("books_digest", "events_digest", "wire_digest"):
        assert paced[digest] == facts[digest]


def times_of(data):
    """Return the time of each message of a BinaryFILE."""
    at = 0
    while at + 2 < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        yield int.from_bytes(data[at + 7 : at + 13], "big")
        at += 2 + size


@pytest.mark.parametrize("text", ["0", "-1", "fast", "nan", "inf", "100001"])
def test_a_speed_is_a_number_of_times(session, text, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["replay", str(session), "--speed", text])
    assert exit_.value.code == 2
    assert f"{text}: give 0.001 to 100000, in times the recorded speed" in capsys.readouterr().err

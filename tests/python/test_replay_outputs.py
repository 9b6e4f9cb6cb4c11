"""What a replay writes: never over an input, never lost in silence, nothing left behind."""

import json
import os
import signal
import subprocess
import sys

import pytest
from waiting import LIMIT_S, wait_until

from appliance.cli import main
from appliance.config import example_text


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "day.itch"
    words = ["--seed", "7", "--messages", "200000", "--symbols", "50"]
    assert main(["generate", str(path), *words]) == 0
    return path


def test_no_output_may_be_an_input(session, tmp_path, capsys):
    before = session.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(session)
    config = tmp_path / "my.yaml"
    config.write_text(example_text())
    both = ["--json", str(tmp_path / "x"), "--pcap-out", str(tmp_path / "x")]
    for words in (
        ["--pcap-out", str(session)], ["--json", str(session)], ["--json", str(link)], both,
        ["--config", str(config), "--json", str(config)], ["--json", ""], ["--journal", ""],
    ):  # fmt: skip
        capsys.readouterr()
        assert main(["replay", str(session), "--quiet", *words]) == 2, words
        assert "name " in capsys.readouterr().err
    assert session.read_bytes() == before
    assert config.read_text() == example_text()


def test_bench_does_not_write_over_its_session(session, capsys):
    assert main(["bench", "--file", str(session), "--json", str(session)]) == 2
    assert "session itself" in capsys.readouterr().err


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path):
    names = ["--journal", "j", "--pcap-out", "p", "--json", "r"]
    words = [name if name[0] == "-" else str(tmp_path / name) for name in names]
    assert main(["replay", str(tmp_path / "missing.itch"), "--quiet", *words]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_runs_full_refuses_orders_and_says_so(session, tmp_path, small_disk, capsys):
    config = tmp_path / "small.yaml"
    text = example_text().replace("segment_size_mib: 64", "segment_size_mib: 1")
    config.write_text(text)
    report = tmp_path / "r"
    journal = small_disk("1100k") / "j"
    words = ["--config", str(config), "--journal", str(journal), "--json", str(report)]
    capsys.readouterr()
    assert main(["replay", str(session), "--quiet", *words]) == 1
    assert "the journal took no more records" in capsys.readouterr().err
    facts = json.loads(report.read_text())
    assert facts["messages"] == 200_000
    assert facts["risk_rejects"]["JOURNAL_UNAVAILABLE"] > 0
    assert facts["journal"]["verified"] is True


def test_a_capture_on_a_full_disk_costs_no_report(session, tmp_path, capsys):
    report = tmp_path / "r"
    words = ["--pcap-out", "/dev/full", "--json", str(report)]
    capsys.readouterr()
    assert main(["replay", str(session), *words]) == 1
    out, err = capsys.readouterr()
    assert "PROOF" in out and "NOT WHOLE: /dev/full" in out
    assert "/dev/full: writing failed" in err
    assert "No space left" in json.loads(report.read_text())["output_fault"]


def test_a_file_name_need_not_be_text(session, tmp_path):
    folder = os.fsencode(tmp_path)
    odd = os.fsdecode(os.path.join(folder, b"d\xe9j\xff"))
    os.symlink(session, odd)
    words = [odd, "--journal", odd + "j", "--pcap-out", odd + "p", "--json", odd + "r"]
    assert main(["replay", "--quiet", *words]) == 0


def test_a_full_stdout_is_one_line(session):
    for words in (["book"], ["decode"], ["replay"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "appliance", *words, str(session)],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.endswith("tickplane: output: no space left on device; it is not whole\n")
        assert "Traceback" not in done.stderr


SLOW = """
class Slow:
    def __init__(self, params): pass
    def on_book(self, gateway, top):
        open("called", "w").close()
        for _ in range(1_000_000): pass
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_inside_a_callback_stops_the_run_and_blames_nobody(number, session, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    words = ["replay", session, "--strategy", "python slow:Slow", "--journal", "j", "--json", "r"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "appliance", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    wait_until((tmp_path / "called").exists, process=process)
    process.send_signal(number)
    _, err = process.communicate(timeout=LIMIT_S)
    facts = json.loads((tmp_path / "r").read_text())
    assert process.returncode == 130, err
    assert facts["interrupted"] is True and facts["failure"] is None
    assert facts["journal"]["verified"] is True
    assert not [name for name in os.listdir("/dev/shm") if name.endswith(f"-{process.pid}")]


def test_the_region_of_a_killed_run_is_removed_by_the_next(session):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    left = f"/dev/shm/tickplane-demo-{done.stdout.strip()}"
    with open(left, "wb"):
        pass
    assert main(["replay", str(session), "--quiet"]) == 0
    assert not os.path.exists(left)

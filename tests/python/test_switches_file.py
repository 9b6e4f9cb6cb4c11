"""The file that keeps switches: a write that is cut, two that meet, what is no such file."""

import fcntl
import os
import subprocess
import sys
from importlib import resources

import pytest

from appliance import running, switches
from appliance.cli import main
from appliance.errors import CommandError
from appliance.switches import HALF_BYTES, Switch

FIRST = Switch("firm", "reject-new", "person", "ada", "drill", 1_700_000_000_000_000_000)
SECOND = Switch("strategy:maker", "cancel-all", "loss", time_ns=1_700_000_001_000_000_000)


@pytest.fixture
def path(tmp_path):
    path = switches.path_of(tmp_path / "journal")
    switches.make(path)
    return path


def test_it_has_its_full_size_before_anything_is_set(path):
    assert path.name == "journal.switches"
    assert path.stat().st_blocks * 512 >= 2 * HALF_BYTES
    assert switches.read(path) == {}


def test_what_is_kept_is_read_back_and_taken_out(path):
    assert switches.keep(path, FIRST) == "on disk"
    assert switches.keep(path, SECOND) == "on disk"
    assert switches.read(path) == {"firm": FIRST, "strategy:maker": SECOND}
    assert switches.drop(path, "firm") == "on disk"
    assert switches.read(path) == {"strategy:maker": SECOND}
    switches.make(path)  # of the next start
    assert switches.read(path) == {"strategy:maker": SECOND}


def test_the_stronger_switch_stays_and_of_equals_the_one_with_a_name(path):
    breaker = Switch("firm", "reject-new", "loss", time_ns=1)
    switches.keep(path, breaker)
    switches.keep(path, FIRST)
    assert switches.read(path) == {"firm": FIRST}
    switches.keep(path, Switch("firm", "reduce-only", "person", "bob", "softer", 3))
    assert switches.read(path) == {"firm": FIRST}
    hard = Switch("firm", "hard-stop", "person", "bob", "harder", 4)
    switches.keep(path, hard)
    assert switches.read(path) == {"firm": hard}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_write_that_is_cut_leaves_what_was_there_before(path, share):
    switches.keep(path, FIRST)
    before = path.read_bytes()
    switches.keep(path, SECOND)
    after = path.read_bytes()
    places = [at for at in range(len(after)) if before[at] != after[at]]
    cut = places[int(share * len(places))]
    path.write_bytes(after[:cut] + before[cut:])
    assert switches.read(path) == {"firm": FIRST}


def test_any_changed_byte_of_the_younger_half_is_noticed(path):
    switches.keep(path, FIRST)
    switches.keep(path, SECOND)
    whole = path.read_bytes()
    size = len(whole[:HALF_BYTES].rstrip(b"\0"))
    for at in range(size):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert switches.read(path) == {"firm": FIRST}, at


def test_a_file_without_a_whole_half_is_refused_not_taken_for_empty(path):
    path.write_bytes(b"x" * 2 * HALF_BYTES)
    with pytest.raises(CommandError, match="neither half is whole; see what is set in the journal"):
        switches.read(path)


def test_too_many_are_refused_in_words(path):
    many = {
        f"instrument:{n}": Switch(f"instrument:{n}", "reject-new", "person") for n in range(900)
    }
    with pytest.raises(CommandError, match="900 switches; set a wider scope instead"):
        switches.change(path, lambda _: many)
    assert switches.read(path) == {}


def test_a_disk_that_cannot_take_it_is_said(tmp_path):
    with pytest.raises(CommandError, match="nowhere/j.switches: no such file or directory"):
        switches.make(switches.path_of(tmp_path / "nowhere" / "j"))
    with pytest.raises(CommandError, match="no such file or directory"):
        switches.keep(switches.path_of(tmp_path / "nowhere" / "j"), FIRST)


def test_a_holder_that_hangs_is_not_waited_for(path):
    with open(path, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="device or resource busy"):
            switches.keep(path, FIRST)
    assert switches.keep(path, FIRST) == "on disk"


def test_many_writers_at_once_lose_nothing(path):
    code = (
        "import sys\nfrom appliance import switches\n"
        "for n in range(20):\n"
        " switches.keep(switches.Path(sys.argv[1]), switches.Switch(\n"
        "  f'strategy:{sys.argv[2]}-{n}', 'reject-new', 'person'))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, path, str(number)]) for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(switches.read(path)) == 80


# ---- the verbs, when nothing runs ----


@pytest.fixture
def configured(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "regions", lambda: [])
    text = (resources.files("appliance") / "configs" / "live.yaml").read_text()
    path = tmp_path / "live.yaml"
    path.write_text(
        text.replace("journal:\n", f"journal:\n  directory: {tmp_path / 'journal'}\n").replace(
            "name: live", f"name: nobody{os.getpid()}"
        )
    )
    return path


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("kill",), "kill: nothing runs here; for the next start name its --config FILE"),
        (("arm",), "arm: nothing runs here; for the next start name its --config FILE"),
        (("kill", "firma", "--config", "?"), "scope: 'firma' is none; write firm, account:NAME,"),
        (("kill", "strategy:x", "--config", "?"), "scope: 'strategy:x' is not there; known: maker"),
        (("kill", "session:16", "--config", "?"), "scope: 'session:16' is none; write firm,"),
        (
            ("arm", "firm", "--config", "?", "--mark", "5", "--cause", "x"),
            "arm: the switch has changed since you looked; look again",
        ),
        (
            ("arm", "firm", "--config", "?", "--mark", "5"),
            "arm: --cause: missing; say why orders may pass again",
        ),
    ],
)
def test_what_cannot_be_done_is_said(configured, words, text, capsys):
    words = [str(configured) if word == "?" else word for word in words]
    assert main(words) == 2
    assert text in capsys.readouterr().err


def test_a_run_of_another_build_is_not_passed_over(tmp_path, monkeypatch, capsys):
    region = tmp_path / f"tickplane-other-{os.getpid()}"
    region.write_bytes(b"another layout".ljust(8192, b"\0"))
    monkeypatch.setattr(running, "regions", lambda: [region])
    assert main(["kill"]) == 2
    assert f"tickplane: kill: {region}: " in capsys.readouterr().err


@pytest.mark.parametrize("scope", ["firm", "account:house", "strategy:maker", "session:3"])
def test_every_scope_is_killed_and_armed_in_two_steps(configured, scope, tmp_path, capsys):
    where = ("--config", str(configured))
    assert main(["kill", scope, *where, "--mode", "reduce-only", "--author", "ada"]) == 0
    assert capsys.readouterr().out == f"{scope}: reduce-only, nothing runs; kept on disk\n"
    assert main(["arm", scope, *where]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{scope}: reduce-only, set by person (ada), 20")
    mark = shown.split("--mark ")[1].split()[0]
    assert main(["arm", scope, *where, "--mark", mark, "--author", "", "--cause", "over"]) == 2
    assert main(["arm", scope, *where, "--mark", mark, "--author", "ada", "--cause", "over"]) == 0
    assert switches.read(switches.path_of(tmp_path / "journal")) == {}

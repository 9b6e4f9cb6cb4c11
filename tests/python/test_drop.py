"""Sealed segments that are dropped: what is left reads on, proven by roots back to the first."""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import audit_keys, cli, drop, sign
from dataplane import dropped, sealing
from dataplane.journal import Journal

sys.path.insert(0, str(Path(__file__).parent))
from cut_disk import Disk  # noqa: E402
from test_journal import FINAL, ROLLED, SIZE, Writer, event, journal_of  # noqa: E402
from test_power_loss import cut_disk, survivors  # noqa: E402

REJECTED = 17
HOUR_S = 3600


def written(directory: Path) -> Path:
    """Write a journal of five segments , every order done; two name instruments."""
    writer = Writer()
    for index in range(5):
        if index:
            writer.end(ROLLED)
            writer.start()
        if index < 2:
            writer.add(3, struct.pack("<qII8s", 5, 7 + index, 0, b"SYMBOL%d " % index))
        for number in range(index * 20 + 1, index * 20 + 21):
            writer.add(1, event(number, instrument=7 + number % 2))
            writer.add(1, event(number, REJECTED, instrument=7 + number % 2))
    writer.end(FINAL)
    return writer.save(directory)


@pytest.fixture(scope="module")
def original(keys, tmp_path_factory) -> Path:
    """The same sealed and signed, its last own file beside the sealed one."""
    directory = written(tmp_path_factory.mktemp("drop") / "j")
    words = ["--keys", str(keys), "--keep-mib", "0"]
    assert cli.main(["journal", "seal", str(directory), *words]) == 0
    return directory


@pytest.fixture
def journal(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "j"))


@pytest.fixture
def public(keys) -> str:
    return str(keys / "public.json")


def run(capsys, *words) -> tuple[int, str, str]:
    capsys.readouterr()
    status = cli.main(["journal", *map(str, words)])
    return status, *capsys.readouterr()


def sealed_names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.tps"))


def age(directory: Path, index: int, seconds: float) -> None:
    path = directory / f"journal-{index:06d}.tps"
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


# ---- what goes ----


def test_all_but_the_last_segment_may_go(journal, capsys):
    status, out, err = run(capsys, "drop", journal, "--keep-mib", 0)
    assert (status, err) == (0, "")
    assert out.startswith(f"{journal}: dropped 4 segments, ")
    assert sealed_names(journal) == ["journal-000004.tps"]
    assert len(list(journal.glob("*.sig"))) == 5
    assert run(capsys, "drop", journal, "--keep-mib", 0) == (0, "", "")


def test_the_oldest_go_by_size_over_all_journals_of_a_folder(original, tmp_path, capsys):
    archive = tmp_path / "archive"
    days = [Path(shutil.copytree(original, archive / name)) for name in ("b", "a")]
    # The second folder by name is the older day: the first thing that a journal says is when.
    assert drop.begun_ns(str(days[0])) == drop.begun_ns(str(days[1]))
    (archive / "notes").mkdir()
    (archive / "file").write_text("x")
    size = sum(path.stat().st_size for path in days[0].glob("*.tps"))
    found = [drop.Work(path) for path in drop.journals_in(str(archive))]
    assert [work.directory for work in found] == [str(days[1]), str(days[0])]
    drop.mark(found, 0, None)
    assert [work.superfluous for work in found] == [[0, 1, 2, 3]] * 2
    found = [drop.Work(path) for path in drop.journals_in(str(archive))]
    drop.mark(found, None, 1)
    assert [work.superfluous for work in found] == [[], []]
    assert 0 < size < drop.MIB


def test_they_go_by_age_and_never_one_before_another(journal, capsys):
    for index in (0, 1, 3):
        age(journal, index, 3 * HOUR_S)
    assert run(capsys, "drop", journal, "--keep-hours", 2)[0] == 0
    assert sealed_names(journal) == [f"journal-{index:06d}.tps" for index in (2, 3, 4)]


def test_a_dry_run_does_nothing(journal, capsys):
    before = sorted(path.name for path in journal.iterdir())
    status, out, _ = run(capsys, "drop", journal, "--keep-mib", 0, "--dry-run")
    assert status == 0 and out.startswith(f"{journal}: would drop 4 segments, ")
    assert sorted(path.name for path in journal.iterdir()) == before


# ---- what stays ----


def check_stays(capsys, directory: Path, words: str, *options) -> None:
    before = sorted(path.name for path in directory.iterdir())
    status, out, err = run(capsys, "drop", directory, "--keep-mib", 0, *options)
    assert (status, out) == (1, "")
    assert err == f"tickplane: drop: {directory}{words}\n"
    after = sorted(path.name for path in directory.iterdir())
    assert [name for name in after if name != sealing.LOCK] == [
        name for name in before if name != sealing.LOCK
    ]


def test_a_journal_with_open_orders_stays(tmp_path, keys, capsys):
    directory = journal_of(tmp_path / "j", segments=3)
    assert cli.main(["journal", "seal", str(directory), "--keys", str(keys)]) == 0
    check_stays(capsys, directory, ": 12 of its orders are open; recovery needs all of it")


def test_a_journal_that_did_not_end_stays(journal, capsys):
    path = journal / "journal-000004.tpj"
    data = path.read_bytes().rstrip(b"\0")
    path.write_bytes(data[: (len(data) - 1) // 128 * 128].ljust(SIZE, b"\0"))
    (journal / "journal-000004.tps").unlink()
    check_stays(capsys, journal, ": it did not end; recovery needs all of it")


def test_a_journal_that_is_being_written_stays(journal, capsys):
    with drop.held(str(journal)):
        check_stays(capsys, journal, ": it is being written; all of it is needed")


def test_what_is_not_signed_stays(journal, capsys):
    (journal / "journal-000000.sig").unlink()
    check_stays(
        capsys, journal,
        ": segment 0: it is not signed, its root would be lost; see tickplane journal seal --keys",
    )  # fmt: skip


def test_what_unknown_keys_signed_stays(journal, tmp_path, capsys):
    audit_keys.make_key(str(tmp_path / "other"))
    status, _, err = run(capsys, "drop", journal, "--keep-mib", 0, "--keys", tmp_path / "other")
    assert status == 1 and "which is not among the public keys" in err
    assert len(sealed_names(journal)) == 5


def test_signatures_of_another_segment_do_not_count(journal, capsys):
    shutil.copy(journal / "journal-000001.sig", journal / "journal-000000.sig")
    check_stays(capsys, journal, ": segment 0: its signatures are of another segment")


@pytest.mark.parametrize("words", [[], ["--keep-mib", "x"], ["--keep-hours", "-1"]])
def test_what_is_kept_must_be_said(journal, words, capsys):
    try:
        assert run(capsys, "drop", journal, *words)[0] == 2
    except SystemExit as ended:
        assert ended.code == 2


def test_no_journal_is_one_line(tmp_path, capsys):
    assert run(capsys, "drop", tmp_path, "--keep-mib", 0) == (
        2, "", f"tickplane: drop: {tmp_path}: holds no journal, nor does a folder in it\n",
    )  # fmt: skip


# ---- what is left ----


@pytest.fixture
def rest(journal, capsys) -> Path:
    """Two segments of five."""
    for index in range(3):
        age(journal, index, 3 * HOUR_S)
    assert run(capsys, "drop", journal, "--keep-hours", 2)[0] == 0
    return journal


def test_what_is_left_reads_as_before(rest, original, capsys):
    whole = list(Journal(original))
    found = list(Journal(rest))
    assert found == whole[-len(found) :]  # the names of instruments too
    first = found[0]["seq"]
    assert first == 1 + dropped.load(str(rest)).sequence_last
    assert (
        run(capsys, "dump", rest, "--from", first)[1]
        == (run(capsys, "dump", original, "--from", first)[1])
    )
    assert run(capsys, "tail", rest, "-n", 5)[1] == run(capsys, "tail", original, "-n", 5)[1]


def test_it_is_verified_to_the_first_root(rest, public, capsys):
    status, out, _ = run(capsys, "verify", rest, "--keys", public, "--json")
    found = json.loads(out)
    assert (status, found["problems"]) == (0, [])
    assert (found["dropped"], found["segments"], found["signed"]) == (3, 2, 2)
    status, out, _ = run(capsys, "verify", rest)
    assert status == 0 and "\nits first 3 segments were dropped; their roots are there" in out


@pytest.mark.parametrize("seed", range(40))
def test_any_change_of_what_proves_it_is_found(rest, public, seed, capsys):
    rng = random.Random(seed)
    paths = sorted([*rest.glob("*.sig"), *rest.glob("*.tps"), rest / dropped.NAME])
    path = rng.choice(paths)
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(7)
    path.write_bytes(data)
    if path.name == dropped.NAME:
        words = ["proof", "--check", str(path), "--keys", public]
        changed = run(capsys, *words)[0] != 0 or run(capsys, "verify", rest, "--keys", public)[0]
    else:
        changed = run(capsys, "verify", rest, "--keys", public)[0] != 0
    assert changed, (path.name, at)


def test_a_root_that_is_gone_is_found(rest, public, capsys):
    (rest / "journal-000001.sig").unlink()
    status, out, _ = run(capsys, "verify", rest)
    assert status == 1 and "journal-000001.sig: No such file or directory" in out


def test_the_names_of_instruments_are_proven(rest, public, capsys):
    status, out, _ = run(capsys, "proof", "--check", rest / dropped.NAME, "--keys", public)
    assert status == 0 and " INSTRUMENT " in out


def test_a_proof_made_before_still_holds(journal, public, tmp_path, capsys):
    extract = tmp_path / "order.json"
    assert run(capsys, "proof", journal, 3, "-o", extract)[0] == 0
    assert run(capsys, "drop", journal, "--keep-mib", 0)[0] == 0
    assert run(capsys, "proof", "--check", extract, "--keys", public)[0] == 0


@pytest.mark.parametrize("verb", ["recover", "replay"])
def test_no_state_is_made_of_half_a_history(rest, verb, capsys):
    status, _, err = run(capsys, verb, rest)
    assert status == 2
    assert err == (
        f"tickplane: journal: {rest}: its first 3 segments were dropped; what is left leads to no"
        " state of its orders; name another directory\n"
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "dropped": {}}'])
def test_a_note_that_cannot_be_read_is_one_line(rest, text, capsys):
    (rest / dropped.NAME).write_text(text)
    status, _, err = run(capsys, "verify", rest)
    assert status == 1 and err.startswith(f"tickplane: journal: {rest}/{dropped.NAME}: ")
    assert err.endswith("; it is not what tickplane journal drop writes\n")


def test_who_dies_while_dropping_is_followed_by_another(journal, public, capsys):
    spared = (journal / "journal-000000.tps").read_bytes()
    drop.drop(str(journal), 0)
    (journal / "journal-000000.tps").write_bytes(spared)  # noted, not yet unlinked
    assert run(capsys, "verify", journal, "--keys", public)[0] == 0
    assert run(capsys, "drop", journal, "--keep-hours", 1)[0] == 0
    assert len(sealed_names(journal)) == 4


def test_a_power_cut_while_segments_are_dropped_loses_no_root(original, tmp_path, public):
    rng = random.Random(9)
    with cut_disk(tmp_path / "disk") as disk:
        place = tmp_path / "disk" / "j"
        shutil.copytree(original, place)
        for path in place.iterdir():
            sealing.flush(str(path))
        sealing.flush(str(place))
        begin = len(disk.log)
        words = ["journal", "drop", str(place), "--keep-mib", "0"]
        subprocess.run([sys.executable, "-m", "appliance", *words], check=True)
    verifier = audit_keys.Verifier(public)
    for number in range(60):
        left = Disk()
        for op in disk.log[: rng.randrange(begin, len(disk.log) + 1)]:
            left.apply(op)
        directory = tmp_path / f"cut-{number}"
        assert survivors(left, directory, rng)
        assert Journal(directory).verify()["valid"]
        assert sealing.check(str(directory))[1] == []
        assert sign.check_dropped(str(directory), verifier) == []
        assert list(Journal(directory))[-1] == list(Journal(original))[-1]

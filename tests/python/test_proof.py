"""Signed journals: what was changed, by whomever, is told by who holds the public keys alone."""

from __future__ import annotations

import json
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from appliance import audit_keys, cli, proof, sign
from appliance.errors import CommandError
from dataplane import seal_tree, sealing
from dataplane.bench_journal import JournalBench
from dataplane.journal import Journal

SEGMENT = 2 << 20
EVENTS = 20_000


@pytest.fixture(scope="module")
def original(keys, tmp_path_factory) -> Path:
    """Two segments, sealed and signed, without their own files."""
    directory = tmp_path_factory.mktemp("proof") / "j"
    bench = JournalBench()
    bench.open(str(directory), SEGMENT, 0)
    bench.fill(EVENTS)
    bench.close()
    assert cli.main(["journal", "seal", str(directory), "--keys", str(keys)]) == 0
    for path in directory.glob("*.tpj"):
        path.unlink()
    return directory


@pytest.fixture
def directory(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "j"))


@pytest.fixture
def public(keys, tmp_path) -> Path:
    """All that a third party has."""
    return Path(shutil.copy(keys / "public.json", tmp_path / "public.json"))


def verify(directory: Path, public: Path, capsys) -> list[str]:
    capsys.readouterr()
    status = cli.main(["journal", "verify", str(directory), "--keys", str(public), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert status == (1 if found["problems"] else 0)
    return found["problems"]


# ---- keys ----


def test_private_keys_are_for_their_owner_alone(keys):
    (private,) = keys.glob("key-*.json")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert "private" not in (keys / "public.json").read_text()


def test_keys_in_the_journal_are_refused(directory):
    audit_keys.make_key(str(directory / "keys"))
    with pytest.raises(CommandError, match="lies in the journal; keep keys apart from it"):
        audit_keys.load_signer(str(directory / "keys"), str(directory))


def test_no_keys_is_one_line(directory, tmp_path, capsys):
    assert cli.main(["journal", "seal", str(directory), "--keys", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: keys: {tmp_path}/none: No such file or directory; make keys with tickplane"
        " journal keys\n"
    )


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "keys": []}', '{"keys": [{}]}', "{"])
def test_what_is_no_key_is_said_so(tmp_path, text):
    (tmp_path / "public.json").write_text(text)
    with pytest.raises(
        CommandError, match="public.json: .*; (it holds no public keys|make one)|no key"
    ):
        audit_keys.read_public(str(tmp_path))


def test_without_the_package_there_is_one_line(directory, keys):
    code = (
        "import sys; sys.modules['cryptography.hazmat.primitives.asymmetric'] = None\n"
        "from appliance.cli import main\n"
        f"sys.exit(main(['journal', 'verify', {str(directory)!r}, '--keys', {str(keys)!r}]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "tickplane: keys: the package cryptography, 47 or newer, is not installed; run: pip install"
        " 'tickplane[audit]'\n"
    )


# ---- signatures ----


def test_a_signed_journal_is_proven_by_the_public_keys(directory, public, capsys):
    assert verify(directory, public, capsys) == []
    assert cli.main(["journal", "verify", str(directory), "--keys", str(public)]) == 0
    assert capsys.readouterr().out == (
        f"{directory}: closed: every record is there\n"
        f"{EVENTS} records in 2 segments, last number {EVENTS + 2}, written by bench\n"
        "2 segments sealed, 2 signed by known keys\n"
    )


def test_both_signatures_are_of_the_documented_bytes(directory, public):
    data = (directory / "journal-000001.tps").read_bytes()
    trailer = data[-192:]
    message = b"tickplane journal root 1" + trailer[48:56] + trailer[32:40] + trailer[64:160]
    entry = json.loads(public.read_text())["keys"][0]["public"]
    kinds = {"ML-DSA-65": mldsa.MLDSA65PublicKey, "Ed25519": ed25519.Ed25519PublicKey}
    signatures = json.loads((directory / "journal-000001.sig").read_text())["signatures"]
    assert [each["algorithm"] for each in signatures] == list(kinds)
    for each in signatures:
        kind = kinds[each["algorithm"]]
        key = kind.from_public_bytes(audit_keys.decode(entry[each["algorithm"]]))
        key.verify(audit_keys.decode(each["signature"]), message)


def test_a_journal_that_was_written_anew_is_not_the_signed_one(directory, public, tmp_path, capsys):
    """Whoever can write the files makes everything fit, but for the signature."""
    forged = tmp_path / "forged"
    bench = JournalBench()
    bench.open(str(forged), SEGMENT, 0)
    bench.fill(EVENTS - 8)
    bench.close()
    sealing.seal(str(forged))
    for path in directory.glob("*.sig"):
        shutil.copy(path, forged)
    problems = verify(forged, public, capsys)
    assert any("signature by key" in each and "is not of this content" in each for each in problems)


def test_a_signature_by_another_key_proves_nothing(directory, public, tmp_path, capsys):
    (directory / "journal-000000.sig").unlink()
    key_id = audit_keys.make_key(str(tmp_path / "mine"))
    sign.sign(str(directory), audit_keys.load_signer(str(tmp_path / "mine"), str(directory)))
    assert verify(directory, public, capsys) == [
        f"{directory}/journal-000000.sig: it is signed with key {key_id}, which is not among the"
        " public keys"
    ]


@pytest.mark.parametrize("algorithm", audit_keys.ALGORITHMS)
def test_each_of_the_two_signatures_is_wanted(directory, public, capsys, algorithm):
    path = directory / "journal-000001.sig"
    found = json.loads(path.read_text())
    whole = found["signatures"]
    found["signatures"] = [each for each in whole if each["algorithm"] != algorithm]
    path.write_text(json.dumps(found))
    assert verify(directory, public, capsys) == [f"{path}: it is not signed with {algorithm}"]
    found["signatures"] = whole
    for each in whole:
        if each["algorithm"] == algorithm:
            data = bytearray(audit_keys.decode(each["signature"]))
            data[7] ^= 1
            each["signature"] = audit_keys.encode(bytes(data))
    path.write_text(json.dumps(found))
    (problem,) = verify(directory, public, capsys)
    assert f"its {algorithm} signature by key" in problem


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "signatures": 5}']
)
def test_a_signature_that_cannot_be_read_is_named(directory, public, capsys, text):
    path = directory / "journal-000001.sig"
    path.write_text(text)
    (problem,) = verify(directory, public, capsys)
    assert problem.startswith(f"{path}: ")


def test_what_is_not_signed_is_said(directory, public, capsys):
    (directory / "journal-000001.sig").unlink()
    assert verify(directory, public, capsys) == [
        f"{directory}/journal-000001.sig: No such file or directory"
    ]


def test_a_new_key_signs_and_the_old_one_goes_on_to_prove(directory, keys, tmp_path, capsys):
    folder = Path(shutil.copytree(keys, tmp_path / "rotated"))
    (directory / "journal-000001.sig").unlink()
    assert cli.main(["journal", "keys", str(folder), "--json"]) == 0
    key_id = json.loads(capsys.readouterr().out)["key_id"]
    assert cli.main(["journal", "seal", str(directory), "--keys", str(folder)]) == 0
    assert capsys.readouterr().out == "signed 1 segments\n"
    signed = json.loads((directory / "journal-000001.sig").read_text())["signatures"]
    assert {each["key_id"] for each in signed} == {key_id}
    assert verify(directory, folder / "public.json", capsys) == []
    (problem,) = verify(directory, keys / "public.json", capsys)
    assert key_id in problem


# ---- extracts ----


def extract(directory: Path, order: str, path: Path) -> dict:
    assert cli.main(["journal", "proof", str(directory), order, "-o", str(path)]) == 0
    return json.loads(path.read_text())


def checked(path: Path, public: Path, capsys) -> tuple[int, str, str]:
    capsys.readouterr()
    status = cli.main(["journal", "proof", "--check", str(path), "--keys", str(public), "--json"])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("number", [1, 2047, 2048, 4500, EVENTS // 4])
def test_an_extract_shows_what_the_journal_holds(original, public, tmp_path, capsys, number):
    extract(original, str(number), tmp_path / "x.json")
    status, out, _ = checked(tmp_path / "x.json", public, capsys)
    expected = [each for each in Journal(original) if each.get("user_ref_num") == number]
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == expected and len(expected) == 4


def changed(content, rng: random.Random):
    """Change one leaf of a JSON document."""
    if isinstance(content, dict):
        key = rng.choice([key for key in content if key not in ("order",)])
        content[key] = changed(content[key], rng)
    elif isinstance(content, list) and content:
        at = rng.randrange(len(content))
        content[at] = changed(content[at], rng)
    elif isinstance(content, int):
        return content + rng.choice([-1, 1, 1 << 70])
    elif isinstance(content, str) and content:
        at = rng.randrange(len(content))
        return content[:at] + rng.choice("0123456789abcdefAZ+/ é") + content[at + 1 :]
    return content


@pytest.mark.parametrize("seed", range(60))
def test_a_changed_extract_proves_nothing(original, public, tmp_path, capsys, seed):
    path, rng = tmp_path / "x.json", random.Random(seed)
    before = extract(original, "4500", path)
    shown = checked(path, public, capsys)[1]
    after = changed(json.loads(json.dumps(before)), rng)
    path.write_text(json.dumps(after))
    status, out, err = checked(path, public, capsys)
    if status == 0:  # a base64 text may be changed without another meaning
        assert out == shown
    else:
        assert status == 1 and not out
        assert err.startswith(f"tickplane: proof: {path}: ") and err.endswith("proves nothing\n")


def test_a_record_of_another_order_proves_nothing(original, public, tmp_path, capsys):
    one = extract(original, "4500", tmp_path / "x.json")
    other = extract(original, "4501", tmp_path / "y.json")
    one["segments"][0]["records"][0]["record"] = other["segments"][0]["records"][0]["record"]
    (tmp_path / "x.json").write_text(json.dumps(one))
    status, out, err = checked(tmp_path / "x.json", public, capsys)
    assert (status, out) == (1, "") and "proves nothing" in err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "segments": []}', "null"])
def test_what_is_no_extract_proves_nothing(public, tmp_path, capsys, text):
    (tmp_path / "x.json").write_text(text)
    status, out, err = checked(tmp_path / "x.json", public, capsys)
    assert (status, out) == (1, "") and "proves nothing" in err


def test_what_is_not_signed_yet_cannot_be_proven(directory, tmp_path):
    (directory / "journal-000001.sig").unlink()
    with pytest.raises(CommandError, match="number 1, is not sealed and signed yet"):
        proof.extract_of(str(directory), EVENTS // 4)
    assert proof.extract_of(str(directory), 1)
    with pytest.raises(CommandError, match="no record of the journal names such an order"):
        proof.extract_of(str(directory), EVENTS)


def test_paths_lead_to_the_root_at_every_size():
    for count in range(1, 70):
        leaves = [seal_tree.leaf(bytes([at])) for at in range(count)]
        nodes = leaves
        while len(nodes) > 1:
            nodes = seal_tree.above(nodes)
        for place in range(count):
            beside = seal_tree.path(leaves, place)
            assert seal_tree.top(leaves[place], place, count, beside) == nodes[0]
            assert seal_tree.top(leaves[place], place, count, [*beside, nodes[0]]) is None
            if beside:
                assert seal_tree.top(leaves[place], place, count, beside[:-1]) is None

"""Profiles: what the shipped ones say, how they inherit, and every complaint word for word."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from control import profile, reference, schema
from control.facts import Cpu, Facts, Nic, PciDevice
from control.kinds import Cpus, Names, Text, Whole, Word, Words
from control.match import judge, rank
from control.profile import Profile, ProfileError, parse

ROOT = Path(__file__).parents[2]
SHIPPED = profile.shipped()
GOOD = """\
cpu:
  isolated: 2-3
  roles: {feed: 1}
nics:
  feed:
    pci: "0000:3b:00.0"
    role: feed
    mtu: 1500
sysctl:
  vm.swappiness: "0"
"""


def complaint(text: str, folder: Path | None = None) -> str:
    with pytest.raises(ProfileError) as caught:
        parse(text, source="t.yaml", folder=folder)
    assert caught.value.status == 2
    return str(caught.value)


# ---- the shipped ones ----


def test_the_shipped_profiles_are_those_of_the_folder():
    written = {path.stem for path in (ROOT / "hw_profiles").glob("*.yaml")}
    assert set(SHIPPED) == written
    assert len(written) == 11


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_is_good_and_says_what_it_is_for(name: str):
    found = profile.load(name)
    assert found.name == name
    assert found.text("description")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_of_a_shipped_profile_has_a_reason(name: str):
    """Its own, or the one of the schema; what names a card or a machine explains itself."""
    names_something = ("description", "match.", "nics.", "fpga.", "rdma.", "limits.", "bios.",
                       "budgets.", "cpu.roles.", "sysctl.net.core.wmem_max")  # fmt: skip
    bare = [
        key
        for key, entry in profile.load(name).entries.items()
        if not entry.why and not key.startswith(names_something)
    ]
    assert not bare


def test_the_reference_page_is_printed_from_the_schema():
    page = ROOT / "docs/profile-reference.md"
    assert page.read_text() == reference.render(), (
        "write it anew: tickplane profile reference > docs/profile-reference.md"
    )


# ---- inheriting ----


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def values(found: Profile) -> dict[str, object]:
    return {key: entry.value for key, entry in found.entries.items()}


def test_a_value_hides_the_inherited_one_and_knows_its_own_line(tmp_path):
    write(tmp_path, base="memory:\n  swappiness: 1\n  zone_reclaim: 0\n")
    found = parse("extends: ./base.yaml\nmemory: {swappiness: 9}\n", source="t.yaml",
                  folder=tmp_path)  # fmt: skip
    assert values(found) == {"memory.swappiness": 9, "memory.zone_reclaim": 0}
    assert found.entries["memory.swappiness"].where == "t.yaml:2"
    assert found.entries["memory.zone_reclaim"].where == f"{tmp_path}/base.yaml:3"
    assert found.chain == ("t.yaml", f"{tmp_path}/base.yaml")


def test_a_tilde_takes_a_value_or_a_group_away(tmp_path):
    write(tmp_path, base="memory: {swappiness: 1}\nsysctl: {vm.a: '1', vm.b: '2'}\n")
    text = "extends: ./base.yaml\nmemory: {swappiness: ~}\nsysctl: ~\n"
    assert values(parse(text, source="t.yaml", folder=tmp_path)) == {}


def test_what_two_bases_share_is_weaker_than_both(tmp_path):
    write(
        tmp_path,
        ground="memory: {swappiness: 1, zone_reclaim: 1}\n",
        left="extends: ./ground.yaml\nmemory: {swappiness: 2}\n",
        right="extends: ./ground.yaml\nmemory: {zone_reclaim: 2}\n",
    )
    found = parse("extends: [./left.yaml, ./right.yaml]\n", source="t.yaml", folder=tmp_path)
    assert values(found) == {"memory.swappiness": 2, "memory.zone_reclaim": 2}


def test_a_match_is_not_inherited(tmp_path):
    write(tmp_path, base="description: base\nmatch: {virtual: on}\nmemory: {swappiness: 1}\n")
    found = parse("extends: ./base.yaml\n", source="t.yaml", folder=tmp_path)
    assert values(found) == {"memory.swappiness": 1}


def test_a_profile_that_extends_itself_is_refused(tmp_path):
    write(tmp_path, a="extends: ./b.yaml\n", b="extends: ./a.yaml\n")
    with pytest.raises(ProfileError) as caught:
        profile.load(str(tmp_path / "a.yaml"))
    assert str(caught.value) == (
        f"{tmp_path}/b.yaml:1: extends: './a.yaml' extends this one again; remove one of both"
    )


# ---- complaints ----


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("isolated: 2-3", "isolated: 3-2",
         "t.yaml:2: cpu.isolated: '3-2' does not rise, or passes 8191; write cores like 2-15,18 "
         "or a rule: rest, none, first 2 of each node"),
        ("isolated: 2-3", "isolated: most",
         "t.yaml:2: cpu.isolated: 'most' is no core and no range of cores; write cores like "
         "2-15,18 or a rule: rest, none, first 2 of each node"),
        ("isolated: 2-3", "isolatd: 2-3",
         "t.yaml:2: cpu.isolatd: unknown key; did you mean isolated?"),
        ("cpu:", "cpus:", "t.yaml:1: cpus: unknown key; did you mean cpu?"),
        ("mtu: 1500", "mtu: 1",
         "t.yaml:8: nics.feed.mtu: 1 is too small; give a whole number from 68 to 65535"),
        ("mtu: 1500", "mtu: large",
         "t.yaml:8: nics.feed.mtu: 'large' is not a whole number; "
         "give a whole number from 68 to 65535"),
        ("mtu: 1500", "mtu: [1500]", "t.yaml:8: nics.feed.mtu: a list; write one value, like 68"),
        ("mtu: 1500", "mtu: {value: 1500, reason: x}",
         "t.yaml:8: nics.feed.mtu.reason: unknown key; known: value, why, source"),
        ("mtu: 1500", "mtu: {why: x}", "t.yaml:8: nics.feed.mtu.value: missing; write `value: 68`"),
        ('pci: "0000:3b:00.0"', "pci: 3b:00.0",
         "t.yaml:6: nics.feed.pci: '3b:00.0' has another form; write it like 0000:3b:00.0"),
        ('pci: "0000:3b:00.0"', "mtu: 900\n    pause: off",
         "t.yaml:9: nics.feed.mtu: given twice, first in line 6; remove one"),
        ('pci: "0000:3b:00.0"', "pause: off",
         "t.yaml:6: nics.feed: 0 of pci, interface and ids are given; "
         "name the card by one of them"),
        ('pci: "0000:3b:00.0"', 'pci: "0000:3b:00.0"\n    interface: eth0',
         "t.yaml:7: nics.feed: 2 of pci, interface and ids are given; "
         "name the card by one of them"),
        ("role: feed", "role: book",
         "t.yaml:7: nics.feed.role: 'book' has no cores; add `book: 1` below cpu.roles"),
        ("roles: {feed: 1}", "roles: {feed: 1, boook: 1}",
         "t.yaml:3: cpu.roles.boook: unknown role; did you mean book?"),
        ("nics:\n  feed:", "nics:\n  Feed-1:",
         "t.yaml:5: nics.Feed-1: a name of yours has small letters, digits and _; rename it"),
        ("nics:\n  feed:", "nics:\n  feed: 1\n  other:",
         "t.yaml:5: nics.feed: a group of keys belongs here; write `pci: ...` below it"),
        ('vm.swappiness: "0"', "vm.swappiness: [0]",
         "t.yaml:10: sysctl.vm.swappiness: a list; write one value, like 0"),
        ("cpu:", "extends: nowhere\ncpu:",
         "t.yaml:1: extends: 'nowhere' is no shipped profile; known: amd-alveo, amd-epyc-9005, "
         "development, generic-x86-server, intel-e810, intel-x710, intel-xeon-6, lab, "
         "nvidia-connectx, solarflare-x2522, veth"),
        ("cpu:", "extends: ./gone.yaml\ncpu:",
         "t.yaml:1: extends: './gone.yaml' cannot be read: no such file or directory; "
         "give a file or the name of a shipped profile"),
        ("cpu:", "services: {off: [irqbalance]}\ncpu:",
         "t.yaml:1: services.off: 'irqbalance' has another form; "
         "write a list like [irqbalance.service]"),
        ("cpu:", "memory: {numa_balancing: false}\ncpu:",
         "t.yaml:1: memory.numa_balancing: 'false' is not one of its values; known: on, off"),
        ("cpu:", "memory: off\ncpu:",
         "t.yaml:1: memory: a group of keys belongs here; write `huge_2m: ...` below it"),
        ("  isolated", " \tisolated",
         "t.yaml:2: not YAML: found character '\\t' that cannot start any token; "
         "compare with the example, and indent with spaces"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_and_its_remedy(old: str, new: str, message: str, tmp_path):
    assert GOOD.count(old) == 1
    assert complaint(GOOD.replace(old, new), tmp_path) == message


def test_a_file_without_values_says_where_to_start():
    assert complaint("# nothing\n") == (
        "t.yaml:1: no settings in it; start from a copy of a shipped profile: "
        "`tickplane profile show NAME`"
    )


def test_an_unknown_name_lists_the_shipped_ones():
    with pytest.raises(ProfileError, match="^profile: 'vet' is no shipped profile; did you mean"):
        profile.load("vet")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="x.yaml:1: not YAML: it is not UTF-8; give a text file"):
        profile.load(str(tmp_path / "x.yaml"))


WRONG = {Word: "nonsense", Whole: "-1", Text: "", Words: "word", Names: "", Cpus: "9-1"}


@pytest.mark.parametrize("key", schema.KEYS, ids=lambda key: key.name)
def test_every_key_refuses_a_wrong_value_with_its_line(key: schema.Key):
    words = [word if word != "*" else "feed" for word in key.path]
    wrong = "[a, a]" if key.kind.__class__ is Text and key.kind.may_be_empty else (
        WRONG[type(key.kind)]
    )  # fmt: skip
    text = "".join("  " * depth + f"{word}:\n" for depth, word in enumerate(words[:-1]))
    text += "  " * (len(words) - 1) + f"{words[-1]}: {wrong or chr(34) * 2}\n"
    assert complaint(text).startswith(f"t.yaml:{len(words)}: {'.'.join(words)}: ")


# ---- matching ----

EPYC = Facts(
    source="test",
    kernel="6.12.9-cloud",
    cpu_vendor="AuthenticAMD",
    cpu_model="AMD EPYC 9575F 64-Core Processor",
    cpus=(Cpu(0, 0, 0, 0, (0,)),),
    nics=(Nic("eth0"),),
    pci=(PciDevice("0000:01:00.0", "15b3:101d", "0200"),),
)


def all_shipped() -> dict[str, Profile]:
    return {name: profile.load(name) for name in SHIPPED}


def test_the_profile_with_most_conditions_comes_first():
    verdicts = rank(all_shipped(), EPYC)
    assert [one.profile.name for one in verdicts if one.fits] == [
        "amd-epyc-9005", "nvidia-connectx",
    ]  # fmt: skip


def test_a_virtual_machine_gets_the_development_profile():
    found = dataclasses.replace(EPYC, virtual=True, pci=())
    assert rank(all_shipped(), found)[0].profile.name == "development"


@pytest.mark.parametrize(
    ("condition", "missed"),
    [
        ("cpu_vendor: GenuineIntel", "cpu_vendor is AuthenticAMD, not GenuineIntel"),
        ('cpu_model: "AMD EPYC 9?"', "cpu_model is AMD EPYC 9575F 64-Core Processor, "
         "not AMD EPYC 9?"),
        ("product: X*", "product is unknown, not X*"),
        ("virtual: on", "virtual is off, not on"),
        ('nic_ids: ["1924:0b03"]', "nic_ids is none of those there, not 1924:0b03"),
        ("interface: eth1", "interface is missing, not eth1"),
        ("kernel_min: 6.13", "kernel_min is 6.12.9-cloud, not 6.13"),
    ],
)  # fmt: skip
def test_a_condition_that_does_not_hold_is_named(condition: str, missed: str):
    verdict = judge(parse(f"match: {{{condition}}}\n", source="t.yaml"), EPYC)
    assert verdict.missed == (missed,)
    assert not verdict.fits


@pytest.mark.parametrize(
    "condition",
    ["cpu_vendor: AuthenticAMD", 'cpu_model: "AMD EPYC 9??5F*"', "virtual: off",
     "interface: eth0", "kernel_min: 6.2", "kernel_min: 6.12.9",
     'nic_ids: ["15b3:101d", "1924:0b03"]'],
)  # fmt: skip
def test_a_condition_that_holds(condition: str):
    assert judge(parse(f"match: {{{condition}}}\n", source="t.yaml"), EPYC).fits


def test_every_condition_of_the_schema_can_be_judged():
    from control.match import CONDITIONS

    assert {f"match.{name}" for name in CONDITIONS} == {key.name for key in schema.MATCH}


# ---- the verb ----


def tickplane(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["tickplane", *words], capture_output=True, text=True, check=False)


def test_a_profile_made_from_this_machine_is_good(tmp_path):
    made = tmp_path / "mine.yaml"
    assert tickplane("profile", "init", str(made)).returncode == 0
    checked = tickplane("profile", "check", str(made))
    assert checked.returncode == 0, checked.stderr
    again = tickplane("profile", "init", str(made))
    assert again.returncode == 2
    assert again.stderr == (
        f"tickplane: {made}: file exists; give a new file in a folder of yours\n"
    )


def test_show_prints_each_value_with_its_line():
    shown = tickplane("profile", "show", "veth")
    assert "nics.feed.mtu: 1500  # veth.yaml:" in shown.stdout
    assert "memory.huge_2m: 64  # development.yaml:" in shown.stdout


def test_a_bad_file_is_one_line_on_stderr_and_status_2(tmp_path):
    (tmp_path / "x.yaml").write_text("cpu: {isolatd: 1}\n")
    ran = tickplane("profile", "check", str(tmp_path / "x.yaml"))
    assert ran.returncode == 2
    assert ran.stderr == (
        f"tickplane: {tmp_path}/x.yaml:1: cpu.isolatd: unknown key; did you mean isolated?\n"
    )

"""Plans: what each shipped profile would do to such a machine, and every state a setting can be in.

`UPDATE_GOLDEN=1 pytest tests/python/test_plan.py` writes the expected plans anew.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest
from machine import MACHINES, changed, documented

from control import profile, render, shell
from control.cores import choose
from control.facts import Cpu, Facts
from control.plan import plan, summary
from control.profile import ProfileError, parse
from control.setting import STATES

PLANS = Path(__file__).parent / "plans"
# Which machine each profile is for; a profile without one would not be tried at all.
FOR = {
    "generic-x86-server": "epyc-connectx", "amd-epyc-9005": "epyc-connectx",
    "nvidia-connectx": "epyc-connectx", "intel-xeon-6": "xeon-e810", "intel-e810": "xeon-e810",
    "intel-x710": "xeon-x710", "solarflare-x2522": "epyc-solarflare", "amd-alveo": "epyc-alveo",
    "lab": "lab-qemu", "development": "lab-qemu", "veth": "lab-qemu",
}  # fmt: skip


def check_golden(name: str, actual: str) -> None:
    path = PLANS / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(actual)
    assert actual == path.read_text(), f"see git diff {path} after UPDATE_GOLDEN=1"


def test_every_shipped_profile_and_every_machine_is_tried():
    assert set(FOR) == set(profile.shipped())
    assert set(FOR.values()) == {path.stem for path in MACHINES.glob("*.yaml")}


@pytest.mark.parametrize("name", FOR)
def test_a_shipped_profile_plans_for_such_a_machine(name: str):
    found = plan(profile.load(name), documented(FOR[name]))
    check_golden(f"{name}.txt", render.plan_text(found) + "\n")


@pytest.mark.parametrize("name", FOR)
def test_commands_of_a_plan_are_shell(name: str):
    script = shell.render(plan(profile.load(name), documented(FOR[name])))
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    if name == "nvidia-connectx":
        check_golden(f"{name}-commands.txt", script)


def test_a_plan_that_was_done_leaves_nothing_to_do():
    """Settings that a plan wants, once they are so, are all that it wanted."""
    facts = documented("epyc-connectx")
    found = plan(profile.load("nvidia-connectx"), facts)
    done = {step.setting.target: step.setting.wanted for step in found.steps}
    again = plan(profile.load("nvidia-connectx"), changed(facts, **done))
    assert found.steps and not again.steps


def test_the_same_input_gives_the_same_plan():
    facts = documented("xeon-e810")
    wanted = profile.load("intel-e810")
    assert render.as_json(plan(wanted, facts)) == render.as_json(plan(wanted, facts))


# ---- states ----

BARE = Facts(
    source="test", cpus=tuple(Cpu(index, 0, 0, index, (index,)) for index in range(4)),
    memory_kib={0: 1 << 20},
)  # fmt: skip
SWAP = "file:/proc/sys/vm/swappiness"
POOL = "file:/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"


def only(text: str, facts: Facts, refused: dict[str, str] | None = None):
    found = plan(parse(text, source="t.yaml"), facts, refused)
    (one,) = found.findings
    return one, found


def test_as_wanted_is_ok():
    one, found = only("memory: {swappiness: 5}\n", changed(BARE, **{SWAP: "5"}))
    assert (one.state, one.found, found.steps, found.holds) == ("ok", "5", (), True)


def test_otherwise_is_drift_and_a_step():
    one, found = only("memory: {swappiness: 5}\n", changed(BARE, **{SWAP: "60"}))
    assert (one.state, found.steps, found.holds) == ("drift", (one,), False)


def test_what_is_not_there_is_unsupported_and_lived_with():
    one, found = only("memory: {swappiness: 5}\n", BARE)
    assert (one.state, one.reason) == ("unsupported", "this kernel or machine does not have it")
    assert found.holds and not found.steps


def test_what_nobody_can_write_is_not_settable():
    facts = dataclasses.replace(changed(BARE, **{SWAP: "60"}), read_only=(SWAP,))
    one, found = only("memory: {swappiness: 5}\n", facts)
    assert (one.state, one.reason) == ("not-settable", "the kernel lets nobody write it")
    assert found.holds and not found.steps


def test_an_interrupt_that_the_kernel_places_says_so():
    target = "file:/proc/irq/9/smp_affinity_list"
    facts = dataclasses.replace(changed(BARE, **{target: "0-3"}), read_only=(target,))
    text = "cpu: {isolated: 2-3, housekeeping: 0-1}\nirq: {others: housekeeping}\n"
    one, _ = only(text, facts)
    assert (one.state, one.setting.wanted) == ("not-settable", "0-1")
    assert (
        one.reason == "the kernel places this interrupt itself; isolcpus=managed_irq keeps it away"
    )


def test_fewer_cores_than_allowed_are_good():
    target = "file:/proc/irq/9/smp_affinity_list"
    text = "cpu: {isolated: 2-3, housekeeping: 0-1}\nirq: {others: housekeeping}\n"
    for cores, state in (("1", "ok"), ("0-1", "ok"), ("0-2", "drift"), ("3", "drift")):
        assert only(text, changed(BARE, **{target: cores}))[0].state == state, cores


def test_what_the_machine_turned_down_keeps_its_reason():
    facts = changed(BARE, **{SWAP: "60"})
    one, found = only("memory: {swappiness: 5}\n", facts, {SWAP: "it said no"})
    assert (one.state, one.reason, found.steps) == ("not-settable", "it said no", ())


@pytest.mark.parametrize(
    ("there", "refused", "state"),
    [("0", {}, "drift"), ("8", {}, "partial"), ("64", {}, "ok"), ("65", {}, "drift"),
     ("8", {POOL: "too few"}, "partial"), ("0", {POOL: "too few"}, "not-settable")],
)  # fmt: skip
def test_huge_pages_that_came_in_part(there: str, refused, state: str):
    assert (
        only("memory: {huge_2m: 64}\n", changed(BARE, **{POOL: there}), refused)[0].state == state
    )


def test_a_kernel_parameter_needs_a_reboot_and_a_boot_entry():
    text = "boot:\n  parameters: {skew_tick: '1'}\n"
    found = plan(parse(text, source="t.yaml"), dataclasses.replace(BARE, boot_loader="grub"))
    entry, word = found.findings
    assert (entry.state, word.state) == ("drift", "needs-reboot")
    assert entry.setting.wanted.endswith('GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX skew_tick=1"')
    assert found.steps == (entry,) and not found.holds
    by_hand = plan(parse(text, source="t.yaml"), BARE).findings[0]
    assert (by_hand.state, by_hand.by_hand) == ("not-settable", True)
    assert by_hand.reason == "no GRUB here; give your boot loader these words: skew_tick=1"


def test_an_image_has_a_file_of_words_for_its_slot():
    text = "boot:\n  parameters: {skew_tick: '1'}\n"
    found = plan(parse(text, source="t.yaml"), dataclasses.replace(BARE, boot_loader="slots"))
    (entry,) = found.steps
    assert entry.setting.target == "text:/etc/tickplane/boot-words"
    assert entry.setting.wanted.splitlines()[1:] == ["skew_tick=1"]


def test_a_card_that_dpdk_did_not_get_is_no_shade_of_right():
    wanted, facts = profile.load("lab"), documented("lab-qemu")
    target = "pci:0000:41:00.0:driver"
    found = plan(wanted, facts, {target: "the IOMMU is off"})
    (one,) = [one for one in found.findings if one.setting.target == target]
    assert (one.state, one in found.steps) == ("drift", True)
    said = render.verify_text(found, False)
    assert "run: tickplane apply; the last one: the IOMMU is off" in said


def test_a_missing_card_is_drift_that_a_person_mends():
    one, found = only("nics:\n  feed: {interface: eth9, mtu: 1500}\n", BARE)
    assert (one.state, one.by_hand, found.holds) == ("drift", True, False)


def test_a_fact_of_the_firmware_is_compared():
    one, _ = only("bios: {smt: off}\n", BARE)
    assert one.state == "ok"
    one, found = only("bios: {nodes_per_socket: 4}\n", BARE)
    assert (one.state, one.found, found.holds) == ("drift", "1", False)
    assert one.reason == "change it in the firmware's set-up"


def test_every_state_has_its_place_in_the_goldens():
    seen = set()
    for name, machine in FOR.items():
        seen |= set(summary(plan(profile.load(name), documented(machine))))
    assert seen | {"partial"} == set(STATES)


# ---- cores ----


def cores(text: str, facts: Facts):
    return choose(parse(text, source="t.yaml"), facts, (1,))


def test_rules_fit_the_machine():
    facts = documented("epyc-connectx")  # 2 nodes of 16 cores, siblings 32 further
    chosen = cores(
        "cpu: {housekeeping: first 1 of each node, isolated: rest of nic node,"
        " siblings: isolate, roles: {feed: 2, book: 1}}\n",
        facts,
    )
    assert chosen.housekeeping == (0, 16, 32, 48)
    assert chosen.isolated == (*range(17, 32), *range(49, 64))
    assert chosen.roles == {"feed": (17, 18), "book": (19,)}


def test_without_a_word_everything_else_is_housekeeping():
    assert cores("cpu: {isolated: 2-3}\n", BARE).housekeeping == (0, 1)
    assert cores("cpu: {housekeeping: all}\n", BARE).isolated == ()


def test_roles_prefer_the_node_of_the_cards():
    facts = documented("epyc-connectx")
    chosen = cores("cpu: {isolated: '1-15,30-31', roles: {feed: 3}}\n", facts)
    assert chosen.roles["feed"] == (30, 31, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cpu: {isolated: 2-9}\n", "t.yaml:1: cpu.isolated: core 4-9 is not on this machine; "
         "it has 0-3"),
        ("cpu: {housekeeping: 0-2, isolated: 2-3}\n", "t.yaml:1: cpu.isolated: core 2 is also a "
         "housekeeping core; a core does one or the other"),
        ("cpu: {isolated: 3, roles: {feed: 2}}\n", "t.yaml:1: cpu.roles.feed: the roles want 2 "
         "cores, and 1 are isolated (second threads get no role); isolate more, or give roles "
         "fewer"),
    ],
)  # fmt: skip
def test_cores_that_are_not_there_are_named(text: str, message: str):
    with pytest.raises(ProfileError) as caught:
        cores(text, BARE)
    assert str(caught.value) == message


def test_a_shared_physical_core_is_named():
    facts = documented("epyc-connectx")
    with pytest.raises(ProfileError, match="core 32 is a thread of the same physical core as"):
        cores("cpu: {housekeeping: 0-3, isolated: 4-32, siblings: isolate}\n", facts)

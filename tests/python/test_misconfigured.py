"""A machine that is as promised, broken in one place: verify names that place and what to do."""

from __future__ import annotations

import dataclasses

import pytest
from machine import changed, documented

from control import profile, render
from control.facts import Facts
from control.plan import plan
from control.setting import BROKEN, OK

WANTED = profile.load("nvidia-connectx")


def as_promised() -> Facts:
    """Return the documented machine after everything was done to it, also by hand."""
    facts = documented("epyc-connectx")
    found = plan(WANTED, facts)
    values = {one.setting.target: one.setting.wanted for one in found.findings
              if one.state != OK and not one.setting.target.startswith("fact:")}  # fmt: skip
    return changed(facts, **values)


WHOLE = as_promised()
KEYS = {one.setting.key: one.setting for one in plan(WANTED, WHOLE).findings
        if not one.setting.target.startswith("fact:")}  # fmt: skip


def other(value: str) -> str:
    """Return another value of the same kind."""
    if value in ("on", "off"):
        return "off" if value == "on" else "on"
    return str(int(value) + 7) if value.lstrip("-").isdigit() else f"{value}x"


def test_before_it_is_broken_it_holds():
    found = plan(WANTED, WHOLE)
    assert found.holds, render.verify_text(found, False)
    assert len(KEYS) >= 40


@pytest.mark.parametrize("key", KEYS)
def test_one_wrong_value_is_named_with_its_remedy(key: str):
    setting = KEYS[key]
    value = "0-63" if setting.within else other(setting.wanted)
    found = plan(WANTED, changed(WHOLE, **{setting.target: value}))
    broken = [one for one in found.findings if one.state in BROKEN]
    assert [(one.setting.key, one.found) for one in broken] == [(key, value)]
    assert not found.holds
    text = render.verify_text(found, False)
    assert f"{key} ({setting.target})" in text
    assert "run: tickplane apply" in text or "reboot" in text
    assert setting.where in text


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"rdma": ()}, "rdma.devices", "load the card's RDMA driver"),
        ({"clocks": {"keepers": ""}}, "clock.keeper", "install and start chrony"),
        ({"firmware": "22.31.1014"}, "nics.feed.firmware_min", "load another firmware"),
        ({"speed_mbps": 10000}, "nics.feed.speed_mbps_min", "look at cable"),
        ({"stamps_in_hardware": False}, "nics.feed.stamping", "use a card that stamps"),
        ({"link_width": 4}, "nics.feed.pcie_width_min", "put the card into a slot"),
        ({"link_gts": 8.0}, "nics.feed.pcie_gts_min", "put the card into a slot"),
        ({"pci": ()}, "nics.feed.ids", "no such card"),
        ({"neighbour": 40}, "iommu.own_groups", "another slot, or ACS"),
    ],
)
def test_a_fact_that_only_a_person_can_change_is_named(change, key: str, remedy: str):
    found = plan(WANTED, broken_fact(change))
    (one,) = [one for one in found.findings if one.state in BROKEN]
    assert (one.setting.key, one.by_hand) == (key, True)
    assert remedy in render.verify_text(found, False)


def broken_fact(change) -> Facts:
    ((name, value),) = change.items()
    if hasattr(WHOLE, name):
        return without_card() if name == "pci" else dataclasses.replace(WHOLE, **change)
    first, *rest = WHOLE.pci
    if name == "neighbour":
        other_card = dataclasses.replace(
            first, address="0000:99:00.0", ids="1:2", iommu_group=value
        )
        return dataclasses.replace(WHOLE, pci=(first, *rest, other_card))
    if hasattr(first, name):
        return dataclasses.replace(WHOLE, pci=(dataclasses.replace(first, **change), *rest))
    nics = (dataclasses.replace(WHOLE.nics[0], **change), *WHOLE.nics[1:])
    return dataclasses.replace(WHOLE, nics=nics)


def without_card() -> Facts:
    """Return the machine with an empty slot: its interrupts are gone, too."""
    irqs = {f"file:/proc/irq/{irq}/smp_affinity_list": None for irq in WHOLE.nics[0].irqs}
    return dataclasses.replace(changed(WHOLE, **irqs), pci=(), nics=())

"""The first boot, in the guest: a server as Debian starts it, made like its profile up to the
words that only a reboot can change."""

from __future__ import annotations

import json
from pathlib import Path

from checks import check, keep, start_keeper, tickplane

from control.collect_values import BOOT_TEXT
from control.effects import interrupts_per_second

ISOLATED = (1, 3)


def main() -> None:
    """Look, choose a profile, apply it."""
    look()
    _, ranking = tickplane("profile", "match")
    check("the profile that fits is the lab's", ranking.startswith("yes lab "),
          ranking.partition("\n")[0])  # fmt: skip
    rates = {core: interrupts_per_second(core) for core in ISOLATED}
    keep("interrupts-before.json", json.dumps(rates))
    check("cores are interrupted while nothing is set", min(rates.values()) > 50, per_core(rates))
    status, text = tickplane("verify")
    keep("verify-before.txt", text)
    check("verify refuses the machine", status == 1, text.splitlines()[-1])
    _, text = tickplane("plan")
    keep("plan.txt", text)
    make_boot_loader()
    start_keeper()
    status, text = tickplane("apply", "--yes")
    keep("apply-first.txt", text)
    judge_apply(status)


def look() -> None:
    """Hold the facts against what was emulated."""
    _, text = tickplane("facts", "--json")
    keep("facts-first.json", text)
    facts = json.loads(text)
    nodes = sorted(cpu["node"] for cpu in facts["cpus"])
    check("two cores on each of two nodes", nodes == [0, 0, 1, 1], nodes)
    cards = sorted((pci["ids"], pci["node"]) for pci in facts["pci"] if pci["kind"] == "0200")
    wanted = [("1af4:1041", 0), ("1af4:1041", 1), ("8086:10d3", 0), ("8086:10d3", 1)]
    check("two cards on each node", cards == wanted, cards)


def per_core(rates: dict[int, float]) -> str:
    """Return interrupts a second by core."""
    return ", ".join(f"{rate:.0f}/s on core {core}" for core, rate in rates.items())


def make_boot_loader() -> None:
    """Give the guest GRUB's configuration; the lab reads it at the next boot like GRUB would."""
    Path("/etc/default/grub").write_text('GRUB_CMDLINE_LINUX=""\n')


def judge_apply(status: int) -> None:
    """See that nothing is left but what a reboot brings."""
    check("apply says that the machine is not yet as promised", status == 1)
    _, text = tickplane("verify", "--json")
    found = json.loads(text)["findings"]
    rest = [one for one in found if one["state"] in ("drift", "partial")]
    waiting = [one for one in found if one["state"] == "needs-reboot"]
    check("words that wait for the reboot", len(waiting) >= 8, len(waiting))
    # The card for DPDK needs the IOMMU, which the next boot switches on; so may the clock.
    names = sorted({one["key"] for one in rest} - {"nics.feed.driver", "clock.source"})
    check("all else is as promised", not names, ", ".join(names) or "yes")
    keep("boot-entry", Path(BOOT_TEXT).read_text())


if __name__ == "__main__":
    main()

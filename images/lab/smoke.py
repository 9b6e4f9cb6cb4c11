"""The smoke part of the lab, in the guest: one boot, the profile chosen and applied, a card given
to vfio-pci, huge pages where they were asked for; rolled back at the end.

Runs from the sources with nothing built, so that it takes seconds: `python -S`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from control import profile, target
from control.apply import apply, rollback
from control.collect import collect
from control.effects import page_on
from control.host import Host
from control.match import rank
from control.setting import BROKEN, NEEDS_REBOOT

CARD = "pci:0000:41:00.0:driver"
HUGE_PAGE = 2 << 20
# What one boot without words and without a clock's keeper cannot give.
NOT_HERE = {"clock.keeper", "clock.source"}


def main() -> None:
    """Apply, look, undo; stop at the first thing that is not so."""
    host, state = Host(), Path("/var/lib/tickplane/machine")
    facts = collect(host)
    expect("nodes of the cores", [cpu.node for cpu in facts.cpus], [0, 0, 1, 1])
    best = rank({name: profile.load(name) for name in profile.shipped()}, facts)[0]
    expect("profile that fits", (best.profile.name, best.fits), ("lab", True))
    before = target.read(host, CARD)
    report = apply(best.profile, host, state, lambda line: None)
    assert report.after is not None
    broken = {one.setting.key for one in report.after.findings
              if one.state in BROKEN and one.state != NEEDS_REBOOT}  # fmt: skip
    expect("not as promised", sorted(broken - NOT_HERE), [])
    expect("the card's driver", target.read(host, CARD), "vfio-pci")
    expect("nodes of huge pages", [page_on(node, HUGE_PAGE) for node in (0, 1)], [0, 1])
    undone = rollback(host, state, lambda line: None)
    expect("not restored", undone.refused, [])
    expect("the card's driver again", target.read(host, CARD), before)
    print(f"smoke: {len(report.written)} settings written, read back and undone")


def expect(what: str, found: object, wanted: object) -> None:
    """End with a line when something is otherwise."""
    print(f"{'ok  ' if found == wanted else 'FAIL'} {what}: {found}", flush=True)
    if found != wanted:
        sys.exit(f"smoke: {what}: {found}; it should be {wanted}")


if __name__ == "__main__":
    main()

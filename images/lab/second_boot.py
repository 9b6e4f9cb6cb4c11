"""The second boot, in the guest: with the planned words, as promised, broken, and trading."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import breakages
from breakages import wait_until
from checks import SHARE, check, keep, start_keeper, tickplane

from control.effects import interrupts_per_second

JOURNAL = Path("/var/tmp/lab-journal")
FEWER_TIMES = 5


def main() -> None:
    """Apply what the kernel forgot, verify, trade, break."""
    start_keeper()
    status, text = tickplane("apply", "--yes")
    keep("apply-second.txt", text)
    check("apply after the reboot", status == 0, text.splitlines()[-1])
    status, text = tickplane("verify", "--prove", "--all")
    keep("verify-after.txt", text)
    check("verify, effects too", status == 0, text.splitlines()[-1])
    quiet()
    bound()
    trade()
    undo()
    tickplane("apply", "--yes")
    # Last: a card that was pulled out may come back under another name.
    breakages.run()


def quiet() -> None:
    """Compare interrupts of isolated cores with the boot before."""
    before = json.loads((SHARE / "interrupts-before.json").read_text())
    after = {core: interrupts_per_second(int(core)) for core in before}
    figure = ", ".join(f"core {core}: {before[core]:.0f}/s before, {after[core]:.0f}/s now"
                       for core in before)  # fmt: skip
    holds = all(after[core] * FEWER_TIMES <= before[core] for core in before)
    check("timer interrupts on isolated cores", holds, figure)


def bound() -> None:
    """See that DPDK would find the card."""
    _, text = tickplane("ports", "--json")
    (dpdk,) = [one for one in json.loads(text) if one["name"] == "dpdk"]
    check("the card is vfio-pci's", dpdk["devices"] == ["0000:41:00.0"], dpdk)


def trade() -> None:
    """Trade over the card with the exchange on the machine outside."""
    for words in (
        ["addr", "add", "10.78.1.2/24", "dev", interface()], ["link", "set", interface(), "up"],
    ):  # fmt: skip
        subprocess.run(["ip", *words], check=True)
    shutil.rmtree(JOURNAL, ignore_errors=True)  # of the same boot done before
    (SHARE / "wants-exchange").touch()
    wait_until(lambda: (SHARE / "exchange-ready").exists())
    command = [
        sys.executable, "-P", "-m", "appliance", "run", SHARE / "live.yaml", "--strategy",
        "market_maker", "--seconds", "20", "--ready-seconds", "60", "--journal", JOURNAL,
        "--json", SHARE / "live.json", "--every", "5",
    ]  # fmt: skip
    done = subprocess.run(command, stdout=sys.stdout, stderr=sys.stderr, check=False)
    shutil.copytree(JOURNAL, SHARE / "journal")
    check("the dataplane trades over DPDK on the card", done.returncode == 0, done.returncode)


def interface() -> str:
    """Return the interface of the card for the orders."""
    return next(Path("/sys/bus/pci/devices/0000:42:00.0").glob("virtio*/net/*")).name


def undo() -> None:
    """Roll back, and see that what was there is there again."""
    status, text = tickplane("rollback", "--yes")
    keep("rollback.txt", text)
    check("rollback", status == 0, text.splitlines()[-1])


if __name__ == "__main__":
    main()

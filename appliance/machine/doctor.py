"""``tickplane doctor``: measure this machine's noise, memory, clock and cards; changes nothing."""

from __future__ import annotations

import argparse
import json
import sys

from appliance.machine.common import chosen, read_facts
from control import doctor, doctor_text
from control.cpulist import parse_list
from control.errors import ControlError
from control.facts import Facts
from control.host import Host
from control.plan import plan
from control.profile import Profile

ISOLATED = "file:/sys/devices/system/cpu/isolated"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "profile", nargs="?", help="its budgets and isolated cores are taken (default: none)"
    )
    parser.add_argument(
        "--cores", help="these cores, like 2-5 (default: the isolated ones, or all)"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each core (%(default)s)")
    parser.add_argument("--json", action="store_true", help="everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; 0 without complaints, else 1."""
    if not 0.001 <= args.seconds <= 3600:
        raise ControlError(f"doctor: --seconds: {args.seconds}; give 0.001 to 3600")
    profile, facts = chosen(args.profile, None) if args.profile else (None, read_facts(None))
    report = doctor.examine(Host(), facts, cores(args.cores, profile, facts), args.seconds)
    found = list(doctor.complaints(report, budgets(profile)))
    if args.json:
        print(json.dumps(report | {"complaints": found}, indent=2))
    else:
        print(doctor_text.render(report, found, colour=sys.stdout.isatty()))
    return int(bool(found))


def cores(wanted: str | None, profile: Profile | None, facts: Facts) -> tuple[int, ...]:
    """Return the cores to listen on."""
    if wanted is not None:
        try:
            return parse_list(wanted)
        except ValueError as error:
            raise ControlError(f"doctor: --cores: {error}; write cores like 2-5,8") from None
    if profile is not None and (isolated := plan(profile, facts).cores.isolated):
        return isolated
    listed = parse_list(facts.values.get(ISOLATED, ""))
    return listed or tuple(cpu.index for cpu in facts.cpus)


def budgets(profile: Profile | None) -> dict[str, int]:
    """Return what the profile allows."""
    if profile is None:
        return {}
    return {name: profile.whole(key) for name, key in profile.below("budgets")}

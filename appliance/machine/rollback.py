"""``tickplane rollback``: restore what was there before the first apply."""

from __future__ import annotations

import argparse

from appliance.machine.verify import add_state_argument
from control.apply import rollback
from control.errors import ControlError
from control.host import Host
from control.render import show
from control.undo import opened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_state_argument(parser)
    parser.add_argument("--yes", action="store_true", help="do it; without it nothing is written")


def run(args: argparse.Namespace) -> int:
    """Print each restored value; 0 when all was restored, else 1."""
    host = Host()
    if not args.yes:
        with opened(args.state, host) as journal:
            for target, prior in reversed(journal.priors.items()):
                print(f"{target}: was {show(prior)}")
            count = len(journal.priors)
        raise ControlError(f"rollback: it would restore these {count} settings; say --yes")
    report = rollback(host, args.state, print)
    print(f"restored: {len(report.written)}, refused: {len(report.refused)}")
    return int(bool(report.refused))

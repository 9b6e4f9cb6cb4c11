"""``tickplane plan``: what apply would do, in order, with reasons. Changes nothing."""

from __future__ import annotations

import argparse

from appliance.machine.common import add_facts_argument, add_profile_argument, chosen
from control import render, shell
from control.plan import plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_profile_argument(parser)
    add_facts_argument(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--shell", action="store_true", help="plain commands, for review")
    form.add_argument("--json", action="store_true", help="every finding as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    found = plan(*chosen(args.profile, args.facts))
    if args.shell:
        print(shell.render(found), end="")
    else:
        print(render.as_json(found) if args.json else render.plan_text(found))
    return 0

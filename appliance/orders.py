"""``tickplane orders``: the open orders of a running appliance, from its memory; read-only.

Open is what may still trade: also an order that the venue has not answered, and one whose outcome
is unknown. The appliance never notices.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from appliance.errors import CommandError
from appliance.top import find, render_price
from dataplane.errors import DataplaneError
from dataplane.page import Page

Order = dict[str, Any]
HEADING = (
    f"{'number':>10} {'session':>7} {'symbol':8} {'side':4} {'leaves':>10} {'of':>10} "
    f"{'price':>14} {'state':18} {'age':>9}  waits for"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="the appliance, or a path (default: the newest)"
    )
    parser.add_argument("--symbol", help="of that instrument alone")
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")


def run(args: argparse.Namespace) -> int:
    """Print them, the oldest first."""
    try:
        with Page.attach(find(args.name, "orders")) as page:
            found = page.open_orders()
    except DataplaneError as error:
        raise CommandError(f"orders: {error}") from error
    if args.symbol is not None:
        found = [order for order in found if order["symbol"].strip() == args.symbol]
    if args.json:
        for order in found:
            print(json.dumps(order))
    else:
        print(render(found, time.time_ns()))
    return 0


def render(orders: list[Order], now_ns: int) -> str:
    """Return a table; one line when there are none."""
    if not orders:
        return "no open orders"
    return "\n".join([HEADING, *(render_order(order, now_ns) for order in orders)])


def render_order(order: Order, now_ns: int) -> str:
    """Return one line."""
    age = f"{max(now_ns - order['entered_ns'], 0) / 1e9:.1f} s"
    return (
        f"{order['user_ref_num']:>10} {order['session']:>7} "
        f"{order['symbol'].strip():8} {order['side']:4} "
        f"{order['leaves_qty']:>10,} {order['qty']:>10,} {render_price(order['price_nanos']):>14} "
        f"{order['ord_status']:18} {age:>9}  {waits_for(order)}"
    ).rstrip()


def waits_for(order: Order) -> str:
    """Say which answer of the venue is awaited."""
    words = []
    if order["cancel_pending"]:
        words.append("cancel")
    if order["replace_pending"] is not None:
        words.append(f"replace by {order['replace_pending']}")
    return ", ".join(words)

"""A strategy in a process of its own: a bid below the market, moved along, taken back at the end.

tickplane run my.yaml &                     # with a strategy `remote` of kind desk
python desk.py /dev/shm/tickplane-live-4711 remote AAPL 10      # for ten seconds
"""

import sys
import time
from contextlib import suppress

from dataplane.desk import Desk
from dataplane.errors import DataplaneError
from dataplane.region import Region
from dataplane.strategy import BUY, OrderDenied

CENT = 10_000_000  # prices are whole numbers in 1e-9


def best_bid(region, symbol):
    """Return the best bid of an instrument, None while there is none."""
    return next((top[2] for top in region.tops().values() if top[0] == symbol), None)


def follow(desk, region, symbol, seconds):
    """Keep a bid of 100 five cents below the best one for a while."""
    number, price, end = None, None, time.monotonic() + seconds
    while time.monotonic() < end:
        bid = best_bid(region, symbol)
        wanted = None if bid is None else bid // CENT * CENT - 5 * CENT
        try:
            if number is None and wanted is not None:
                number, price = desk.submit(symbol, BUY, 100, wanted), wanted
            elif number is not None and wanted is not None and abs(wanted - price) > CENT:
                number, price = desk.replace(number, 100, wanted), wanted
        except OrderDenied as denied:  # by the gate: recorded there, with what it saw
            print("denied:", denied.reason)
        for event in desk.events():
            print(event.kind, event.user_ref_num, event.qty, "leaves", event.leaves_qty)
            if event.user_ref_num == number and event.leaves_qty == 0:
                number = None
        time.sleep(0.1)
    if number is not None:
        with suppress(OrderDenied):  # it was filled a moment ago
            desk.cancel(number)


def main(path, strategy, symbol, seconds):
    """Open a desk and trade."""
    with Region.attach(path) as region, Desk.attach(path) as desk:
        desk.open(strategy)
        follow(desk, region, symbol, float(seconds))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:5])
    except DataplaneError as error:
        sys.exit(f"desk.py: {error}")

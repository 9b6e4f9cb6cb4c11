"""Differential fuzzing of the matching engine: random commands to it and to the model, compared.

    python tests/model/match_fuzz.py [--commands N] [--seconds N] [--seed N] [--jobs N]

A case is a seed: it decides the instruments, the fees and the commands. When the two differ, the
commands are shrunk to a few that still show it, and printed as calls.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from match_model_calls import MatchModel  # noqa: E402

from dataplane.match import NONE, Matcher  # noqa: E402

TICK = 10_000_000
MID = 1000
PARTICIPANTS = 4
COMMANDS = 250  # of a case
BATCH = 400  # cases, between two looks at the clock


class Case:
    """What a seed means."""

    def __init__(self, seed, policy=None, count=COMMANDS):
        self.random = random.Random(seed)
        self.seed = seed
        self.lot = self.random.choice([1, 1, 1, 5])
        self.instruments = [self.instrument(policy) for _ in range(self.random.choice([1, 1, 2]))]
        self.fees = [self.tiers() for _ in range(2)]
        self.next_id = 0
        self.grouped = {1: [], 2: [], 3: []}  # ids of orders in groups, by kind
        self.now = 0
        self.commands = [self.command() for _ in range(count)]

    def pick(self, *choices):
        return self.random.choice(choices)

    def instrument(self, policy):
        pick, number = self.pick, self.random.randint
        return {
            "tick": TICK,
            "price_max": pick(2000, 100_000) * TICK + pick(0, 3),
            "reference_price": pick(None, MID * TICK),
            "lot": self.lot,
            "policy": number(0, 5) if policy is None else policy,
            "session": pick(2, 2, 2, 1, 0, 4),
            "allocation_min": pick(0, 0, 2, 5),
            "top_max": pick(0, 10, 40),
            "band_ppm": pick(0, 0, 0, 2000, 4321),
            "pause_ns": pick(1, 50),
            "dark": pick(*[False] * 7, True),
            "quoted": pick(False, True),
            "lmms": pick((), ((0, 300_000),), ((1, 400_000), (2, 123_456))),
        }

    def tiers(self):
        pick, number = self.pick, self.random.randint
        starts = sorted({0, *(number(1, 500) for _ in range(number(0, 3)))})
        return [
            (start, number(-3000, 3000), number(-3000, 3000), pick(0, 0, number(-90, 90)),
             pick(0, number(-90, 90)))
            for start in starts
        ]  # fmt: skip

    # ---- commands: (name of the call, arguments, keywords) ----

    def command(self):
        self.now += self.pick(0, 0, 0, 1, 7)
        make = self.random.choices(
            [self.new, self.cancel, self.replace, self.session, self.quote, self.mass, self.time],
            [60, 14, 12, 5, 4, 0.5, 2],
        )[0]
        name, args, keywords = make()
        return name, args, keywords | {"now_ns": self.now}

    def instrument_index(self):
        return self.random.choice([*[*range(len(self.instruments))] * 20, 2])

    def some_id(self):
        return max(1, self.next_id - int(self.random.expovariate(0.15)))

    def price(self):
        return (MID + round(self.random.gauss(0, 3))) * TICK

    def qty(self):
        return self.random.randint(1, 12) * self.lot * self.pick(1, 1, 4)

    def new(self):
        self.next_id += 1
        pick = self.pick
        keywords = {
            "instrument": self.instrument_index(),
            "participant": self.random.randrange(PARTICIPANTS),
            "tag": self.random.randrange(100),
        }
        if pick(0, 0, 1):
            keywords |= {"stp_group": pick(0, 1, 2), "stp_mode": self.random.randrange(4)}
        if any(of["dark"] for of in self.instruments):
            keywords["flags"] = pick(1, 1, 1, 0)
        special = [
            self.market, self.at_price, self.stop, self.peg, self.odd, self.reserve, self.minimum,
            self.discretion, self.group, self.group, self.wrong,
        ]  # fmt: skip
        kind = self.random.choice([self.plain] * 9 + special)
        more = {"price": self.price()} | kind()
        if keywords.get("flags") and "flags" in more:
            more["flags"] |= keywords["flags"]
        order_id = self.some_id() if self.random.random() < 0.01 else self.next_id
        side = self.random.choice([*[1, 2] * 30, 3])
        return "new", (order_id, side, self.qty()), keywords | more

    def plain(self):
        return {"time_in_force": self.pick(0, 0, 0, 1, 3)}

    def market(self):
        return {"type": 1, "price": None, "time_in_force": self.pick(0, 0, 3, 4, 2, 7)}

    def at_price(self):
        return {
            "time_in_force": (tif := self.pick(4, 2, 7, 6)),
            "expire_ns": self.now + self.random.randint(1, 60) if tif == 6 else 0,
        }

    def stop(self):
        type = self.pick(3, 3, 4, 6, 7)
        trail = type == 3 and self.pick(0, 1)
        return {
            "type": type,
            "price": self.price() if type in (4, 7) else None,
            "stop_price": 0 if trail else self.price(),
            "trail": self.random.randint(1, 4) * TICK if trail else 0,
            "time_in_force": self.pick(0, 1),
            "flags": self.pick(0, 0, 0, 1, 4),
        }

    def peg(self):
        peg = self.pick(1, 2, 3)
        return {
            "type": 8,
            "peg": peg,
            "price": self.pick(None, self.price()),
            "peg_offset": 0 if peg == 3 else self.pick(0, 1, 2) * TICK,
            "time_in_force": self.pick(0, 1, 3),
            "min_qty": self.pick(0, 0, self.lot, 4 * self.lot),
        }

    def odd(self):
        return self.pick(
            {"type": 5, "price": None, "time_in_force": self.pick(0, 3)},
            {"flags": self.pick(1, 2, 4, 3, 5), "time_in_force": self.pick(0, 0, 1)},
            {"flags": 4, "time_in_force": self.pick(0, 3, 4)},
        )

    def reserve(self):
        shown = self.random.randint(1, 5) * self.lot
        more = {"display_qty": shown, "flags": self.pick(0, 0, 2), "type": self.pick(2, 2, 2, 5)}
        if shown > self.lot:
            more["refresh_range_qty"] = self.pick(0, self.lot, shown - self.lot)
        return more | ({"price": None} if more["type"] == 5 else {})

    def minimum(self):
        return {"min_qty": self.qty(), "time_in_force": self.pick(0, 0, 3)}

    def discretion(self):
        more = {"discretion": self.random.randint(1, 4) * TICK, "flags": self.pick(0, 0, 1)}
        return more | (
            {"display_qty": self.lot} if self.pick(0, 0, 1) and not more["flags"] else {}
        )

    def group(self):
        group = self.pick(1, 1, 1, 2, 3, 3)
        more = {"group": group, "participant": 0, "instrument": 0, "time_in_force": self.pick(0, 1)}
        linked = [*self.grouped[2 if group == 3 else 1][-3:], self.some_id()]
        if group == 3 or (group == 1 and self.pick(0, 1)):
            more["group_order_id"] = self.random.choice(linked)
        if group != 2 and self.pick(0, 0, 1):
            more |= {"type": 3, "price": None, "stop_price": self.price()}
        self.grouped[group].append(self.next_id)
        return more

    def wrong(self):
        return self.pick(
            {"type": self.random.randrange(10)},
            {"time_in_force": self.random.randrange(9)},
            {"price": self.pick(0, 1, -TICK, 3 * 10**14, TICK // 2, None)},
            {"flags": self.random.randrange(16)},
            {"participant": PARTICIPANTS},
            {"stp_mode": 4},
            {"display_qty": 7, "min_qty": 2},
            {"group": self.random.randrange(5), "group_order_id": self.some_id()},
            {"peg": 1},
            {"refresh_range_qty": 1},
        )

    def cancel(self):
        return "cancel", (self.some_id(), self.pick(0, 0, 0, self.lot, 7)), {}

    def replace(self):
        return (
            "replace",
            (self.some_id(), self.qty(), self.pick(None, self.price())),
            {
                "tag": self.random.randrange(100),
                "new_order_id": self.pick(0, self.fresh_id()),
                "stop_price": self.pick(0, 0, 0, self.price()),
            },
        )

    def fresh_id(self):
        self.next_id += 1
        return self.next_id

    def session(self):
        wanted = self.random.choice([0, 1, *[2] * 8, 3, 4, 5, 6])
        return "set_session", (wanted,), {"instrument": self.instrument_index()}

    def quote(self):
        bid, ask = self.price(), self.price() + self.pick(0, 1, 2) * TICK
        return (
            "quote",
            (self.pick(bid, bid, None), self.pick(ask, ask, None)),
            {"instrument": self.instrument_index()},
        )

    def mass(self):
        return (
            "mass_cancel",
            (),
            {
                "participant": self.pick(NONE, self.random.randrange(PARTICIPANTS)),
                "instrument": self.pick(NONE, 0),
                "side": self.pick(0, 1, 2),
            },
        )

    def time(self):
        self.now += self.random.randint(0, 40)
        return "advance", (), {}

    # ---- running ----

    def engine(self, make):
        engine = make(instruments=3, seed=self.seed)
        for fee_class, tiers in enumerate(self.fees):
            engine.set_fees(fee_class, tiers)
        for participant in range(PARTICIPANTS):
            engine.add_participant(participant % 2)
        for terms in self.instruments:
            engine.add_instrument(**terms)
        return engine


def difference(case, commands, restore_at=()):
    """Return what differs first, in words; None when nothing does."""
    real, model = case.engine(Matcher), case.engine(MatchModel)
    for at, (name, args, keywords) in enumerate(commands):
        if at in restore_at:
            fresh = case.engine(Matcher)
            fresh.restore(real.snapshot())
            if fresh.snapshot() != real.snapshot():
                return f"command {at}: the snapshot of what was restored is another"
            real = fresh
        got = getattr(real, name)(*args, **keywords)
        wanted = getattr(model, name)(*args, **keywords)
        if got != wanted:
            return f"command {at}: {name}{args} {keywords}\n" + both(got, wanted)
        if not real.is_balanced or not model.is_balanced:
            return f"command {at}: the ledger is not balanced"
        for index in range(len(case.instruments)):
            orders = real.orders(index)
            if orders != model.orders(index):
                return f"command {at}: books\n" + both(orders, model.orders(index))
            if not levels_fit(real, index, orders):
                return f"command {at}: levels show other than their orders"
            if model.is_collecting(index) and real.indication(index) != model.indication(index):
                return (f"command {at}: an auction would be {model.indication(index)}, "
                        f"not {real.indication(index)}")  # fmt: skip
    return accounts_differ(real, model)


def levels_fit(real, index, orders):
    """Whether each level displays what its orders do."""
    for side in (1, 2):
        shown, counts = {}, {}
        for _, price, _, qty, _, of, place in orders:
            if place == 0 and of == side:
                shown[price] = shown.get(price, 0) + qty
                counts[price] = counts.get(price, 0) + 1
        wanted = [(price, qty, counts[price]) for price, qty in shown.items() if qty]
        if real.levels(side, index) != wanted:
            return False
    return True


def accounts_differ(real, model):
    for participant, account in enumerate(model.ledger.accounts):
        wanted = (account["cash"], account["fees"], account["traded"])
        if real.account(participant) != wanted:
            return f"account {participant}: {real.account(participant)}, the model has {wanted}"
    return None


def both(got, wanted):
    lines = []
    for at in range(max(len(got), len(wanted))):
        left = tuple(got[at]) if at < len(got) else None
        right = tuple(wanted[at]) if at < len(wanted) else None
        lines.append(f"  {'  ' if left == right else '! '}engine {left}")
        if left != right:
            lines.append(f"    model  {right}")
    return "\n".join(lines)


def shrink(case, commands, differs=difference):
    """Return few commands that still differ: halves, quarters ... single ones are left out."""
    size = len(commands) // 2
    while size >= 1:
        at = 0
        while at < len(commands):
            fewer = commands[:at] + commands[at + size :]
            if differs(case, fewer):
                commands = fewer
            else:
                at += size
        size //= 2
    return commands


def run(seed, policy=None, count=COMMANDS):
    """Try one case; return the words of a failure, shrunk, or None."""
    case = Case(seed, policy, count)
    places = random.Random(seed).sample(range(count), 3)
    if difference(case, case.commands, places) is None:
        return None
    if difference(case, case.commands) is None:
        return f"seed {seed}: differs only when restored at {places}: " + str(
            difference(case, case.commands, places))  # fmt: skip
    commands = shrink(case, case.commands)
    calls = "\n".join(
        f"  {name}{args} { ({k: v for k, v in keywords.items() if v != 0}) }"
        for name, args, keywords in commands
    )
    return f"seed {seed}: {case.instruments}\n{calls}\n{difference(case, commands)}"


def failure_of(case):
    return run(*case)


def failures(pool, args):
    """Cases in turn, until the commands are done or the time is over: of each its failure."""
    end = time.monotonic() + (args.seconds or float("inf"))
    last = args.seed + -(-args.commands // COMMANDS)
    for first in range(args.seed, last, BATCH):
        if time.monotonic() >= end:
            return
        seeds = range(first, min(first + BATCH, last))
        yield from pool.imap(failure_of, [(seed, args.policy) for seed in seeds], chunksize=10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=20_000_000, help="at most")
    parser.add_argument("--seconds", type=float, help="at most; default as long as it takes")
    parser.add_argument("--seed", type=int, default=1, help="to begin with")
    parser.add_argument("--policy", type=int, help="one only; default by seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    args = parser.parse_args()
    begin, done = time.monotonic(), 0
    with multiprocessing.Pool(args.jobs) as pool:
        for failure in failures(pool, args):
            if failure:
                print(failure)
                return 1
            done += 1
            if done * COMMANDS % 1_000_000 == 0:
                print(f"match: {done * COMMANDS:,} commands so far", flush=True)
    seconds = time.monotonic() - begin
    print(f"match: {done * COMMANDS:,} commands, seeds {args.seed} to {args.seed + done - 1}, "
          f"{seconds:,.0f} s: equal")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

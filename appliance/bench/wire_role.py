"""One end of a wire, as a process: ``python -m appliance.bench.wire_role``, a task on stdin.

Says READY in one line when it stands, works until its input ends or what it was asked for is done,
and answers with one line of JSON. The rows ``wire.*`` start it; it is no command for people.
"""

from __future__ import annotations

import json
import os
import select
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from appliance.bench.wire_net import STACK_IP, STACK_PORT
from appliance.config_risk import QTY_MAX, UNLIMITED, InstrumentLimits, StrategyLimits
from appliance.offload import checksum_in_software
from dataplane.bench_wire import Echo, Port, Server, Sink, Trader, WireStrategy, blast, ping
from dataplane.engine import Engine, EngineSettings

TURN_NS = 20_000_000
SECOND_NS = 1_000_000_000
RATE_MAX = 1_000_000_000
ORDERS_MAX = 1 << 20

Task = dict[str, Any]


def main() -> None:
    """Do what stdin asks for."""
    task = json.loads(sys.stdin.readline())
    os.sched_setaffinity(0, {task["core"]})
    task["here"], task["there"] = end_of(task["here"]), end_of(task["there"])
    if task["interface"]:
        checksum_in_software(task["interface"])
    print(json.dumps(ROLES[task["role"]](task)), flush=True)


def end_of(words: list[Any]) -> tuple[bytes, int, int]:
    """Return an end as the loops take it."""
    return bytes.fromhex(words[0]), words[1], words[2]


def ready() -> None:
    """Say that this end stands."""
    print("READY", flush=True)


def input_ended() -> bool:
    """Whether whoever started us wants no more, or is gone."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def until_ended(turn: Callable[[int], object]) -> None:
    """Work in turns until the input ends."""
    ready()
    while not input_ended():
        turn(TURN_NS)


def summary(taken: list[float], lost: int) -> Task:
    """Return what the times of answers come to."""
    times = sorted(taken)
    if not times:
        return {"lost": lost}
    places = {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}
    return {name: round(time) for name, time in places.items()} | {
        "least": round(times[0]), "lost": lost,
    }  # fmt: skip


# ---- our side ----


def echo(task: Task) -> Task:
    """Send back what comes."""
    one = Echo(task["kind"], task["device"], task["here"], task["there"])
    until_ended(one.run)
    return {}


def open_port(task: Task) -> Port:
    """Open the port under test."""
    return Port(task["kind"], task["device"], task["here"], task["there"])


def trade(task: Task) -> Task:
    """Answer each tick with an order: the whole appliance."""
    with tempfile.TemporaryDirectory(prefix="tickplane-wire-") as folder:
        engine = Engine(settings(folder))
        engine.set_limits(instrument_limits(), {})
        engine.add_strategy(WireStrategy(), first=1, limits=strategy_limits(), name="wire")
        trader = Trader(engine, open_port(task), task.get("idle", "spin"))
        while not trader.is_open:
            trader.run(TURN_NS)
        until_ended(trader.run)
        counters = engine.counters()
        del trader
    return {name: count for name, count in counters.items() if count}


def settings(journal: str) -> EngineSettings:
    """Return an appliance of one instrument, with a journal."""
    return EngineSettings(
        name="wire",
        midnight_ns=0,
        journal_directory=journal,
        instrument_count_max=16,
        order_count_max=4096,
        level_count_max=4096,
        own_order_count_max=ORDERS_MAX,
        measure_latency=False,
    )


def instrument_limits() -> InstrumentLimits:
    """Return limits that are all looked at and never reached."""
    return InstrumentLimits(
        order_qty_max=QTY_MAX,
        order_notional_max_nanos=UNLIMITED,
        position_max=1 << 40,
        collar_bps=1000,
        collar_abs_nanos=10_000_000,
    )


def strategy_limits() -> StrategyLimits:
    """Return limits that are all looked at and never reached."""
    return StrategyLimits(
        order_qty_max=QTY_MAX,
        order_notional_max_nanos=UNLIMITED,
        gross_max_nanos=UNLIMITED,
        net_max_nanos=UNLIMITED,
        open_order_count_max=ORDERS_MAX,
        order_rate_max=RATE_MAX,
        order_burst_max=RATE_MAX,
        duplicate_count_max=29,
        duplicate_window_ns=1000,
    )


def send_back(task: Task) -> Task:
    """Send back what comes, through the port."""
    until_ended(open_port(task).send_back)
    return {}


def session(task: Task) -> Task:
    """Send orders on a session and take the time of their answers."""
    ready()
    here = task["here"]
    if task["tcp"] == "lwip":
        here = (here[0], STACK_IP, STACK_PORT)
    taken, lost = ping(
        here, task["there"], tcp=task["tcp"], interface=task["interface"],
        count=task["count"], warm_count=task["warm"], pause_ns=task["pause_ns"],
    )  # fmt: skip
    return summary(taken, lost)


def take(task: Task) -> Task:
    """Receive until the input ends."""
    port = Sink(task["here"], task["there"]) if task["kind"] == "mmsg" else open_port(task)
    taken = 0
    ready()
    while not input_ended():
        taken += port.take(TURN_NS)
    return {"packets": taken}


def give(task: Task) -> Task:
    """Send as fast as it goes until the input ends."""
    port = open_port(task)
    until_ended(lambda time_ns: port.give(task["size"], time_ns))
    return {}


# ---- the exchange's side ----


def ticks(task: Task) -> Task:
    """Send ticks and take the time of the orders that answer them."""
    ready()
    taken, lost = ping(
        task["here"], task["there"], count=task["count"], warm_count=task["warm"],
        pause_ns=task["pause_ns"],
    )  # fmt: skip
    return summary(taken, lost)


def serve(task: Task) -> Task:
    """Hold the far end of order sessions."""
    until_ended(Server(task["here"], task["there"]).run)
    return {}


def many(task: Task) -> Task:
    """Send datagrams for so long."""
    ready()
    return {"packets": send(task, task["time_ns"])}


def flood(task: Task) -> Task:
    """Send datagrams until the input ends."""
    until_ended(lambda time_ns: send(task, time_ns))
    return {}


def send(task: Task, time_ns: int) -> int:
    """Send datagrams for so long; return how many."""
    return blast(
        task["here"], task["there"], size=task["size"], rate=task["rate"], count=0, time_ns=time_ns
    )


def count(task: Task) -> Task:
    """Count for so long what this end's interface receives."""
    ready()
    before = received(task["interface"])
    time.sleep(task["time_ns"] / 1e9)
    return {"packets": received(task["interface"]) - before}


def received(interface: str) -> int:
    """Return the packets that an interface of this namespace has received."""
    with open("/proc/net/dev") as lines:
        for line in lines:
            name, _, counts = line.partition(":")
            if name.strip() == interface:
                return int(counts.split()[1])
    return 0


ROLES: dict[str, Callable[[Task], Task]] = {
    "echo": echo,
    "send_back": send_back,
    "trade": trade,
    "take": take,
    "give": give,
    "session": session,
    "ticks": ticks,
    "serve": serve,
    "many": many,
    "flood": flood,
    "count": count,
}

if __name__ == "__main__":
    main()

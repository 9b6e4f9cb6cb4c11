"""``tickplane replay``: a recorded session through the whole appliance, and its report."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import errno
import glob
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance import config as configuration
from appliance.config import Config
from appliance.engine_core import engine_core, say_where_memory_lies
from appliance.errors import CommandError
from appliance.outputs import check_output
from appliance.report import render
from appliance.strategy_loader import load_strategy
from dataplane.engine import SPEED_MAX_PERMILLE, Engine, EngineSettings
from dataplane.errors import DataplaneError
from dataplane.journal import does_not_survive, verify
from dataplane.strategy import StrategyError
from dataplane.switches import Switches

CHUNK = 100_000  # messages between two looks at the clock and at Ctrl-C
PROGRESS_SECONDS = 0.5
REGION_PREFIX = "/dev/shm/tickplane-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("file", help="recorded session: BinaryFILE, pcap or pcapng, plain or .gz")
    parser.add_argument("--config", help="YAML configuration (default: the example that ships)")
    parser.add_argument(
        "--strategy",
        help="only the strategies of this name or kind: market_maker, imbalance_taker, "
        "'python module:Class', 'cython module:Class', 'library /path/to.so'",
    )
    parser.add_argument("--journal", metavar="DIR", help="write the journal there; a new folder")
    parser.add_argument("--pcap-out", metavar="F", help="write outgoing frames there, as pcap")
    parser.add_argument(
        "--json",
        metavar="F",
        nargs="?",
        const="-",
        help="write the report there as JSON; without F, or as -, to stdout instead of the report",
    )
    parser.add_argument(
        "--speed", type=speed, default=0, metavar="N",
        help="keep the recorded timing, N times as fast (default: as fast as it goes)",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no progress, no report on stdout")


def speed(text: str) -> int:
    """Return a speed in thousandths."""
    try:
        permille = round(float(text) * 1000)
    except (ValueError, OverflowError):
        permille = 0
    if not 1 <= permille <= SPEED_MAX_PERMILLE:
        raise argparse.ArgumentTypeError(
            f"{text}: give 0.001 to {SPEED_MAX_PERMILLE // 1000}, in times the recorded speed"
        )
    return permille


def run(args: argparse.Namespace) -> int:
    """Replay, report, and return 0; 1 when the recorded session or the journal has a fault."""
    config = configuration.load(args.config) if args.config else configuration.default()
    if args.strategy:
        config = config.only_strategy(args.strategy)
    check_outputs(args)
    with engine_core(config.cpu), region_file(config) as region_path:
        result = replay(args, config, region_path)
    try:
        write_json(result, args.json)
    finally:
        if not args.quiet and args.json != "-":
            print(render(result))
    return exit_status(result)


def replay(args: argparse.Namespace, config: Config, region_path: str) -> dict[str, Any]:
    """Run the session to its end or to Ctrl-C, and return the report's facts."""
    engine = open_engine(settings_of(args, config, region_path))
    if config.cpu.engine is not None:
        say_where_memory_lies(config.cpu, region_path)
    furnish(engine, config)
    started = time.perf_counter()
    ending = run_to_end(engine, args)
    seconds = time.perf_counter() - started
    last, output_fault = finish(engine)
    ending = ending or last
    report_unnamed(config, engine)
    return {
        "source": args.file,
        "strategies": [strategy.name for strategy in config.strategies],
        "interrupted": isinstance(ending, KeyboardInterrupt),
        "failure": str(ending) if isinstance(ending, StrategyError) else None,
        "output_fault": output_fault,
        **facts(engine, seconds),
        "pace": engine.pace() if args.speed else None,
        "journal": journal_facts(args.journal, config, engine.counters()["journal_lost"]),
    }


def furnish(engine: Engine, config: Config) -> None:
    """Give the engine its limits and its strategies."""
    engine.set_groups(config.firm, [(one.name, one.limits) for one in config.accounts])
    engine.set_limits(config.instrument_limits, config.overrides)
    for strategy in config.strategies:
        engine.add_strategy(
            load_strategy(strategy),
            symbols=strategy.symbols,
            first=strategy.first,
            limits=strategy.limits,
            name=strategy.name,
            account_index=config.account_index(strategy),
        )


def report_unnamed(config: Config, engine: Engine) -> None:
    """Say which symbols of the configuration the recorded day does not have: a typing error."""
    books = engine.books()
    for strategy in config.strategies:
        for symbol in strategy.symbols:
            if books.find(symbol) is None:
                print(
                    f"replay: strategy {strategy.name}: symbols: {symbol!r} was never named by "
                    "the feed; nothing was traded in it",
                    file=sys.stderr,
                )


def open_engine(settings: EngineSettings) -> Engine:
    """Make the engine; in private memory when /dev/shm has no room (containers give it 64 MiB)."""
    try:
        return Engine(settings)
    except DataplaneError as error:
        if error.code != errno.ENOSPC or not settings.region_path or "shm:" not in str(error):
            raise
        print(f"replay: {error}; going on in private memory: top cannot watch", file=sys.stderr)
        return Engine(dataclasses.replace(settings, region_path=""))


def settings_of(args: argparse.Namespace, config: Config, region_path: str) -> EngineSettings:
    """Translate the configuration into the engine's words."""
    return EngineSettings(
        name=config.name,
        midnight_ns=config.session.midnight_ns,
        region_path=region_path,
        journal_directory=args.journal or "",
        pcap_out=args.pcap_out or "",
        card=config.card.name,
        card_identity=config.card.identity,
        card_watched_only=config.card.watched_only,
        configuration=config.fingerprint,
        journal_segment_size=config.journal.segment_size,
        journal_durability=config.journal.numbers(),
        generation=time.time_ns(),
        gap_timeout_ns=config.feed.gap_timeout_ns,
        speed_permille=getattr(args, "speed", 0),  # of a replay alone
        instrument_count_max=config.capacity.instruments,
        order_count_max=config.capacity.orders,
        level_count_max=config.capacity.levels,
        own_order_count_max=config.capacity.own_orders,
        account_count=len(config.accounts),
        desk_count=config.desk.submitters if config.has_desk() else 0,
        desk_waiting_count=config.desk.waiting,
        order_latency_ns=config.venue.order_latency_ns,
        report_latency_ns=config.venue.report_latency_ns,
        cl_ord_id_prefix=config.venue.cl_ord_id_prefix,
        capacity=config.venue.capacity,
        display=config.venue.display,
    )


@contextlib.contextmanager
def region_file(config: Config) -> Iterator[str]:
    """Name the shared memory of this run, and remove it afterwards.

    Without a writable /dev/shm the run goes on in private memory, and says that
    `tickplane top` cannot watch it.
    """
    if not os.access("/dev/shm", os.W_OK):
        print("replay: /dev/shm is not writable: tickplane top cannot watch", file=sys.stderr)
        yield ""
        return
    remove_leftovers(config.name)
    path = f"{REGION_PREFIX}{config.name}-{os.getpid()}"
    try:
        yield path
    finally:
        Path(path).unlink(missing_ok=True)


def remove_leftovers(name: str) -> None:
    """Give back the memory of runs of this appliance that were killed: their files stay behind."""
    prefix = f"{REGION_PREFIX}{name}-"
    for path in glob.glob(glob.escape(prefix) + "*"):
        pid = path.removeprefix(prefix).split(".")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                os.unlink(path)


def run_to_end(engine: Engine, args: argparse.Namespace) -> BaseException | None:
    """Work through the session; return what cut it short: Ctrl-C, a strategy's error, or None."""
    progress = not args.quiet and sys.stderr.isatty()
    shown = 0.0
    try:
        engine.start(args.file)
        while engine.run(1 if args.speed else CHUNK):
            if progress and time.monotonic() - shown > PROGRESS_SECONDS:
                shown = time.monotonic()
                show_progress(engine)
    except (KeyboardInterrupt, StrategyError) as cause:
        show_cause(cause)
        return cause
    finally:
        if progress:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return None


def finish(engine: Engine) -> tuple[BaseException | None, str | None]:
    """End the session; return what cut short its last words, and what is wrong with its outputs."""
    try:
        engine.finish()
    except (KeyboardInterrupt, StrategyError) as cause:
        show_cause(cause)
        return cause, None
    except DataplaneError as error:
        return None, str(error)
    return None, None


def show_cause(cause: BaseException) -> None:
    """Show whoever wrote the strategy where it failed."""
    if cause.__cause__ is not None:
        traceback.print_exception(cause.__cause__, file=sys.stderr)


def show_progress(engine: Engine) -> None:
    """Draw one line that the next one overwrites."""
    done, size, now_ns = engine.progress()
    counters = engine.counters()
    share = done * 100 // size if size else 100
    clock = time.strftime("%H:%M:%S", time.gmtime(now_ns // 1_000_000_000))
    print(
        f"\r\x1b[K{share:3}%  {clock} UTC  {counters['itch_messages']:,} messages  "
        f"{counters['orders_sent']:,} orders  {counters['reports']:,} reports",
        end="", file=sys.stderr, flush=True,
    )  # fmt: skip


def facts(engine: Engine, seconds: float) -> dict[str, Any]:
    """Return everything the engine can tell, under the names that docs/replay.md promises."""
    counters = engine.counters()
    books = engine.books()
    positions = engine.positions()
    messages = counters["itch_messages"]
    return {
        "fault": engine.source_fault(),
        "hard_stop": hard_stop(engine),
        "messages": messages,
        "messages_by_type": engine.messages_by_type(),
        "seconds": round(seconds, 3),
        "messages_per_second": round(messages / seconds) if seconds > 0 else 0,
        "books": books.summary(),
        "books_digest": books.digest(),
        "orders": engine.orders(),
        "risk_rejects": engine.risk_rejects(),
        "venue": engine.venue(),
        "filled_qty": sum(row["bought_qty"] + row["sold_qty"] for row in positions),
        "positions": positions,
        "latency_ns": engine.latency(),
        "clock": engine.clock(),
        "counters": counters,
        "events_digest": engine.events_digest(),
        "wire_digest": engine.wire_digest(),
    }


def hard_stop(engine: Engine) -> str | None:
    """Say which switch has ended the run; None when none has."""
    for scope, (mode, source) in Switches(engine).marks().items():
        if mode == "hard-stop":
            return f"{scope}: hard-stop, set by {source}"
    return None


def journal_facts(directory: str | None, config: Config, lost: int) -> dict[str, Any] | None:
    """Read the journal back from disk and verify it; None when none was asked for."""
    if directory is None:
        return None
    verdict = verify(directory)
    return {
        "directory": directory,
        "records": verdict["records"],
        "verified": verdict["valid"],
        "lost": lost,
        "durability": dict(config.journal.durability),
        "does_not_survive": does_not_survive(config.journal.durability.values()),
    }


def check_outputs(args: argparse.Namespace) -> None:
    """Refuse before an hour of work what would destroy an input or fail after it."""
    inputs = {"recorded session": args.file, "configuration": args.config}
    if args.json != "-":
        check_output("--json", args.json, inputs)
    check_output("--pcap-out", args.pcap_out, {**inputs, "report": args.json})
    if args.journal == "":
        raise CommandError("--journal: an empty name; name a new folder")


def write_json(result: dict[str, Any], path: str | None) -> None:
    """Write the report as JSON where it was asked for."""
    if path is None:
        return
    text = json.dumps(result, indent=2) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{path}: {(error.strerror or '').lower()}; the report is lost"
        ) from None


def exit_status(result: dict[str, Any]) -> int:
    """Return 1 for a fault in the data, an output or the journal, or a hard-stop; 130 after Ctrl-C.

    0 for all else.
    """
    faults = [
        result["fault"],
        result["hard_stop"] and f"ended by {result['hard_stop']}",
        result["failure"] and f"strategy {result['failure']}",
        result["output_fault"],
        journal_fault(result),
    ]
    for words in filter(None, faults):
        print(f"tickplane: {words}", file=sys.stderr)
    if any(faults):
        return 1
    return 130 if result["interrupted"] else 0


def journal_fault(result: dict[str, Any]) -> str | None:
    """Say what the journal lacks; None when it has everything."""
    journal = result["journal"]
    if journal is None:
        return None
    refused = result["risk_rejects"].get("JOURNAL_UNAVAILABLE", 0)
    if refused or journal["lost"]:
        return (
            f"{journal['directory']}: the journal took no more records: {refused} requests were"
            f" refused, {journal['lost']} answers of the venue are missing; give it more space"
        )
    if not journal["verified"]:
        return f"{journal['directory']}: the journal is not whole; see tickplane journal verify"
    return None

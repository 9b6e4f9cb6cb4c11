"""``tickplane run``: a live run: market data from ports, orders to a venue, and its report.

Prints one READY line when the order session is open and the feed is heard, or fails with one
reason. It stops on Ctrl-C, SIGTERM, after ``--seconds``, or when the session ends for good; open
orders are cancelled then, and the report says what happened.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appliance import config as configuration
from appliance import replay, seal
from appliance.config import Config
from appliance.engine_core import engine_core
from appliance.errors import CommandError
from appliance.live_config import LiveConfig, text_of
from appliance.ports import describe
from appliance.report import render
from appliance.switch_keeper import SwitchKeeper
from dataplane.engine import Engine
from dataplane.errors import DataplaneError
from dataplane.journal import segment_names
from dataplane.live import ChannelSettings, Live, LiveSettings, SessionSettings
from dataplane.recovery import Capacity, Recovered, recover
from dataplane.strategy import StrategyError

TURN_SECONDS = 0.1  # between two looks at the clock and at Ctrl-C
PROGRESS_SECONDS = 0.5
DAYS = 32  # that a run may last, with the times of its books right
FINAL_STATES = ("STOPPED",)
DAY_ENDED = "the venue ended the session"
MENDS = {
    "late": "is what is missing asked for? see live.requests",
    "lost": "name servers in live.requests and live.snapshots",
    "rebuilding": "does a server of live.snapshots answer?",
}
ACTIVE_SESSION = b" " * 10  # whichever the venue is in; its numbering must go on where we stopped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("config", metavar="CONFIG", help="YAML with a section `live`")
    parser.add_argument("--strategy", help="only the strategies of this name or kind")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop by itself after so long")
    parser.add_argument(
        "--ready-seconds", type=float, default=10.0, metavar="N", help="to get ready in (10)"
    )
    parser.add_argument("--journal", metavar="DIR", help="in place of its journal.directory")
    parser.add_argument("--pcap-out", metavar="F", help="write outgoing frames there, as pcap")
    parser.add_argument(
        "--json", metavar="F", nargs="?", const="-", help="write the report there as JSON"
    )
    parser.add_argument(
        "--every", type=float, metavar="N", help="print a line of progress each so many seconds"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no report on stdout")


def run(args: argparse.Namespace) -> int:
    """Run live, report, and return 0; 1 when it could not get ready or something is amiss."""
    config = configuration.load(args.config)
    live_config = config.live
    if live_config is None:
        raise CommandError(f"{args.config}: live: missing; docs/live.md has one to copy")
    if args.strategy:
        config = config.only_strategy(args.strategy)
    journal = args.journal or config.journal.directory
    args.journal = os.path.abspath(journal) if journal else None
    keeper = SwitchKeeper(args.journal, config.name)
    args.file = f"{args.config} (live)"
    with (
        seal.beside(args.journal, config),
        engine_core(config.cpu),
        replay.region_file(config) as region_path,
    ):
        result = trade(args, config, live_config, region_path, keeper)
    replay.write_json(result, args.json)
    if not args.quiet and args.json != "-":
        print(render(result))
        print(render_live(result["live"]))
    if (fault := session_fault(result["live"])) is not None:
        print(f"tickplane: run: {fault}", file=sys.stderr)
    return replay.exit_status(result) or int(fault is not None)


def trade(
    args: argparse.Namespace,
    config: Config,
    live_config: LiveConfig,
    region_path: str,
    keeper: SwitchKeeper,
) -> dict[str, Any]:
    """Run until it is over, and return the report's facts."""
    settings = replay.settings_of(args, config, region_path)
    settings = dataclasses.replace(settings, midnight_ns=midnights_ns(config)[0])
    engine = replay.open_engine(settings)
    replay.furnish(engine, config)
    keeper.set_again(engine)
    recovered = recover_journal(args.journal, config)
    live = Live(engine, live_settings(config, live_config, recovered))
    if recovered is not None:
        live.adopt(recovered.state)
    started = time.perf_counter()
    with keeper.beside(engine):
        ending = run_to_end(live, engine, args, live_config, keeper)
    seconds = time.perf_counter() - started
    status, feed, counted = live.status(), live.feed(), live.port_counters()
    channels = live.channels()
    last, output_fault = replay.finish(engine)
    ending = ending or last
    return {
        "verb": "run",
        "source": args.file,
        "strategies": [strategy.name for strategy in config.strategies],
        "interrupted": False,
        "failure": str(ending) if isinstance(ending, StrategyError) else None,
        "output_fault": output_fault,
        **replay.facts(engine, seconds),
        "venue": None,  # that was the replay's own
        "live": {
            "ports": live.ports(),
            **status,
            "feed": feed,
            "channels": channels,
            "lines": live.lines(),
            "port_counters": counted,
        },
        "journal": replay.journal_facts(args.journal, config, engine.counters()["journal_lost"]),
    }


def session_fault(live: dict[str, Any]) -> str | None:
    """Say why the order session ended for good before the run did; a venue may end its day."""
    if live["state"] not in FINAL_STATES or live["verdict"] == DAY_ENDED:
        return None
    return f"the order session ended for good: {live['verdict']}"


def midnights_ns(config: Config) -> tuple[int, ...]:
    """Return the midnight before now in the time zone of the configuration, and the next ones."""
    zone = ZoneInfo(config.session.timezone)
    today = datetime.now(zone).date()
    days = [today + timedelta(days=days) for days in range(DAYS)]
    return tuple(
        int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000_000
        for day in days
    )


def recover_journal(directory: str | None, config: Config) -> Recovered | None:
    """Return what the journal of the run before leads to; None when there is none.

    A journal that was cut, changed or tainted is not built upon.
    """
    if directory is None or not has_journal(directory):
        return None
    own_orders = config.capacity.own_orders
    found = recover(directory, Capacity(own_orders, own_orders, config.capacity.instruments))
    if not found.summary["valid"]:
        verdict = found.summary["verdict"]
        raise CommandError(
            f"{directory}: the journal is {verdict}; see tickplane recover, or name a new one"
        )
    return found


def has_journal(directory: str) -> bool:
    """Say whether the folder holds a journal's files."""
    try:
        return bool(segment_names(directory))
    except DataplaneError:
        return False


def channel_settings(live: LiveConfig, instruments: int) -> tuple[ChannelSettings, ...]:
    """Give each channel its share of the books: what it asks for, or an equal part of the rest."""
    asked = sum(one.instruments or 0 for one in live.channels)
    open_count = sum(one.instruments is None for one in live.channels)
    share = (instruments - asked) // max(open_count, 1)
    if asked > instruments or (open_count and share < 1):
        raise CommandError(
            f"live.channels: they need {asked + open_count:,} instruments or more, and "
            f"capacity.instruments has {instruments:,}; give it more"
        )
    return tuple(
        ChannelSettings(
            lines=one.lines,
            servers=one.servers,
            snapshots=one.snapshots,
            instruments=one.instruments or share,
        )
        for one in live.channels
    )


def live_settings(config: Config, live: LiveConfig, recovered: Recovered | None) -> LiveSettings:
    """Translate the configuration into the live run's words."""
    heard = recovered.state.inbound_sequences if recovered else {}
    if heard and max(heard) >= len(live.sessions):
        raise CommandError(
            f"live.sessions: the journal has session {max(heard)}, there are only "
            f"{len(live.sessions)} (from 0 on); keep the list of the run before, or name a new "
            "journal"
        )
    return LiveSettings(
        name=config.name,
        channels=channel_settings(live, config.capacity.instruments),
        sessions=tuple(
            SessionSettings(
                user=one.user,
                password=one.password,
                addresses=one.addresses,
                name=ACTIVE_SESSION if heard.get(index, 0) else b"",
                sequence=heard.get(index, 0) + 1,
            )
            for index, one in enumerate(live.sessions)
        ),
        spread=live.spread,
        message_rate=live.throttle.rate,
        message_burst=live.throttle.burst,
        headroom_percent=live.throttle.headroom_percent,
        queues=live.throttle.queues,
        differences=live.differences,
        window_max=live.window_max,
        kind=live.kind,
        interface=live.interface,
        queue=live.queue,
        queue_count=live.queue_count,
        huge_pages=live.huge_pages,
        mtu=live.mtu,
        sqpoll_cpu=live.sqpoll_cpu,
        busy_poll_us=live.busy_poll_us,
        local_ip=live.local_ip,
        card=config.card.name,
        card_identity=config.card.identity,
        lwip=live.lwip,
        gap_timeout_ns=config.feed.gap_timeout_ns,
        heartbeat_ns=live.heartbeat_ns,
        silence_ns=live.silence_ns,
        midnights_ns=midnights_ns(config),
        warm_after_ns=live.warm_after_ns,
        idle=live.idle,
        seed=config.seed,
    )


def run_to_end(
    live: Live, engine: Engine, args: argparse.Namespace, config: LiveConfig, keeper: SwitchKeeper
) -> BaseException | None:
    """Get ready and run; return what cut it short: Ctrl-C, a strategy's error, or None."""
    try:
        live.start()
        keeper.catch_up(engine)
        get_ready(live, config, args.ready_seconds)
        stay(live, engine, args)
    except (KeyboardInterrupt, StrategyError) as cause:
        replay.show_cause(cause)
        return cause
    return None


def get_ready(live: Live, config: LiveConfig, seconds: float) -> None:
    """Run until orders may pass and the feed is heard, and say so; or fail with one reason."""
    deadline = time.monotonic() + seconds
    while (reason := not_ready(live, config)) is not None:
        if time.monotonic() > deadline or live.status()["state"] in FINAL_STATES:
            raise CommandError(f"run: not ready: {reason}")
        live.run(TURN_SECONDS / 10)
    lines = ", ".join(text_of(line) for one in config.channels for line in one.lines)
    sessions = ", ".join(
        f"{', '.join(map(text_of, one.addresses))} as {one.user}" for one in config.sessions
    )
    print(f"READY feed {lines} ({live.ports()}); orders {sessions}", flush=True)


def not_ready(live: Live, config: LiveConfig) -> str | None:
    """Return what is still missing, or None."""
    status = live.status()
    if status["state"] == "HELD":
        return (
            f"{status['unexplained']} orders are not explained by the venue; "
            "see them with tickplane recover"
        )
    for one, session in zip(status["sessions"], config.sessions, strict=True):
        if one["state"] != "OPEN":
            where = ", ".join(map(text_of, session.addresses))
            return f"no order session with {where}: {one['error'] or one['verdict']}"
    for channel, one in enumerate(config.channels):
        if not any(line["packets"] for line in live.lines() if line["channel"] == channel):
            return f"nothing heard of the feed at {', '.join(map(text_of, one.lines))}"
    if (feed := live.feed()) != "whole":
        return f"books are not whole: market data is {feed}; {MENDS[feed]}"
    return None


def stay(live: Live, engine: Engine, args: argparse.Namespace) -> None:
    """Run until the time is over or the session has ended for good."""
    begun = time.monotonic()
    end = begun + args.seconds if args.seconds is not None else float("inf")
    drawn = not args.quiet and not args.every and sys.stderr.isatty()
    every = args.every or PROGRESS_SECONDS
    due, refusals = begun + every, Refusals()
    try:
        while (now := time.monotonic()) < end and not is_over(live, engine):
            live.run(min(TURN_SECONDS, end - now))
            for words in refusals.new(live.status()):
                print(f"tickplane: {words}", file=sys.stderr, flush=True)
            if now < due:
                continue
            due += every
            if drawn:
                print(f"\r\x1b[K{progress(live, engine)}", end="", file=sys.stderr, flush=True)
            elif args.every:
                print(f"{now - begun:4.0f} s  {progress(live, engine)}", flush=True)
    finally:
        if drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def is_over(live: Live, engine: Engine) -> bool:
    """Say whether the session has ended for good, or a strategy or a hard-stop the run."""
    return engine.is_stopping() or live.status()["state"] in FINAL_STATES


class Refusals:
    """Tells once why no new order passes any more: when it begins, and when it becomes worse."""

    def __init__(self) -> None:
        self._steps = 0
        self._trouble: str | None = None

    def new(self, status: dict[str, Any]) -> Iterator[str]:
        """Yield what has begun since the last call, a line each."""
        trouble, before = status["journal_trouble"], self._trouble
        self._trouble = trouble
        if trouble is not None and trouble != before:
            yield trouble
        elif trouble is None and before is not None:
            yield "journal: it takes records again"
        if status["clock_steps"] > self._steps:
            yield clock_words(status["clock_step_ns"])
        self._steps = status["clock_steps"]


def clock_words(step_ns: int) -> str:
    """Return what a person should do about a clock that was set under the run."""
    return (
        f"clock: set {'back' if step_ns < 0 else 'forward'} by {abs(step_ns) / 1e9:.6f} s; no new"
        " orders until tickplane arm; this run goes on by the time that it began with"
    )


def progress(live: Live, engine: Engine) -> str:
    """Return in one line how it goes."""
    counters = engine.counters()
    positions = engine.positions()
    filled = sum(row["bought_qty"] + row["sold_qty"] for row in positions)
    held = ", ".join(f"{row['symbol'].strip()} {row['position']:+,}" for row in positions[:3])
    latency_ns = engine.latency()["tick_to_order"]["p50"]
    return (
        f"{live.status()['state']:<7} {counters['itch_messages']:>8,} messages "
        f"{counters['orders_sent']:>6,} orders {filled:>7,} shares  {held or 'flat'}  "
        f"tick to order {latency_ns / 1000:.1f} us"
    )


def render_session(one: dict[str, Any]) -> str:
    """Return one order session."""
    return (
        f"  {one['user']:<12} {one['state']}; {one['given']:,} orders; {one['logins']} logins,"
        f" {one['losses']} losses; next message {one['sequence_next']:,}"
    )


def render_live(live: dict[str, Any]) -> str:
    """Return what only a live run has to report."""
    lines = [
        f"SESSION       {live['state']}; {live['logins']} logins, {live['losses']} losses",
        *map(render_session, live["sessions"]),
        f"  reconciled: {live['never_received']} requests never received,"
        f" {live['cancels_again']} cancels sent again, {live['unexplained']} unexplained",
        f"LINES         {live['ports']}; market data {live['feed']}",
    ]
    for line in live["lines"]:
        where = "" if len(live["channels"]) == 1 else f"{line['channel'] + 1} "
        lines.append(
            f"  {where + line['name']:<12} {line['packets']:>10,} packets, {line['first']:,} first,"
            f" {line['lost']:,} lost, behind by {line['behind_ns']:,} ns"
            f" (at most {line['behind_ns_max']:,})"
        )
    lines.append("PORTS")
    lines += [f"  {one['port']:<12} {describe(one)}" for one in live["port_counters"]]
    return "\n".join(lines)

"""The command ``tickplane``: one verb a module, each imported only when it is asked for.

A verb's module has ``add_arguments(parser)`` and ``run(args) -> int``; the value is the exit
status. 0 is done, 1 is a fault of the machine or of the data, 2 is something the person
who typed it can mend.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

from appliance.errors import CommandError
from control.errors import ControlError
from dataplane.errors import DataplaneError

# verb -> (module, what it does, an example)
VERBS = {
    "generate": ("appliance.generate", "make a recorded session to play with"),
    "decode": ("appliance.decode", "print every message of a recorded session"),
    "book": ("appliance.book", "show the order books of a recorded session"),
    "replay": ("appliance.replay", "run a recorded session through the whole appliance"),
    "run": ("appliance.run", "run live: market data from ports, orders to a venue"),
    "demo": ("appliance.demo", "trade live for half a minute on an exchange of its own"),
    "reconcile": ("appliance.reconcile", "compare a journal with a venue's own record"),
    "journal": ("appliance.journal", "print, verify, follow or replay the journal of a run"),
    "recover": ("appliance.recover", "rebuild orders and exposure from the journal; sends nothing"),
    "recent": ("appliance.recent", "show the last events of a running appliance's orders"),
    "venue": ("appliance.venue.command", "run an exchange to trade against, or its scenarios"),
    "kill": ("appliance.kill", "stop new orders of a running appliance, at once"),
    "arm": ("appliance.arm", "let orders of a running appliance pass again"),
    "limits": ("appliance.limits", "show or change the limits of a running appliance"),
    "status": ("appliance.status", "say how a running appliance is, and what is wrong"),
    "orders": ("appliance.orders", "list the open orders of a running appliance"),
    "top": ("appliance.top", "watch a running appliance"),
    "ports": ("appliance.ports", "show which ports this machine has, best first, and why not"),
    "facts": ("appliance.machine.facts", "show what this machine is and what is set on it"),
    "profile": ("appliance.machine.profile", "list, show, match, check and make machine profiles"),
    "plan": ("appliance.machine.plan", "show what apply would do to this machine, and why"),
    "diff": ("appliance.machine.diff", "show where this machine is otherwise than a profile"),
    "apply": ("appliance.machine.apply", "make this machine like a profile; can be undone"),
    "verify": ("appliance.machine.verify", "say whether this machine is as a profile promises"),
    "rollback": ("appliance.machine.rollback", "restore what was there before the first apply"),
    "doctor": ("appliance.machine.doctor", "measure this machine: noise, memory, clock, cards"),
    "rdma": ("appliance.machine.rdma", "list RDMA devices; a ring of records between two hosts"),
    "match": ("appliance.match", "match orders, one a line of a file; reports come out"),
    "bench": ("appliance.bench.command", "measure, beside a reference measured in the same run"),
}

EPILOG = """\
first steps:
  tickplane demo                                   an exchange, and an appliance trading on it
  tickplane generate day.itch --messages 1000000   a session of a million messages
  tickplane book day.itch --depth 3                its books at the end of the day
  tickplane replay day.itch                        trade it: orders, risk, journal, report
  tickplane kill                                   stop all orders of all that run here, now
  tickplane VERB --help                            what a verb takes
"""

OPERATOR_CODES = {
    errno.EINVAL,
    errno.ENOENT,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EACCES,
    errno.EPERM,
}


def parser_for(verb: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the verb that was asked for imports its module."""
    parser = argparse.ArgumentParser(
        prog="tickplane",
        description="A trading appliance: market data in, book, risk gate, orders out, journal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (module, words) in VERBS.items():
        sub = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        if name == verb:
            importlib.import_module(module).add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every expected failure becomes one line on stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
    verb = next((word for word in words if word in VERBS), None)
    mend_streams()
    try:
        with stopping_signals():
            args = parser_for(verb).parse_args(words)
            status: int = importlib.import_module(VERBS[args.verb][0]).run(args)
            sys.stdout.flush()
            return status
    except CommandError as error:
        return complain(str(error), 2)
    except ControlError as error:
        return complain(str(error), error.status)
    except DataplaneError as error:
        return complain(str(error), 2 if error.code in OPERATOR_CODES else 1)
    except BrokenPipeError:
        # The reader of our output left (`| head`): nobody is there to complain to.
        drop_output()
        return 0
    except OSError as error:
        # Files of a command have words of their own: mostly this is what we print (`> /dev/full`).
        drop_output()
        where = error.filename or "output"
        return complain(f"{where}: {(error.strerror or str(error)).lower()}; it is not whole", 1)
    except KeyboardInterrupt as stop:
        return complain(f"stopped by {str(stop) or 'Ctrl-C'}", 130)


def mend_streams() -> None:
    """Put a sink where a stream was closed (`>&-`), and let any file name be printed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Let what is still buffered go nowhere, or the interpreter would fail on it at its end."""
    with open(os.devnull, "w") as sink:
        os.dup2(sink.fileno(), sys.stdout.fileno())


@contextlib.contextmanager
def stopping_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP stop a command as Ctrl-C does: clean, with its report."""

    def stop(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:  # nohup(1) has it ignored
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def complain(text: str, status: int) -> int:
    """Print one line on stderr and return the exit status."""
    print(f"tickplane: {text}", file=sys.stderr)
    return status

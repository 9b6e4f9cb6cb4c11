"""What a live run does with switches that outlive it: it begins with them, and adds its breakers'.

A thread looks at the engine's switches twenty times a second and writes what is new into the file;
it clears nothing, for that is a person's. What a run that was killed had no time to write stands in
the memory that it left behind, and is taken over at the next start.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from appliance import switches
from appliance.errors import CommandError
from appliance.switches import Kept, Marks
from appliance.top import PREFIX, SHM
from dataplane.engine import Engine
from dataplane.switches import Switches

LOOK_SECONDS = 0.05
VERB_SECONDS = 1.0  # that `tickplane kill` has to write what it has set; a file has one writer


class SwitchKeeper:
    """The switches of one run; made before its thread is pinned and its memory is made."""

    def __init__(self, journal: str | None, name: str) -> None:
        self._path = None if journal is None else switches.path_of(journal)
        self._cpus = os.sched_getaffinity(0)
        self._kept: Kept = {}
        self._ending = threading.Event()
        self._seen = 0
        self._persons: dict[str, float] = {}  # scopes that a person has set, and since when
        self._is_amiss = False
        if self._path is not None:
            self._kept = at_start(self._path, name)

    def set_again(self, engine: Engine) -> None:
        """Have the engine start with all of them, and say which these are."""
        if self._path is not None:
            self._kept = switches.read(self._path)  # again: who kills now may not see the run yet
        kept = list(self._kept.values())
        unknown = Switches(engine).keep([asdict(switch) for switch in kept])
        for switch in kept:
            state = "no such scope here" if switch.scope in unknown else "still in force"
            print(f"run: {state}: {switch.words()}; see tickplane arm", file=sys.stderr)

    def catch_up(self, engine: Engine) -> None:
        """Set what was added while nobody could see the run; from here on they can."""
        if self._path is None:
            return
        for scope, switch in switches.read(self._path).items():
            if switch != self._kept.get(scope):
                Switches(engine).kill(scope, switch.mode, switch.source)

    @contextlib.contextmanager
    def beside(self, engine: Engine) -> Iterator[None]:
        """Keep what is set while the run goes on, and what it leaves."""
        if self._path is None:
            yield
            return
        thread = threading.Thread(
            target=self._run, args=(Switches(engine), self._path), name="switches", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join(switches.FLUSH_WAIT_S)

    def _run(self, engine: Switches, path: Path) -> None:
        os.sched_setaffinity(0, self._cpus)  # not on the engine's core
        while not self._ending.wait(LOOK_SECONDS):
            self._look(engine, path)
        self._look(engine, path)

    def _look(self, engine: Switches, path: Path) -> None:
        gate = engine.gate()
        if gate == self._seen and not self._persons:
            return
        try:
            switches.change(path, lambda kept: switches.added(kept, self._due(engine)))
        except (OSError, CommandError) as error:
            if not self._is_amiss:
                print(f"run: {path}: {error}; a restart would forget switches", file=sys.stderr)
            self._is_amiss = True
            return
        self._seen = gate
        self._is_amiss = False

    def _due(self, engine: Switches) -> Marks:
        """Return what is to be in the file by now."""
        marks = engine.marks()
        now = time.monotonic()
        persons = [scope for scope, (_, source) in marks.items() if source == "person"]
        since = {scope: self._persons.get(scope, now) for scope in persons}
        young = {scope for scope, then in since.items() if now - then < VERB_SECONDS}
        self._persons = since if young else {}
        return {scope: mark for scope, mark in marks.items() if scope not in young}


def at_start(path: Path, name: str) -> Kept:
    """Return what a run has to begin with; refuse to begin under a hard-stop."""
    switches.make(path)
    for region in SHM.glob(f"{PREFIX}{name}-*"):
        switches.take_over(path, region)
    kept = switches.read(path)
    for switch in kept.values():
        if switch.mode == "hard-stop":
            raise CommandError(f"run: {switch.words()}; it does not start before tickplane arm")
    return kept

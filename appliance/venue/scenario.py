"""Scenarios: what clients and the operator do, and what must come of it, step by step.

A scenario is a YAML file: what it certifies, the venues when the usual one will not do, and
steps. A step has one key: a link (``alice``) with what its client does, a link that ``gets`` what
must have come since it last looked, ``venue`` with a command, ``wait`` with a time.
docs/venue.md has the whole language. A step that does not come true ends the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from appliance.config_section import ConfigError, Section, compose
from appliance.errors import CommandError
from appliance.venue import messages
from appliance.venue.commands import execute
from appliance.venue.config import Config, parse_venues
from appliance.venue.hosts import Host, Link
from appliance.venue.messages import Seen
from dataplane.exchange import note_words

NOTHING = "nothing"
HEARTBEAT = "heartbeat"
CLOSED = Seen("closed", {})

# The venue of a scenario that names none.
USUAL = """\
venues:
  lit:
    instruments: {TPLN: {}, OTHR: {reference: 20.00}}
    users:
      alice: {password: secret, firm: TPLN}
      bob: {password: secret, firm: OTHR}
"""


class ScenarioError(CommandError):
    """A scenario whose venue did something else; the text says where, what, and what came."""


@dataclass(frozen=True)
class Scenario:
    """A checked scenario."""

    name: str
    certifies: str
    config: Config
    steps: tuple[Section, ...]


def parse(text: str, *, source: str) -> Scenario:
    """Turn YAML text into a scenario, or raise ConfigError."""
    root = compose(text, source)
    root.only("certifies", "venues", "steps")
    venues_of = root if "venues" in root else compose(USUAL, "usual venue")
    return Scenario(
        name=Path(source).stem,
        certifies=root.text("certifies", example="what a client must stand", size_max=400),
        config=Config(source=source, seed=1, record="", venues=parse_venues(venues_of)),
        steps=root.sections("steps"),
    )


def library() -> dict[str, str]:
    """Return the texts of the scenarios that ship, by name."""
    folder = resources.files("appliance") / "venue" / "scenarios"
    files = {file.name: file for file in folder.iterdir() if file.name.endswith(".yaml")}
    return {Path(name).stem: files[name].read_text(encoding="utf-8") for name in sorted(files)}


def load(name: str) -> Scenario:
    """Return a scenario of the library by its name, or a file's."""
    shipped = library()
    if name in shipped:
        return parse(shipped[name], source=f"{name}.yaml")
    try:
        return parse(Path(name).read_text(encoding="utf-8"), source=name)
    except FileNotFoundError:
        known = ", ".join(shipped)
        raise ConfigError(f"{name}: no such file, and no scenario that ships: {known}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}:1: not text; give a YAML file in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}; give a scenario that can be read") from None


class Run:
    """One run of a scenario on a host."""

    def __init__(self, scenario: Scenario, host: Host) -> None:
        self._scenario = scenario
        self._host = host
        self._links: dict[str, Link] = {}
        self._seen: dict[str, list[Seen]] = {}
        self._packets: dict[str, int] = {}
        self._first_venue = next(iter(host.venues))

    def run(self) -> None:
        """Walk through all steps, or raise ScenarioError at the first that fails."""
        for step in self._scenario.steps:
            keys = list(step)
            if len(keys) != 1:
                step.fail(keys[0] if keys else "", f"{len(keys)} keys in one step; write one each")
            try:
                self._step(step, keys[0])
            except ConfigError:
                raise
            except ScenarioError as error:
                self._fail(step, keys[0], str(error))
            except CommandError as error:
                step.fail(keys[0], str(error))

    def _fail(self, step: Section, key: str, text: str) -> None:
        try:
            step.fail(key, text)
        except ConfigError as located:
            raise ScenarioError(str(located)) from None

    def _step(self, step: Section, key: str) -> None:
        if key.endswith(" gets"):
            self._host.run(0)
            self._compare(step.lines(key), self._take(key.removesuffix(" gets")))
            return
        for line in step.lines(key):
            if key == "wait":
                self._host.run(messages.duration_ns(line, "wait"))
            elif key == "venue":
                execute(self._host.venues, line, self._host.now_ns)
            elif key == "request":
                self._ask(line)
            else:
                self._act(key, line)
        self._host.run(0)

    # ---- doing ----

    def _ask(self, line: str) -> None:
        request = messages.split(f"request {line}")
        data = messages.MOLD_HEADER.pack(
            request.named.get("session", "1").rjust(10).encode(),
            messages.whole(request.named.get("sequence", "1"), "sequence"),
            messages.whole(request.named.get("count", "1"), "count"),
        )
        reply = self._host.request(self._first_venue, data)
        self._seen.setdefault("reply", []).extend([messages.see_datagram(reply)] if reply else [])

    def _act(self, name: str, line: str) -> None:
        request = messages.split(line)
        if request.verb in ("connect", "login") and (
            name not in self._links or self._links[name].closed
        ):
            self._links[name] = self._open(name)
        if name not in self._links:
            raise CommandError(f"{name}: not connected; let it `login` first")
        link = self._links[name]
        if request.verb == "disconnect":
            link.close()
        elif request.verb in messages.BUILDERS:
            link.send(messages.packet("U", messages.BUILDERS[request.verb](request)))
        else:
            link.send(self._packet(name, request))

    def _open(self, name: str) -> Link:
        place = name.removesuffix("/snapshot")
        venue = place.partition("@")[2] or self._first_venue
        if venue not in self._host.venues:
            known = ", ".join(self._host.venues)
            raise CommandError(f"{name}: {venue!r} is no venue; known: {known}")
        self._collect(name)
        return self._host.connect(venue, snapshot=name.endswith("/snapshot"))

    def _packet(self, name: str, request: messages.Request) -> bytes:
        user = name.removesuffix("/snapshot").partition("@")[0].partition(".")[0]
        named = request.named
        match request.verb:
            case "connect":
                return b""
            case "login":
                sequence = messages.whole(named.get("sequence", "1"), "sequence")
                password = named.get("password", "secret")
                return messages.login(user, password, named.get("session", ""), sequence)
            case "logout":
                return messages.packet("O")
            case "heartbeat":
                return messages.packet("R")
            case "raw":
                return bytes.fromhex("".join(request.words))
            case "message":
                return messages.packet("U", bytes.fromhex("".join(request.words)))
        known = ", ".join((*messages.BUILDERS, "connect", "login", "logout", "heartbeat", "raw",
                           "message", "disconnect"))  # fmt: skip
        raise CommandError(f"{request.verb!r} is nothing a client does; known: {known}")

    # ---- looking ----

    def _collect(self, name: str) -> None:
        """Turn what has come on a link into words."""
        link = self._links.get(name)
        if link is None:
            return
        see = messages.see_snapshot if name.endswith("/snapshot") else messages.see
        seen = self._seen.setdefault(name, [])
        seen += [see(kind, payload) for kind, payload in messages.take_packets(link.received)]
        if link.closed:
            seen.append(CLOSED)
            del self._links[name]

    def _take(self, name: str) -> list[Seen]:
        """Return what is new since the last look."""
        if name == "log":
            return [
                Seen(note_words(kind).replace(" ", "_"), {"detail": detail})
                for venue in self._host.venues.values()
                for _, _, _, kind, detail in venue.exchange.notes()
            ]
        if name.partition("@")[0] in ("feed", "line_a", "line_b"):
            return self._take_feed(name)
        self._collect(name)
        return self._seen.pop(name, [])

    def _take_feed(self, name: str) -> list[Seen]:
        what, _, venue = name.partition("@")
        key = (venue or self._first_venue, 1 if what == "line_b" else 0)
        packets = self._host.datagrams.get(key, [])
        new = packets[self._packets.get(name, 0) :]
        self._packets[name] = len(packets)
        if what != "feed":
            return [messages.see_datagram(data) for data in new]
        return [messages.see_itch(block) for data in new for block in messages.blocks(data)]

    def _compare(self, wanted: tuple[str, ...], seen: list[Seen]) -> None:
        if wanted == (NOTHING,):
            wanted = ()
        seen = without_heartbeats(seen, any(line.split()[0] == HEARTBEAT for line in wanted))
        for at, line in enumerate(wanted):
            if at >= len(seen):
                raise ScenarioError(f"{line!r} did not come; after {at} packets nothing did")
            how = messages.differs(line, seen[at])
            if how is not None:
                raise ScenarioError(f"{line!r} did not come: {how}, in {str(seen[at])!r}")
        if len(seen) > len(wanted):
            raise ScenarioError(f"nothing more was to come; {str(seen[len(wanted)])!r} did")


def without_heartbeats(seen: list[Seen], one_of_each: bool) -> list[Seen]:
    """Return what came without heartbeats, or with one for each row of them."""
    kept: list[Seen] = []
    for one in seen:
        if one.name != HEARTBEAT or (one_of_each and (not kept or kept[-1].name != HEARTBEAT)):
            kept.append(one)
    return kept

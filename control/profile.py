"""Profiles: one YAML file for a type of machine, checked, with everything it inherits.

A value may stand alone or with its reason:

    numa_balancing: off
    idle_latency_us_max: {value: 2, why: deeper states cost more, source: "vendor guide, page 9"}

Loading gives a flat mapping from dotted keys to entries, each of which knows its file and line, so
that whatever is said later about a setting can point at the line that asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from control import schema
from control.errors import ControlError
from control.kinds import Value
from control.section import Section, suggestion

SUFFIX = ".yaml"
NAME = re.compile(r"[a-z][a-z0-9_]*")
REASONED = ("value", "why", "source")


class ProfileError(ControlError):
    """A profile that cannot be used; the text says where and what would do."""


class ProfileSection(Section):
    """A mapping of a profile."""

    error = ProfileError
    start = "a shipped profile: `tickplane profile show NAME`"


@dataclass(frozen=True)
class Entry:
    """One value of a profile, with where it stands and why it is so."""

    value: Value
    where: str
    why: str = ""
    source: str = ""


@dataclass(frozen=True)
class Profile:
    """A checked profile with what it inherited; ``chain`` names the files, nearest first."""

    name: str
    chain: tuple[str, ...]
    entries: Mapping[str, Entry]

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def text(self, key: str, default: str = "") -> str:
        """Return a value as text."""
        return str(self.entries[key].value) if key in self.entries else default

    def whole(self, key: str, default: int = 0) -> int:
        """Return a value as a whole number."""
        return int(self.text(key, str(default)))

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words; empty when the key is not there."""
        value = self.entries[key].value if key in self.entries else ()
        assert isinstance(value, tuple), key
        return value

    def below(self, key: str) -> Iterator[tuple[str, str]]:
        """Return what the profile names below a key: the name, and its full key."""
        for full in self.entries:
            if full.startswith(key + "."):
                yield full.removeprefix(key + "."), full

    def names(self, key: str) -> list[str]:
        """Return the first words below a key, in the order of the profile."""
        return list(dict.fromkeys(name.split(".")[0] for name, _ in self.below(key)))

    def extra_targets(self) -> tuple[str, ...]:
        """Return the sysctls and services that this profile is about, for reading facts."""
        sysctls = [f"sysctl:{name}" for name, _ in self.below("sysctl")]
        return (*sysctls, *(f"unit:{name}" for name in self.words("services.off")))


def shipped() -> dict[str, str]:
    """Return the names and texts of the profiles that come with tickplane."""
    folder = resources.files("control") / "profiles"
    found = {
        entry.name.removesuffix(SUFFIX): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(SUFFIX)
    }
    return dict(sorted(found.items()))


def load(name: str) -> Profile:
    """Return the profile of a shipped name or of a file, checked, or raise ProfileError."""
    text, source = find(name, None)
    return parse(text, source=source, folder=Path(source).parent)


def find(name: str, folder: Path | None, where: str = "") -> tuple[str, str]:
    """Return text and source of a profile: a file, else a shipped one."""
    complaint = f"{where}: extends" if where else "profile"
    path = (folder or Path()) / name
    if name.endswith(SUFFIX) or "/" in name:
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except UnicodeDecodeError:
            raise ProfileError(f"{path}:1: not YAML: it is not UTF-8; give a text file") from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            remedy = "give a file or the name of a shipped profile"
            raise ProfileError(
                f"{complaint}: {name!r} cannot be read: {reason}; {remedy}"
            ) from None
    known = shipped()
    if name not in known:
        raise ProfileError(
            f"{complaint}: {name!r} is no shipped profile; {suggestion(name, known)}"
        )
    return known[name], f"{name}{SUFFIX}"


def parse(text: str, *, source: str, folder: Path | None = None) -> Profile:
    """Turn YAML text into a checked profile, or raise ProfileError."""
    files: dict[str, dict[str, Entry | None]] = {}
    gather(text, source, folder, files, ())
    merged: dict[str, Entry] = {}
    for name, own in files.items():
        merged = {key: entry for key, entry in merged.items() if not is_removed(key, own)}
        for key, entry in own.items():
            # A profile is chosen by its own rules, and described by its own words.
            if entry is not None and (name == source or not is_own(key)):
                merged[key] = entry
    name = Path(source).name.removesuffix(SUFFIX)
    profile = Profile(name, tuple(reversed(files)), merged)
    check_whole(profile)
    return profile


def gather(
    text: str,
    source: str,
    folder: Path | None,
    files: dict[str, dict[str, Entry | None]],
    path: tuple[str, ...],
) -> None:
    """Collect the values of a file after those of every profile that it extends.

    What two of them extend together comes once and first: its values are weaker than both.
    """
    section = ProfileSection.compose(text, source)
    own: dict[str, Entry | None] = {}
    walk(section, (), own)
    base = own.pop("extends", None)
    for name in base.value if base is not None and isinstance(base.value, tuple) else ():
        base_text, base_source = find(name, folder, section.where("extends"))
        if base_source in (*path, source):
            section.fail("extends", f"{name!r} extends this one again; remove one of both")
        if base_source not in files:
            gather(base_text, base_source, folder, files, (*path, source))
    files[source] = own


def is_own(key: str) -> bool:
    """Say whether a key is not inherited."""
    return key == "description" or key.startswith("match.")


def is_removed(key: str, own: Mapping[str, Entry | None]) -> bool:
    """Say whether a file takes an inherited key away, alone or with a whole group."""
    words = key.split(".")
    groups = (".".join(words[:size]) for size in range(1, len(words) + 1))
    return any(group in own and own[group] is None for group in groups)


def walk(section: Section, path: tuple[str, ...], entries: dict[str, Entry | None]) -> None:
    """Check a mapping against the schema and collect its values; None where one is taken away."""
    known = schema.below(path)
    if "*" not in known:
        section.only(*known)
    for name in section:
        full = (*path, name)
        key = schema.key_of(full)
        if key is None:
            if "*" in known and not NAME.fullmatch(name):
                section.fail_name(
                    name, "a name of yours has small letters, digits and _; rename it"
                )
            if section.is_null(name):
                entries[".".join(full)] = None
                continue
            if not section.is_mapping(name):
                example = schema.below(full)[0]
                section.fail(name, f"a group of keys belongs here; write `{example}: ...` below it")
            walk(section.section(name), full, entries)
        elif section.is_null(name):
            entries[".".join(full)] = None
        else:
            entries[".".join(full)] = entry(section, name, key)


def entry(section: Section, name: str, key: schema.Key) -> Entry:
    """Return one value, which may stand with its reason."""
    where = section.where(name)
    if not section.is_mapping(name):
        return Entry(key.kind.take(section, name), where, key.why)
    reasoned = section.section(name)
    reasoned.only(*REASONED)
    return Entry(
        key.kind.take(reasoned, "value"),
        where,
        reasoned.text("why", key.why, size_max=400, example="what it is for"),
        reasoned.text("source", "", size_max=400, example="where it is written"),
    )


def check_whole(profile: Profile) -> None:
    """Raise ProfileError for values that do not go together."""
    for name in profile.names("nics"):
        keys = [f"nics.{name}.{key}" for key in ("pci", "interface", "ids")]
        given = [key for key in keys if key in profile]
        if len(given) != 1:
            first = next(key for _, key in profile.below(f"nics.{name}"))
            where = profile.entries[given[1] if given else first].where
            raise ProfileError(
                f"{where}: nics.{name}: {len(given)} of pci, interface and ids are given; "
                "name the card by one of them"
            )
        role, xps = f"nics.{name}.role", f"nics.{name}.xps"
        if profile.text(xps) == "role" and role not in profile:
            raise ProfileError(
                f"{profile.entries[xps].where}: {xps}: this card has no role; give it one, or say "
                "xps: off"
            )
        if role in profile and f"cpu.roles.{profile.text(role)}" not in profile:
            raise ProfileError(
                f"{profile.entries[role].where}: {role}: {profile.text(role)!r} has no cores; "
                f"add `{profile.text(role)}: 1` below cpu.roles"
            )
    for name, key in profile.below("cpu.roles"):
        if name not in schema.ROLES:
            raise ProfileError(f"{profile.entries[key].where}: {key}: unknown role; "
                               f"{suggestion(name, schema.ROLES)}")  # fmt: skip

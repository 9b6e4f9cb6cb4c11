"""What kinds of value a profile holds: how each is read from YAML, and how it is described."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from control.cpulist import parse_list
from control.section import Section

Value = str | int | tuple[str, ...]


class Kind(Protocol):
    """A kind of value: ``take`` returns a checked value or raises with file and line."""

    @property
    def words(self) -> str:
        """Describe the kind in the reference."""
        ...

    def take(self, section: Section, key: str) -> Value:
        """Return the checked value of a key."""
        ...


@dataclass(frozen=True)
class Word:
    """One word of a list."""

    choices: tuple[str, ...]

    @property
    def words(self) -> str:
        """Describe the kind."""
        return " or ".join(f"`{choice}`" for choice in self.choices)

    def take(self, section: Section, key: str) -> str:
        """Return the word."""
        return section.one_of(key, self.choices)


SWITCH = Word(("on", "off"))


@dataclass(frozen=True)
class Whole:
    """A whole number within limits, both inclusive."""

    minimum: int
    maximum: int

    @property
    def words(self) -> str:
        """Describe the kind."""
        return f"{self.minimum} to {self.maximum}"

    def take(self, section: Section, key: str) -> int:
        """Return the number."""
        return section.integer(key, self.minimum, self.maximum)


@dataclass(frozen=True)
class Text:
    """Text that has a form; ``form`` is a regular expression for all of it."""

    example: str
    form: str = ".+"
    may_be_empty: bool = False

    @property
    def words(self) -> str:
        """Describe the kind."""
        return f"like `{self.example}`"

    def take(self, section: Section, key: str) -> str:
        """Return the text."""
        if self.may_be_empty and section.is_empty(key):
            return ""
        text = section.text(key, example=self.example, size_max=400)
        if not re.fullmatch(self.form, text):
            section.fail(key, f"{text!r} has another form; write it like {self.example}")
        return text


@dataclass(frozen=True)
class Words:
    """A list of words, none twice."""

    example: str
    form: str = r"\S+"

    @property
    def words(self) -> str:
        """Describe the kind."""
        return f"a list, like `[{self.example}]`"

    def take(self, section: Section, key: str) -> tuple[str, ...]:
        """Return the words."""
        words = section.words(key)
        for word in words:
            if not re.fullmatch(self.form, word):
                section.fail(key, f"{word!r} has another form; write a list like [{self.example}]")
        return words


@dataclass(frozen=True)
class Names(Words):
    """A list of words, or one word without the list."""

    @property
    def words(self) -> str:
        """Describe the kind."""
        return f"a name like `{self.example}`, or a list of names"

    def take(self, section: Section, key: str) -> tuple[str, ...]:
        """Return the words."""
        if section.is_list(key):
            return super().take(section, key)
        return (Text(self.example, self.form).take(section, key),)


RULE = re.compile(r"first (\d{1,3}) of each node|rest|rest of (?:the )?nic node|none|all")


@dataclass(frozen=True)
class Cpus:
    """Cores: a list as the kernel writes it, or a rule that fits machines of any size."""

    words: str = (
        "cores like `2-15,18`, or a rule: `first N of each node`, `rest`, `rest of nic node`, "
        "`all`, `none`"
    )

    def take(self, section: Section, key: str) -> str:
        """Return the list or rule as text; it meets the machine's cores when a plan is made."""
        text = section.text(key, example="first 2 of each node", size_max=400)
        if RULE.fullmatch(text):
            return text
        try:
            parse_list(text)
        except ValueError as error:
            section.fail(key, f"{error}; write cores like 2-15,18 or a rule: rest, none, "
                         "first 2 of each node")  # fmt: skip
        return text

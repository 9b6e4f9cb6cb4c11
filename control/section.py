"""Reading YAML with its line numbers: every value is checked where it is taken.

A A ``Section`` is one mapping of a file. Its methods return a checked value or raise its ``error``
as ``FILE:LINE: dotted.key: problem; remedy``. Values are the text as it stands in the file:
``on`` is a word, and 0x10 is not sixteen.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, NoReturn, Self

import yaml

from control.errors import ControlError

WHOLE = re.compile(r"-?(0|[1-9][0-9]*(_[0-9]+)*)")


class Section:
    """One mapping of a file, or an absent one, which reads as empty."""

    error: ClassVar[type[Exception]] = ControlError
    start: ClassVar[str] = "hw_profiles"  # what to copy when there is nothing in the file

    def __init__(self, node: yaml.Node, source: str, path: str = "") -> None:
        self._node = node
        self._source = source
        self._path = path
        self._keys: dict[str, yaml.Node] = {}
        self._values: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            self.fail_at(node, "", f"{kind_of(node)}; write `key: value` lines")
        for key, value in node.value:
            self._take(key, value)

    @classmethod
    def compose(cls, text: str, source: str) -> Self:
        """Turn YAML text into its outermost section, or raise the error."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            remedy = "compare with the example, and indent with spaces"
            raise cls.error(f"{source}:{line}: not YAML: {error.problem}; {remedy}") from None
        except yaml.YAMLError:
            raise cls.error(
                f"{source}:1: not YAML: it holds control characters; give a text file"
            ) from None
        except RecursionError:
            raise cls.error(
                f"{source}:1: nested too deeply; a configuration has 4 levels"
            ) from None
        if node is None or is_null(node):
            raise cls.error(f"{source}:1: no settings in it; start from a copy of {cls.start}")
        return cls(node, source)

    def _take(self, key: yaml.Node, value: yaml.Node) -> None:
        if not isinstance(key, yaml.ScalarNode):
            self.fail_at(key, "", f"{kind_of(key)} stands where a key belongs; write a plain word")
        if key.value in self._values:
            first = self._values[key.value].start_mark.line + 1
            self.fail_at(key, key.value, f"given twice, first in line {first}; remove one")
        self._keys[key.value] = key
        self._values[key.value] = value

    def on_top_of(self, base: Self) -> Self:
        """Return this section with the values of ``base`` for the keys that it lacks."""
        both = type(self)(self._node, self._source, self._path)
        both._keys = base._keys | self._keys
        both._values = base._values | self._values
        return both

    # ---- complaints ----

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise the error about a key of this section; problem holds the remedy too."""
        self.fail_at(self._values.get(key, self._node), key, problem)

    def fail_name(self, key: str, problem: str) -> NoReturn:
        """Raise the error about the name of a key, with the line of the name."""
        self.fail_at(self._keys[key], key, problem)

    def fail_at(self, node: yaml.Node, key: str, problem: str) -> NoReturn:
        """Raise the error with the line of that node."""
        where = f"{self._source}:{node.start_mark.line + 1}: "
        dotted = ".".join(word for word in (self._path, key) if word)
        raise self.error(where + (f"{dotted}: " if dotted else "") + problem)

    def only(self, *known: str) -> None:
        """Refuse every key that is not one of these."""
        for key in self._values:
            if key not in known:
                remedy = suggestion(key, known) if known else "none is known here"
                self.fail_name(key, f"unknown key; {remedy}")

    # ---- looking ----

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def is_empty(self, key: str) -> bool:
        """Say whether a key is there and has an empty text, in quotes."""
        node = self._values.get(key)
        return isinstance(node, yaml.ScalarNode) and node.value == "" and node.style is not None

    def is_null(self, key: str) -> bool:
        """Say whether a key is there and holds YAML's nothing."""
        return key in self._values and is_null(self._values[key])

    def is_mapping(self, key: str) -> bool:
        """Say whether a key is there and has keys below it."""
        return isinstance(self._values.get(key), yaml.MappingNode)

    def where(self, key: str) -> str:
        """Return ``FILE:LINE`` of a key."""
        return f"{self._source}:{self._keys[key].start_mark.line + 1}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Section) and yaml.serialize(self._node) == yaml.serialize(
            other._node
        )

    __hash__ = None  # type: ignore[assignment]

    def _scalar(self, key: str, example: str) -> str:
        if key not in self._values:
            self.fail(key, f"missing; write `{key}: {example}`")
        node = self._values[key]
        if not isinstance(node, yaml.ScalarNode):
            self.fail(key, f"{kind_of(node)}; write one value, like {example}")
        text: str = node.value
        if text == "":
            self.fail(key, f"empty; write a value, like {example}")
        return text

    # ---- values ----

    def text(
        self, key: str, default: str | None = None, *, example: str = "word", size_max: int = 63
    ) -> str:
        """Return printable text without spaces at its ends."""
        if key not in self._values and default is not None:
            return default
        text = self._scalar(key, example)
        if not text.isprintable() or text != text.strip() or len(text.encode()) > size_max:
            self.fail(key, f"{text!r} is not a name; give 1 to {size_max} printable characters")
        return text

    def one_of(self, key: str, choices: Iterable[str], default: str | None = None) -> str:
        """Return a word of a list."""
        known = tuple(choices)
        if key not in self._values and default is not None:
            return default
        text = self._scalar(key, known[0])
        if text not in known:
            self.fail(key, f"{text!r} is not one of its values; {suggestion(text, known)}")
        return text

    def integer(self, key: str, minimum: int, maximum: int, default: int | None = None) -> int:
        """Return a whole number within its limits, both inclusive."""
        if key not in self._values and default is not None:
            return default
        text = self._scalar(key, str(minimum))
        remedy = f"give a whole number from {minimum} to {maximum}"
        # Nobody's limit has 40 digits, and int() is slow on long ones.
        if len(text) > 40 or not WHOLE.fullmatch(text):
            self.fail(key, f"{shorten(text)} is not a whole number; {remedy}")
        value = int(text)
        if not minimum <= value <= maximum:
            size = "small" if value < minimum else "large"
            self.fail(key, f"{text} is too {size}; {remedy}")
        return value

    def texts(self) -> dict[str, str]:
        """Return every key with its value as written, for a strategy that is not Python."""
        return {key: self._scalar(key, "1") for key in self}

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words, none of them twice."""
        words: list[str] = []
        for node in self._items(key):
            if not isinstance(node, yaml.ScalarNode) or not node.value:
                self.fail_at(node, key, f"{kind_of(node)} in the list; write words: [AAA, BBB]")
            if node.value in words:
                self.fail_at(node, key, f"{node.value!r} is in the list twice; remove one")
            words.append(node.value)
        return tuple(words)

    def lines(self, key: str) -> tuple[str, ...]:
        """Return a list of texts as they stand, or the one text there is."""
        if not self.is_list(key):
            return (self._scalar(key, "a line of text"),)
        for node in self._items(key):
            if not isinstance(node, yaml.ScalarNode) or not node.value:
                self.fail_at(node, key, f"{kind_of(node)} in the list; write lines of text")
        return tuple(node.value for node in self._items(key))

    def is_list(self, key: str) -> bool:
        """Say whether the key is there and holds a list."""
        return isinstance(self._values.get(key), yaml.SequenceNode)

    def section(self, key: str) -> Self:
        """Return the mapping below a key; an absent one reads as empty."""
        path = ".".join(word for word in (self._path, key) if word)
        node = self._values.get(key)
        if node is None or is_null(node):
            mark = (node or self._node).start_mark
            node = yaml.MappingNode("tag:yaml.org,2002:map", [], start_mark=mark, end_mark=mark)
        return type(self)(node, self._source, path)

    def sections(self, key: str) -> tuple[Self, ...]:
        """Return the mappings of the list below a key."""
        path = ".".join(word for word in (self._path, key) if word)
        return tuple(
            type(self)(node, self._source, f"{path}[{index}]")
            for index, node in enumerate(self._items(key))
        )

    def _items(self, key: str) -> list[yaml.Node]:
        if key not in self._values:
            self.fail(key, f"missing; write `{key}:` and a list below it")
        node = self._values[key]
        if not isinstance(node, yaml.SequenceNode):
            self.fail(key, f"{kind_of(node)}; write a list")
        items: list[yaml.Node] = node.value
        if not items:
            self.fail(key, "an empty list; give at least one")
        return items


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, else all of them."""
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(words)}"


def is_null(node: yaml.Node) -> bool:
    """Say whether a node is YAML's nothing (empty, ~ or null)."""
    return isinstance(node, yaml.ScalarNode) and bool(node.tag == "tag:yaml.org,2002:null")


def kind_of(node: yaml.Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, yaml.MappingNode):
        return "a group of keys"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.value == "" else f"the single value {shorten(node.value)}"


def shorten(text: str) -> str:
    """Return text in quotes, cut when it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")

"""Form: what a reader may rely on in every file."""

from __future__ import annotations

import re

import tree

WIDTH = 100
FILE_LINES = 500
FUNCTION_LINES = 70

# A declaration or definition at the left edge: type words, then a name and its bracket.
FUNCTION = re.compile(r"(?!static\b|typedef\b|return\b|#)[A-Za-z_][\w *]*?[ *](\w+)\(")


def test_lines_fit():
    wrong = [
        f"{name}:{number}: {len(line)} columns"
        for name in tree.ending(*tree.CODE)
        for number, line in tree.numbered(name)
        if len(line) > WIDTH
    ]
    assert not wrong, "\n".join(wrong)


def test_lines_end_clean():
    wrong = [
        f"{name}:{number}: tab or space at the end, or a tab inside"
        for name in tree.ending(*tree.CODE)
        for number, line in tree.numbered(name)
        if line != line.rstrip() or "\t" in line
    ]
    wrong += [f"{name}: no newline at the end" for name in tree.ending(*tree.CODE)
              if tree.text(name) and not tree.text(name).endswith("\n")]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_files_can_be_read_in_one_sitting():
    lengths = {name: len(tree.text(name).splitlines()) for name in tree.ending(*tree.CODE)}
    wrong = [f"{name}: {count} lines" for name, count in lengths.items() if count > FILE_LINES]
    assert not wrong, "\n".join(wrong)


def test_c_functions_fit_on_a_screen():
    """But for a decoder: one switch over message types, whose cases are simple assignments."""
    wrong = []
    for name in tree.ending(".c", ".h"):
        start = 0
        for number, line in tree.numbered(name):
            if line == "{":
                start, limit = number, FUNCTION_LINES
            elif line.startswith("    switch (") and number == start + 1:
                limit = 2 * FUNCTION_LINES
            elif line == "}" and start:
                if number - start + 1 > limit:
                    wrong.append(f"{name}:{start}: {number - start + 1} lines")
                start = 0
    assert not wrong, "\n".join(wrong)


def test_public_c_names_carry_the_prefix():
    """A file-local function is static; everything else is seen by every program that links us."""
    wrong = [
        f"{name}:{number}: {found[1]}"
        for name in tree.ending(".c", ".h", under="dataplane/")
        for number, line in tree.numbered(name)
        if (found := FUNCTION.match(line)) and not found[1].startswith(("dp_", "__attribute__"))
    ]
    assert not wrong, "\n".join(wrong)


def test_c_files_and_headers_carry_the_prefix():
    wrong = [
        name
        for name in tree.ending(".c", ".h", under="dataplane/")
        if not name.rsplit("/", 1)[1].startswith("dp_")
    ]
    assert not wrong, "\n".join(wrong)


def test_headers_open_with_what_they_are():
    wrong = []
    for name in tree.ending(".h", under="dataplane/"):
        stem = name.rsplit("/", 1)[1].removesuffix(".h")
        if not tree.text(name).startswith(f"/*\n * {stem} - "):
            wrong.append(f"{name}: begins otherwise than with `/*`, ` * {stem} - what it is`")
    assert not wrong, "\n".join(wrong)


def test_what_is_left_to_do_names_its_issue():
    mark = re.compile(r"\b(?:TO" r"DO(?!\(#\d+\))|FIX" r"ME|X" r"XX)\b")
    wrong = [
        f"{name}:{number}: {line.strip()}"
        for name in tree.ending(*tree.CODE, ".md", ".yaml", ".toml")
        for number, line in tree.numbered(name)
        if mark.search(line)
    ]
    assert not wrong, "\n".join(wrong)

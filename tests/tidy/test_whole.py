"""Completeness: what is written is installed, what is documented exists."""

from __future__ import annotations

import re

import tree

from appliance.cli import VERBS

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def named_in_meson() -> set[str]:
    """Return every path that a meson.build names, as seen from the root."""
    paths = set()
    for name in tree.ending("meson.build"):
        folder = name.removesuffix("meson.build")
        code = re.sub(r"#.*", "", tree.text(name))
        for word in re.findall(r"'([^'\n]+)'", code):
            # An extension is named by its stem; the loop adds the endings.
            paths |= {folder + word, f"{folder}{word}.pyx", f"{folder}{word}.pyi"}
            paths.add(f"{folder}{word}.c")
    return paths


def test_every_source_is_named_in_a_meson_file():
    """A file that no meson.build names is missing from the wheel, and from an editable install."""
    known = named_in_meson()
    written = [
        name
        for package in ("dataplane/", "control/", "appliance/")
        for name in tree.ending(
            ".py", ".pyx", ".pyi", ".pxd", ".c", ".yaml", ".typed", under=package
        )
    ]
    missing = [name for name in written if name not in known]
    assert not missing, "\n".join(missing)


def test_the_headers_that_strategies_need_are_installed():
    known = named_in_meson()
    waiting, seen = ["dp_strategy.h"], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += re.findall(r'#include "([^"]+)"', tree.text(f"dataplane/core/{name}"))
    missing = [name for name in sorted(seen) if f"dataplane/core/{name}" not in known]
    assert not missing, "\n".join(missing)


def test_every_c_test_is_run():
    known = named_in_meson()
    rooms = ("core", "proto", "sys", "ports", "sim", "exchange", "server", "engine")
    missing = [
        name
        for room in rooms
        for name in tree.ending(".c", under=f"tests/{room}/test_")
        if name not in known
    ]
    assert not missing, "\n".join(missing)


def test_every_extension_has_types_beside_it():
    missing = [
        name
        for name in tree.ending(".pyx", under="dataplane/")
        if name.removesuffix("x") + "i" not in tree.files()
    ]
    assert not missing, "\n".join(missing)


def commands(name: str) -> list[tuple[int, str, str]]:
    """Return line, program and first word of what a document tells its reader to type."""
    found, fenced = [], False
    for number, line in tree.numbered(name):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        start = r"^\s*(?:\$ )?" if fenced else "`"
        for match in re.finditer(start + r"(make|tickplane) ([a-z]+)\b", line):
            found.append((number, match[1], match[2]))
    return found


def test_commands_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z]+):", tree.text("Makefile"), re.MULTILINE))
    known = {"make": targets, "tickplane": set(VERBS)}
    wrong = [
        f"{name}:{number}: {program} {word}"
        for name in tree.ending(".md")
        for number, program, word in commands(name)
        if word not in known[program]
    ]
    assert not wrong, "\n".join(wrong)


def test_links_in_the_documents_lead_somewhere():
    wrong = []
    for name in tree.ending(".md"):
        for number, line in tree.numbered(name):
            for target in LINK.findall(line):
                path = target.split("#")[0]
                if "://" in target or not path:
                    continue
                if not ((tree.ROOT / name).parent / path).resolve().exists():
                    wrong.append(f"{name}:{number}: {target}")
    assert not wrong, "\n".join(wrong)


def test_documents_that_the_code_mentions_exist():
    wrong = {
        f"{name}:{number}: {path}"
        for name in tree.ending(*tree.CODE, ".yaml")
        for number, line in tree.numbered(name)
        for path in re.findall(r"\bdocs/[\w./-]*\w", line)
        if not (tree.ROOT / path).exists()
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_every_document_can_be_found_from_the_readme():
    """One page leads to all others, in at most two steps."""
    seen, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        if name in seen or not name.endswith(".md"):
            continue
        seen.add(name)
        folder = (tree.ROOT / name).parent
        for target in LINK.findall(tree.text(name)):
            path = (folder / target.split("#")[0]).resolve()
            if path.is_dir():
                waiting += [str(one.relative_to(tree.ROOT)) for one in path.glob("*.md")]
            elif path.exists() and path.is_relative_to(tree.ROOT):
                waiting.append(str(path.relative_to(tree.ROOT)))
    missing = [name for name in tree.ending(".md", under="docs/") if name not in seen]
    assert not missing, "\n".join(missing)

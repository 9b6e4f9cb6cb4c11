"""The reference page of profiles, printed from the schema."""

from __future__ import annotations

from control.schema import BOOT, CPU, GENERAL, IRQ, KEYS, MATCH, MEMORY, NIC, REST, Key

HEAD = """\
# Profile reference

Every key that a hardware profile can have. This page is printed from the schema by
`tickplane profile reference`; a test holds both against each other. What a profile is and how it is
used stands in [machine](machine.md).

A `*` is a name of your choice. Every value may be given with its reason:
`numa_balancing: {value: off, why: "pages move under us", source: "kernel documentation"}`.
"""
GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("The profile itself", GENERAL), ("Which machines it is for", MATCH), ("Cores", CPU),
    ("Memory", MEMORY), ("Kernel command line", BOOT), ("Interrupts", IRQ),
    ("Network cards", NIC), ("Everything else", REST),
)  # fmt: skip


def render() -> str:
    """Return the page as Markdown."""
    assert sum(len(keys) for _, keys in GROUPS) == len(KEYS)
    lines = [HEAD]
    for title, keys in GROUPS:
        lines += [f"## {title}", "", "| Key | Value | Sets | Why it matters |", "|---|---|---|---|"]
        lines += [
            f"| `{key.name}` | {key.kind.words} | {key.sets} | {key.why} |".replace("|  |", "| |")
            for key in keys
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"

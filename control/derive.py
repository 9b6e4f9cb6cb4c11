"""A profile made from the machine it runs on: what is set now, as a file to edit."""

from __future__ import annotations

import json
from collections.abc import Iterable

from control.facts import Facts, Nic
from control.match import Verdict

MEMORY = "/sys/kernel/mm"
CARD_KEYS = {
    "mtu": "mtu", "promiscuous": "promiscuous", "ring_rx": "rings.rx", "ring_tx": "rings.tx",
}  # fmt: skip
COALESCE = ("rx_usecs", "rx_frames", "tx_usecs", "tx_frames", "adaptive_rx", "adaptive_tx")
OFFLOADS = ("rx-gro", "rx-lro", "rx-ntuple-filter", "tx-tcp-segmentation")


def render(facts: Facts, verdicts: Iterable[Verdict]) -> str:
    """Return YAML text that ``plan`` finds nothing to do for on this machine."""
    name = f"{facts.product or 'this machine'}, {facts.cpu_model or 'unknown processor'}"
    bases = [verdict.profile.name for verdict in verdicts if verdict.fits]
    lines = [
        f"description: {json.dumps(name)}",
        f"# Shipped profiles that fit: {', '.join(bases) or 'none'}. To take their values over:",
        f"# extends: [{', '.join(bases)}]",
        "",
        *memory(facts),
        "clock:",
        f"  source: {clock(facts)}",
    ]
    cards = [nic for nic in facts.nics if nic.pci]
    if cards:
        lines += ["", "nics:"]
        for index, nic in enumerate(cards):
            lines += card(facts, f"card_{index}", nic)
    return "\n".join(lines) + "\n"


def memory(facts: Facts) -> list[str]:
    """Return the section about memory."""
    lines = ["memory:"]
    pages = {facts.values.get(pool(node), "0") for node in facts.nodes}
    if len(pages) == 1:
        lines.append(f"  huge_2m: {pages.pop()}")
    enabled = facts.values.get(f"file:{MEMORY}/transparent_hugepage/enabled")
    if enabled:
        lines.append(f"  transparent_huge: {enabled}")
    balancing = facts.values.get("file:/proc/sys/kernel/numa_balancing")
    if balancing in ("0", "1"):
        lines.append(f"  numa_balancing: {'on' if balancing == '1' else 'off'}")
    return [*lines, ""]


def pool(node: int) -> str:
    """Return the target of a node's pages of 2 MiB."""
    folder = f"/sys/devices/system/node/node{node}/hugepages"
    return f"file:{folder}/hugepages-2048kB/nr_hugepages"


def clock(facts: Facts) -> str:
    """Return the clock source in use."""
    folder = "/sys/devices/system/clocksource/clocksource0"
    return facts.values.get(f"file:{folder}/current_clocksource", "tsc")


def card(facts: Facts, name: str, nic: Nic) -> list[str]:
    """Return the section about one card."""

    def value(item: str) -> str | None:
        return facts.values.get(f"nic:{nic.name}:{item}")

    lines = [f"  {name}:  # {nic.name}, {nic.ids}, {nic.driver}", f'    pci: "{nic.pci}"']
    for key, item in CARD_KEYS.items():
        if value(item) is not None:
            lines.append(f"    {key}: {value(item)}")
    for group, item_group, names in (
        ("coalesce", "coalesce", COALESCE), ("offloads", "offload", OFFLOADS),
    ):  # fmt: skip
        found = [(item, value(f"{item_group}.{item}")) for item in names]
        if any(text is not None for _, text in found):
            lines.append(f"    {group}:")
            lines += [f"      {item}: {text}" for item, text in found if text is not None]
    return lines

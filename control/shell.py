"""A plan as plain commands: for reading, for a review, or for a machine without tickplane."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from control.collect_pci import PCI
from control.plan import Plan
from control.setting import Finding
from control.steering import SEPARATOR
from control.target import split

# setpci names registers of the PCI Express capability; value and mask are of the word.
SETPCI = {
    "max_read_request_bytes": ("CAP_EXP+8.w", 12, 7),
    "max_payload_bytes": ("CAP_EXP+8.w", 5, 7),
    "relaxed_ordering": ("CAP_EXP+8.w", 4, 1),
    "aspm": ("CAP_EXP+10.w", 0, 3),
}
CODES = {"off": 0, "on": 1, "l0s": 1, "l1": 2, "l0s_l1": 3} | {
    str(128 << code): code for code in range(6)
}


def render(found: Plan) -> str:
    """Return a shell script that does what apply would do; it keeps no record to undo it."""
    head = [
        "#!/bin/sh",
        f"# What `tickplane apply {found.profile.name}` would write here. Nothing is recorded,",
        "# so it cannot be rolled back, and nothing is read again.",
        "set -eu",
    ]
    lines = [line for step in found.steps for line in ("", *commands(step))]
    return "\n".join(head + lines) + "\n"


def commands(step: Finding) -> Iterator[str]:
    """Return the commands of one step below its reason."""
    setting = step.setting
    yield f"# {setting.key} ({setting.where}): {setting.why or 'no reason given'}"
    kind, name, item = split(setting.target)
    value = shlex.quote(setting.wanted)
    if kind == "file":
        yield f"echo {value} > {shlex.quote(name)}"
    elif kind == "text":
        yield f"cat > {shlex.quote(name)} <<'END'"
        yield setting.wanted
        yield "END"
    elif kind == "unit":
        yield f"systemctl {'start' if setting.wanted == 'on' else 'stop'} {name}"
    elif kind == "nic":
        yield card(shlex.quote(name), item, value)
    elif item == "driver":
        yield from driver(name, setting.wanted)
    else:
        register, shift, mask = SETPCI[item]
        bits = CODES[setting.wanted] << shift
        yield f"setpci -s {name} {register}={bits:04x}:{mask << shift:04x}"


def card(name: str, item: str, value: str) -> str:
    """Return the command for one value of a network card."""
    group, _, what = item.partition(".")
    match group:
        case "mtu":
            return f"ip link set dev {name} mtu {value}"
        case "up":
            return f"ip link set dev {name} {'up' if value == 'on' else 'down'}"
        case "promiscuous":
            return f"ip link set dev {name} promisc {value}"
        case "coalesce":
            return f"ethtool -C {name} {what.replace('_', '-')} {value}"
        case "pause":
            return f"ethtool -A {name} {what.replace('auto', 'autoneg')} {value}"
        case "rss":
            return f"ethtool -X {name} equal {value.strip(chr(39)).removeprefix('even ')}"
        case "rules":
            return "\n".join(rule(name, one) for one in rules_of(value))
        case "private":
            return f"ethtool --set-priv-flags {name} {shlex.quote(what)} {value}"
    letter = {"channels": "-L", "rings": "-G", "offload": "-K"}[group]
    return f"ethtool {letter} {name} {what} {value}"


def rules_of(value: str) -> list[str]:
    """Return each rule of a quoted value."""
    return shlex.split(value)[0].split(SEPARATOR)


def rule(name: str, text: str) -> str:
    """Return the command for one flow rule."""
    protocol, way, address, _, queue = text.split()
    host, _, port = address.partition(":")
    end = "dst" if way == "to" else "src"
    return (f"ethtool -N {name} flow-type {protocol}4 {end}-ip {host} {end}-port {port} "
            f"action {queue}")  # fmt: skip


def driver(address: str, wanted: str) -> Iterator[str]:
    """Return the commands that give a device another driver."""
    folder = f"{PCI}/{address}"
    override = "" if wanted == "kernel" else wanted
    yield f"echo {shlex.quote(override)} > {folder}/driver_override"
    yield f"[ ! -e {folder}/driver ] || echo {address} > {folder}/driver/unbind"
    yield f"echo {address} > /sys/bus/pci/drivers_probe"

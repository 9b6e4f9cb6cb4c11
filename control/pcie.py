"""The PCI Express capability of a device, in its configuration space.

Layout: PCI Express Base Specification, "PCI Express Capability Structure": Device Control at 8,
Link Control at 16. Without root the kernel shows the first 64 bytes only, and there is nothing
to say.
"""

from __future__ import annotations

import struct

CAPABILITY_POINTER, CAPABILITY_EXPRESS = 0x34, 0x10
DEVICE_CONTROL, LINK_CONTROL = 8, 16
RELAXED_ORDERING = 1 << 4
ASPM = {0: "off", 1: "l0s", 2: "l1", 3: "l0s_l1"}
SIZES = tuple(128 << code for code in range(6))  # payloads and read requests, in bytes


def values(config: bytes) -> dict[str, str]:
    """Return what can be set, by name; empty when the device has no such capability."""
    base = capability(config)
    if not base:
        return {}
    control, link = (
        struct.unpack_from("<H", config, base + at)[0] for at in (DEVICE_CONTROL, LINK_CONTROL)
    )
    return {
        "max_payload_bytes": str(SIZES[min(control >> 5 & 7, 5)]),
        "max_read_request_bytes": str(SIZES[min(control >> 12 & 7, 5)]),
        "relaxed_ordering": "on" if control & RELAXED_ORDERING else "off",
        "aspm": ASPM[link & 3],
    }


def changed(config: bytes, name: str, value: str) -> tuple[int, bytes]:
    """Return where in the configuration space which bytes put that value; ValueError if none."""
    base = capability(config)
    if not base:
        raise ValueError("no PCI Express capability can be read")
    at = base + (LINK_CONTROL if name == "aspm" else DEVICE_CONTROL)
    (word,) = struct.unpack_from("<H", config, at)
    if name == "aspm":
        word = word & ~3 | next(code for code, text in ASPM.items() if text == value)
    elif name == "relaxed_ordering":
        word = word | RELAXED_ORDERING if value == "on" else word & ~RELAXED_ORDERING
    else:
        shift = 5 if name == "max_payload_bytes" else 12
        word = word & ~(7 << shift) | SIZES.index(int(value)) << shift
    return at, struct.pack("<H", word)


def capability(config: bytes) -> int:
    """Return where the capability begins; 0 for none."""
    at = config[CAPABILITY_POINTER] if len(config) > 64 else 0
    seen: set[int] = set()
    while at and at + LINK_CONTROL + 2 <= len(config) and at not in seen:
        seen.add(at)
        if config[at] == CAPABILITY_EXPRESS:
            return at
        at = config[at + 1] & 0xFC
    return 0

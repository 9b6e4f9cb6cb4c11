"""What a network card's driver lets us see and set, as text by name: ``channels.rx`` is ``4``.

Channels, rings, coalescing and offloads go through pyroute2; flow control, steering, private flags,
driver and firmware, which it does not cover, through the same ioctl here. A driver that does not
support something has no value of that name. Nothing is believed because a call succeeded: who
writes, reads again.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import socket
import struct
from collections.abc import Iterator
from typing import Any

from pyroute2 import Ethtool
from pyroute2.ethtool.ioctl import EthtoolError
from pyroute2.netlink.exceptions import NetlinkError

from control import steering

SIOCETHTOOL = 0x8946
GET_DRIVER, GET_PAUSE, SET_PAUSE = 0x3, 0x12, 0x13
GET_STRINGS, GET_PRIVATE, SET_PRIVATE, GET_SET_INFO, GET_STAMPING = 0x1B, 0x27, 0x28, 0x37, 0x41
GET_STATISTICS = 0x1D
STRINGS_STATISTICS, STRINGS_PRIVATE = 1, 2
STAMP_TX_HARDWARE, STAMP_RX_HARDWARE = 1 << 0, 1 << 2

CHANNELS = {"rx": "rx_count", "tx": "tx_count", "combined": "combined_count"}
CHANNELS_MAX = {"rx": "max_rx", "tx": "max_tx", "combined": "max_combined"}
COALESCE = {
    "rx_usecs": "rx_coalesce_usecs",
    "rx_frames": "rx_max_coalesced_frames",
    "tx_usecs": "tx_coalesce_usecs",
    "tx_frames": "tx_max_coalesced_frames",
    "adaptive_rx": "use_adaptive_rx_coalesce",
    "adaptive_tx": "use_adaptive_tx_coalesce",
}
SWITCHES = ("adaptive_rx", "adaptive_tx")


def word(on: int) -> str:
    """Return a switch as it is written."""
    return "on" if on else "off"


class Card:
    """One interface's driver. Reading gives what there is; writing raises OSError."""

    def __init__(self, name: str, library: Ethtool) -> None:
        self.name = name
        self._library = library

    # ---- reading ----

    def values(self) -> dict[str, str]:
        """Return everything that could be set, by name."""
        found: dict[str, str] = {}
        for read in (self._channels, self._rings, self._coalesce, self._offloads):
            with contextlib.suppress(EthtoolError, NetlinkError, OSError):
                found |= read()
        with contextlib.suppress(OSError):
            _, auto, rx, tx = struct.unpack_from("4I", self._call(GET_PAUSE, 12))
            found |= {"pause.auto": word(auto), "pause.rx": word(rx), "pause.tx": word(tx)}
        with contextlib.suppress(OSError):
            found |= {"rss": table} if (table := steering.read_table(self._call)) else {}
        with contextlib.suppress(OSError):
            found["rules"] = steering.canonical([*steering.read_rules(self._call).values()])
        flags, names = self._private()
        found |= {f"private.{flag}": word(flags >> bit & 1) for bit, flag in enumerate(names)}
        return found

    def driver(self) -> dict[str, str]:
        """Return driver, its version, firmware and bus address; empty for none."""
        try:
            data = self._call(GET_DRIVER, 192)
        except OSError:
            return {}
        names = ("driver", "version", "firmware", "bus")
        texts = [data[4 + 32 * index : 36 + 32 * index] for index in range(4)]
        return {
            name: text.split(b"\0")[0].decode(errors="replace")
            for name, text in zip(names, texts, strict=True)
        }

    def stamping(self) -> tuple[bool, int]:
        """Return whether the card stamps packets both ways, and its clock's index or -1."""
        try:
            data = self._call(GET_STAMPING, 40)
        except OSError:
            return False, -1
        _, kinds, clock = struct.unpack_from("IIi", data)
        wanted = STAMP_TX_HARDWARE | STAMP_RX_HARDWARE
        return kinds & wanted == wanted, clock

    def _channels(self) -> dict[str, str]:
        channels = self._library.get_channels(self.name)
        return {
            f"channels.{name}": str(getattr(channels, CHANNELS[name]))
            for name, limit in CHANNELS_MAX.items()
            if getattr(channels, limit)
        }

    def channels_max(self) -> dict[str, int]:
        """Return the largest count of each kind of channel."""
        try:
            channels = self._library.get_channels(self.name)
        except (EthtoolError, NetlinkError, OSError):
            return {}
        return {name: getattr(channels, limit) for name, limit in CHANNELS_MAX.items()}

    def _rings(self) -> dict[str, str]:
        rings = self._library.get_rings(self.name)
        return {
            f"rings.{name}": str(getattr(rings, name))
            for name in ("rx", "tx")
            if getattr(rings, f"{name}_max")
        }

    def _coalesce(self) -> dict[str, str]:
        values = self._library.get_coalesce(self.name)
        return {
            f"coalesce.{name}": word(values[key]) if name in SWITCHES else str(values[key])
            for name, key in COALESCE.items()
        }

    def _offloads(self) -> dict[str, str]:
        features = self._library.get_features(self.name).features
        return {
            f"offload.{name}": word(feature.enable)
            for name, feature in features.items()
            if name and feature.available
        }

    def statistics(self) -> dict[str, int]:
        """Return what the driver counts, by its own names."""
        try:
            names = self._names(STRINGS_STATISTICS)
            head = struct.pack("I", len(names))
            data = self._call(GET_STATISTICS, 4 + 8 * len(names), head)
        except OSError:
            return {}
        return dict(zip(names, struct.unpack_from(f"={len(names)}Q", data, 8), strict=True))

    def _private(self) -> tuple[int, list[str]]:
        try:
            names = self._names(STRINGS_PRIVATE)
            _, flags = struct.unpack_from("II", self._call(GET_PRIVATE, 4)) if names else (0, 0)
        except OSError:
            return 0, []
        return flags, names

    def _names(self, kind: int) -> list[str]:
        """Return a list of names that the driver has."""
        info = self._call(GET_SET_INFO, 16, struct.pack("=IQI", 0, 1 << kind, 0))
        mask, count = struct.unpack_from("=QI", info, 8)
        if not mask or not count:
            return []
        strings = self._call(GET_STRINGS, 8 + 32 * count, struct.pack("II", kind, count))[12:]
        names = [strings[32 * index : 32 * index + 32] for index in range(count)]
        return [name.split(b"\0")[0].decode(errors="replace") for name in names]

    # ---- writing ----

    def write(self, name: str, value: str) -> None:
        """Ask the driver for a value; OSError when it refuses."""
        group, _, item = name.partition(".")
        try:
            writer = {
                "channels": self._write_channel, "rings": self._write_ring,
                "coalesce": self._write_coalesce, "offload": self._write_offload,
                "pause": self._write_pause, "private": self._write_private,
                "rss": self._write_table, "rules": self._write_rules,
            }[group]  # fmt: skip
            writer(item, value)
        except (EthtoolError, NetlinkError) as error:
            code = getattr(error, "code", errno.EOPNOTSUPP)
            raise OSError(code, f"{name}: the driver refuses {value}") from None

    def _write_channel(self, item: str, value: str) -> None:
        self._library.set_channels(self.name, {CHANNELS[item]: int(value)})

    def _write_ring(self, item: str, value: str) -> None:
        self._library.set_rings(self.name, **{item: int(value)})

    def _write_coalesce(self, item: str, value: str) -> None:
        number = int(value == "on") if item in SWITCHES else int(value)
        self._library.set_coalesce(self.name, {COALESCE[item]: number})

    def _write_offload(self, item: str, value: str) -> None:
        features = self._library.get_features(self.name)
        features.features[item].enable = value == "on"
        self._library.set_features(self.name, features)

    def _write_pause(self, item: str, value: str) -> None:
        fields = list(struct.unpack_from("4I", self._call(GET_PAUSE, 12)))
        fields[1 + ("auto", "rx", "tx").index(item)] = value == "on"
        self._call(SET_PAUSE, 12, struct.pack("3I", *fields[1:]))

    def _write_private(self, item: str, value: str) -> None:
        flags, names = self._private()
        bit = 1 << names.index(item)
        flags = flags | bit if value == "on" else flags & ~bit
        self._call(SET_PRIVATE, 4, struct.pack("I", flags))

    def _write_table(self, _item: str, value: str) -> None:
        steering.write_table(self._call, value)

    def _write_rules(self, _item: str, value: str) -> None:
        steering.write_rules(self._call, value)

    def _call(self, command: int, size: int, payload: bytes = b"") -> bytes:
        """Do one ioctl whose struct is a command and ``size`` further bytes."""
        data = ctypes.create_string_buffer(struct.pack("I", command) + payload, 4 + size + 8)
        request = struct.pack("16sP16x", self.name.encode(), ctypes.addressof(data))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            fcntl.ioctl(asking, SIOCETHTOOL, request)
        return data.raw


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    """Give the library's object, closed afterwards."""
    library = Ethtool()
    try:
        yield library
    finally:
        library.close()

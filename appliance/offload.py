"""Transmit checksum offload off: ``python -m appliance.offload INTERFACE``, on the host itself.

On a virtual wire there is no card to fill checksums in, and who reads raw frames at the other end
(xdp, dpdk) would see half of one. Needs CAP_NET_ADMIN.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17


def checksum_in_software(interface: str) -> None:
    """Make the kernel fill the checksums of an interface in."""
    value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCETHTOOL, request)


if __name__ == "__main__":
    checksum_in_software(sys.argv[1])

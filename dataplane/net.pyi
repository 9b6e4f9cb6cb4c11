from typing import TypedDict

RESULTS: tuple[str, ...]

class Packet(TypedDict):
    payload: bytes
    source_ip: int
    target_ip: int
    source_port: int
    target_port: int
    protocol: int
    tcp_flags: int
    vlan: int
    tcp_seq: int
    tcp_ack: int

def parse(frame: bytes, check_checksums: bool = True) -> Packet | str: ...
def build_udp(
    source: tuple[bytes, int, int],
    target: tuple[bytes, int, int],
    payload: bytes,
    ip_id: int = 0,
) -> bytes: ...
def build_tcp(
    source: tuple[bytes, int, int],
    target: tuple[bytes, int, int],
    payload: bytes,
    seq: int = 0,
    ack: int = 0,
    ip_id: int = 0,
) -> bytes: ...

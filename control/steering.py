"""Which queue of a card gets a frame: by hash (RSS), or by a rule for one flow (ntuple).

As text: the table of the hash is ``even 4`` (over the first four queues) or every entry; a rule is
``udp to 239.1.1.1:9101 queue 1``, a card's rules are one text in the order of that text. A rule
that somebody else made and this language has no words for is ``raw`` and its bytes, so that it can
be given back. linux/ethtool.h: struct ethtool_rxfh_indir, struct ethtool_rxnfc.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import struct
from collections.abc import Callable

GET_TABLE, SET_TABLE = 0x38, 0x39
COUNT_RULES, GET_RULE, GET_ALL_RULES, DELETE_RULE, INSERT_RULE = 0x2E, 0x2F, 0x30, 0x31, 0x32
KINDS = {"tcp": 1, "udp": 2}  # TCP_V4_FLOW, UDP_V4_FLOW
LOCATION_SPECIAL, LOCATION_ANY = 0x80000000, 0xFFFFFFFF
NO_RULES, SEPARATOR = "none", "; "
BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
PORT = r"6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3}"
RULE = re.compile(
    rf"(tcp|udp) (to|from) ({BYTE}(?:\.{BYTE}){{3}}):({PORT}) queue (0|[1-9]\d{{0,2}})"
)
RULES_MAX = 1024

# struct ethtool_rxnfc behind its command: flow type, data, rule, count.
HEAD, SPEC, COUNT_AT, SIZE = struct.Struct("=IQ"), 12, 180, 188
# struct ethtool_rx_flow_spec: type, header and its extension, masks of both, queue, location.
FLOW = struct.Struct("=I52s20s52s20s4xQI4x")
TUPLE = struct.Struct("!4s4sHH")  # from, to, port from, port to

Call = Callable[[int, int, bytes], bytes]  # command, bytes behind it, payload


def read_table(call: Call) -> str | None:
    """Return the table of the hash; None when the card has none."""
    (size,) = struct.unpack_from("I", call(GET_TABLE, 4, b""), 4)
    if size == 0:
        return None
    data = call(GET_TABLE, 4 + 4 * size, struct.pack("I", size))
    return render_table(struct.unpack_from(f"{size}I", data, 8))


def render_table(table: tuple[int, ...]) -> str:
    """Return a table as text."""
    queues = max(table) + 1
    if table == even(queues, len(table)):
        return f"even {queues}"
    return " ".join(map(str, table))


def even(queues: int, size: int) -> tuple[int, ...]:
    """Return the table that takes each queue in turn."""
    return tuple(index % queues for index in range(size))


def write_table(call: Call, text: str) -> None:
    """Give the card another table."""
    (size,) = struct.unpack_from("I", call(GET_TABLE, 4, b""), 4)
    words = text.split()
    table = even(int(words[1]), size) if words[0] == "even" else tuple(map(int, words))
    if size == 0 or len(table) != size:
        raise OSError(errno.EINVAL, f"the card's table has {size} entries")
    call(SET_TABLE, 4 + 4 * size, struct.pack(f"I{size}I", size, *table))


# ---- rules ----


def canonical(rules: list[str]) -> str:
    """Return the rules of a card as one text."""
    return SEPARATOR.join(sorted(rules)) or NO_RULES


def pack_rule(text: str, location: int) -> bytes:
    """Return a rule as the kernel takes it."""
    if text.startswith("raw "):
        return bytes.fromhex(text[4:])
    found = RULE.fullmatch(text)
    if found is None:
        raise OSError(errno.EINVAL, f"{text!r} is no rule")
    protocol, way, host, port, queue = found.groups()
    ip, number = ipaddress.IPv4Address(host).packed, int(port)
    none, all_ones = bytes(4), b"\xff" * 4
    if way == "to":
        header, mask = (none, ip, 0, number), (none, all_ones, 0, 0xFFFF)
    else:
        header, mask = (ip, none, number, 0), (all_ones, none, 0xFFFF, 0)
    return FLOW.pack(KINDS[protocol], TUPLE.pack(*header), b"", TUPLE.pack(*mask), b"",
                     int(queue), location)  # fmt: skip


def render_rule(data: bytes) -> str:
    """Return a rule of the kernel as text."""
    kind, header, _, _, _, queue, location = FLOW.unpack(data)
    source, to, port_from, port_to = TUPLE.unpack_from(header)
    for protocol in KINDS:
        for way, host, port in (("to", to, port_to), ("from", source, port_from)):
            text = f"{protocol} {way} {ipaddress.IPv4Address(host)}:{port} queue {queue}"
            is_ours = KINDS[protocol] == kind and RULE.fullmatch(text)
            if is_ours and pack_rule(text, location) == data:
                return text
    return f"raw {data.hex()}"


def locations(call: Call) -> tuple[list[int], bool]:
    """Return where rules are, and whether the driver chooses a place by itself."""
    data = call(COUNT_RULES, SIZE, b"")
    _, flags = HEAD.unpack_from(data, 4)
    (count,) = struct.unpack_from("I", data, 4 + COUNT_AT)
    count = min(count, RULES_MAX)
    asked = bytearray(SIZE + 4 * count)
    struct.pack_into("I", asked, COUNT_AT, count)
    data = call(GET_ALL_RULES, len(asked), bytes(asked))
    (count,) = struct.unpack_from("I", data, 4 + COUNT_AT)
    places = struct.unpack_from(f"{count}I", data, 4 + COUNT_AT + 4)
    return list(places), bool(flags & LOCATION_SPECIAL)


def request(rule: bytes) -> bytes:
    """Return what is behind the command, with one rule."""
    data = bytearray(SIZE)
    data[SPEC : SPEC + FLOW.size] = rule
    return bytes(data)


def at(location: int) -> bytes:
    """Return a rule that only says where it is."""
    return FLOW.pack(0, b"", b"", b"", b"", 0, location)


def read_rules(call: Call) -> dict[int, str]:
    """Return a card's rules by location."""
    found = {}
    for place in locations(call)[0]:
        data = call(GET_RULE, SIZE, request(at(place)))
        found[place] = render_rule(data[4 + SPEC : 4 + SPEC + FLOW.size])
    return found


def write_rules(call: Call, text: str) -> None:
    """Have the card keep these rules and no other; those it has already stay where they are."""
    wanted = [] if text == NO_RULES else text.split(SEPARATOR)
    there = read_rules(call)
    for place, rule in there.items():
        if rule in wanted:
            wanted.remove(rule)
        else:
            call(DELETE_RULE, SIZE, request(at(place)))
    used, chooses = locations(call)
    for rule in wanted:
        place = LOCATION_ANY if chooses else next(n for n in range(RULES_MAX) if n not in used)
        call(INSERT_RULE, SIZE, request(pack_rule(rule, place)))
        used.append(place)

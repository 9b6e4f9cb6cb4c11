"""A reliable RDMA connection (RC) between two hosts, and a ring of records over it.

Both ends open a device, tell each other over TCP where their queue pair and memory are, and
connect. Then the sender writes records into the receiver's memory, whose processor takes no part in
it; the receiver writes back how many it has taken.
"""

from __future__ import annotations

import json
import secrets
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from control.errors import ControlError
from control.rdma import best_gid, gids, open_device
from control.rdma_ring import Reader, Ring, Writer
from control.rdma_verbs import load, reason

COUNT = struct.Struct(">Q")
SENDS = 64  # work requests under way
LINE_MAX = 4096
MTU_BYTES = 1024  # the least that soft-RoCE on Ethernet has


@dataclass(frozen=True)
class End:
    """What the other end must know of one."""

    gid: str
    qp: int
    psn: int
    address: int
    key: int
    slots: int
    payload_bytes: int


class Connection:
    """One end: queue pair, and memory of which the first part is written by the other end.

    ``inbound`` bytes are for the other end to write, ``outbound`` behind them to write from.
    """

    def __init__(self, device: str, inbound: int, outbound: int, gid_index: int = -1) -> None:
        enums = load("enums")
        self.context = open_device(device)
        chosen = best_gid(tuple(g for g in gids(device) if gid_index in (-1, g.index)))
        if chosen is None:
            raise ControlError(f"rdma {device}: no address in use; give its interface one")
        self.gid, self.inbound, self.outbound = chosen, inbound, outbound
        self.psn = secrets.randbits(24)
        self.posted = self.done = 0
        try:
            self.pd = load("pd").PD(self.context)
            access = enums.IBV_ACCESS_LOCAL_WRITE | enums.IBV_ACCESS_REMOTE_WRITE
            self.mr = load("mr").MR(self.pd, inbound + outbound, access)
            self.cq = load("cq").CQ(self.context, SENDS)
            capacity = load("qp").QPCap(max_send_wr=SENDS, max_recv_wr=1)
            wanted = load("qp").QPInitAttr(
                qp_type=enums.IBV_QPT_RC, scq=self.cq, rcq=self.cq, cap=capacity, sq_sig_all=1
            )
            self.qp = load("qp").QP(self.pd, wanted)
        except load("pyverbs_error").PyverbsError as error:
            raise ControlError(f"rdma {device}: {reason(error)}") from None
        self.mr.write(bytes(inbound), inbound, 0)

    def describe(self, ring: Ring) -> End:
        """Return what the other end must know."""
        return End(self.gid.gid, self.qp.qp_num, self.psn, self.mr.buf, self.mr.rkey,
                   ring.slots, ring.payload_bytes)  # fmt: skip

    def connect(self, other: End) -> None:
        """Bring the queue pair to where it sends and is written to."""
        enums, addr = load("enums"), load("addr")
        self.other = other
        attributes = load("qp").QPAttr(port_num=1)
        attributes.qp_access_flags = enums.IBV_ACCESS_LOCAL_WRITE | enums.IBV_ACCESS_REMOTE_WRITE
        attributes.dest_qp_num, attributes.path_mtu = other.qp, enums.IBV_MTU_1024
        attributes.rq_psn, attributes.sq_psn = other.psn, self.psn
        attributes.max_dest_rd_atomic = attributes.max_rd_atomic = 1
        attributes.min_rnr_timer, attributes.timeout = 12, 14
        attributes.retry_cnt = attributes.rnr_retry = 7
        route = addr.GlobalRoute(dgid=addr.GID(other.gid), sgid_index=self.gid.index, hop_limit=64)
        attributes.ah_attr = addr.AHAttr(port_num=1, is_global=1, gr=route)
        try:
            self.qp.to_rts(attributes)
        except load("pyverbs_error").PyverbsError as error:
            raise ControlError(f"rdma: connecting to {other.gid}: {reason(error)}") from None

    def write(self, at: int, data: bytes, to: int) -> None:
        """Write bytes, put at ``at`` of what is outbound, to that place of the other's memory."""
        enums, wr = load("enums"), load("wr")
        self.reap(SENDS - 1)
        self.mr.write(data, len(data), self.inbound + at)
        entry = wr.SGE(self.mr.buf + self.inbound + at, len(data), self.mr.lkey)
        request = wr.SendWR(opcode=enums.IBV_WR_RDMA_WRITE, num_sge=1, sg=[entry])
        request.set_wr_rdma(self.other.key, self.other.address + to)
        self.qp.post_send(request)
        self.posted += 1

    def reap(self, under_way_max: int) -> None:
        """Take completions until so few writes are under way; ControlError when one failed."""
        while True:
            count, completions = self.cq.poll(SENDS)
            for completion in completions[:count]:
                if completion.status != load("enums").IBV_WC_SUCCESS:
                    text = load("cq").cqe_status_to_str(completion.status)
                    raise ControlError(f"rdma: a write failed: {text}; the other end is gone")
            self.done += count
            if self.posted - self.done <= under_way_max:
                return

    def read(self, at: int, size: int) -> bytes:
        """Return bytes of what the other end has written."""
        return bytes(self.mr.read(size, at))

    def close(self) -> None:
        """Give everything back."""
        for part in (self.qp, self.mr, self.cq, self.pd, self.context):
            part.close()


# ---- both ends of a ring ----


def exchange(stream: socket.socket, own: End) -> End:
    """Tell the other end where we are, and return where it is."""
    stream.sendall(json.dumps(asdict(own)).encode() + b"\n")
    line = b""
    while not line.endswith(b"\n"):
        part = stream.recv(LINE_MAX - len(line))
        if not part:
            raise ControlError("rdma: the other end closed before it said where it is")
        line += part
    try:
        return End(**json.loads(line))
    except (ValueError, TypeError):
        raise ControlError("rdma: the other end is no ring of ours") from None


def has_ended(stream: socket.socket) -> bool:
    """Say whether the other end's process is there no more, which closes its sockets."""
    try:
        return stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def receiving(
    stream: socket.socket, device: str, ring: Ring
) -> Iterator[Callable[[], bytes | None]]:
    """Be written to: give a function that returns the next record, None while there is none."""
    connection = Connection(device, ring.bytes, COUNT.size)
    connection.connect(exchange(stream, connection.describe(ring)))
    stream.sendall(b"+")  # whoever gets this may write: we are ready
    reader, said = Reader(ring, connection.read), 0

    def pop() -> bytes | None:
        nonlocal said
        record = reader.pop()
        if reader.taken - said >= max(1, ring.slots // 4):
            connection.write(0, COUNT.pack(reader.taken), 0)
            said = reader.taken
        return record

    try:
        yield pop
    finally:
        connection.close()


@contextmanager
def sending(stream: socket.socket, device: str, ring: Ring) -> Iterator[Callable[[bytes], bool]]:
    """Write to the other end: give a function that sends a record, or returns False when full."""
    connection = Connection(device, COUNT.size, ring.bytes)
    other = exchange(stream, connection.describe(ring))
    if (other.slots, other.payload_bytes) != (ring.slots, ring.payload_bytes):
        raise ControlError(
            f"rdma: the ring there has {other.slots} slots of {other.payload_bytes} bytes, here "
            f"{ring.slots} of {ring.payload_bytes}; say the same at both ends"
        )
    connection.connect(other)
    if stream.recv(1) != b"+":
        raise ControlError("rdma: the other end closed before it was ready")
    writer = Writer(ring, lambda at, data: connection.write(at, data, at))

    def push(record: bytes) -> bool:
        (taken,) = COUNT.unpack(connection.read(0, COUNT.size))
        pushed = writer.push(record, taken)
        if not pushed and has_ended(stream):
            raise ControlError(f"rdma: the receiver is gone; {taken} records were taken")
        return pushed

    try:
        yield push
        connection.reap(0)
    finally:
        connection.close()

"""Raw Ethernet frames through an RDMA device, and rules that steer flows to them.

What a kernel bypass over verbs begins with: a queue pair of type RAW_PACKET, and a rule that hands
UDP packets to an address and port over to it. ConnectX cards have both; soft-RoCE has neither, and
the device says so.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from control.errors import ControlError
from control.rdma_verbs import load, reason

ETHERTYPE_IPV4 = 0x0800
FRAME_BYTES = 2048


class RawQueue:
    """A queue pair of raw frames with buffers to receive into; close it, or leave it to go."""

    def __init__(self, context: Any, slots: int = 64, port: int = 1) -> None:
        enums = load("enums")
        self.slots = slots
        try:
            self.pd = load("pd").PD(context)
            self.cq = load("cq").CQ(context, slots)
            capacity = load("qp").QPCap(max_send_wr=slots, max_recv_wr=slots)
            wanted = load("qp").QPInitAttr(
                qp_type=enums.IBV_QPT_RAW_PACKET, scq=self.cq, rcq=self.cq, cap=capacity
            )
            # No other end to agree with: with attributes at hand it goes to where it works.
            self.qp = load("qp").QP(self.pd, wanted, load("qp").QPAttr(port_num=port))
            self.mr = load("mr").MR(self.pd, slots * FRAME_BYTES, enums.IBV_ACCESS_LOCAL_WRITE)
            for slot in range(slots):
                self._post(slot)
        except load("pyverbs_error").PyverbsError as error:
            raise ControlError(f"rdma: raw packets: {reason(error)}") from None

    def _post(self, slot: int) -> None:
        entry = load("wr").SGE(self.mr.buf + slot * FRAME_BYTES, FRAME_BYTES, self.mr.lkey)
        self.qp.post_recv(load("wr").RecvWR(wr_id=slot, sg=[entry], num_sge=1))

    def receive(self) -> list[bytes]:
        """Return the frames that have come."""
        count, completions = self.cq.poll(self.slots)
        frames = []
        for completion in completions[:count]:
            frames.append(self.mr.read(completion.byte_len, completion.wr_id * FRAME_BYTES))
            self._post(completion.wr_id)
        return frames

    def steer_udp(self, address: str, port: int) -> Any:
        """Hand packets to that address and UDP port over to this queue as long as the rule lives.

        Return the rule. ControlError when the device has no such rules.
        """
        spec = load("spec")
        target = str(ipaddress.IPv4Address(address))
        parts = [
            spec.EthSpec(ether_type=ETHERTYPE_IPV4, ether_type_mask=0xFFFF),
            spec.Ipv4ExtSpec(dst_ip=target, dst_ip_mask="255.255.255.255"),
            spec.TcpUdpSpec(load("enums").IBV_FLOW_SPEC_UDP, dst_port=port, dst_port_mask=0xFFFF),
        ]
        attributes = load("flow").FlowAttr(num_of_specs=len(parts), port=1)
        for part in parts:
            attributes.specs.append(part)
        try:
            return load("flow").Flow(self.qp, attributes)
        except load("pyverbs_error").PyverbsError as error:
            raise ControlError(f"rdma: steering to {target}:{port}: {reason(error)}") from None

    def close(self) -> None:
        """Give everything back."""
        for part in (self.qp, self.mr, self.cq, self.pd):
            part.close()

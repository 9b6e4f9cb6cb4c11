"""One of the two servers of pair.py, in the guest: `end.py receive` and `end.py send`.

The receiver is written to; before that it proves the card backend `pci`. At the end it is killed
while the sender writes to it, who must say so.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from breakages import wait_until
from checks import check, tickplane

ROOT = Path(__file__).parents[2]
RECEIVER = "10.79.0.1"
ADDRESSES = {"receive": ("52:54:00:4c:42:01", RECEIVER), "send": ("52:54:00:4c:42:02", "10.79.0.2")}
PORT, KILLED_PORT, DONE_PORT = 5000, 5001, 5002
RING = ["--records", "5000", "--slots", "64"]
ENDLESS = ["--records", "100000000", "--slots", "64"]
TICKPLANE = [sys.executable, "-P", "-m", "appliance"]
PATIENCE = 1200.0  # until the other server has come up, on a busy machine


def main(what: str) -> None:
    """Make an RDMA device of the cable's end, and do this end's part."""
    tickplane("rdma", "list")
    make_device(*ADDRESSES[what])
    status, text = tickplane("rdma", "list", "--json")
    kinds = sorted({gid["kind"] for one in json.loads(text) for gid in one["gids"]})
    check(f"rdma: {what}: the device and its addresses are found",
          status == 0 and "RoCE v2" in kinds, ", ".join(kinds))  # fmt: skip
    {"receive": receive, "send": send}[what]()


def make_device(mac: str, ip: str) -> None:
    """Give the cable's interface an address and a soft-RoCE device."""
    net = Path("/sys/class/net")
    (interface,) = [one.name for one in net.iterdir() if (one / "address").read_text()[:-1] == mac]
    for words in (
        ["modprobe", "rdma_rxe"],
        ["ip", "addr", "add", f"{ip}/24", "dev", interface],
        ["ip", "link", "set", interface, "up"],
        ["rdma", "link", "add", "rxe0", "type", "rxe", "netdev", interface],
    ):
        subprocess.run(words, check=True)


def receive() -> None:
    """Prove the card, then be written to: once to the end, once until killed."""
    prove_card()
    _, said = tickplane("rdma", "receive", "rxe0", f"{RECEIVER}:{PORT}", *RING)
    last = (said.splitlines() or ["nothing"])[-1]
    check("rdma: receive: a ring written by the other host", last.endswith("whole and in order"),
          last)  # fmt: skip
    with socket.create_server((RECEIVER, DONE_PORT)) as done:
        receive_until_killed()
        done.settimeout(PATIENCE)
        done.accept()  # the other end has noticed


def receive_until_killed() -> None:
    """Be written to by the other host, and be killed in the middle of it."""
    before = packets()
    receiver = subprocess.Popen(
        [*TICKPLANE, "rdma", "receive", "rxe0", f"{RECEIVER}:{KILLED_PORT}", *ENDLESS]
    )
    wait_until(lambda: packets() > before + 500, PATIENCE)
    receiver.kill()
    receiver.wait()


def packets() -> int:
    """Return how many packets the device was sent."""
    return int(Path("/sys/class/infiniband/rxe0/ports/1/hw_counters/rcvd_pkts").read_text())


def prove_card() -> None:
    """Run the tests of the backend on QEMU's `edu` and on a BAR of plain memory."""
    done = subprocess.run([ROOT / "tests/lab/card.sh"], capture_output=True, text=True, check=False)
    print(done.stdout + done.stderr, flush=True)
    held = [line[5:] for line in done.stdout.splitlines() if line.startswith("ok   test_")]
    check("the card backend pci on edu and ivshmem: registers, memory, interrupt",
          done.returncode == 0 and len(held) >= 5, f"{len(held)} tests held")  # fmt: skip


def send() -> None:
    """Write to the other host, then to one that dies of it, and to one that is not there."""
    said = send_when_ready(PORT, RING, 0)
    check("rdma: send: a ring in the other host's memory", said.startswith("5000 records in"), said)
    said = send_when_ready(KILLED_PORT, ENDLESS, 1)
    check("rdma: send: the receiver killed meanwhile is one line", "gone" in said, said)
    socket.create_connection((RECEIVER, DONE_PORT)).close()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        _, said = rdma_send("rxe7", f"127.0.0.1:{nobody.getsockname()[1]}", RING)
    check("rdma: a device that is not there is one line", "no such device, known: rxe0" in said,
          said)  # fmt: skip


def send_when_ready(port: int, words: list[str], wanted: int) -> str:
    """Send as soon as the other end listens; return what was said at last."""
    end = time.monotonic() + PATIENCE
    while True:
        status, said = rdma_send("rxe0", f"{RECEIVER}:{port}", words)
        if "the receiver listens there first" not in said or time.monotonic() > end:
            return said if (status != 0) == bool(wanted) else f"status {status}: {said}"
        time.sleep(1)


def rdma_send(device: str, address: str, words: list[str]) -> tuple[int, str]:
    """Run the sender; return its status and its last line."""
    done = subprocess.run(
        [*TICKPLANE, "rdma", "send", device, address, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = (done.stdout + done.stderr).splitlines() or ["nothing"]
    return done.returncode, lines[-1]


if __name__ == "__main__":
    main(sys.argv[1])

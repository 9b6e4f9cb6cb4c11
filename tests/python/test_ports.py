"""``tickplane ports``: what it says of machines that are described to it, and of this one."""

import json

import pytest

from appliance.cli import main
from appliance.ports import Verdict, judge, render


def kind(name, *, built=True, problem=""):
    return {
        "name": name,
        "words": "what it is",
        "library": "libx",
        "is_built": built,
        "problem": problem,
    }


@pytest.fixture
def sys(tmp_path):
    pool = tmp_path / "kernel/mm/hugepages/hugepages-2048kB"
    pool.mkdir(parents=True)
    (pool / "free_hugepages").write_text("512\n")
    (tmp_path / "class/net").mkdir(parents=True)
    return tmp_path


def bind_card(sys, address, pci_class):
    device = sys / "bus/pci/drivers/vfio-pci" / address
    device.mkdir(parents=True)
    (device / "class").write_text(f"{pci_class}\n")


def test_a_port_that_was_not_built_names_its_library(sys):
    assert judge(kind("xdp", built=False), sys) == Verdict(
        "xdp", "what it is", False, "not in this build; install libx and build again", []
    )


def test_a_port_that_the_kernel_refuses_says_its_words(sys):
    refused = judge(kind("uring", problem="uring port: no io_uring: x"), sys)
    assert (refused.usable, refused.reason) == (False, "uring port: no io_uring: x")


def test_dpdk_finds_network_cards_only(sys):
    bind_card(sys, "0000:3b:00.0", "0x020000")
    bind_card(sys, "0000:5e:00.0", "0x010802")
    verdict = judge(kind("dpdk"), sys)
    assert verdict.devices == ["0000:3b:00.0"]
    assert verdict.reason == "1024 MiB of huge pages are free"


def test_dpdk_without_a_card_has_virtual_devices(sys):
    verdict = judge(kind("dpdk"), sys)
    assert verdict.usable
    assert verdict.reason == (
        "virtual devices only: no card is bound to vfio-pci; 1024 MiB of huge pages are free"
    )


def test_xdp_lists_interfaces(sys):
    queues = sys / "class/net/eth0/queues"
    for name in ("rx-0", "rx-1", "tx-0"):
        (queues / name).mkdir(parents=True)
    (sys / "class/net/eth0/operstate").write_text("up\n")
    assert judge(kind("xdp"), sys).devices == ["eth0 (virtual, up, 2 receive queues)"]


def test_the_picture():
    verdicts = [
        Verdict("xdp", "a queue", True, "works", ["eth0 (x, up, 1 receive queues)"]),
        Verdict("uring", "UDP", False, "no io_uring", []),
    ]
    one = {
        "appliance": "live-47", "is_up": True, "rx_packets": 1200, "rx_failed": 1, "tx_packets": 7,
        "tx_failed": 0, "tx_refused": 2, "buffers_used": 64,
    }  # fmt: skip
    verdicts[0] = verdicts[0]._replace(in_use=(one,))
    assert render(verdicts) == (
        "ports of this machine, best first:\n"
        "  xdp    yes  a queue: works\n"
        "              eth0 (x, up, 1 receive queues)\n"
        "              live-47:      1,200 received, 7 sent; lost 1 in, 0 out; refused 2; "
        "64 buffers out; link up\n"
        "  uring  no   UDP: no io_uring"
    )


def test_this_machine_has_at_least_the_ports_in_memory(capsys):
    assert main(["ports", "--json"]) == 0
    verdicts = {verdict["name"]: verdict for verdict in json.loads(capsys.readouterr().out)}
    assert list(verdicts) == ["dpdk", "xdp", "uring", "pcap", "loop"]
    assert verdicts["pcap"]["usable"] and verdicts["loop"]["usable"]
    assert all(verdict["reason"] for verdict in verdicts.values())

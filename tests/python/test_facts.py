"""Facts of a machine: from a tree of files, from this one, and to JSON and back."""

from __future__ import annotations

import json
import subprocess

import pytest
from machine import VETH, in_namespace, make_tree

from control import facts, pcie, target
from control.collect import collect
from control.collect_nic import queue_of
from control.collect_values import can_be_written, canonical, parameters, parse_units
from control.errors import ControlError
from control.host import Host

NODE = "/sys/devices/system/node"
CPU = "/sys/devices/system/cpu"
PCI = "/sys/bus/pci/devices/0000:3b:00.0"
TREE = {
    "/proc/cpuinfo": "processor : 0\nvendor_id : AuthenticAMD\nmodel name : AMD EPYC 9575F\n"
    "flags : fpu constant_tsc nonstop_tsc pdpe1gb\n\nprocessor : 1\n",
    "/proc/cmdline": 'quiet isolcpus=managed_irq,domain,2-3 note="two words" nohz_full=2-3',
    "/proc/interrupts": " CPU0\n 40: 1 PCI-MSI eth0-TxRx-1\n 39: 1 PCI-MSI eth0-TxRx-0\n"
    " 41: 9 PCI-MSI eth0\n 42: 9 PCI-MSI eth01-TxRx-0\nLOC: 7 Local timer interrupts",
    "/proc/irq/39/smp_affinity_list": "0-3",
    "/proc/irq/default_smp_affinity": "00000000,0000000f",
    "/proc/sys/kernel/osrelease": "6.12.1",
    "/proc/sys/vm/swappiness": "60",
    "/proc/7/comm": "chronyd",
    f"{CPU}/present": "0-3",
    f"{CPU}/cpu0/topology/thread_siblings_list": "0,2",
    f"{CPU}/cpu2/topology/thread_siblings_list": "0,2",
    f"{CPU}/cpu1/topology/physical_package_id": "1",
    f"{NODE}/node0/cpulist": "0,2",
    f"{NODE}/node0/meminfo": "Node 0 MemTotal:       1024 kB\nNode 0 MemFree: 1 kB",
    f"{NODE}/node1/cpulist": "1,3",
    f"{NODE}/node1/hugepages/hugepages-2048kB/nr_hugepages": "8",
    f"{NODE}/has_cpu": "0-1",
    "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "/sys/devices/virtual/workqueue/cpumask": "0f",
    "/sys/class/dmi/id/product_name": "PowerEdge R7725",
    "/sys/class/net/eth0/type": "1",
    "/sys/class/net/eth0/mtu": "1500",
    "/sys/class/net/eth0/flags": "0x1103",
    "/sys/class/net/eth0/carrier": "1",
    "/sys/class/net/eth0/speed": "25000",
    "/sys/class/net/eth0/queues/rx-0/rps_cpus": "0",
    "/sys/class/net/eth0/queues/rx-1/rps_cpus": "00000000,00000003",
    "/sys/class/net/eth0/queues/tx-0/xps_cpus": "0",
    "/sys/class/net/eth0/device": "->../../../bus/pci/devices/0000:3b:00.0",
    "/sys/class/net/lo/type": "772",
    f"{PCI}/vendor": "0x15b3",
    f"{PCI}/device": "0x101d",
    f"{PCI}/class": "0x020000",
    f"{PCI}/numa_node": "1",
    f"{PCI}/current_link_speed": "16.0 GT/s PCIe",
    f"{PCI}/current_link_width": "8",
    f"{PCI}/max_link_width": "16",
    f"{PCI}/driver": "->../../../bus/pci/drivers/mlx5_core",
    f"{PCI}/iommu_group": "->../../../kernel/iommu_groups/17",
    "/sys/bus/pci/devices/0000:00:01.0/class": "0x060400",
}


@pytest.fixture
def tree(tmp_path) -> facts.Facts:
    make_tree(tmp_path, TREE)
    return collect(Host(tmp_path))


def test_cores_know_node_package_and_siblings(tree):
    assert [(cpu.index, cpu.node, cpu.package, cpu.siblings) for cpu in tree.cpus] == [
        (0, 0, 0, (0, 2)), (1, 1, 1, (1,)), (2, 0, 0, (0, 2)), (3, 1, 0, (3,)),
    ]  # fmt: skip
    assert tree.nodes == (0, 1)
    assert tree.memory_kib == {0: 1024}


def test_the_machine_has_its_names(tree):
    assert (tree.cpu_vendor, tree.cpu_model) == ("AuthenticAMD", "AMD EPYC 9575F")
    assert tree.product == "PowerEdge R7725"
    assert tree.kernel == "6.12.1"
    assert tree.cpu_flags == ("constant_tsc", "nonstop_tsc", "pdpe1gb")
    assert not tree.virtual
    assert tree.clocks["keepers"] == "chronyd"


def test_a_card_knows_its_place_and_its_interrupts_by_queue(tree):
    (nic,) = tree.nics
    assert nic.irqs == (39, 40)
    assert (nic.name, nic.pci, nic.ids, nic.node) == ("eth0", "0000:3b:00.0", "15b3:101d", 1)
    assert (nic.rx_queues, nic.tx_queues, nic.speed_mbps, nic.has_carrier) == (2, 1, 25000, True)


def test_a_pci_device_knows_its_link_group_and_driver(tree):
    (device,) = tree.pci  # the bridge is left out
    assert (device.kind, device.driver, device.iommu_group) == ("0200", "mlx5_core", 17)
    assert (device.link_width, device.link_width_max, device.link_gts) == (8, 16, 16.0)


def test_values_are_in_canonical_form(tree):
    assert tree.values["file:/sys/kernel/mm/transparent_hugepage/enabled"] == "madvise"
    assert tree.values["file:/proc/irq/default_smp_affinity"] == "f"
    assert tree.values["file:/sys/class/net/eth0/queues/rx-1/rps_cpus"] == "3"
    assert tree.values["file:/sys/devices/virtual/workqueue/cpumask"] == "f"
    assert tree.values["boot:isolcpus"] == "managed_irq,domain,2-3"
    assert tree.values["boot:note"] == "two words"
    assert tree.values["boot:quiet"] == ""
    assert tree.values["nic:eth0:up"] == "on"
    assert tree.values["nic:eth0:promiscuous"] == "on"
    assert tree.values["pci:0000:3b:00.0:driver"] == "mlx5_core"
    assert tree.values["file:/proc/sys/vm/swappiness"] == "60"
    assert "unit:irqbalance.service" not in tree.values


def test_sysctls_that_a_profile_names_are_read_too(tmp_path):
    make_tree(tmp_path, {"/proc/sys/net/core/somaxconn": "4096"})
    found = collect(Host(tmp_path), ["sysctl:net.core.somaxconn"])
    assert found.values == {"file:/proc/sys/net/core/somaxconn": "4096"}


def test_an_image_is_known_by_its_slots(tmp_path):
    make_tree(tmp_path, {"/usr/sbin/tickplane-slot": "", "/etc/default/grub": ""})
    assert collect(Host(tmp_path)).boot_loader == "slots"


def test_a_card_stays_with_its_driver_where_vfio_cannot_work(tmp_path):
    card = "/sys/bus/pci/devices/0000:41:00.0"
    make_tree(tmp_path, {f"{card}/driver_override": "", f"{card}/driver/unbind": ""})
    with pytest.raises(OSError, match="the IOMMU is off; intel_iommu=on"):
        target.write(Host(tmp_path), "pci:0000:41:00.0:driver", "vfio-pci")
    assert (tmp_path / card[1:] / "driver_override").read_text() == "\n"
    assert (tmp_path / card[1:] / "driver/unbind").read_text() == "\n"


def test_an_empty_tree_is_a_machine_without_facts(tmp_path):
    found = collect(Host(tmp_path))
    assert (found.cpus, found.nics, found.pci, found.values) == ((), (), (), {})


def test_what_nobody_can_write_is_known(tmp_path):
    make_tree(
        tmp_path, {"/proc/irq/9/smp_affinity_list": "0", "/proc/irq/8/smp_affinity_list": "0"}
    )
    (tmp_path / "proc/irq/9/smp_affinity_list").chmod(0o444)
    assert collect(Host(tmp_path)).read_only == ("file:/proc/irq/9/smp_affinity_list",)
    assert not can_be_written(Host(tmp_path), "/proc/missing")


def test_json_keeps_everything(tree):
    assert facts.parse(tree.to_json(), source="x") == tree


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1}', "{'a'}",
     '{"format": 1, "cpus": [{"index": 0}], "memory_kib": {}, "nics": [], "pci": []}',
     '{"format": 1, "cpus": [], "memory_kib": {"a": 1}, "nics": [], "pci": []}'],
)  # fmt: skip
def test_other_json_is_refused_in_one_line(text: str):
    with pytest.raises(ControlError) as caught:
        facts.parse(text, source="f.json")
    assert str(caught.value).startswith("f.json: no facts of a machine: ")
    assert str(caught.value).endswith("; write one with `tickplane facts --json`")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a=1 b", [("a", "1"), ("b", "")]),
        ('x="1 2" y=', [("x", "1 2"), ("y", "")]),
        ('x="1 2', [("x", '"1'), ("2", "")]),
        ("", []),
    ],
)
def test_kernel_command_lines(line: str, expected):
    assert parameters(line) == expected


@pytest.mark.parametrize(
    ("action", "queue"),
    [("eth0-TxRx-7", 7), ("mlx5_comp3@pci:0000:3b:00.0", 3), ("virtio2-input.1", 1),
     ("eth0-rx-2", 2), ("i40e-eth0-TxRx-0", 0), ("virtio2-config", None), ("eth0", None),
     ("eth0-5", 5)],
)  # fmt: skip
def test_the_queue_of_an_interrupt(action: str, queue):
    assert queue_of(action) == queue


def test_only_loaded_units_count():
    text = (
        "Id=a.service\nLoadState=loaded\nActiveState=active\n\n"
        "Id=b.service\nLoadState=not-found\nActiveState=inactive\n\n"
        "Id=c.service\nLoadState=loaded\nActiveState=failed\n"
    )
    assert parse_units(text) == {"unit:a.service": "on", "unit:c.service": "off"}


def test_choices_without_a_choice_stay_as_they_are():
    assert canonical("/x/enabled", "never") == "never"


def express(control: int = 0x2810, link: int = 0x40) -> bytes:
    """Return a configuration space whose second capability is the PCI Express one."""
    config = bytearray(256)
    config[0x34] = 0x40
    config[0x40:0x42] = bytes([0x01, 0x60])
    config[0x60:0x62] = bytes([0x10, 0x00])
    config[0x68:0x6A] = control.to_bytes(2, "little")
    config[0x70:0x72] = link.to_bytes(2, "little")
    return bytes(config)


def test_the_capability_is_found_and_read():
    assert pcie.values(express()) == {
        "max_payload_bytes": "128",
        "max_read_request_bytes": "512",
        "relaxed_ordering": "on",
        "aspm": "off",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_read_request_bytes", "4096"), ("relaxed_ordering", "off"), ("aspm", "l1"),
     ("max_payload_bytes", "256")],
)  # fmt: skip
def test_a_changed_word_gives_that_value_and_no_other(name: str, value: str):
    config = bytearray(express())
    before = pcie.values(bytes(config))
    at, word = pcie.changed(bytes(config), name, value)
    config[at : at + 2] = word
    assert pcie.values(bytes(config)) == before | {name: value}


@pytest.mark.parametrize("size", [0, 52, 64, 65, 0x60, 0x62, 0x70, 0x71])
def test_a_short_or_hidden_configuration_space_says_nothing(size: int):
    assert pcie.values(express()[:size]) == {}


def test_capabilities_that_lead_in_a_circle_end():
    config = bytearray(express())
    config[0x60:0x62] = bytes([0x05, 0x40])
    assert pcie.capability(bytes(config)) == 0


def test_reading_this_machine_changes_nothing():
    first, second = collect(Host()), collect(Host())
    assert first.cpus and first.cpus == second.cpus
    changing = {"free_hugepages"}
    assert {k: v for k, v in first.values.items() if k.rsplit("/", 1)[-1] not in changing} == {
        k: v for k, v in second.values.items() if k.rsplit("/", 1)[-1] not in changing
    }


def test_the_verb_prints_both_forms():
    text = subprocess.run(["tickplane", "facts"], capture_output=True, text=True, check=True)
    assert text.stdout.startswith("machine   ")
    data = subprocess.run(["tickplane", "facts", "--json"], capture_output=True, check=True)
    assert json.loads(data.stdout)["format"] == facts.FORMAT


SCRIPT = """
import json
from control.collect import collect
from control.host import Host
found = collect(Host())
nic = found.nic("tp-feed")
print(json.dumps({"values": found.values, "peer": nic.peer, "max": nic.channels_max,
                  "driver": nic.driver, "names": [nic.name for nic in found.nics]}))
"""


def test_a_real_link_shows_what_its_driver_lets_us_set():
    ran = in_namespace(SCRIPT, setup=VETH)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert {"tp-feed", "tp-peer"} <= set(found["names"])
    assert found["peer"] == "tp-peer"
    assert found["driver"] == "veth"
    assert found["max"] == {"rx": 4, "tx": 4, "combined": 0}
    values = found["values"]
    assert 1 <= int(values["nic:tp-feed:channels.rx"]) <= 4
    assert values["nic:tp-feed:offload.rx-gro"] in ("on", "off")
    assert values["nic:tp-feed:mtu"] == "1500"
    assert "nic:tp-feed:coalesce.rx_usecs" not in values

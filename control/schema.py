"""Every key that a profile can have: what it holds, what it does, and why it matters.

The list is the whole truth: profiles are checked against it, plans take the reason from it unless
the profile gives a better one, and the reference page is printed from it. A ``*`` in a key stands
for a name that the profile chooses.
"""

from __future__ import annotations

from dataclasses import dataclass

from control import steering
from control.kinds import SWITCH, Cpus, Kind, Names, Text, Whole, Word, Words

PCI_ADDRESS = r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
PCI_IDS = r"[0-9a-f]{4}:[0-9a-f]{4}"
INTERFACE = r"[^\s/:]{1,15}"
VERSION = r"[0-9]+(\.[0-9]+)*"
ROLES = ("feed", "feed_a", "feed_b", "book", "orders", "journal")


@dataclass(frozen=True)
class Key:
    """One key: dotted name, kind, what it sets, why anybody would want it."""

    name: str
    kind: Kind
    sets: str
    why: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """Return the words of the name."""
        return tuple(self.name.split("."))


GENERAL = (
    Key("description", Text("AMD EPYC 9005, one socket"), "what machine this is for"),
    Key(
        "extends",
        Names("generic-x86-server", r"[\w./-]+"),
        "profiles whose values hold where this one says nothing, later ones before earlier ones; "
        "`~` takes an inherited value away",
    ),
)

MATCH = (
    Key("match.cpu_vendor", Word(("AuthenticAMD", "GenuineIntel")), "vendor of the processor"),
    Key("match.cpu_model", Text("AMD EPYC 9*"), "model name of the processor, with * and ?"),
    Key("match.product", Text("PowerEdge R7*"), "product name of the firmware, with * and ?"),
    Key("match.virtual", SWITCH, "whether it is a virtual machine"),
    Key("match.nic_ids", Words("1924:0b03, 15b3:101d", PCI_IDS), "any of these cards is there"),
    Key("match.interface", Text("veth0", INTERFACE), "an interface of that name is there"),
    Key("match.kernel_min", Text("6.1", VERSION), "oldest kernel"),
)

CPU = (
    Key(
        "cpu.housekeeping",
        Cpus(),
        "cores for everything that is not trading",
        "the kernel's own work has to run somewhere, and not where packets are read",
    ),
    Key(
        "cpu.isolated",
        Cpus(),
        "cores for trading threads alone; the scheduler leaves them",
        "a thread that shares its core waits for the other one",
    ),
    Key(
        "cpu.siblings",
        Word(("keep", "isolate", "off")),
        "second hardware threads: as they are, isolated and left idle, or switched off",
        "two hardware threads share the caches and the execution units of one core",
    ),
    Key(
        "cpu.governor",
        Word(("performance", "powersave", "schedutil", "ondemand")),
        "frequency governor of every core",
        "a core that slept slowly computes slowly for the first microseconds",
    ),
    Key(
        "cpu.turbo",
        SWITCH,
        "boost above the nominal frequency",
        "boost makes the common case faster and the worst case depend on the neighbours",
    ),
    Key(
        "cpu.idle_latency_us_max",
        Whole(0, 10_000),
        "idle states that take longer to leave are disabled",
        "the first packet after a pause pays for waking the core",
    ),
    Key(
        "cpu.roles.*",
        Whole(1, 256),
        "how many isolated cores a role gets, in this order, on the node of the cards",
        "memory and cards of another node are a socket link away",
    ),
)

MEMORY = (
    Key(
        "memory.huge_2m",
        Whole(0, 1 << 20),
        "huge pages of 2 MiB on each node that has some",
        "books, journal and packet buffers then need few entries of the TLB",
    ),
    Key(
        "memory.huge_1g",
        Whole(0, 4096),
        "huge pages of 1 GiB on each node that has some",
        "one entry of the TLB for a gigabyte; only sure to be there when made at boot",
    ),
    Key(
        "memory.huge_nodes",
        Word(("each", "nic")),
        "nodes that get huge pages",
        "pages on the node of the cards keep every access local",
    ),
    Key(
        "memory.transparent_huge",
        Word(("never", "madvise", "always")),
        "huge pages behind a program's back",
        "the kernel stops a thread to compact memory or to split a page",
    ),
    Key(
        "memory.transparent_huge_defrag",
        Word(("never", "madvise", "defer", "defer+madvise", "always")),
        "when the kernel compacts memory for them",
        "compaction at a page fault takes milliseconds",
    ),
    Key(
        "memory.numa_balancing",
        SWITCH,
        "moving pages to the node that uses them",
        "it unmaps pages to see who touches them: a fault in the middle of the hot path",
    ),
    Key(
        "memory.ksm",
        SWITCH,
        "merging equal pages",
        "a merged page is copied at its next write, and a thread spends time comparing",
    ),
    Key(
        "memory.zone_reclaim",
        Whole(0, 7),
        "reclaim on the own node before another is used",
        "reclaim stops the thread that allocates",
    ),
    Key(
        "memory.swappiness",
        Whole(0, 200),
        "how readily memory is swapped out",
        "a page on disk is milliseconds away",
    ),
)

BOOT = (
    Key(
        "boot.isolcpus",
        Text("managed_irq,domain", r"[a-z_]+(,[a-z_]+)*"),
        "`isolcpus=` with these flags and the isolated cores",
        "the scheduler and managed interrupts stay away from these cores from the start",
    ),
    Key(
        "boot.nohz_full",
        SWITCH,
        "`nohz_full=` with the isolated cores",
        "the timer interrupt stops while one thread runs on a core",
    ),
    Key(
        "boot.rcu_nocbs",
        SWITCH,
        "`rcu_nocbs=` with the isolated cores",
        "callbacks of the kernel's read-copy-update run elsewhere",
    ),
    Key(
        "boot.irqaffinity",
        SWITCH,
        "`irqaffinity=` with the housekeeping cores",
        "interrupts are born on the right cores",
    ),
    Key(
        "boot.parameters.*",
        Text("1", r"[^\s\"]*", may_be_empty=True),
        "any other kernel parameter; an empty text in quotes for one without a value",
    ),
)

IRQ = (
    Key(
        "irq.default",
        Word(("housekeeping", "keep")),
        "where new interrupts go",
        "an interrupt on a trading core stops the trading thread",
    ),
    Key(
        "irq.others",
        Word(("housekeeping", "keep")),
        "where interrupts go that are no card's",
        "disks and timers have no business on a trading core",
    ),
    Key(
        "irq.workqueues",
        Word(("housekeeping", "keep")),
        "cores of unbound kernel work",
        "deferred kernel work takes milliseconds at a time",
    ),
)

NIC = (
    Key("nics.*.pci", Text("0000:3b:00.0", PCI_ADDRESS), "the card, by PCI address"),
    Key("nics.*.interface", Text("eth0", INTERFACE), "the card, by the name of its interface"),
    Key("nics.*.ids", Words("1924:0b03", PCI_IDS), "the card, by vendor and device"),
    Key("nics.*.nth", Whole(0, 63), "which of the cards with these ids, by rising address"),
    Key(
        "nics.*.role",
        Word(ROLES),
        "role whose cores serve the queues",
        "queue, thread and memory on one core's caches",
    ),
    Key(
        "nics.*.driver",
        Word(("kernel", "vfio-pci", "af_xdp")),
        "who has the card: the kernel, DPDK, or the kernel and AF_XDP without copies",
        "DPDK reads the card's rings itself; then the kernel does not have the card at all",
    ),
    Key(
        "nics.*.firmware_min",
        Text("22.36.1010", VERSION),
        "oldest firmware",
        "older firmware has faults that look like network faults",
    ),
    Key("nics.*.firmware_max", Text("22.39.9999", VERSION), "newest firmware that was tried"),
    Key(
        "nics.*.speed_mbps_min",
        Whole(10, 800_000),
        "link speed at least",
        "a link that fell back to a lower speed works, and is late",
    ),
    Key("nics.*.up", SWITCH, "interface up"),
    Key(
        "nics.*.mtu",
        Whole(68, 65_535),
        "largest packet",
        "market data fits 1500; larger buffers waste cache",
    ),
    Key(
        "nics.*.promiscuous",
        SWITCH,
        "take frames for other addresses, too",
        "frames for others cost the same work as ours",
    ),
    Key(
        "nics.*.queues",
        Whole(1, 1024),
        "receive queues, and as many to send",
        "one queue per reading thread: none of them shares",
    ),
    Key(
        "nics.*.ring_rx",
        Whole(1, 65_536),
        "slots of each receive ring",
        "too few lose packets in a burst, too many do not fit the cache",
    ),
    Key("nics.*.ring_tx", Whole(1, 65_536), "slots of each send ring"),
    Key(
        "nics.*.coalesce.rx_usecs",
        Whole(0, 100_000),
        "wait before a receive interrupt",
        "waiting for more packets is waiting with the first one",
    ),
    Key("nics.*.coalesce.rx_frames", Whole(0, 65_536), "packets before a receive interrupt"),
    Key("nics.*.coalesce.tx_usecs", Whole(0, 100_000), "wait before a send interrupt"),
    Key("nics.*.coalesce.tx_frames", Whole(0, 65_536), "packets before a send interrupt"),
    Key(
        "nics.*.coalesce.adaptive_rx",
        SWITCH,
        "the driver changes the wait by itself",
        "a setting that changes by itself cannot be measured",
    ),
    Key("nics.*.coalesce.adaptive_tx", SWITCH, "the same for sending"),
    Key(
        "nics.*.offloads.*",
        SWITCH,
        "an offload, by the kernel's name of it",
        "merged or delayed packets have lost their time and their borders",
    ),
    Key(
        "nics.*.rss_queues",
        Whole(1, 128),
        "the first so many queues, over which the card spreads what no flow rule steers",
        "what is not ours shares no queue with a feed",
    ),
    Key(
        "nics.*.flow_rules.*",
        Text("udp to 239.1.1.1:9101 queue 1", steering.RULE.pattern),
        "a rule (ntuple) that brings one flow to one queue; these and no others",
        "each feed line and each order session is read on the core of its own queue",
    ),
    Key(
        "nics.*.probe_from",
        Text("eth1", INTERFACE),
        "an interface here whose frames reach this card: `verify --prove` sends some of each flow",
        "a rule that was accepted is not yet one that is honoured",
    ),
    Key(
        "nics.*.xps",
        Word(("role", "off")),
        "queue that a core sends by: that of its `role`, or whichever the kernel takes",
        "a queue that two cores send by has a lock",
    ),
    Key("nics.*.private_flags.*", SWITCH, "a flag that only this driver has"),
    Key(
        "nics.*.pause",
        SWITCH,
        "Ethernet flow control, both ways",
        "a pause frame lets somebody else's slowness stop our sending",
    ),
    Key(
        "nics.*.napi_defer_hard_irqs",
        Whole(0, 1000),
        "empty polls before the interrupt is armed again",
        "with busy polling an interrupt only disturbs",
    ),
    Key(
        "nics.*.gro_flush_timeout_ns",
        Whole(0, 1_000_000_000),
        "how long the kernel keeps polling by timer instead of by interrupt",
    ),
    Key(
        "nics.*.rps",
        SWITCH,
        "spreading received packets over cores in software",
        "moving a packet to another core costs an interrupt to that core",
    ),
    Key(
        "nics.*.stamping",
        Word(("hardware", "software")),
        "who stamps packets with the time",
        "only the card knows when a packet was on the wire",
    ),
    Key(
        "nics.*.pcie_width_min",
        Whole(1, 32),
        "lanes at least",
        "a card in the wrong slot works at half its speed",
    ),
    Key("nics.*.pcie_gts_min", Whole(2, 64), "gigatransfers a second at least"),
    Key(
        "nics.*.max_read_request_bytes",
        Word(("128", "256", "512", "1024", "2048", "4096")),
        "largest read that the card asks of memory",
        "larger reads mean fewer round trips over the bus",
    ),
    Key(
        "nics.*.relaxed_ordering",
        SWITCH,
        "whether the card may reorder its writes",
        "strict order makes writes wait for each other on some servers",
    ),
    Key(
        "nics.*.aspm",
        Word(("off", "l0s", "l1", "l0s_l1")),
        "sleep states of the PCIe link",
        "a sleeping link takes microseconds to wake",
    ),
)

REST = (
    Key(
        "iommu.mode",
        Word(("passthrough", "translate", "off")),
        "`iommu=` of the kernel: needed by vfio-pci, and translating costs on every buffer",
        "passthrough keeps vfio-pci safe and the kernel's own cards fast",
    ),
    Key(
        "iommu.own_groups",
        SWITCH,
        "every card of the profile is alone in its IOMMU group",
        "VFIO hands out whole groups: a neighbour in the group goes with the card",
    ),
    Key("rdma.devices", Words("mlx5_0", INTERFACE), "RDMA devices that must be there"),
    Key("fpga.*.ids", Words("10ee:5048", PCI_IDS), "the FPGA card, by vendor and device"),
    Key("fpga.*.driver", Word(("kernel", "vfio-pci")), "who has it"),
    Key("fpga.*.pcie_width_min", Whole(1, 32), "lanes at least"),
    Key(
        "clock.source",
        Word(("tsc", "kvm-clock", "hpet", "hyperv_clocksource_tsc_page")),
        "clock source of the kernel",
        "every other source is a slow read, some of them a trap into the hypervisor",
    ),
    Key(
        "clock.keeper",
        Word(("chronyd", "ptp4l", "any")),
        "what keeps the clock right",
        "regulators ask for bounded error of every stamp",
    ),
    Key(
        "services.off",
        Words("irqbalance.service", r"[\w@.:-]+\.(service|timer|socket)"),
        "services that do not run",
        "each wakes up, and takes a core or moves interrupts",
    ),
    Key("sysctl.*", Text("0", r"[^\n]+"), "any sysctl, by its dotted name"),
    Key("limits.user", Text("tickplane", r"[a-z_][a-z0-9_-]{0,31}"), "user that trades"),
    Key(
        "limits.memlock_kib",
        Word(("unlimited", "1048576", "16777216")),
        "memory that the user may lock",
        "unlocked memory can be taken away",
    ),
    Key("limits.rtprio", Whole(0, 99), "real-time priority that the user may ask for"),
    Key("limits.nofile", Whole(1024, 1 << 20), "files that the user may open"),
    Key(
        "bios.product_settings.*",
        Text("Disabled"),
        "a setting of the firmware that a person must check; it cannot be read from here",
    ),
    Key(
        "bios.smt",
        SWITCH,
        "whether the firmware offers second hardware threads",
        "two hardware threads share one core",
    ),
    Key(
        "bios.nodes_per_socket",
        Whole(1, 16),
        "memory nodes that each socket shows",
        "with fewer nodes than the chip has, memory of the far side counts as near",
    ),
    Key("bios.sockets", Whole(1, 16), "processor packages"),
    Key(
        "budgets.noise_ns_max",
        Whole(0, 1_000_000_000),
        "longest pause of a spinning thread on an isolated core that `doctor` accepts",
    ),
    Key(
        "budgets.interrupts_per_s_max",
        Whole(0, 100_000),
        "interrupts a second on an isolated core that `doctor` accepts",
    ),
)

KEYS = GENERAL + MATCH + CPU + MEMORY + BOOT + IRQ + NIC + REST


def key_of(path: tuple[str, ...]) -> Key | None:
    """Return the key that a path names; the last word of some takes dots of its own."""
    return next((key for key in KEYS if fits(key.path, path)), None)


def fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Say whether a path is named by a pattern."""
    return len(pattern) == len(path) and all(
        word in ("*", given) for word, given in zip(pattern, path, strict=True)
    )


def below(path: tuple[str, ...]) -> list[str]:
    """Return the words that may stand below a path; ``*`` for a name of the profile's choice."""
    size = len(path)
    found = [key.path[size] for key in KEYS if len(key.path) > size and fits(key.path[:size], path)]
    return list(dict.fromkeys(found))

"""What a profile wants of cores, memory and the kernel command line."""

from __future__ import annotations

from control.collect_values import BOOT_TEXT, SLOT_TEXT, sysctl_path
from control.cores import Cores
from control.cpulist import render_list
from control.facts import Facts
from control.profile import Profile
from control.setting import NOT_SETTABLE, Finding, Items, Wishes

CPU = "file:/sys/devices/system/cpu"
MM = "file:/sys/kernel/mm"
HAS_NO_SIBLINGS = ("forceoff", "notsupported", "notimplemented")
# By boot loader: the file that adds words to the kernel command line.
BOOT_FILES = {
    "grub": (
        BOOT_TEXT,
        "# Written by tickplane apply; tickplane rollback takes it away. Then: update-grub\n"
        'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {}"',
    ),
    "slots": (
        SLOT_TEXT,
        "# Written by tickplane apply; tickplane rollback takes it away. Then: tickplane-slot words"
        "\n{}",
    ),
}
IOMMU = {"passthrough": "pt", "translate": "nopt", "off": "off"}


def cpu(want: Wishes, facts: Facts, cores: Cores) -> Items:
    """Yield the settings of cores."""
    profile = want.profile
    if profile.text("cpu.siblings") == "off":
        yield want("cpu.siblings", f"{CPU}/smt/control", "off", others=HAS_NO_SIBLINGS)
    if "cpu.governor" in profile:
        for core in facts.cpus:
            target = f"{CPU}/cpu{core.index}/cpufreq/scaling_governor"
            yield want("cpu.governor", target, profile.text("cpu.governor"))
    if "cpu.turbo" in profile:
        on = profile.text("cpu.turbo") == "on"
        if f"{CPU}/intel_pstate/no_turbo" in facts.values:
            yield want("cpu.turbo", f"{CPU}/intel_pstate/no_turbo", int(not on))
        else:
            yield want("cpu.turbo", f"{CPU}/cpufreq/boost", int(on))
    if "cpu.idle_latency_us_max" in profile:
        yield from idle(want, facts, cores)


def idle(want: Wishes, facts: Facts, cores: Cores) -> Items:
    """Yield one setting for each idle state of an isolated core that is too deep."""
    limit = want.profile.whole("cpu.idle_latency_us_max")
    for core in cores.isolated:
        for state in range(16):
            folder = f"{CPU}/cpu{core}/cpuidle/state{state}"
            latency = facts.values.get(f"{folder}/latency")
            if latency is not None and int(latency) > limit:
                yield want("cpu.idle_latency_us_max", f"{folder}/disable", 1)


def memory(want: Wishes, facts: Facts, nodes: tuple[int, ...]) -> Items:
    """Yield the settings of memory; ``nodes`` are those of the cards."""
    profile = want.profile
    chosen = nodes if profile.text("memory.huge_nodes") == "nic" and nodes else facts.nodes
    for key, size in (("memory.huge_1g", 1 << 20), ("memory.huge_2m", 2048)):
        for node in chosen if key in profile else ():
            folder = f"file:/sys/devices/system/node/node{node}/hugepages/hugepages-{size}kB"
            yield want(key, f"{folder}/nr_hugepages", profile.text(key), counts=True)
    words = {
        "memory.transparent_huge": f"{MM}/transparent_hugepage/enabled",
        "memory.transparent_huge_defrag": f"{MM}/transparent_hugepage/defrag",
        "memory.zone_reclaim": f"file:{sysctl_path('vm.zone_reclaim_mode')}",
        "memory.swappiness": f"file:{sysctl_path('vm.swappiness')}",
    }
    for key, target in words.items():
        if key in profile:
            yield want(key, target, profile.text(key))
    switches = {
        "memory.numa_balancing": f"file:{sysctl_path('kernel.numa_balancing')}",
        "memory.ksm": f"{MM}/ksm/run",
    }
    for key, target in switches.items():
        if key in profile:
            yield want(key, target, int(profile.text(key) == "on"))


def boot_parameters(profile: Profile, cores: Cores) -> dict[str, tuple[str, str]]:
    """Return the kernel parameters that a profile wants: name to value and the key that asks."""
    isolated, housekeeping = render_list(cores.isolated), render_list(cores.housekeeping)
    found: dict[str, tuple[str, str]] = {}
    if isolated:
        if "boot.isolcpus" in profile:
            flags = profile.text("boot.isolcpus")
            found["isolcpus"] = (f"{flags},{isolated}", "boot.isolcpus")
        for name in ("nohz_full", "rcu_nocbs"):
            if profile.text(f"boot.{name}") == "on":
                found[name] = (isolated, f"boot.{name}")
        if profile.text("boot.irqaffinity") == "on":
            found["irqaffinity"] = (housekeeping, "boot.irqaffinity")
    if "iommu.mode" in profile:
        found["iommu"] = (IOMMU[profile.text("iommu.mode")], "iommu.mode")
    for name, key in profile.below("boot.parameters"):
        found[name] = (profile.text(key), key)
    return found


def boot(want: Wishes, facts: Facts, cores: Cores) -> Items:
    """Yield the file with the boot entry's words, and each word as the running kernel has it."""
    wanted = boot_parameters(want.profile, cores)
    if not wanted:
        return
    line = " ".join(name + (f"={value}" if value else "") for name, (value, _) in wanted.items())
    first = next(iter(wanted.values()))[1]
    path, text = BOOT_FILES[facts.boot_loader or "grub"]
    entry = want(first, f"text:{path}", text.format(line))
    if facts.boot_loader:
        yield entry
    else:
        reason = f"no GRUB here; give your boot loader these words: {line}"
        yield Finding(entry, None, NOT_SETTABLE, reason, True)
    for name, (value, key) in wanted.items():
        yield want(key, f"boot:{name}", value)

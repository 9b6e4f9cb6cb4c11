"""Present values of files, kernel parameters and services, as canonical text.

Canonical: of ``always [madvise] never`` only the chosen word, masks without leading zeros. What is
written and what is read back are then comparable as text.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable

from control.cpulist import parse_mask, render_mask
from control.host import Host

FILES = (
    "/proc/irq/default_smp_affinity",
    "/proc/irq/*/smp_affinity_list",
    "/sys/class/net/*/gro_flush_timeout",
    "/sys/class/net/*/napi_defer_hard_irqs",
    "/sys/class/net/*/queues/rx-*/rps_cpus",
    "/sys/class/net/*/queues/tx-*/xps_cpus",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
    "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
    "/sys/devices/system/cpu/cpu*/cpuidle/state*/disable",
    "/sys/devices/system/cpu/cpu*/cpuidle/state*/latency",
    "/sys/devices/system/cpu/cpufreq/boost",
    "/sys/devices/system/cpu/intel_pstate/no_turbo",
    "/sys/devices/system/cpu/isolated",
    "/sys/devices/system/cpu/nohz_full",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/smt/control",
    "/sys/devices/system/machinecheck/machinecheck0/ignore_ce",
    "/sys/devices/system/machinecheck/machinecheck0/check_interval",
    "/sys/devices/system/node/node*/hugepages/hugepages-*kB/nr_hugepages",
    "/sys/devices/system/node/node*/hugepages/hugepages-*kB/free_hugepages",
    "/sys/devices/virtual/workqueue/cpumask",
    "/sys/kernel/mm/ksm/run",
    "/sys/kernel/mm/transparent_hugepage/defrag",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/module/pcie_aspm/parameters/policy",
)
# Not kernel.soft_watchdog: reading it while the watchdog is off makes the kernel forget that it was
# ever on, and kernel.watchdog could then not be given its value back.
SYSCTLS = (
    "kernel.hung_task_timeout_secs", "kernel.nmi_watchdog", "kernel.numa_balancing",
    "kernel.sched_rt_runtime_us", "kernel.timer_migration",
    "kernel.watchdog", "net.core.bpf_jit_enable", "net.core.busy_poll", "net.core.busy_read",
    "net.core.netdev_budget", "net.core.netdev_max_backlog", "net.core.rmem_default",
    "net.core.rmem_max", "net.core.wmem_default", "net.core.wmem_max",
    "net.ipv4.igmp_max_memberships", "net.ipv4.tcp_low_latency", "net.ipv4.tcp_sack",
    "net.ipv4.tcp_timestamps", "vm.compaction_proactiveness", "vm.dirty_background_ratio",
    "vm.dirty_ratio", "vm.max_map_count", "vm.min_free_kbytes", "vm.overcommit_memory",
    "vm.stat_interval", "vm.swappiness", "vm.zone_reclaim_mode",
)  # fmt: skip
UNITS = ("auditd.service", "cron.service", "irqbalance.service", "ksm.service",
         "ksmtuned.service", "power-profiles-daemon.service", "systemd-oomd.service",
         "thermald.service", "tuned.service", "unattended-upgrades.service")  # fmt: skip
# Files of ours in /etc: a missing one is no lack of the machine.
BOOT_TEXT = "/etc/default/grub.d/90-tickplane.cfg"
LIMITS_TEXT = "/etc/security/limits.d/90-tickplane.conf"
SLOT_TEXT = "/etc/tickplane/boot-words"
TEXTS = (BOOT_TEXT, LIMITS_TEXT, SLOT_TEXT)
MASKS = ("rps_cpus", "xps_cpus", "cpumask", "default_smp_affinity")
CHOICES = ("enabled", "defrag", "policy")


def sysctl_path(name: str) -> str:
    """Return the file of a sysctl; a / inside the name stands for itself."""
    return "/proc/sys/" + name.replace(".", "/")


def file_values(host: Host, extra: Iterable[str] = ()) -> dict[str, str]:
    """Return ``file:`` and ``text:`` targets with their values."""
    sysctls = {*SYSCTLS, *(name.removeprefix("sysctl:") for name in extra if "sysctl:" in name)}
    paths = [path for pattern in FILES for path in host.glob(pattern)]
    paths += [sysctl_path(name) for name in sorted(sysctls)]
    found = {}
    for path in paths:
        text = host.read(path)
        if text is not None:
            found[f"file:{path}"] = canonical(path, text)
    for path in TEXTS:
        text = host.read(path)
        if text is not None:
            found[f"text:{path}"] = text
    return found


def canonical(path: str, text: str) -> str:
    """Return a file's content in the form in which values are compared."""
    name = path.rsplit("/", 1)[1]
    if name in MASKS:
        return render_mask(parse_mask(text))
    if name in CHOICES and "[" in text:
        return text.partition("[")[2].partition("]")[0]
    return " ".join(text.split())


def read_only(host: Host, values: Iterable[str]) -> tuple[str, ...]:
    """Return the files among these that nobody can write, whoever asks."""
    found = []
    for target in values:
        kind, _, path = target.partition(":")
        if kind == "file" and not can_be_written(host, path):
            found.append(target)
    return tuple(sorted(found))


def can_be_written(host: Host, path: str) -> bool:
    """Say whether the file itself and the file system it lies in take writes at all."""
    try:
        whole = os.statvfs(host.path(path)).f_flag & os.ST_RDONLY
        return not whole and bool(host.path(path).stat().st_mode & 0o222)
    except OSError:
        return False


def boot_values(host: Host) -> dict[str, str]:
    """Return the parameters that the running kernel was started with; a bare word is ""."""
    return {f"boot:{name}": value for name, value in parameters(host.read("/proc/cmdline") or "")}


def parameters(line: str) -> list[tuple[str, str]]:
    """Return names and values of a kernel command line."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that nothing closes: the kernel takes it, too
        words = line.split()
    pairs = (word.partition("=") for word in words)
    return [(name, value) for name, _, value in pairs]


def unit_values(host: Host, extra: Iterable[str] = ()) -> dict[str, str]:
    """Return services that systemd knows and whether each runs; empty without systemd."""
    if not host.is_live or not host.exists("/run/systemd/system"):
        return {}
    asked = sorted({*UNITS, *(name.removeprefix("unit:") for name in extra if "unit:" in name)})
    words = ["systemctl", "show", "--property=Id,LoadState,ActiveState", *asked]
    try:
        shown = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return parse_units(shown.stdout)


def parse_units(text: str) -> dict[str, str]:
    """Return the loaded units of an answer of ``systemctl show``, each with ``on`` or ``off``."""
    found = {}
    for block in text.split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if unit.get("LoadState") == "loaded":
            running = unit["ActiveState"] in ("active", "activating", "reloading")
            found[f"unit:{unit['Id']}"] = "on" if running else "off"
    return found

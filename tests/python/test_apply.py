"""Apply, verify and roll back on real links, huge pages and sysctls, in namespaces of our own.

What is the machine's and not the namespace's (huge pages, vm sysctls) is put back by the rollback
that is tested, and by the fixture when that fails.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from machine import VETH, in_namespace

POOL = Path("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")
STAT = Path("/proc/sys/vm/stat_interval")

PROFILE = """\
memory: {huge_2m: %d}
sysctl:
  vm.stat_interval: "%d"
  net.core.somaxconn: "777"
nics:
  feed:
    interface: tp-feed
    up: on
    mtu: 1400
    queues: 2
    promiscuous: on
    rps: off
    napi_defer_hard_irqs: 3
    gro_flush_timeout_ns: 20000
    ring_rx: 512
    offloads:
      rx-gro: on
      tx-checksum-ip-generic: off
      tx-tcp-segmentation: off
"""

# Run in the namespace. ``facts`` are all settings that somebody could set; what a link reports
# only while it is up follows from ``up``.
SUPPORT = """
import json, os, signal, subprocess, sys
from pathlib import Path
from control import apply as applying, profile, target, undo
from control.collect import collect
from control.errors import ControlError
from control.host import Host
from control.plan import plan
HOST, STATE, PROFILE = Host(), Path(sys.argv[1]) / "state", Path(sys.argv[1]) / "p.yaml"

def wanted():
    return profile.load(str(PROFILE))

def settings():
    found = collect(HOST, wanted().extra_targets())
    quiet = set(found.read_only)
    # Somebody else's interrupts and services are no business of ours.
    return {t: v for t, v in found.values.items()
            if t not in quiet and not t.startswith(("file:/proc/irq", "unit:"))}

def quiet(line):
    pass

def differences(before, after):
    pairs = {t: (before.get(t), after.get(t)) for t in {*before, *after}}
    return {t: pair for t, pair in pairs.items() if pair[0] != pair[1]}

def forked(action):
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


@pytest.fixture
def folder(tmp_path):
    """Give a folder with a profile that differs from this machine in every value."""
    if os.geteuid() != 0:
        pytest.skip("setting sysctls and links needs root")
    before = {path: path.read_text() for path in (POOL, STAT) if path.exists()}
    pages = int(before.get(POOL, "0"))
    (tmp_path / "p.yaml").write_text(PROFILE % (pages + 2, int(before[STAT]) + 3))
    yield tmp_path
    for path, text in before.items():
        if path.read_text() != text:
            path.write_text(text)


def run(script: str, folder: Path, setup: str = VETH) -> dict:
    ran = in_namespace(SUPPORT + script, str(folder), setup=setup)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_everything_is_set_read_back_and_restored_to_the_byte(folder):
    found = run(
        """
before = settings()
first = applying.apply(wanted(), HOST, STATE, quiet)
between = settings()
again = applying.apply(wanted(), HOST, STATE, quiet)
back = applying.rollback(HOST, STATE, quiet)
print(json.dumps({
    "wrote": [t for t, _, _ in first.written], "refused": first.refused, "holds": first.after.holds,
    "again": again.written, "unsupported": [f.setting.key for f in first.after.findings
                                            if f.state == "unsupported"],
    "moved": differences(before, between), "left": differences(before, settings()),
    "back": len(back.written), "back_refused": back.refused, "files": sorted(os.listdir(STATE))}))
""",
        folder,
    )
    assert found["holds"] and not found["refused"]
    assert found["again"] == []  # idempotent
    assert found["left"] == {} and found["back_refused"] == []
    assert found["unsupported"] == ["nics.feed.ring_rx"]  # veth has no rings
    moved = found["moved"]
    assert moved["nic:tp-feed:up"] == ["off", "on"]
    assert moved["nic:tp-feed:mtu"] == ["1500", "1400"]
    assert moved["nic:tp-feed:promiscuous"] == ["off", "on"]
    assert moved["nic:tp-feed:offload.tx-checksum-ip-generic"] == ["on", "off"]
    assert moved["file:/sys/class/net/tp-feed/napi_defer_hard_irqs"] == ["0", "3"]
    assert moved["file:/proc/sys/net/core/somaxconn"][1] == "777"
    assert f"file:{POOL}" in moved and f"file:{STAT}" in moved
    assert found["files"] == ["lock", "undo.undone"]


KILLED = """
def applied_until(number):
    # Every write to the journal and to the machine is a step; die before the step of that number.
    count = 0
    def counted(function):
        def step(*words, **more):
            nonlocal count
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return function(*words, **more)
        return step
    undo.Journal._append = counted(undo.Journal._append)
    target.write = counted(target.write)
    ACTION()

before = settings()
number, left, killed, unfinished = 0, [], 0, []
while True:
    PREPARE
    code = forked(lambda: applied_until(number))
    if code == -signal.SIGKILL:
        killed += 1
    if number % 2 and RESUME:
        report = applying.apply(wanted(), HOST, STATE, quiet)
        if not report.after.holds:
            unfinished.append(number)
    applying.rollback(HOST, STATE, quiet)
    if differences(before, settings()):
        left.append([number, differences(before, settings())])
    if code != -signal.SIGKILL:
        break
    number += 1
print(json.dumps({"killed": killed, "left": left, "unfinished": unfinished}))
"""


def small(folder: Path) -> None:
    """Shorten the profile: a run for each step of each setting takes a while."""
    (folder / "p.yaml").write_text(
        "sysctl: {net.core.somaxconn: '777'}\n"
        "nics:\n  feed: {interface: tp-feed, mtu: 1400, queues: 2, up: on,"
        " offloads: {tx-tcp-segmentation: off}}\n"
    )


def test_killed_between_any_two_steps_it_resumes_and_rolls_back(folder):
    small(folder)
    script = KILLED.replace("ACTION()", "applying.apply(wanted(), HOST, STATE, quiet)")
    script = script.replace("PREPARE", "pass").replace("RESUME", "True")
    found = run(script, folder)
    # begin, and announce, write and done of each of six settings (queues of veth are two)
    assert found == {"killed": 19, "left": [], "unfinished": []}


def test_a_rollback_killed_between_any_two_steps_is_finished_by_the_next(folder):
    small(folder)
    script = KILLED.replace("ACTION()", "applying.rollback(HOST, STATE, quiet)")
    script = script.replace("PREPARE", "applying.apply(wanted(), HOST, STATE, quiet)")
    found = run(script.replace("RESUME", "False"), folder)
    assert found == {"killed": 7, "left": [], "unfinished": []}  # six writes, and the end


def test_only_the_first_value_of_a_target_counts(folder):
    small(folder)
    found = run(
        """
before = settings()
applying.apply(wanted(), HOST, STATE, quiet)
PROFILE.write_text(PROFILE.read_text().replace("mtu: 1400", "mtu: 1300").replace("777", "778"))
applying.apply(wanted(), HOST, STATE, quiet)
between = settings()
back = applying.rollback(HOST, STATE, quiet)
print(json.dumps({"mtu": between["nic:tp-feed:mtu"], "refused": back.refused,
                  "left": differences(before, settings())}))
""",
        folder,
    )
    assert found == {"mtu": "1300", "refused": [], "left": {}}


def test_two_applies_at_once_are_one(folder):
    found = run(
        """
with undo.opened(STATE, HOST):
    try:
        applying.apply(wanted(), HOST, STATE, quiet)
    except ControlError as error:
        print(json.dumps({"text": str(error), "status": error.status, "me": os.getpid()}))
""",
        folder,
    )
    assert found["text"] == (
        f"{folder}/state: process {found['me']} applies or restores right now; wait for its end"
    )
    assert found["status"] == 1


def test_a_card_that_goes_away_meanwhile_is_said_and_the_rest_is_done(folder):
    found = run(
        """
real, gone = target.write, []
def write(host, name, value):
    if name.startswith("nic:") and not gone:
        gone.append(name)
        subprocess.run(["ip", "link", "del", "tp-feed"], check=True)
    real(host, name, value)
target.write = write
before = settings()
report = applying.apply(wanted(), HOST, STATE, quiet)
said = []
back = applying.rollback(HOST, STATE, said.append)
left = {t: d for t, d in differences(before, settings()).items() if "tp-" not in t}
print(json.dumps({"refused": report.refused, "holds": report.after.holds, "left": left,
                  "wrote": [t for t, _, _ in report.written], "back": back.refused}))
""",
        folder,
    )
    assert not found["holds"] and found["left"] == {} and found["back"] == []
    assert f"file:{STAT}" in found["wrote"]
    assert found["refused"] and all("gone" in reason for _, reason in found["refused"])


def test_a_read_only_proc_and_sys_are_said(folder):
    found = run(
        """
report = applying.apply(wanted(), HOST, STATE, quiet)
before = settings()
states = {f.setting.key: (f.state, f.reason) for f in report.after.findings}
print(json.dumps({"states": states, "wrote": [t for t, _, _ in report.written]}))
""",
        folder,
        setup=VETH + "\nmount -o remount,ro,bind /proc/sys /proc/sys 2>/dev/null || "
        "{ mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys; }\n"
        "mount -o remount,ro,bind /sys",
    )
    assert found["states"]["sysctl.vm.stat_interval"] == [
        "not-settable", "the kernel lets nobody write it",
    ]  # fmt: skip
    for key in ("napi_defer_hard_irqs", "gro_flush_timeout_ns"):  # in /sys
        state, reason = found["states"][f"nics.feed.{key}"]
        assert (state, reason) == ("not-settable", "the kernel lets nobody write it")
    assert "nic:tp-feed:mtu" in found["wrote"]


def test_without_the_privilege_every_write_is_refused_and_nothing_changes(folder):
    found = run(
        """
import tempfile

def unprivileged():
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    report = applying.apply(chosen, HOST, place / "own", quiet)
    try:
        applying.apply(chosen, HOST, place / "roots", quiet)
    except ControlError as error:
        said = {"text": str(error), "reasons": sorted({reason for _, reason in report.refused}),
                "holds": report.after.holds, "wrote": report.written}
    (place / "own/said").write_text(json.dumps(said))

before, chosen = settings(), wanted()
with tempfile.TemporaryDirectory() as name:  # pytest's folders are for their owner alone
    place = Path(name)
    place.chmod(0o755)
    (place / "own").mkdir()
    (place / "own").chmod(0o777)
    (place / "roots").mkdir(0o700)
    forked(unprivileged)
    said = json.loads((place / "own/said").read_text())
print(json.dumps(said | {"left": differences(before, settings())}))
""",
        folder,
    )
    assert found["reasons"] == ["permission denied; run as root"]
    assert found["wrote"] == [] and found["left"] == {} and not found["holds"]
    assert found["text"].endswith("roots: permission denied; run as root, or give another --state")


def test_a_value_that_is_taken_and_not_kept_is_not_believed(folder):
    found = run(
        """
real = target.write
target.write = lambda host, name, value: None if name.endswith(":mtu") else real(host, name, value)
report = applying.apply(wanted(), HOST, STATE, quiet)
again = plan(wanted(), collect(HOST), undo.read_only(STATE, HOST).reasons())
mtu = next(f for f in again.findings if f.setting.key == "nics.feed.mtu")
print(json.dumps({"refused": report.refused, "state": mtu.state, "reason": mtu.reason}))
""",
        folder,
    )
    assert found["refused"] == [["nic:tp-feed:mtu", "it took 1400 and is 1500"]]
    assert (found["state"], found["reason"]) == ("not-settable", "it took 1400 and is 1500")


def test_what_the_driver_refuses_is_refused_with_its_reason(folder):
    text = "nics:\n  feed: {interface: tp-feed, mtu: 65535, queues: 9}\n"
    (folder / "p.yaml").write_text(text)
    found = run(
        """
report = applying.apply(wanted(), HOST, STATE, quiet)
print(json.dumps(report.refused))
""",
        folder,
    )
    refused = dict(found)
    assert refused["nic:tp-feed:channels.rx"] == "the kernel does not take this value"


def test_the_interface_of_the_session_is_not_taken_down(folder):
    found = run(
        """
before = settings()
try:
    applying.apply(wanted(), HOST, STATE, quiet)
except ControlError as error:
    print(json.dumps({"text": str(error), "left": differences(before, settings())}))
""",
        folder,
        setup=VETH + "\nip addr add 10.9.9.1/24 dev tp-feed\nip link set tp-peer up\n"
        "ip link set tp-feed up\nip route add default via 10.9.9.2",
    )
    assert found["left"] == {}
    assert found["text"] == (
        f"{folder}/p.yaml:10: nics.feed.queues: tp-feed carries your session or the default "
        "route, and this would take it down; nothing was changed; name another card, or take this "
        "key out of the profile"
    )


def tickplane(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    script = "import sys\nfrom appliance.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    return in_namespace(script, *words, setup=VETH)


def test_apply_without_yes_writes_nothing(folder):
    (folder / "p.yaml").write_text("sysctl: {net.core.somaxconn: '777'}\n")
    ran = tickplane(folder, "apply", str(folder / "p.yaml"), "--state", str(folder / "state"))
    assert ran.returncode == 2
    assert ran.stderr == (
        "tickplane: apply: p would write 1 settings here; look at them with --dry-run, "
        "then say --yes\n"
    )
    assert not (folder / "state").exists()


def test_the_verbs_end_with_their_verdict(folder):
    (folder / "p.yaml").write_text("sysctl: {net.core.somaxconn: '777'}\n")
    words = [str(folder / "p.yaml"), "--state", str(folder / "state")]
    applied = tickplane(folder, "apply", *words, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout.endswith("as promised: 1 ok\nwritten: 1, refused: 0\n")
    verified = tickplane(folder, "verify", *words)  # another namespace: it is not set there
    assert verified.returncode == 1
    assert verified.stdout.endswith("NOT as promised: 0 ok, 1 drift\n")
    shown = tickplane(folder, "rollback", *words[1:])
    assert shown.returncode == 2 and "net/core/somaxconn: was" in shown.stdout


def test_a_state_folder_that_cannot_be_is_one_line(folder):
    (folder / "p.yaml").write_text("sysctl: {net.core.somaxconn: '777'}\n")
    (folder / "file").write_text("")
    ran = tickplane(
        folder, "apply", str(folder / "p.yaml"), "--state", str(folder / "file/x"), "--yes"
    )
    assert ran.returncode == 2
    assert ran.stderr == (
        f"tickplane: {folder}/file/x: not a directory; run as root, or give another --state\n"
    )

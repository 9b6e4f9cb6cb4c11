"""``tickplane demo`` as a person starts it: traded, compared, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from live_world import needs_uring
from waiting import LIMIT_S, wait_until

from appliance import demo, two_hosts
from appliance.cli import main
from dataplane.port_kind import kinds

pytestmark = needs_uring
SAME = "0 lost, 0 doubled: both say the same"


def start(folder, *words):
    command = [sys.executable, "-m", "appliance", "demo", "--folder", folder / "demo", *words]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def processes_of(folder):
    """Return the processes whose command names that folder: the exchange and the appliance."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:  # gone meanwhile
            continue
        if str(folder / "demo" / "").encode() in words:
            found.append(int(path.parent.name))
    return found


def namespaces_of(pids):
    """Return the network namespaces that those processes are in, but our own."""
    found = set()
    for pid in pids:
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:  # gone meanwhile
            continue
    return found - {os.readlink("/proc/self/ns/net")}


def all_namespaces():
    return namespaces_of(path.name for path in Path("/proc").glob("[0-9]*"))


def check(out, folder):
    assert out.count(SAME) == 1, out
    sent, seen = re.search(r"requests: ([\d,]+) in the journal, ([\d,]+) seen", out).groups()
    assert sent == seen != "0"
    report = json.loads((folder / "demo" / "report.json").read_text())
    assert report["counters"]["orders_sent"] >= 20
    assert report["journal"]["verified"]


@pytest.mark.parametrize("words", [(), ("--loopback",)])
def test_both_records_say_the_same_on_either_form(words, tmp_path):
    run = start(tmp_path, "--seconds", "3600", "--orders", "20", *words)
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 0, out + err
    assert ("loopback of this machine (as asked for)" in out) == bool(words)
    check(out, tmp_path)
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("tcp", ["kernel", "lwip"])
@pytest.mark.parametrize("port", ["xdp", "dpdk"])
def test_both_records_say_the_same_over_ports_of_frames(port, tcp, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: frames past the kernel")
    kind = next(kind for kind in kinds() if kind["name"] == port)
    if not kind["is_built"] or kind["problem"]:
        pytest.skip(f"needs the port {port}: see tickplane ports")
    run = start(tmp_path, "--seconds", "3600", "--orders", "20", "--port", port, "--tcp", tcp)
    out, err = run.communicate(timeout=LIMIT_S)
    if "install liblwip-dev" in err:
        pytest.skip("needs a build with lwIP")
    assert run.returncode == 0, out + err
    check(out, tmp_path)
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    assert report["live"]["ports"].startswith(f"{port}: ")
    assert report["live"]["ports"].endswith("tcp in user space") == (tcp == "lwip")
    assert report["counters"]["net_checksum_bad"] == 0
    assert report["live"]["feed"] == "whole"  # a busy machine may lose datagrams on the way


@pytest.mark.parametrize("port", ["uring", "xdp", "dpdk"])
def test_orders_as_fast_as_they_are_answered(port, tmp_path):
    """``scripts/soak.sh wire`` is the long form: 100,000 orders on each port."""
    kind = next(kind for kind in kinds() if kind["name"] == port)
    if port != "uring" and os.geteuid() != 0:
        pytest.skip("needs root: frames past the kernel")
    if not kind["is_built"] or kind["problem"]:
        pytest.skip(f"needs the port {port}: see tickplane ports")
    orders = int(os.environ.get("TICKPLANE_WIRE_ORDERS", "2000"))
    run = start(tmp_path, "--load", "--orders", orders, "--port", port)
    out, err = run.communicate(timeout=LIMIT_S + orders / 50)
    assert run.returncode == 0, out + err
    check(out, tmp_path)
    sent, told = re.findall(r"(?:requests|answers): ([\d,]+) in the journal", out)
    assert int(sent.replace(",", "")) >= orders and int(told.replace(",", "")) >= orders
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    assert report["counters"]["journal_lost"] == report["counters"]["reports_unknown"] == 0
    assert report["live"]["feed"] == "whole"


def test_a_position_of_the_engine_that_nobody_recorded_is_a_difference(tmp_path):
    rows = [{"symbol": "TPLN    ", "position": 5}, {"symbol": "OTHR    ", "position": -3}]
    (tmp_path / "report.json").write_text(json.dumps({"positions": rows}))
    hosts = two_hosts.Hosts(two_hosts.Host("127.0.0.1"), two_hosts.Host("127.0.0.1"), "x")
    place = demo.Place(tmp_path, hosts, {})
    assert demo.held_otherwise(place, {"TPLN": 5, "OTHR": -3}) == []
    assert demo.held_otherwise(place, {"TPLN": 4, "OTHR": -3}) == [
        ("position", "the engine's TPLN: +5 shares here, +4 by the venue's record")
    ]


@pytest.mark.parametrize("tcp", ["kernel", "lwip"])
def test_both_records_say_the_same_behind_a_card(tcp, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: frames past the kernel")
    kind = next(kind for kind in kinds() if kind["name"] == "xdp")
    if not kind["is_built"] or kind["problem"]:
        pytest.skip("needs the port xdp: see tickplane ports")
    words = ["--seconds", "3600", "--orders", "20", "--port", "xdp", "--card", "soft"]
    run = start(tmp_path, *words, "--tcp", tcp)
    out, err = run.communicate(timeout=LIMIT_S)
    if "install liblwip-dev" in err:
        pytest.skip("needs a build with lwIP")
    assert run.returncode == 0, out + err
    check(out, tmp_path)
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    assert "; card soft" in report["live"]["ports"]
    assert report["counters"]["net_checksum_bad"] == 0
    assert report["live"]["feed"] == "whole"  # a busy machine may lose datagrams on the way


def test_a_card_wants_a_port_of_frames(tmp_path, capsys):
    assert main(["demo", "--folder", str(tmp_path / "demo"), "--card", "soft"]) == 2
    assert capsys.readouterr().err == (
        "tickplane: --card: soft: stands before a port of frames; add --port xdp or dpdk\n"
    )


def test_tcp_in_user_space_wants_a_port_of_frames(tmp_path, capsys):
    assert main(["demo", "--folder", str(tmp_path / "demo"), "--tcp", "lwip"]) == 2
    assert capsys.readouterr().err == (
        "tickplane: --tcp: lwip: stands on a port of frames; add --port xdp or dpdk\n"
    )


def test_ctrl_c_ends_it_in_order_and_leaves_nothing(tmp_path):
    run = start(tmp_path, "--seconds", "3600")
    wait_until(lambda: has_sent(processes_of(tmp_path), 20), process=run)
    made = namespaces_of(processes_of(tmp_path))
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 0, out + err
    assert "demo: stopped by Ctrl-C; what is open is cancelled first\n" in out
    check(out, tmp_path)
    assert processes_of(tmp_path) == []
    assert not made & all_namespaces()


def test_a_demonstration_that_is_killed_leaves_nothing(tmp_path):
    run = start(tmp_path, "--seconds", "3600")
    wait_until(lambda: has_sent(processes_of(tmp_path), 1), process=run)
    made = namespaces_of(processes_of(tmp_path))
    run.kill()
    run.communicate()
    wait_until(lambda: processes_of(tmp_path) == [] and not made & all_namespaces())


def has_sent(pids, count):
    return any(demo.orders_sent(pid) >= count for pid in pids)


def test_an_appliance_that_is_not_ready_says_why_and_nothing_is_compared(tmp_path):
    run = start(tmp_path, "--strategy", "nobody")
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 2
    assert "'nobody'" in err
    assert SAME not in out


def test_a_folder_with_something_of_ones_own_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("all my work")
    assert main(["demo", "--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: --folder: {tmp_path}: holds 'thesis.tex', which is not a demonstration's; "
        "name another folder\n"
    )
    assert (tmp_path / "thesis.tex").exists()


def test_without_ip_it_is_the_loopback_and_says_why(monkeypatch):
    monkeypatch.setattr(two_hosts.shutil, "which", lambda tool: None)
    with two_hosts.two_hosts() as hosts:
        assert hosts.describe() == (
            "an exchange and an appliance on the loopback of this machine "
            "(no `ip` here: apt-get install iproute2)"
        )
        assert hosts.words(hosts.venue, ["true"])[-1] == "true"
        ports = demo.choose_ports(hosts)
    assert len(set(ports.values())) == 5
    place = demo.Place(Path("x"), hosts, ports)
    assert place.at("a") == f"127.0.0.1:{ports['a']}"


def test_a_kernel_that_refuses_is_the_loopback_with_its_words(monkeypatch):
    monkeypatch.setattr(two_hosts, "HOLD", ("sh", "-c", "echo unshare: not permitted >&2"))
    with two_hosts.two_hosts() as hosts:
        assert hosts.reason == "no network namespaces for us: unshare: not permitted"


def test_only_who_sent_something_has_shown_something(tmp_path, monkeypatch, capsys):
    nothing = {name: 0 for name in (
        "requests_sent", "requests_seen", "requests_never_received", "fills_told", "fills_applied",
        "shares_told", "shares_applied",
    )}  # fmt: skip
    nothing |= {"messages_told": 0, "messages_applied": 0, "positions": {}}
    monkeypatch.setattr(demo.reconcile, "compare", lambda journal, tape: (nothing, []))
    (tmp_path / "report.json").write_text('{"positions": []}')
    hosts = two_hosts.Hosts(two_hosts.Host("127.0.0.1"), two_hosts.Host("127.0.0.1"), "x")
    assert demo.compare(demo.Place(tmp_path, hosts, {})) == 1
    assert "no order was sent" in capsys.readouterr().out

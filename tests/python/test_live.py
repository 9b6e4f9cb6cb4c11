"""Live runs against ``tickplane venue``, both as processes, on loopback.

The venue's own record is the oracle: what it saw is what our journal says was sent, once each, and
what it reported is what our journal applied, once each.
"""

import subprocess
import time
from importlib import resources

import pytest
from live_world import (
    END_S,
    TICKPLANE,
    USER,
    check_books_balance,
    journal_events,
    needs_uring,
)

from appliance import audit_keys, sign
from appliance.cli import main
from dataplane import sealing
from dataplane.journal import segment_names

pytestmark = needs_uring


def test_both_records_say_the_same(world):
    one = world()
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 30)
    assert "SESSION       OPEN; 1 logins, 0 losses" in one.finish(run)
    one.end()
    assert check_books_balance(one) >= 30
    report = one.report()
    assert report["counters"]["mold_lost"] == 0
    assert report["counters"]["book_unknown_order"] == 0
    assert report["counters"]["shadow_orders"] > 0  # which nobody saw: both records are the same
    assert report["journal"]["verified"]
    assert "PENDING_NEW" not in report["orders"] and "UNKNOWN" not in report["orders"]


def test_lossy_lines_are_made_whole(world):
    one = world(seed=2, loss=200_000)
    one.start_venue()
    run = one.start_run()
    one.wait_until(run, lambda now: now["itch_messages"] > 2000 and now["orders_sent"] > 0)
    one.finish(run)
    one.end()
    report = one.report()
    assert report["live"]["lines"][0]["lost"] > 0
    assert report["counters"]["mold_lost"] == 0
    assert report["counters"]["book_unknown_order"] == 0
    assert check_books_balance(one) > 0


def test_a_session_that_is_cut_again_and_again_loses_and_doubles_nothing(world):
    one = world(seed=3)
    one.start_venue()
    run = one.start_run()
    for cut in range(8):
        one.wait_for_orders(run, 5, since=one.counters(run))
        assert "ok" in one.tell_venue(f"fault {USER} disconnect")
        one.wait_until(run, lambda now, cut=cut: now["session_losses"] > cut)
    one.wait_for_orders(run, 5, since=one.counters(run))
    one.finish(run)
    one.end()
    report = one.report()
    assert report["live"]["losses"] >= 8
    assert report["live"]["unexplained"] == 0
    assert report["live"]["logins"] == report["live"]["losses"] + 1
    assert check_books_balance(one) >= 45
    assert "UNKNOWN" not in report["orders"]


def test_a_run_that_is_killed_goes_on_from_its_journal(world):
    one = world(seed=5)
    keys = one.folder / "keys"
    audit_keys.make_key(str(keys))
    one.run_yaml.write_text(
        one.run_yaml.read_text().replace(
            "  segment_size_mib: 64",
            f"  segment_size_mib: 1\n  seal: true\n  keep_mib: 0\n  keys: {keys}",
        )
    )
    one.start_venue()
    for _ in range(3):
        run = one.start_run()
        one.wait_for_orders(run)
        run.kill()
        run.wait()
    run = one.start_run()
    one.wait_for_orders(run)
    out = one.finish(run)
    one.end()
    report = one.report()
    assert report["live"]["unexplained"] == 0
    assert not {"PENDING_NEW", "UNKNOWN"} & set(report["orders"])
    assert check_books_balance(one) >= 80
    assert "SESSION       OPEN" in out
    # Each run's sealer has sealed, signed and released what was closed; one may be at it still.
    journal = one.folder / "journal"
    deadline = time.monotonic() + 600
    while main(["journal", "seal", str(journal), "--config", str(one.run_yaml)]) != 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    segments = len(segment_names(str(journal)))
    assert segments >= 2 and len(list(journal.glob("*.tpj"))) == 1
    assert sealing.check(str(journal)) == (segments, [])
    assert sign.check(str(journal), audit_keys.Verifier(str(keys))) == (segments, [])


def test_shadow_orders_can_be_turned_off(world):
    one = world(seed=6)
    one.run_yaml.write_text(
        one.run_yaml.read_text().replace("  port: uring", "  port: uring\n  warm_after_us: 0")
    )
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    one.finish(run)
    assert one.report()["counters"]["shadow_orders"] == 0


def test_a_venue_that_dies_ends_in_a_report_and_a_whole_journal(world):
    one = world(seed=4)
    venue = one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    venue.kill()
    venue.wait()
    one.wait_until(run, lambda now: now["session_losses"] > 0)
    assert "SESSION       DOWN" in one.finish(run)
    assert one.report()["journal"]["verified"]
    events = journal_events(one)
    assert any(event["event"] == "NEW" for event in events)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("password: secret", "password: wrong", "the venue does not know this user and password"),
        ("user: alice", "user: mallet", "the venue does not know this user and password"),
    ],
)
def test_a_login_that_is_refused_is_said_at_once(world, old, new, words):
    one = world()
    one.start_venue()
    one.run_yaml.write_text(one.run_yaml.read_text().replace(old, new))
    done = subprocess.run(
        [*TICKPLANE, "run", one.run_yaml, "--ready-seconds", "36000"], capture_output=True,
        text=True, timeout=END_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.endswith(f"127.0.0.1:{one.ports['orders']}: {words}\n")


def test_no_venue_is_said_in_one_line(world):
    one = world()
    done = subprocess.run(
        [*TICKPLANE, "run", one.run_yaml, "--ready-seconds", "2"], capture_output=True, text=True,
        timeout=END_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "tickplane: run: not ready: no order session with "
        f"127.0.0.1:{one.ports['orders']}: Connection refused\n"
    )


def test_a_card_before_sockets_is_said_in_one_line(tmp_path, capsys):
    path = tmp_path / "live.yaml"
    text = (resources.files("appliance") / "configs" / "live.yaml").read_text()
    path.write_text(text + "card: {backend: soft}\n")
    assert main(["run", str(path), "--journal", str(tmp_path / "journal")]) == 2
    assert capsys.readouterr().err == (
        "tickplane: live: card soft: the port uring moves no Ethernet frames; use xdp or dpdk\n"
    )


def test_a_configuration_without_live_says_where_one_is(tmp_path, capsys):
    path = tmp_path / "replay.yaml"
    path.write_text((resources.files("appliance") / "configs" / "example.yaml").read_text())
    assert main(["run", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: {path}: live: missing; docs/live.md has one to copy\n"
    )


ONE_SESSION = "  orders: [127.0.0.1:9001]\n  user: alice\n  password: secret\n"
ONE = "{user: alice, password: secret, orders: [127.0.0.1:9001]}"
LWIP = "  port: xdp\n  interface: eth1\n  tcp: lwip\n  tcp_ip: 10.7.0.9"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("port: uring", "port: onload", "live.port: 'onload' is not one of its values;"),
        ("port: uring", "port: xdp", "live.interface: missing; the port xdp needs one,"),
        ("127.0.0.1:9001]", "127.0.0.1]", "live.orders: '127.0.0.1' is not an address;"),
        ("[127.0.0.1:9001", "[exchange:9001", "live.orders: 'exchange' is not an IPv4 address;"),
        (
            "127.0.0.1:9001]",
            "127.0.0.1:70000]",
            "live.orders: '127.0.0.1:70000' is not an address;",
        ),
        ("  port: uring", "  tcp: fast", "live.tcp: 'fast' is not one of its values;"),
        ("  port: uring", "  tcp: lwip", "live.tcp: 'lwip' stands on a port of frames;"),
        ("  port: uring", "  tcp_ip: 10.7.0.9", "live.tcp_ip: only `tcp: lwip` has one;"),
        ("  port: uring", LWIP, "live.next_hop: missing;"),
        ("  port: uring", LWIP + "\n  next_hop: me", "live.next_hop: 'me' is not a hardware"),
        ("  port: uring", LWIP + "\n  tcp_port: 80", "live.tcp_port: 80 is too small;"),
        ("user: alice", "user: alexander", "live.user: 'alexander' is not a name; give 1 to 6"),
        ("  lines: [127.0.0.1:9101, 127.0.0.1:9102]\n", "", "live.lines: missing;"),
        ("[127.0.0.1:9101, ", "[1.1.1.1:1, 1.1.1.1:2, 1.1.1.1:3, ", "live.lines: 4 addresses;"),
        ("  port: uring", "  warm_after_us: 2000000", "live.warm_after_us: 2000000 is too large;"),
        ("  port: uring", "  spread: evenly", "live.spread: 'evenly' is not one of its values;"),
        ("  port: uring", "  throttled: queue", "live.throttled: stands for nothing without a"),
        ("  port: uring", "  message_rate: 0", "live.message_rate: 0 is too small;"),
        ("  port: uring", "  sessions: []", "live.orders: each of `sessions` has its own;"),
        (ONE_SESSION, "  sessions: []\n", "live.sessions: an empty list;"),
        (ONE_SESSION, f"  sessions: [{ONE}, {ONE}]\n", "'alice' is in two sessions;"),
        (
            ONE_SESSION,
            "  sessions: [{user: bob, orders: [1.1.1.1:1]}]\n",
            "live.sessions[0].password: missing;",
        ),
        (ONE_SESSION, f"  sessions: [{', '.join([ONE] * 9)}]\n", "live.sessions: 9 sessions;"),
        ("  port: uring", "  prot: uring", "live.prot: unknown key; did you mean port?"),
    ],
)
def test_a_wrong_line_of_live_is_named(tmp_path, capsys, old, new, problem):
    text = (resources.files("appliance") / "configs" / "live.yaml").read_text()
    assert old in text
    path = tmp_path / "live.yaml"
    path.write_text(text.replace(old, new))
    assert main(["run", str(path)]) == 2
    assert f": {problem}" in capsys.readouterr().err

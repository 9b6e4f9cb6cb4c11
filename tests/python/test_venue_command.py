"""``tickplane venue`` as a process: ready, trading, told what to do, stopped; its record."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from waiting import LIMIT_S

from appliance.venue import messages, record

CONFIG = """\
seed: 7
record: {record}
venues:
  lit:
    instruments: {{TPLN: {{reference: 10.00}}}}
    users: {{alice: {{password: secret}}, bob: {{password: secret}}}}
    agents: [{{kind: zero_intelligence, count: 3, interval: 5ms}},
             {{kind: market_maker, interval: 10ms}}, {{kind: informed, interval: 20ms}},
             {{kind: bursts, interval: 100ms}}, {{kind: halts, interval: 200ms}}]
"""


@contextmanager
def venue(tmp_path, *words):
    (tmp_path / "v.yaml").write_text(CONFIG.format(record=tmp_path / "venue.tape"))
    command = [sys.executable, "-m", "appliance", "venue", "--config", str(tmp_path / "v.yaml")]
    process = subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, process.stdout.readline()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Client:
    def __init__(self, ready: str, user: str) -> None:
        port = int(re.search(r"orders=127\.0\.0\.1:(\d+)", ready)[1])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        self.data = bytearray()
        self.socket.sendall(messages.login(user, "secret"))

    def send(self, *lines: str) -> None:
        for line in lines:
            request = messages.split(line)
            self.socket.sendall(messages.packet("U", messages.BUILDERS[request.verb](request)))

    def wait_for(self, name: str) -> list[messages.Seen]:
        """Return what came up to and including the first packet of that name."""
        seen: list[messages.Seen] = []
        while not seen or seen[-1].name != name:
            for kind, payload in messages.take_packets(self.data):
                seen.append(messages.see(kind, payload))
                if seen[-1].name == name:
                    return seen
            more = self.socket.recv(65536)
            assert more, seen
            self.data += more
        return seen


def test_a_day_from_ready_to_report(tmp_path):
    control = str(tmp_path / "control")
    with venue(tmp_path, "--control", control) as (process, ready):
        assert ready.startswith("READY lit orders=127.0.0.1:")
        assert ready.endswith(f" a=off b=off control={control}\n")
        assert os.stat(control).st_mode & 0o777 == 0o600
        alice, bob = Client(ready, "alice"), Client(ready, "bob")
        alice.send("enter 1 B 100 TPLN 10000.00")
        bob.send("enter 1 S 100 TPLN 0.01")
        alice.wait_for("order_executed")
        bob.wait_for("order_executed")
        commands = socket.socket(socket.AF_UNIX)
        commands.connect(control)
        commands.sendall(b"fault alice nothing\nhalt XXXX\nfault alice reject 7\n")
        answers = b""
        while answers.count(b"\n") < 3:
            answers += commands.recv(4096)
        lines = answers.decode().splitlines()
        assert lines[0].startswith("error: fault: 'nothing' is none; known: none, disconnect, ")
        assert lines[1:] == ["error: symbol: 'XXXX' is none; known: all, TPLN", "ok"]
        alice.send("enter 2 B 100 TPLN 10.00")
        assert alice.wait_for("rejected")[-1].fields["reason"] == "halted"
        process.send_signal(signal.SIGTERM)
        alice.wait_for("end_of_session")
        out, err = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0
        assert re.fullmatch(r"lit: .* reports; money and shares balance\n", out)
        assert "lit: alice: connection 0: logged in" in err
        assert "lit: alice: connection 0: closed: the session is over" in err
        assert not os.path.exists(control)


def test_the_record_holds_what_a_client_was_told(tmp_path):
    told: dict[tuple[int, int], int] = {}
    with venue(tmp_path) as (process, ready):
        alice = Client(ready, "alice")
        for number in range(1, 40):
            side = "BS"[number % 2]
            alice.send(f"enter {number} {side} 300 TPLN {10 + number % 2 * -0.1:.2f}")
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for one in alice.wait_for("end_of_session"):
            if one.name == "order_executed":
                key = int(one.fields["user_ref_num"]), int(one.fields["match_number"])
                told[key] = int(one.fields["quantity"])
        process.communicate(timeout=LIMIT_S)
    assert told
    assert record.fills(record.read(str(tmp_path / "venue.tape")), account=1) == told
    kinds = {one.kind for one in record.read(str(tmp_path / "venue.tape"))}
    assert {"connected", "in", "out", "report", "line", "closed"} <= kinds


def until_served(ready: str, user: str) -> None:
    """Log in, again and again while the venue has no room yet, at most five seconds."""
    end = time.monotonic() + LIMIT_S
    while True:
        try:
            Client(ready, user).wait_for("system_event")
            return
        except (OSError, AssertionError):
            assert time.monotonic() < end


def test_without_descriptors_connections_are_turned_away_and_said_so(tmp_path):
    with venue(tmp_path) as (process, ready):
        used = len(os.listdir(f"/proc/{process.pid}/fd"))
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (used + 4, used + 4))
        port = int(re.search(r"orders=127\.0\.0\.1:(\d+)", ready)[1])
        clients = [
            socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) for _ in range(12)
        ]
        assert clients[-1].recv(1) == b""
        for client in clients:
            client.close()
        until_served(ready, "alice")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=LIMIT_S)
    assert re.search(r"sockets: \d+ connections turned away, no descriptor is left; raise", err)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", "venue", *words], capture_output=True, text=True
    )


def test_an_address_in_use_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "v.yaml"
        path.write_text(
            f"venues:\n  lit:\n    orders: 127.0.0.1:{port}\n    instruments: {{TPLN: {{}}}}\n"
            "    users: {alice: {password: secret}}\n"
        )
        result = run("--config", str(path))
    assert result.returncode == 1
    assert result.stderr == (
        f"tickplane: orders: 127.0.0.1:{port}: Address already in use; "
        "give an address of this machine and a port that is free, or port 0\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--config", "none.yaml"],
            "tickplane: none.yaml: no such file or directory; "
            "give a configuration that can be read\n",
        ),
        (
            ["--control", "/none/at/all", "--seconds", "0"],
            "tickplane: --control /none/at/all: no such file or directory; "
            "give a path that is free\n",
        ),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(words, message):
    result = run(*words)
    assert (result.returncode, result.stderr) == (2, message)


def test_another_venue_keeps_its_control_socket(tmp_path):
    control = str(tmp_path / "control")
    with venue(tmp_path, "--control", control):
        (tmp_path / "w.yaml").write_text(CONFIG.format(record=tmp_path / "w.tape"))
        result = run("--config", str(tmp_path / "w.yaml"), "--control", control)
        assert result.returncode == 2
        assert "another venue listens there; give a path that is free" in result.stderr


def test_a_record_that_is_none_is_refused(tmp_path):
    path = tmp_path / "other"
    path.write_bytes(b"something else")
    with pytest.raises(Exception, match="begins with no TPVENUE1; give a venue's record"):
        record.read(str(path))


def test_the_recording_trades(tmp_path):
    from appliance.venue import config
    from appliance.venue.agents import act_until
    from appliance.venue.recorded import Recorded
    from appliance.venue.venues import open_venues
    from dataplane.generate import session_bytes

    (tmp_path / "day.itch").write_bytes(session_bytes(20_000, 2, 1))
    text = "venues:\n  lit:\n    instruments: {SYMBOLS}\n    users: {a: {password: b}}\n"
    symbols = first_symbols(tmp_path / "day.itch")
    names = ", ".join(f"{symbol}: {{tick: 0.0002}}" for symbol in symbols)
    parsed = config.parse(text.replace("SYMBOLS", names), source="t.yaml")
    one = open_venues(parsed, midnight_ns=0)["lit"]
    one.exchange.start(1)
    act_until([Recorded(one, str(tmp_path / "day.itch"), 1, 1)], 1 << 60)
    stats = one.exchange.stats()
    assert stats["orders"] > 5_000 and stats["trades"] > 500 and stats["malformed"] == 0
    assert one.exchange.is_balanced()


def first_symbols(path) -> list[str]:
    from appliance.venue.recorded import read

    return [
        message["stock"].decode().rstrip()
        for message in read(str(path))
        if message["type"] == ord("R")
    ]

"""``tickplane decode``: every message on a line, everything else under a name on stderr."""

import gzip
import json
import random
import signal
import struct
import subprocess
import sys
import time

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.utils import PcapNgWriter, wrpcap

from appliance.cli import main
from dataplane.capture import Capture, CaptureText, CaptureWriter

LENGTHS = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21,
    "A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19,
    "I": 50, "N": 20, "O": 48,
}  # fmt: skip


def message(kind, number=0):
    """Return a message whose tracking number, at bytes 3 and 4, is the only thing it says."""
    return struct.pack(">cHH", kind.encode(), 0, number) + bytes(LENGTHS[kind] - 5)


def random_messages(seed, count):
    rng = random.Random(seed)
    return [message(rng.choice(list(LENGTHS)), index & 0xFFFF) for index in range(count)]


def blocks(messages):
    return b"".join(struct.pack(">H", len(each)) + each for each in messages)


def mold(messages, sequence=1, count=None):
    header = b"SESSION001" + struct.pack(">QH", sequence, len(messages) if count is None else count)
    return header + blocks(messages)


def frame(payload, port=26477, **ip):
    return Ether() / IP(src="10.0.0.1", dst="233.54.12.1", **ip) / UDP(dport=port) / payload


def run(capfdbinary, *words):
    status = main(["decode", *map(str, words)])
    captured = capfdbinary.readouterr()
    return status, captured.out.decode().splitlines(), captured.err.decode()


def test_a_file_gives_a_line_for_every_message(tmp_path, capfdbinary):
    messages = random_messages(1, 5000)
    path = tmp_path / "day.itch"
    path.write_bytes(blocks(messages))
    status, lines, err = run(capfdbinary, path, "--json")
    told = [(line["message_type"], line["tracking_number"]) for line in map(json.loads, lines)]
    assert told == [(chr(each[0]), int.from_bytes(each[3:5])) for each in messages]
    assert f"{path}: BinaryFILE: 5000 messages, 0 longer" in err
    assert status == 0
    status, text_lines, _ = run(capfdbinary, path)
    assert len(text_lines) == 5000


def test_gzip_and_packets_give_the_same_lines_as_the_plain_file(tmp_path, capfdbinary):
    messages = random_messages(2, 300)
    plain, packed = tmp_path / "day.itch", tmp_path / "day"
    plain.write_bytes(blocks(messages))
    packed.write_bytes(
        gzip.compress(blocks(messages[:100])) + gzip.compress(blocks(messages[100:]))
    )
    frames = [frame(mold(messages[at : at + 7], at + 1)) for at in range(0, 300, 7)]
    wrpcap(str(tmp_path / "day.pcap"), frames)
    with PcapNgWriter(str(tmp_path / "day.pcapng")) as writer:
        for each in frames:
            writer.write(each)
    expected = run(capfdbinary, plain, "--json")[1]
    assert len(expected) == 300
    for path in (packed, tmp_path / "day.pcap", tmp_path / "day.pcapng"):
        status, lines, _ = run(capfdbinary, path, "--json")
        assert status == 0
        assert lines == expected, path


def test_what_gives_no_line_is_counted(tmp_path, capfdbinary):
    path = tmp_path / "odd.itch"
    odd = [message("A"), b"z123", b"A", message("D") + b"more", message("D")[:-1]]
    path.write_bytes(blocks(odd) + b"\0\0behind")
    status, lines, err = run(capfdbinary, path)
    assert status == 0
    assert len(lines) == 2
    assert err == (
        f"{path}: BinaryFILE: 2 messages, 1 longer than specified; not shown: 1 of unknown type,"
        " 2 too short; skipped: 6 bytes behind the end of the session\n"
        "messages by type: A 1, D 1\n"
    )


def test_every_frame_is_counted_under_one_name(tmp_path, capfdbinary):
    good = frame(mold([message("A"), b"", b"z", message("D")]))
    bad_sum = frame(mold([message("A")]))
    bad_sum[UDP].chksum = 1
    frames = [
        good,
        frame(mold([], 5)),
        frame(mold([], 5, 0xFFFF)),
        frame(mold([message("A")])[:-1]),
        frame(b"hello"),
        frame(b"a fragment", flags="MF"),
        bad_sum,
        Ether() / ARP(),
        Ether() / IP() / TCP() / b"hello",
        Ether(bytes(good)[:60]),
    ]
    path = tmp_path / "odd.pcap"
    wrpcap(str(path), frames)
    status, lines, err = run(capfdbinary, path)
    assert status == 0
    assert len(lines) == 2
    assert err == (
        f"{path}: pcap: 2 messages, 0 longer than specified; not shown: 1 of unknown type,"
        " 1 too short; skipped: 0 blocks\n"
        "messages by type: A 1, D 1\n"
        "frames: 10, of these 1 heartbeats, 1 ends of session; dropped: cut short 1, not ip 1,"
        " fragment 1, checksum 1, malformed 0, tcp 1, not moldudp64 2\n"
    )


def test_two_lines_are_shown_as_recorded(tmp_path, capfdbinary):
    path = tmp_path / "lines.pcap"
    packet = mold(random_messages(3, 5))
    wrpcap(str(path), [frame(packet, port=1), frame(packet, port=2)])
    lines = run(capfdbinary, path)[1]
    assert lines[:5] == lines[5:]


def test_the_outside_sample_is_told_whole(capfdbinary, sample_path):
    status, lines, err = run(capfdbinary, sample_path, "--json")
    assert status == 0
    assert len(lines) == 12012
    assert {"ALC", "BOB", "CHAR"} == {
        line["stock"] for line in map(json.loads, lines) if line["message_type"] == "R"
    }
    assert "12012 messages, 0 longer than specified; not shown: 0 of unknown type, 0 too" in err


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "day.itch"
    path.write_bytes(blocks(random_messages(4, 20000)) * 50)
    return path


def test_a_reader_that_leaves_gets_no_traceback(large):
    done = subprocess.run(
        f"{sys.executable} -P -m appliance decode {large} | head -1",
        shell=True, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_ctrl_c_stops_cleanly(large):
    words = [sys.executable, "-P", "-m", "appliance", "decode", str(large)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(100)  # it runs, and the pipe is about to be full
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        out, err = process.communicate(timeout=60)
    assert err == b"tickplane: stopped by Ctrl-C\n"
    assert process.returncode == 130


def test_text_is_handed_out_in_bounded_pieces(large):
    text = CaptureText(large, json=True)
    lines = 0
    while piece := text.render():
        assert len(piece) <= 1 << 20
        assert bytes(piece[-2:]) == b"}\n"
        lines += bytes(piece).count(b"\n")
    assert lines == 20000 * 50
    text.check()


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "out.pcap"
    writer = CaptureWriter(path)
    writer.add(1_600_000_000_123_456_789, b"abc")
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="it is closed"):
        writer.add(1, b"abc")
    capture = Capture(path)
    assert capture.format == "pcap"
    assert capture.read() == [(24, 1_600_000_000_123_456_789, 3, b"abc")]
    assert capture.read() == []
    assert (capture.position, capture.size, capture.skipped) == (43, 43, 0)
    capture.check()

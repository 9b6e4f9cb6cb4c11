"""Files that are not what they should be: one line says where and what; the status is right."""

import gzip
import os
import random
import struct
import subprocess
import sys
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, PcapWriter, wrpcap

from appliance.cli import main
from dataplane.capture import Capture, CaptureWriter
from dataplane.errors import DataplaneError

MESSAGE = b"D" + bytes(18)
RECORD = struct.pack(">H", len(MESSAGE)) + MESSAGE


def decode(capfd, path):
    """Return status, count of lines, and the complaint without the summary above it."""
    status = main(["decode", str(path)])
    captured = capfd.readouterr()
    complaints = [line for line in captured.err.splitlines() if line.startswith("tickplane: ")]
    return status, captured.out.count("\n"), complaints


def read_all(path):
    """Return the frames or messages of a file and its complaint, '' when it was whole."""
    capture = Capture(path)
    data = []
    while batch := capture.read():
        data += [record[3] for record in batch]
    try:
        capture.check()
    except DataplaneError as error:
        return data, str(error)
    return data, ""


def test_what_the_operator_can_mend_is_status_2(tmp_path, capfd):
    empty, other = tmp_path / "empty", tmp_path / "other.pcap"
    empty.touch()
    PcapWriter(str(other), linktype=113).write(b"0123456789abcdef")
    for path, words in [
        (empty, "is empty; name a recorded session"),
        (tmp_path, "is a directory; name a recorded session"),
        (tmp_path / "none", "no such file; name a recorded session"),
        (other, "link type is 113 (LINUX_SLL); only Ethernet (1) is read; capture on the interface"
         " itself"),
    ]:  # fmt: skip
        assert decode(capfd, path) == (2, 0, [f"tickplane: {path}: {words}"])


def test_half_a_record_comes_after_all_whole_ones(tmp_path, capfd):
    path = tmp_path / "cut.itch"
    path.write_bytes(RECORD * 3 + RECORD[:-4])
    words = f"tickplane: {path}: byte 63: record of 19 bytes is cut short after 15"
    assert decode(capfd, path) == (1, 3, [words])


def test_four_gigabytes_of_zeros_are_answered_at_once(tmp_path, capfd):
    path = tmp_path / "zeros"
    path.touch()
    os.truncate(path, 4 << 30)
    start = time.monotonic()
    words = "byte 0: zero length and no message type behind it; this is no BinaryFILE"
    assert decode(capfd, path) == (2, 0, [f"tickplane: {path}: {words}"])
    with path.open("r+b") as file:
        file.write(RECORD)
    assert decode(capfd, path) == (0, 1, [])
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_agree_with_a_model(tmp_path, seed):
    data = random.Random(seed).randbytes(200_000)
    path = tmp_path / "random"
    path.write_bytes(data)
    expected, offset, fault = [], 0, ""
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 2])
        whole = data[offset + 2 : offset + 2 + size]
        if size == 0:
            break
        if len(data) - offset < 2:
            fault = f"byte {offset}: record header of 2 bytes is cut short after 1"
            break
        if len(whole) < size:
            fault = f"byte {offset}: record of {size} bytes is cut short after {len(whole)}"
            break
        expected.append(whole)
        offset += 2 + size
    assert read_all(path) == (expected, f"{path}: {fault}" if fault else "")


def test_a_gzip_cut_anywhere_gives_what_is_whole(tmp_path):
    rng = random.Random(5)
    records = [rng.randbytes(19) for _ in range(5000)]
    packed = gzip.compress(b"".join(b"\0\x13" + record for record in records), mtime=0)
    path = tmp_path / "cut.gz"
    for size in range(997, len(packed), 997):
        path.write_bytes(packed[:size])
        data, complaint = read_all(path)
        assert data == records[: len(data)]
        assert len(data) > size // 30 - 100
        assert complaint == (
            f"{path}: byte {size} of the file: the gzip data is cut short; fetch it again"
        )


def test_a_gzip_with_one_wrong_byte_never_gives_other_data_as_whole(tmp_path):
    packed = gzip.compress(RECORD * 50, mtime=0)
    whole = ([MESSAGE] * 50, "")
    assert read_all_of(tmp_path, packed) == whole
    silent = 0
    for at in range(10, len(packed)):
        wrong = packed[:at] + bytes([packed[at] ^ 0x10]) + packed[at + 1 :]
        try:
            data, complaint = read_all_of(tmp_path, wrong)
        except DataplaneError as error:
            data, complaint = [], str(error)
        if (data, complaint) == whole:
            silent += 1
        else:
            assert "the gzip data is" in complaint, at
    # Up to seven bits behind the last code fill its byte: they mean nothing, and differ unseen.
    assert silent <= 1


def read_all_of(tmp_path, content):
    path = tmp_path / "content"
    path.write_bytes(content)
    return read_all(path)


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcaps_by_another_program_are_read(tmp_path, endianness, nano):
    path = tmp_path / "day.pcap"
    frames = [Ether() / IP() / UDP() / bytes(size) for size in range(50)]
    with PcapWriter(str(path), linktype=1, endianness=endianness, nano=nano) as writer:
        for index, frame in enumerate(frames):
            frame.time = index + 0.5
            writer.write(frame)
    capture = Capture(path)
    records = capture.read()
    assert [record[3] for record in records] == [bytes(frame) for frame in frames]
    assert [record[1] for record in records] == [
        index * 10**9 + 5 * 10**8 for index in range(len(frames))
    ]


def test_a_pcap_cut_anywhere_gives_what_is_whole(tmp_path):
    source = tmp_path / "day.pcap"
    wrpcap(str(source), [Ether() / IP() / UDP() / bytes(size) for size in (3, 1, 4)])
    content = source.read_bytes()
    frames, _ = read_all(source)
    ends = [24, 24 + 16 + 45, 24 + 32 + 45 + 43, len(content)]
    for size in range(24, len(content)):
        data, complaint = read_all_of(tmp_path, content[:size])
        assert data == frames[: sum(end <= size for end in ends) - 1]
        assert bool(complaint) == (size not in ends), complaint


def test_a_cut_frame_keeps_its_size_on_the_wire(tmp_path):
    path = tmp_path / "snap.pcap"
    with PcapWriter(str(path), linktype=1) as writer:
        writer.write_header(None)
        writer.write_packet(bytes(20), sec=0, usec=0, caplen=20, wirelen=142)
    [(_, _, original_size, data)] = Capture(path).read()
    assert (original_size, len(data)) == (142, 20)


def test_a_pcapng_with_odd_blocks_is_read(tmp_path):
    path = tmp_path / "day.pcapng"
    with PcapNgWriter(str(path)) as writer:
        writer.write(Ether() / IP() / UDP() / b"one")
    section = path.read_bytes()
    odd = struct.pack("<II8sI", 0x0BAD, 20, b"whatever", 20)
    path.write_bytes(section + odd * 3 + section)
    data, complaint = read_all(path)
    assert [each[-3:] for each in data] == [b"one", b"one"]
    assert complaint == ""


def test_a_full_disk_is_told_when_the_writer_closes():
    writer = CaptureWriter("/dev/full")
    writer.add(1, b"abc")
    with pytest.raises(DataplaneError, match="^/dev/full: writing failed: No space left on device"):
        writer.close()


def test_a_pipe_is_read_to_its_end():
    words = [sys.executable, "-P", "-m", "appliance", "decode", "/dev/stdin"]
    done = subprocess.run(words, input=RECORD * 10000, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 10000

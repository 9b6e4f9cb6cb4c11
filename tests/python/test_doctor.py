"""The doctor: what it measures adds up, what it says is word for word, nothing stays changed."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from control import doctor, doctor_text
from control.collect import collect
from control.host import Host
from dataplane.errors import DataplaneError
from dataplane.noise import Meter

REPORT = {
    "cores": {
        2: {"pauses": 3, "pause_max_ns": 41_300, "lost_ppm": 52, "interrupts_per_s": 1.0,
            "histogram_ns": {"900": 1, "1800": 1, "40000": 1}},
        3: {"pauses": 1200, "pause_max_ns": 12_000_000, "lost_ppm": 90_000,
            "interrupts_per_s": 250.0, "histogram_ns": {"4100": 1199, "11000000": 1}},
    },
    "skipped_cores": [9],
    "trips_ns": {"2-3": 110},
    "memory_ns": {"32 KiB": 1.6, "64 MiB": 92.0},
    "huge_pages": [
        {"node": 0, "kib": 2048, "total": 64, "free": 60, "lies_on": "0"},
        {"node": 1, "kib": 1048576, "total": 2, "free": 2, "lies_on": "0"},
        {"node": 1, "kib": 2048, "total": 2, "free": 0, "lies_on": "none can be had: no memory"},
    ],
    "clock": {"hz": 2_600_000_000, "error_ppb": 400, "read_ns": 8, "invariant": True,
              "source": "hpet", "keepers": ""},
    "cards": [{"name": "eth0", "queues": {"0": "2"}, "lost": {"rx_dropped": 7}}],
    "offload": [{"name": "none", "map": "1.0", "identity": "", "can": [], "why": ""},
                {"name": "pci:0000:3b:00.0", "map": "1.0", "identity": "abcd",
                 "can": ["filter", "gate"], "why": ""},
                {"name": "pci:0000:3c:00.0", "map": "", "identity": "", "can": [],
                 "why": "vfio 0000:3c:00.0: device: busy"}],
    "rdma": [{"name": "rxe0", "state": "link_up", "gids": ["fe80::1"], "raw_packets": "no",
              "why": ""}],
    "heat": {"degrees": [51], "throttled": 4},
    "rtla": True,
}  # fmt: skip

COMPLAINTS = [
    "core 3: longest pause 12000000 ns; the budget is 100000: look at its interrupts, then at the "
    "firmware (SMI, C-states)",
    "core 3: 250.0 interrupts/s; the budget is 10: see /proc/interrupts; isolcpus, nohz_full, "
    "affinities",
    "core 9: not measured, this process may not run there; start it without taskset",
    "node 1: a huge page of 1048576 KiB: lies on 0; make the pages at boot",
    "clock: the kernel reads hpet; set clock.source to tsc",
    "clock: nobody keeps it right; install chrony",
    "eth0: rx_dropped: 7; longer rings, or a faster reader",
    "heat: cores were slowed down 4 times; cool the machine",
]


def test_every_complaint_has_its_remedy():
    budgets = {"noise_ns_max": 100_000, "interrupts_per_s_max": 10}
    assert list(doctor.complaints(REPORT, budgets)) == COMPLAINTS


def test_without_budgets_only_what_is_wrong_anyway_is_said():
    assert list(doctor.complaints(REPORT, {})) == COMPLAINTS[2:]


PAGE = """\
pauses of a spinning thread, by length (darker: more of them)
core     1us   2us   5us  10us  20us  50us 100us   1ms  10ms   longest     lost   irq/s
   2      2.                      1.                            41.3us    52ppm     1.0
   3         1199#                                        1. 12000.0us 90000ppm   250.0

round trip of a cache line between cores, least
      2-3  110 ns

memory      one load after the other over 32 KiB 1.6 ns, 64 MiB 92.0 ns
huge pages  node 0, 2048 KiB: 60 of 64 free; one of them lies on node 0
huge pages  node 1, 1048576 KiB: 2 of 2 free; one of them lies on node 0
huge pages  node 1, 2048 KiB: 0 of 2 free; one of them lies on node none can be had: no memory
clock       hpet; counter 2600.000 MHz, known to 400 ppb, constant, 8 ns to read; kept by nobody
card        eth0: queues 0 on 2; lost rx_dropped 7
offload     none: nothing
offload     pci:0000:3b:00.0: filter, gate; bitstream abcd
offload     pci:0000:3c:00.0: vfio 0000:3c:00.0: device: busy
rdma        rxe0: link_up, 1 addresses, raw packets: no
heat        51 degrees; slowed down 4 times
rtla        is installed: `rtla osnoise top` names who interrupts

complaints: 1
  one
"""


def test_the_page_is_word_for_word():
    text = doctor_text.render(REPORT, ["one"], colour=False)
    assert "\n".join(line.rstrip() for line in text.splitlines()) + "\n" == PAGE


def test_colour_changes_nothing_but_colour():
    import re

    plain = doctor_text.render(REPORT, [], colour=False)
    coloured = doctor_text.render(REPORT, [], colour=True)
    assert coloured != plain
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain


def test_this_machine_is_examined_and_left_as_it_was():
    before, host = os.sched_getaffinity(0), Host()
    core = max(before)
    facts = collect(host)
    report = doctor.examine(host, facts, (core, 1000), 0.02)
    assert os.sched_getaffinity(0) == before
    assert list(report["cores"]) == [core] and report["skipped_cores"] == [1000]
    noise = report["cores"][core]
    assert sum(noise["histogram_ns"].values()) == noise["pauses"]
    assert noise["lost_ppm"] <= 1_000_000
    assert report["memory_ns"]["32 KiB"] > 0
    assert json.loads(json.dumps(report))


def test_a_wrong_core_is_one_line():
    meter, before = Meter(), os.sched_getaffinity(0)
    try:
        with pytest.raises(DataplaneError, match="cpu: 1023: cannot run there"):
            meter.trip(min(before), 1023)
    finally:
        os.sched_setaffinity(0, before)


def doctored(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["tickplane", "doctor", *words], capture_output=True, text=True, check=False
    )


def test_the_verb_gives_json():
    ran = doctored("--seconds", "0.01", "--json")
    report = json.loads(ran.stdout)
    assert ran.returncode == int(bool(report["complaints"]))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--cores", "x"], "doctor: --cores: 'x' is no core and no range of cores; "
         "write cores like 2-5,8"),
        (["--seconds", "0"], "doctor: --seconds: 0.0; give 0.001 to 3600"),
        (["--seconds", "nan"], "doctor: --seconds: nan; give 0.001 to 3600"),
    ],
)  # fmt: skip
def test_bad_words_are_one_line(words, complaint):
    ran = doctored(*words)
    assert (ran.returncode, ran.stderr) == (2, f"tickplane: {complaint}\n")

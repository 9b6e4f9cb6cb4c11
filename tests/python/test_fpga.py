"""The SystemVerilog of a card, block by block: Verilator's lint, and cocotb's tests on Icarus."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from waiting import LIMIT_S

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "dataplane/fpga").glob("*.sv"))
TESTS = ROOT / "tests/fpga"

runner = pytest.importorskip(
    "cocotb_tools.runner", reason="needs cocotb 2.1: pip install 'tickplane[fpga]'"
)


@pytest.mark.skipif(
    shutil.which("verilator") is None, reason="needs verilator: apt-get install verilator"
)
def test_verilator_has_nothing_to_say():
    lint = ["verilator", "--lint-only", "-Wall", "-Wno-UNUSEDSIGNAL", "--top-module", "dp_card"]
    ran = subprocess.run(
        [*lint, *SOURCES], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="needs Icarus: apt-get install iverilog"
)
@pytest.mark.parametrize(
    ("top", "module"),
    [
        ("dp_card_checksum", "fpga_checksum"),
        ("dp_card", "fpga_filter"),
        ("dp_card", "fpga_template"),
        ("dp_card", "fpga_gate"),
    ],
)
def test_the_block_does_what_its_model_does(top, module, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(TESTS)  # the simulator's Python gets this one's path
    icarus = runner.get_runner("icarus")
    log = tmp_path / "build.log"
    icarus.build(
        sources=SOURCES, hdl_toplevel=top, build_args=["-g2012"], build_dir=tmp_path,
        timescale=("1ns", "1ps"), log_file=log,
    )  # fmt: skip
    results = icarus.test(
        hdl_toplevel=top, test_module=module, build_dir=tmp_path, test_dir=tmp_path,
        log_file=tmp_path / "test.log",
    )  # fmt: skip
    count, failures = runner.get_results(results)
    assert count > 0 and failures == 0, (tmp_path / "test.log").read_text()

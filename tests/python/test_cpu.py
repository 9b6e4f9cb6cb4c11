"""``cpu`` of the configuration: what is set, what is said, and that it is put back."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from appliance import config
from appliance.config import CpuConfig
from appliance.config_section import ConfigError
from appliance.engine_core import engine_core, pages_elsewhere, say_where_memory_lies
from dataplane import cpu
from dataplane.errors import DataplaneError


@pytest.fixture(autouse=True)
def affinity():
    before = os.sched_getaffinity(0)
    yield before
    os.sched_setaffinity(0, before)


def test_the_thread_is_pinned_and_let_go(affinity, capsys):
    core = max(affinity)
    with engine_core(CpuConfig(engine=core, lock_memory=False)):
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == affinity
    isolated, nohz_full = cpu.isolation(core)
    missing = [] if isolated else [f"isolcpus={core}"]
    missing += [] if nohz_full else [f"nohz_full={core}"]
    line = (
        f"tickplane: cpu: {core}: others may run there too; "
        f"add {' '.join(missing)} to the kernel's command line\n"
    )
    assert capsys.readouterr().err == (line if missing else "")


def test_it_is_let_go_after_a_failure(affinity):
    with (
        pytest.raises(ZeroDivisionError),
        engine_core(CpuConfig(engine=max(affinity), lock_memory=False)),
    ):
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == affinity


def test_a_core_that_is_not_there_is_one_line(affinity, capsys):
    with engine_core(CpuConfig(engine=1000, lock_memory=False)):
        assert os.sched_getaffinity(0) == affinity
    err = capsys.readouterr().err
    assert err.startswith("tickplane: cpu: 1000: cannot run there: Invalid argument; this process ")
    assert err.endswith("; going on unpinned\n") and err.count("\n") == 1


def test_an_isolated_core_needs_no_words(affinity, monkeypatch, capsys):
    monkeypatch.setattr("appliance.engine_core.cpu.isolation", lambda core: (True, True))
    with engine_core(CpuConfig(engine=max(affinity), lock_memory=False)):
        pass
    assert capsys.readouterr().err == ""


def test_memory_that_may_not_be_locked_is_one_line():
    program = textwrap.dedent("""
        import ctypes, os, resource
        from appliance.config import CpuConfig
        from appliance.engine_core import engine_core, pages_elsewhere, say_where_memory_lies
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)  # loses CAP_IPC_LOCK
        with engine_core(CpuConfig(engine=None, lock_memory=True)):
            pass
        """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == (
        "tickplane: cpu: memory cannot be locked: Operation not permitted; "
        "allow more (ulimit -l, LimitMEMLOCK=, CAP_IPC_LOCK)\n"
    )


def test_locked_memory_is_counted_by_the_kernel():
    try:
        assert cpu.lock_memory() > 0
    except DataplaneError as error:
        pytest.skip(str(error))
    finally:
        cpu.unlock_memory()


def test_both_keys_and_their_complaints():
    text = config.example_text()
    assert config.parse(text, source="t").cpu == CpuConfig(engine=None, lock_memory=False)
    both = text + "cpu:\n  engine: 1\n  lock_memory: true\n"
    assert config.parse(both, source="t").cpu == CpuConfig(engine=1, lock_memory=True)
    for words, complaint in (
        ("core: 1", "cpu.core: unknown key; known: engine, lock_memory"),
        ("engine: 1024", "cpu.engine: 1024 is too large; give a whole number from 0 to 1023"),
        ("lock_memory: yes", "cpu.lock_memory: 'yes' is not one of its values; known: false, true"),
    ):
        with pytest.raises(ConfigError) as caught:
            config.parse(text + f"cpu:\n  {words}\n", source="t")
        assert complaint in str(caught.value)


def test_pages_on_another_node_are_counted():
    maps = [
        "7f0000000000 default file=/dev/shm/one mapped=9 N0=7 N1=2 kernelpagesize_kB=4\n",
        "7f0000100000 default file=/dev/shm/one-more mapped=5 N1=5 kernelpagesize_kB=4\n",
        "7f0000200000 default anon=3 dirty=3 N1=3 kernelpagesize_kB=4\n",
        "7f0000300000 default file=/dev/shm/one dirty=1 N1=1 kernelpagesize_kB=2048\n",
    ]
    assert pages_elsewhere(maps, "/dev/shm/one", 0) == (3, 10)
    assert pages_elsewhere(maps, "/dev/shm/one", 1) == (7, 10)
    assert pages_elsewhere(maps, "/dev/shm/two", 0) == (0, 0)


def test_memory_on_another_node_is_one_line(monkeypatch, capsys):
    core = CpuConfig(engine=0, lock_memory=False)
    monkeypatch.setattr("appliance.engine_core.pages_elsewhere", lambda *words: (3, 10))
    say_where_memory_lies(core, "/dev/shm/one")
    assert capsys.readouterr().err in (
        "tickplane: cpu: 0: 3 of 10 pages of /dev/shm/one lie on another node than 0; "
        "free memory there\n",
        "",  # a kernel without nodes
    )

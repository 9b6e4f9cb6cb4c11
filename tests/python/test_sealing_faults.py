"""A sealer that dies, and a disk that fails while it works: the journal is the same afterwards.

TICKPLANE_SEAL_KILLS sets how many sealers are killed (8; make soak: 200).
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from die_at import DieAt

sys.path.insert(0, str(Path(__file__).parent))
from test_sealing import SEGMENT, written  # noqa: E402

from appliance import cli  # noqa: E402
from dataplane import sealing  # noqa: E402
from dataplane.journal import verify  # noqa: E402
from dataplane.sealing import Retention  # noqa: E402

KILLS = int(os.environ.get("TICKPLANE_SEAL_KILLS", "8"))


# ---- death ----


def killed_once(directory: Path, seconds: float) -> bool:
    """Seal, and kill the sealer so long after it began; return whether it was still at work."""
    words = ["journal", "seal", str(directory), "--keep-mib", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", *words], stdout=subprocess.DEVNULL
    )
    while process.poll() is None and not (directory / "seal.lock").exists():
        time.sleep(0.001)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_a_sealer_killed_at_any_moment_leaves_one_file_or_the_other_whole(tmp_path):
    raw = written(tmp_path / "raw", 160_000, 4 << 20)
    expected = verify(raw)
    started = time.perf_counter()
    sealing.seal(str(shutil.copytree(raw, tmp_path / "whole")), Retention(size=0))
    whole = time.perf_counter() - started
    rng, killed = random.Random(4), 0
    for number in range(KILLS):
        directory = Path(shutil.copytree(raw, tmp_path / f"j{number}"))
        killed += killed_once(directory, rng.uniform(0, whole))
        found = verify(directory)
        assert found | {"directory": ""} == expected | {"directory": ""}
        assert sealing.check(str(directory))[1] == []
        sealing.seal(str(directory), Retention(size=0))  # the next one goes on
        assert verify(directory)["valid"] and not list(directory.glob("*.part"))
        assert len(list(directory.glob("*.tps"))) == expected["segments"]
        shutil.rmtree(directory)
    assert killed > 0


def test_a_sealer_killed_at_every_call_leaves_one_file_or_the_other_whole(tmp_path):
    """Each one goes on where the one before died; the segment's own file goes last."""
    (tmp_path / "die").mkdir()
    raw, die_at = written(tmp_path / "raw", 700, 64 << 10), DieAt(tmp_path / "die")
    expected = verify(raw)
    words = ["journal", "seal", "", "--keep-mib", "0"]
    for point in range(0, 1000, 1 if KILLS >= 200 else 3):
        directory = Path(shutil.copytree(raw, tmp_path / "j"))
        words[2] = str(directory)
        ended = subprocess.run(
            [sys.executable, "-m", "appliance", *words],
            env=die_at.env(directory, point), stdout=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert verify(directory) | {"directory": ""} == expected | {"directory": ""}
        assert sealing.check(str(directory))[1] == []
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        sealing.seal(str(directory), Retention(size=0))
        assert verify(directory)["valid"] and not list(directory.glob("*.part"))
        shutil.rmtree(directory)
    assert point > 20


# ---- a disk that fails ----

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* Calls that seal: whatever touches a file of that ending, and every flush. */
static int is_due(void)
{
    static int calls;
    return ++calls == atoi(getenv("SHIM_FAIL_AT")) ? (errno = EIO, 1) : 0;
}
static int is_part(int fd)
{
    char link[40], path[500] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, ".part") != NULL;
}
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
ssize_t write(int fd, const void *data, size_t size)
{
    if (!is_part(fd))
        return REAL(write)(fd, data, size);
    if (getenv("SHIM_SHORT"))
        return REAL(write)(fd, data, size / 2 + 1);
    return is_due() ? -1 : REAL(write)(fd, data, size);
}
int fsync(int fd) { return is_due() ? -1 : REAL(fsync)(fd); }
int rename(const char *from, const char *to) { return is_due() ? -1 : REAL(rename)(from, to); }
int open64(const char *path, int flags, ...)
{
    if (strstr(path, ".part") && is_due())
        return -1;
    return REAL(open64)(path, flags, 0644);
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    words = ["gcc", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"]
    subprocess.run(words, check=True)
    return str(folder / "shim.so")


def seal_with(directory: Path, **env: str) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "appliance", "journal", "seal", str(directory)]
    return subprocess.run(
        words, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def test_a_disk_that_fails_at_any_call_costs_nothing(tmp_path, shim):
    directory = written(tmp_path / "j", 300, 64 << 10)
    expected = verify(directory)
    for call in range(1, 100):
        ended = seal_with(directory, LD_PRELOAD=shim, SHIM_FAIL_AT=str(call))
        assert verify(directory) == expected
        if ended.returncode == 0:
            break
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"tickplane: journal: {directory}/journal-000000.tpj: ")
        assert "Input/output error" in ended.stderr and "the segment stays" in ended.stderr
        assert not list(directory.glob("*.part"))
        for path in directory.glob("*.tps"):  # only the name was not flushed: whole all the same
            assert sealing.check(str(directory)) == (1, [])
            path.unlink()
    assert call > 8


def test_short_writes_are_gone_on_with(tmp_path, shim):
    directory = written(tmp_path / "j", 300, 64 << 10)
    ended = seal_with(directory, LD_PRELOAD=shim, SHIM_SHORT="1", SHIM_FAIL_AT="0")
    assert ended.returncode == 0
    assert sealing.check(str(directory)) == (1, [])


def test_a_full_disk_is_a_line_and_costs_nothing(small_disk, tmp_path, capsys):
    disk = small_disk(f"{(3 * SEGMENT >> 10) + 8}k")
    directory = Path(shutil.copytree(written(tmp_path / "raw"), disk / "j"))
    assert cli.main(["journal", "seal", str(directory)]) == 1
    err = capsys.readouterr().err
    assert "No space left on device; the segment stays" in err
    assert verify(directory)["valid"] and not list(directory.glob("*.part"))

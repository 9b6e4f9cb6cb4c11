"""What several test files share."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Outside files are not ours to pass on: they lie in a folder beside the checkout, or anywhere.
BESIDE = Path(__file__).parents[3] / "shared" / "data"

# A shell has its background jobs ignore Ctrl-C, and what they start inherits that: tests that send
# it to a process of theirs would wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def sample_path() -> Path:
    """Return a recording of outside: zero length prefixes, references that were never added."""
    folder = Path(os.environ.get("TICKPLANE_SAMPLES") or BESIDE)
    path = folder / "ritch" / "ex20101224.TEST_ITCH_50.gz"
    if not path.exists():
        pytest.skip(f"no outside sample at {path}; TICKPLANE_SAMPLES names the folder of samples")
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Give a function that mounts a file system of that size; it goes when the test is over."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    small = tmp_path / "small"

    def mount(size: str) -> Path:
        small.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)]
        mounted = subprocess.run(words, capture_output=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"this machine does not let us mount: {mounted.stderr.decode().strip()}")
        return small

    yield mount
    if small.is_mount():
        subprocess.run(["umount", small], check=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of keys to sign with."""
    from appliance import audit_keys

    folder = tmp_path_factory.mktemp("keys") / "k"
    audit_keys.make_key(str(folder))
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Give a function that makes a venue and an appliance; all of them end with the test."""
    from live_world import World

    made: list[Any] = []

    def make(*, kind: type[Any] = World, **settings: Any) -> Any:
        made.append(kind(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()

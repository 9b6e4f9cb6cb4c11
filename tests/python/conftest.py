"""What several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Outside files are not ours to pass on: they lie in a folder beside the checkout, or anywhere.
BESIDE = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def sample_path() -> Path:
    """Return a recording of outside: zero length prefixes, references that were never added."""
    folder = Path(os.environ.get("TICKPLANE_SAMPLES") or BESIDE)
    path = folder / "ritch" / "ex20101224.TEST_ITCH_50.gz"
    if not path.exists():
        pytest.skip(f"no outside sample at {path}; TICKPLANE_SAMPLES names the folder of samples")
    return path

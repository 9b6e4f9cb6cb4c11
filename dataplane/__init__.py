"""The dataplane: C modules and their thin Cython classes.

Everything here is compiled for x86-64-v3. A processor without it would end the process with
SIGILL in the middle of a run, so importing the package looks first, and says so in words.
"""

from __future__ import annotations

import os

CPU_FLAGS = ("avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe")


def get_include() -> str:
    """Return the folder of the C headers, for strategies compiled elsewhere."""
    here = os.path.dirname(__file__)
    installed = os.path.join(here, "include")
    # An editable install has no copy: the headers stand where they are written.
    return installed if os.path.isdir(installed) else os.path.join(here, "core")


def missing_cpu_flags(path: str = "/proc/cpuinfo") -> list[str]:
    """Return what this processor lacks of x86-64-v3; nothing when that cannot be told."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), None)
    except OSError:
        return []
    return [flag for flag in CPU_FLAGS if flag not in line.split()] if line else []


if _missing := missing_cpu_flags():
    raise ImportError(
        f"cpu: it lacks {' '.join(_missing)}; "
        "run tickplane on a processor with x86-64-v3 (2013 or later)"
    )

"""Where pyverbs is: the binding to libibverbs that rdma-core makes, as Debian's python3-pyverbs.

It is built against the libibverbs beside it, so it comes from the system and not from an index of
Python packages. An environment of its own does not see the system's packages; this module takes
that one from there, and no other.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from types import ModuleType

from control.errors import ControlError

PACKAGE = "pyverbs"
DEBIAN = "/usr/lib/python3/dist-packages"
REMEDY = "apt-get install python3-pyverbs"


def load(name: str, folders: tuple[str, ...] = (DEBIAN,)) -> ModuleType:
    """Return one module of pyverbs, like ``device``; ControlError with the remedy without it."""
    if PACKAGE not in sys.modules and importlib.util.find_spec(PACKAGE) is None:
        adopt(folders)
    try:
        return importlib.import_module(f"{PACKAGE}.{name}")
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ControlError(
            f"rdma: pyverbs is not for this Python, {version}: {error}; "
            "make the environment with the system's python3"
        ) from None


def adopt(folders: tuple[str, ...]) -> None:
    """Take the system's package in."""
    spec = importlib.machinery.PathFinder.find_spec(PACKAGE, list(folders))
    if spec is None or spec.loader is None:
        raise ControlError(f"rdma: pyverbs is missing; {REMEDY}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


def reason(error: Exception) -> str:
    """Return why a device refused, in a few words."""
    text = " ".join(str(error).split()).rstrip(".")
    return text.rpartition("Errno: ")[2].lower() or text.lower()

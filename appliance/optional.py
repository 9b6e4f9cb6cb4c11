"""Packages that only some verbs need: an extra of ours brings each."""

from __future__ import annotations

import importlib
from typing import Any

from appliance.errors import CommandError


def require(name: str, extra: str) -> Any:
    """Return a module of an extra; raise CommandError when it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.split(".")[0].replace("_", "-")
        raise CommandError(
            f"{name}: {package} is not installed; run: pip install 'tickplane[{extra}]'"
        ) from None

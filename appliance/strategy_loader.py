"""From a line of the configuration to a strategy that the engine can seat."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from appliance.config import DESK, StrategyConfig
from appliance.config_section import ConfigError
from appliance.errors import CommandError
from dataplane.engine import DeskStrategy
from dataplane.errors import DataplaneError
from dataplane.strategy import LibraryStrategy, PythonStrategy, Strategy

BUILT_IN = {
    "market_maker": "appliance.strategies.market_maker:MarketMaker",
    "imbalance_taker": "appliance.strategies.imbalance_taker:ImbalanceTaker",
}


def load_strategy(config: StrategyConfig) -> Strategy:
    """Make the strategy, or raise ConfigError (or DataplaneError for a shared library)."""
    if config.kind == DESK:
        config.params.only()
        return DeskStrategy()
    if config.kind == "library":
        return LibraryStrategy(config.target, config.params.texts())
    target = BUILT_IN.get(config.kind, config.target)
    try:
        made = find(target)(config.params)
    except (CommandError, DataplaneError):
        raise
    except Exception as error:
        raise ConfigError(
            f"strategy {target}: {type(error).__name__}: {error}; "
            "it must be a class that takes one argument, its params"
        ) from error
    return made if isinstance(made, Strategy) else PythonStrategy(made)


def find(target: str) -> Any:
    """Import ``module:name``; the current folder counts, as it does for python itself."""
    module_name, _, name = target.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"strategy {target}: {error}; run from the folder of the module, or install it"
        ) from None
    if not hasattr(module, name):
        raise ConfigError(f"strategy {target}: {module_name} has no {name!r}; write module:Class")
    return getattr(module, name)

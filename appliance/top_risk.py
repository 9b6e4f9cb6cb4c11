"""What ``tickplane top`` shows of risk: switches, and how much of each limit is in use."""

from __future__ import annotations

from typing import Any

from appliance.config_risk import UNLIMITED, render_limit

INSTRUMENT_ROWS = 5

# Heading and limits; where a scope has several of them, the one that is used most counts.
COLUMNS = (
    ("gross", ("max_gross",)),
    ("net", ("max_net",)),
    ("orders", ("max_open_orders",)),
    ("open", ("max_open_notional",)),
    ("tokens", ("order_burst",)),
    ("msgs", ("message_floor",)),
    ("pos", ("max_position",)),
    ("trips", ("max_loss", "max_drawdown", "max_reject_rate", "max_fill_rate", "max_feed_age_ns")),
)
BREAKERS = COLUMNS[-1][1]  # 0 is off: unlike a limit, which nothing passes then

Use = tuple[int, int, bool]
Scope = dict[str, Any]


def render_risk(scopes: list[Scope]) -> list[str]:
    """Return a line a scope: its switch, and its limits in percent of what they allow."""
    head = " ".join(f"{heading:>6}" for heading, _ in COLUMNS)
    lines = [f"{'risk, % used':19} {head} switch"]
    for scope in shown(scopes):
        cells = " ".join(f"{most(scope['uses'], names):>6}" for _, names in COLUMNS)
        lines.append(f"{scope['scope']:19.19} {cells} {switch(scope)}")
    return lines


def shown(scopes: list[Scope]) -> list[Scope]:
    """Return all scopes but instruments, and of these the ones that are killed or used most."""
    instruments = [scope for scope in scopes if scope["scope"].startswith("instrument:")]
    instruments.sort(key=lambda scope: (scope["mode"] == "clear", -share_of(scope)))
    others = [scope for scope in scopes if not scope["scope"].startswith("instrument:")]
    return others + instruments[:INSTRUMENT_ROWS]


def share_of(scope: Scope) -> float:
    """Return the largest share of a limit that a scope uses; 0 when none of its limits binds."""
    shares = (share(name, use) for name, use in scope["uses"].items())
    return max((found for found in shares if found is not None), default=0.0)


def share(name: str, use: Use) -> float | None:
    """Return how much of a limit is in use, in percent; None when it does not bind."""
    used, limit, _ = use
    if limit == UNLIMITED or (limit == 0 and name in BREAKERS):
        return None
    if limit == 0:
        return 0.0 if used <= 0 else float("inf")
    return 100 * max(used, 0) / limit


def most(uses: dict[str, Use], names: tuple[str, ...]) -> str:
    """Return the largest share among those limits, a dash when none of them binds here."""
    shares = [share(name, uses[name]) for name in names if name in uses]
    found = [one for one in shares if one is not None]
    return percent(max(found)) if found else "-"


def percent(value: float) -> str:
    """Return percent with a decimal where there is room for one."""
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def switch(scope: Scope) -> str:
    """Return what is set, and by whom or by which breaker."""
    return "clear" if scope["mode"] == "clear" else f"{scope['mode']}: {scope['source']}"


def render_limits(scopes: list[Scope]) -> list[str]:
    """Return every limit that something uses up: how much, of how much."""
    lines = [f"{'limit':26} {'used':>20} {'of':>20} {'%':>8}"]
    for scope in scopes:
        lines.append(f"{scope['scope']}: {switch(scope)}")
        for name, (used, limit, is_money) in scope["uses"].items():
            part = share(name, (used, limit, is_money))
            of = "off" if limit == 0 and name in BREAKERS else render_limit(limit, is_money)
            cell = "-" if part is None else percent(part)
            lines.append(f"  {name:24} {render_limit(used, is_money):>20} {of:>20} {cell:>8}")
    return lines

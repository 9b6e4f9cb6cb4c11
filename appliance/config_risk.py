"""The risk part of the configuration: limits of the firm, accounts, strategies and instruments.

Names are those of the C structs they fill (``core/dp_risk_limits.h``); docs/configuration.md has
every key. What bounds exposure must be there, or be called ``unlimited``; a rule or a breaker that
is left out is off.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.config_section import Section, render_nanos

QTY_MAX = 999_999  # OUCH 5.0, Enter Order, Quantity
ACCOUNTS_MAX = 16  # DP_RISK_ACCOUNTS_MAX
DUPLICATES_MAX = 29  # equal orders remembered a strategy: DP_RISK_DUPLICATES_MAX
COUNT_MAX = 1 << 30
RATE_MAX = 100_000_000
UNLIMITED = (1 << 63) - 1  # DP_RISK_UNLIMITED
MS = 1_000_000
SHORT_SALES = ("unrestricted", "locate")  # enum dp_risk_short_sale


@dataclass(frozen=True)
class InstrumentLimits:
    """Limits of one instrument, over all strategies."""

    order_qty_max: int
    order_notional_max_nanos: int
    position_max: int
    collar_bps: int
    collar_abs_nanos: int
    adv_fraction_bps: int = 0
    adv_qty: int = 0
    band_low_nanos: int = 0
    band_high_nanos: int = 0
    reference_age_max_ns: int = 0
    locate_qty: int = 0
    typical_multiple: int = 0
    impact_bps: int = 0
    impact_levels: int = 0
    short_sale: int = 0
    restricted: bool = False
    price_test: bool = False
    self_trade_denied: bool = False


@dataclass(frozen=True)
class StrategyLimits:
    """Limits of one strategy, over all its instruments."""

    order_qty_max: int
    order_notional_max_nanos: int
    gross_max_nanos: int
    net_max_nanos: int
    open_order_count_max: int
    order_rate_max: int
    order_burst_max: int
    duplicate_count_max: int
    duplicate_window_ns: int
    fan_out_max: int = 0
    reject_rate_max: int = 0
    fill_rate_max: int = 0
    loss_max_nanos: int = 0
    drawdown_max_nanos: int = 0
    soft_percent: int = 0


@dataclass(frozen=True)
class GroupLimits:
    """Limits of an account, over its strategies, or of the firm, over its accounts."""

    gross_max_nanos: int
    net_max_nanos: int
    open_order_count_max: int
    open_max_nanos: int
    entered_max_nanos: int
    message_floor: int
    message_ratio: int
    order_rate_max: int
    order_burst_max: int
    loss_max_nanos: int = 0
    drawdown_max_nanos: int = 0
    feed_age_max_ns: int = 0


@dataclass(frozen=True)
class AccountConfig:
    """One account: its name and how far all its strategies together may go."""

    name: str
    limits: GroupLimits


# Every key of a section in which these limits stand.
INSTRUMENT_KEYS = (
    "max_order_qty", "max_order_notional", "max_position", "collar_bps", "collar_abs",
    "max_adv_bps", "adv_qty", "band_low", "band_high", "max_reference_age_ms", "locate_qty",
    "typical_multiple", "impact_bps", "impact_levels", "short_sales", "restricted", "price_test",
    "self_trades",
)  # fmt: skip
STRATEGY_KEYS = (
    "max_order_qty", "max_order_notional", "max_gross", "max_net", "max_open_orders",
    "order_rate", "order_burst", "duplicate_count", "duplicate_window_ms", "max_fan_out",
    "max_reject_rate", "max_fill_rate", "max_loss", "max_drawdown", "soft_percent",
)  # fmt: skip
GROUP_KEYS = (
    "max_gross", "max_net", "max_open_orders", "max_open_notional", "max_entered",
    "message_floor", "message_ratio", "order_rate", "order_burst", "max_loss", "max_drawdown",
    "max_feed_age_ms",
)  # fmt: skip


def parse_instrument_limits(section: Section) -> InstrumentLimits:
    """Check the limits of one instrument: those of exposure must be there."""
    section.only(*INSTRUMENT_KEYS)
    return InstrumentLimits(
        order_qty_max=section.integer("max_order_qty", 1, QTY_MAX),
        order_notional_max_nanos=section.nanos("max_order_notional", 1),
        position_max=section.integer("max_position", 0, 1 << 40),
        collar_bps=section.integer("collar_bps", 0, 100_000),
        collar_abs_nanos=section.nanos("collar_abs"),
        adv_fraction_bps=section.integer("max_adv_bps", 0, 10_000, default=0),
        adv_qty=section.integer("adv_qty", 0, 1 << 40, default=0),
        band_low_nanos=section.nanos("band_low", default_nanos=0),
        band_high_nanos=section.nanos("band_high", default_nanos=0),
        reference_age_max_ns=section.integer("max_reference_age_ms", 0, 3_600_000, default=0) * MS,
        locate_qty=section.integer("locate_qty", 0, 1 << 40, default=0),
        typical_multiple=section.integer("typical_multiple", 0, 1_000_000, default=0),
        impact_bps=section.integer("impact_bps", 0, 10_000, default=0),
        impact_levels=section.integer("impact_levels", 0, 16, default=0),
        short_sale=SHORT_SALES.index(
            section.one_of("short_sales", SHORT_SALES, default="unrestricted")
        ),
        restricted=section.one_of("restricted", ("no", "yes"), default="no") == "yes",
        price_test=section.one_of("price_test", ("no", "yes"), default="no") == "yes",
        self_trade_denied=section.one_of("self_trades", ("pass", "refuse"), default="pass")
        == "refuse",
    )


def parse_strategy_limits(section: Section) -> StrategyLimits:
    """Check ``risk`` of one strategy: every limit of exposure must be there."""
    section.only(*STRATEGY_KEYS)
    return StrategyLimits(
        order_qty_max=section.integer("max_order_qty", 1, QTY_MAX),
        order_notional_max_nanos=section.nanos("max_order_notional", 1),
        gross_max_nanos=section.nanos("max_gross", 1),
        net_max_nanos=section.nanos("max_net", 1),
        open_order_count_max=section.integer("max_open_orders", 1, COUNT_MAX),
        order_rate_max=section.integer("order_rate", 1, RATE_MAX),
        order_burst_max=section.integer("order_burst", 1, RATE_MAX),
        duplicate_count_max=section.integer("duplicate_count", 1, DUPLICATES_MAX),
        duplicate_window_ns=section.integer("duplicate_window_ms", 1, 60_000) * MS,
        fan_out_max=section.integer("max_fan_out", 0, RATE_MAX, default=0),
        reject_rate_max=section.integer("max_reject_rate", 0, RATE_MAX, default=0),
        fill_rate_max=section.integer("max_fill_rate", 0, RATE_MAX, default=0),
        loss_max_nanos=section.nanos("max_loss", default_nanos=0),
        drawdown_max_nanos=section.nanos("max_drawdown", default_nanos=0),
        soft_percent=section.integer("soft_percent", 0, 100, default=0),
    )


def is_unlimited(section: Section, key: str) -> bool:
    """Say whether the file calls this limit unlimited."""
    return key in section and section.text(key) == "unlimited"


def money(section: Section, key: str) -> int:
    """Return an amount that must be there, or be called unlimited."""
    return UNLIMITED if is_unlimited(section, key) else section.nanos(key, 1)


def count(section: Section, key: str, maximum: int) -> int:
    """Return a number that must be there, or be called unlimited."""
    return UNLIMITED if is_unlimited(section, key) else section.integer(key, 1, maximum)


def parse_group_limits(section: Section, *others: str) -> GroupLimits:
    """Check the limits of the firm or an account."""
    section.only(*others, *GROUP_KEYS)
    return GroupLimits(
        gross_max_nanos=money(section, "max_gross"),
        net_max_nanos=money(section, "max_net"),
        open_order_count_max=count(section, "max_open_orders", COUNT_MAX),
        open_max_nanos=money(section, "max_open_notional"),
        entered_max_nanos=money(section, "max_entered"),
        message_floor=count(section, "message_floor", 1 << 40),
        message_ratio=section.integer("message_ratio", 0, 1_000_000),
        order_rate_max=count(section, "order_rate", RATE_MAX),
        order_burst_max=count(section, "order_burst", RATE_MAX),
        loss_max_nanos=section.nanos("max_loss", default_nanos=0),
        drawdown_max_nanos=section.nanos("max_drawdown", default_nanos=0),
        feed_age_max_ns=section.integer("max_feed_age_ms", 0, 3_600_000, default=0) * MS,
    )


def parse_accounts(root: Section) -> tuple[AccountConfig, ...]:
    """Check ``accounts``: a list, each with a name of its own."""
    sections = root.sections("accounts")
    if len(sections) > ACCOUNTS_MAX:
        root.fail("accounts", f"{len(sections)} of them; give at most {ACCOUNTS_MAX}")
    accounts: list[AccountConfig] = []
    for section in sections:
        name = section.text("name", example="house", size_max=23)
        if any(name == other.name for other in accounts):
            section.fail("name", f"{name!r} is taken; give each account its own name")
        accounts.append(AccountConfig(name, parse_group_limits(section, "name")))
    return tuple(accounts)


def parse_account(section: Section, accounts: tuple[AccountConfig, ...]) -> str:
    """Return a strategy's account: named, or the only one there is."""
    names = [account.name for account in accounts]
    return section.one_of("account", names, default=names[0] if len(names) == 1 else None)


def render_limit(value: int, is_money: bool) -> str:
    """Return a limit as a person writes it."""
    if value == UNLIMITED:
        return "unlimited"
    return render_nanos(value) if is_money else str(value)

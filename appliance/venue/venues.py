"""The exchanges of a configuration, by name, with the numbers behind their words."""

from __future__ import annotations

from appliance.errors import CommandError
from appliance.venue.config import Config, InstrumentConfig, VenueConfig
from dataplane.exchange import Exchange

MIB = 1 << 20
RECORDING_USER = "record"


class Venue:
    """One exchange and what its names mean."""

    def __init__(self, config: VenueConfig, *, index: int, seed: int, midnight_ns: int) -> None:
        self.config = config
        self.exchange = make_exchange(config, index, seed, midnight_ns)
        self.fee_classes = {name: at for at, name in enumerate(config.fees)}
        self.accounts: dict[str, int] = {"house": 0}
        for name, tiers in config.fees.items():
            self.exchange.set_fees(
                self.fee_classes[name],
                [
                    (one.from_qty, one.maker_nanos, one.taker_nanos, one.maker_ppm, one.taker_ppm)
                    for one in tiers
                ],
            )
        for user in config.users:
            self.accounts[user.user] = self.exchange.add_account(
                user.user,
                user.password,
                firm=user.firm,
                fee_class=self.fee_classes[user.fees],
                stp_group=0 if user.self_match == "none" else user.group,
                stp_mode="cancel_newest" if user.self_match == "none" else user.self_match,
                cancel_on_disconnect=user.cancel_on_disconnect,
                requests_per_second=user.requests_per_second,
                locate_required=user.locate_required,
            )
        self.instruments = {one.symbol: self._add_instrument(one) for one in config.instruments}
        for at, line in enumerate(config.lines):
            self.exchange.set_line(
                at,
                seed=seed + at,
                delay_ns=line.delay_ns,
                loss_ppm=line.loss_ppm,
                reorder_ppm=line.reorder_ppm,
                duplicate_ppm=line.duplicate_ppm,
            )

    def _add_instrument(self, one: InstrumentConfig) -> int:
        instrument = self.exchange.add_instrument(
            one.symbol,
            tick_nanos=one.tick_nanos,
            reference_nanos=one.reference_nanos,
            lot=one.lot,
            allocation_min=one.allocation_min,
            top_max=one.top_max,
            band_ppm=one.band_ppm,
            pause_ns=one.pause_ns,
            policy=one.policy,
            session=one.session,
            lmms=[(self.accounts[user], share_ppm) for user, share_ppm in one.lmms],
        )
        self.exchange.set_short_sale(one.short_sale, 0, instrument)
        return instrument

    def add_background(self, user: str) -> int:
        """Add an account that nobody logs in to."""
        self.accounts[user] = self.exchange.add_account(user, no_login=True)
        return self.accounts[user]

    def account(self, user: str) -> int | None:
        """Return the number of a user, None for ``all``."""
        if user == "all":
            return None
        if user not in self.accounts:
            raise CommandError(f"user: {user!r} is none; known: all, {', '.join(self.accounts)}")
        return self.accounts[user]

    def instrument(self, symbol: str) -> int | None:
        """Return the index of a symbol, None for ``all``."""
        if symbol == "all":
            return None
        if symbol not in self.instruments:
            known = ", ".join(self.instruments)
            raise CommandError(f"symbol: {symbol!r} is none; known: all, {known}")
        return self.instruments[symbol]


def make_exchange(config: VenueConfig, index: int, seed: int, midnight_ns: int) -> Exchange:
    """Return the exchange without instruments and accounts."""
    return Exchange(
        config.name,
        index=index,
        session=config.session,
        midnight_ns=midnight_ns,
        order_latency_ns=config.order_latency_ns,
        report_latency_ns=config.report_latency_ns,
        heartbeat_ns=config.heartbeat_ns,
        silence_ns=config.silence_ns,
        login_ns=config.login_ns,
        imbalance_ns=config.imbalance_ns,
        connections=config.connections,
        accounts=len(config.users) + sum(one.count for one in config.agents) + 1,
        instruments=len(config.instruments),
        orders=config.orders_max,
        store_bytes=config.store_mib * MIB,
        slow_bytes=config.slow_mib * MIB,
        seed=seed,
        dark=config.dark,
        newest_login_wins=config.newest_login_wins,
    )


def open_venues(config: Config, *, midnight_ns: int) -> dict[str, Venue]:
    """Return the venues of a configuration, followers behind those they follow."""
    venues: dict[str, Venue] = {}
    for index, one in enumerate(config.venues):
        seed = config.seed + 1_000 * index
        venues[one.name] = Venue(one, index=index, seed=seed, midnight_ns=midnight_ns)
        if one.follows:
            venues[one.name].exchange.follow(venues[one.follows].exchange)
    return venues

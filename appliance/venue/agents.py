"""Background flow: participants that keep the market alive, each a function of its seed.

An agent acts at times of its own and trades through an account that nobody logs in to. It reads
the touch and its own position, nothing else; what it forgets to cancel it cancels later.
"""

from __future__ import annotations

import random
import struct
from abc import ABC, abstractmethod
from collections import deque
from typing import Protocol

from appliance.venue.config import AgentConfig
from appliance.venue.messages import NANOS_PER_PRICE
from appliance.venue.venues import Venue

ORDERS_KEPT = 64  # of one agent and symbol: older ones are cancelled
POSITION_TICK = 1_000  # a market maker leans by one tick for so many shares
ENTER = struct.Struct(">cI1sI8sQ5s14sH")
CANCEL = struct.Struct(">cII")


class Background(Protocol):
    """What acts by itself."""

    next_ns: int

    def act(self, now_ns: int) -> None:
        """Do what is due."""


class Trader:
    """An account of background flow: numbers its orders, and knows the price grid."""

    def __init__(self, venue: Venue, user: str) -> None:
        self.venue = venue
        self.exchange = venue.exchange
        self.account = venue.add_background(user)
        self._number = 0
        self._display = b"N" if venue.config.dark else b"Y"

    def enter(self, side: str, qty: int, symbol: str, nanos: int, now_ns: int, *,
              immediate: bool = False) -> int:  # fmt: skip
        """Send an order; its number. A price that is none is not sent."""
        self._number += 1
        if nanos > 0:
            codes = (b"3" if immediate else b"0") + self._display + b"PNN"
            self.exchange.request(
                self.account,
                ENTER.pack(b"O", self._number, side.encode(), qty, symbol.ljust(8).encode(),
                           nanos // NANOS_PER_PRICE, codes, b" " * 14, 0),
                now_ns,
            )  # fmt: skip
        return self._number

    def cancel(self, number: int, now_ns: int, total_qty: int = 0) -> None:
        """Cancel an order down to what may trade in total; one that is gone is no matter."""
        self.exchange.request(self.account, CANCEL.pack(b"X", number, total_qty), now_ns)


class Agent(ABC):
    """What all agents share: when they act, on which symbol, at which price."""

    def __init__(self, config: AgentConfig, trader: Trader, seed: str, start_ns: int) -> None:
        self.config = config
        self.trader = trader
        self.venue = trader.venue
        self.random = random.Random(seed)
        self.symbols = config.symbols or tuple(self.venue.instruments)
        self.next_ns = start_ns + self._pause_ns()

    def _pause_ns(self) -> int:
        return 1 + int(self.random.expovariate(1.0) * self.config.interval_ns)

    def act(self, now_ns: int) -> None:
        """Act on one symbol, then say when next."""
        self.next_ns = now_ns + self._pause_ns()
        self.on_symbol(self.random.choice(self.symbols), now_ns)

    @abstractmethod
    def on_symbol(self, symbol: str, now_ns: int) -> None:
        """Do what this kind of agent does."""

    def tick(self, symbol: str) -> int:
        """Return the symbol's price step."""
        return next(one.tick_nanos for one in self.venue.config.instruments if one.symbol == symbol)

    def middle(self, symbol: str) -> int:
        """Return the middle of the touch on the grid, the reference where there is none."""
        bid, ask = self.trader.exchange.touch(self.venue.instruments[symbol])
        reference = next(
            one.reference_nanos for one in self.venue.config.instruments if one.symbol == symbol
        )
        middle = reference if bid is None or ask is None else (bid + ask) // 2
        return middle // self.tick(symbol) * self.tick(symbol)

    def qty(self) -> int:
        """Return a quantity in round lots when there is room for some."""
        lots = self.config.qty_max // 100
        return 100 * self.random.randint(1, lots) if lots else self.config.qty_max


class ZeroIntelligence(Agent):
    """Enters, takes and cancels at random around the middle."""

    def __init__(self, config: AgentConfig, trader: Trader, seed: str, start_ns: int) -> None:
        super().__init__(config, trader, seed, start_ns)
        self._live: deque[int] = deque()

    def on_symbol(self, symbol: str, now_ns: int) -> None:
        """One order or one cancel."""
        dice = self.random.random()
        if (dice < 0.3 and self._live) or len(self._live) >= ORDERS_KEPT:
            self._live.rotate(self.random.randrange(len(self._live)))
            self.trader.cancel(self._live.popleft(), now_ns)
            return
        side = self.random.choice("BS")
        away = self.random.randint(1, 2 * self.config.spread_ticks) * self.tick(symbol)
        takes = dice > 0.85
        towards = away if (side == "B") == takes else -away
        number = self.trader.enter(side, self.qty(), symbol, self.middle(symbol) + towards, now_ns,
                                   immediate=takes)  # fmt: skip
        if not takes:
            self._live.append(number)


class Informed(Agent):
    """Knows a value that walks at random, and takes what is offered on the wrong side of it."""

    def __init__(self, config: AgentConfig, trader: Trader, seed: str, start_ns: int) -> None:
        super().__init__(config, trader, seed, start_ns)
        self._value = {symbol: self.middle(symbol) for symbol in self.symbols}

    def on_symbol(self, symbol: str, now_ns: int) -> None:
        """One look at the touch."""
        step = self.random.randint(-self.config.spread_ticks, self.config.spread_ticks)
        self._value[symbol] = max(self._value[symbol] + step * self.tick(symbol), self.tick(symbol))
        bid, ask = self.trader.exchange.touch(self.venue.instruments[symbol])
        edge = self.config.spread_ticks * self.tick(symbol)
        if ask is not None and ask + edge < self._value[symbol]:
            self.trader.enter("B", self.qty(), symbol, ask, now_ns, immediate=True)
        elif bid is not None and bid - edge > self._value[symbol]:
            self.trader.enter("S", self.qty(), symbol, bid, now_ns, immediate=True)


class MarketMaker(Agent):
    """Quotes both sides, and leans against what it holds."""

    def __init__(self, config: AgentConfig, trader: Trader, seed: str, start_ns: int) -> None:
        super().__init__(config, trader, seed, start_ns)
        self._quotes: dict[str, list[int]] = {symbol: [] for symbol in self.symbols}

    def on_symbol(self, symbol: str, now_ns: int) -> None:
        """One pair of quotes instead of the last one."""
        for number in self._quotes[symbol]:
            self.trader.cancel(number, now_ns)
        instrument = self.venue.instruments[symbol]
        lean = self.trader.exchange.position(self.trader.account, instrument) // POSITION_TICK
        middle = self.middle(symbol) - lean * self.tick(symbol)
        half = self.config.spread_ticks * self.tick(symbol)
        self._quotes[symbol] = [
            self.trader.enter("B", self.qty(), symbol, middle - half, now_ns),
            self.trader.enter("S", self.qty(), symbol, middle + half, now_ns),
        ]


class Bursts(Agent):
    """Is quiet for long, then takes many times at once."""

    def on_symbol(self, symbol: str, now_ns: int) -> None:
        """One burst, all on one side."""
        side = self.random.choice("BS")
        reach = 4 * self.config.spread_ticks * self.tick(symbol)
        limit = self.middle(symbol) + (reach if side == "B" else -reach)
        for _ in range(self.random.randint(10, 100)):
            self.trader.enter(side, self.qty(), symbol, limit, now_ns, immediate=True)


class Halts(Agent):
    """Halts an instrument now and then, and lets it go on at its next turn."""

    def __init__(self, config: AgentConfig, trader: Trader, seed: str, start_ns: int) -> None:
        super().__init__(config, trader, seed, start_ns)
        self._halted: str | None = None

    def on_symbol(self, symbol: str, now_ns: int) -> None:
        """One halt, or its end."""
        if self._halted is None:
            self._halted = symbol
            self.trader.exchange.set_session("halted", now_ns, self.venue.instruments[symbol])
        else:
            index = self.venue.instruments[self._halted]
            self.trader.exchange.set_session("continuous", now_ns, index)
            self._halted = None


KINDS: dict[str, type[Agent]] = {
    "zero_intelligence": ZeroIntelligence,
    "informed": Informed,
    "market_maker": MarketMaker,
    "bursts": Bursts,
    "halts": Halts,
}


def make_agents(venue: Venue, seed: int, start_ns: int) -> list[Background]:
    """Return the agents of a venue's configuration; same seed, same flow."""
    agents: list[Background] = []
    for kind in venue.config.agents:
        for at in range(kind.count):
            user = f"bg{len(agents)}"
            name = f"{seed} {venue.config.name} {kind.kind} {at}"
            agents.append(KINDS[kind.kind](kind, Trader(venue, user), name, start_ns))
    return agents


def act_until(background: list[Background], now_ns: int) -> None:
    """Let everything act that is due, the earliest first."""
    while background:
        first = min(background, key=lambda one: one.next_ns)
        if first.next_ns > now_ns:
            return
        first.act(first.next_ns)

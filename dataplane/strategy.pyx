"""Strategies: the C table of callbacks, and two ways to fill it that are not Cython.

``Strategy`` is the base for Cython: a subclass sets functions in ``self.table``. ``PythonStrategy``
wraps any Python object with ``on_...`` methods; ``LibraryStrategy`` loads a shared library written
in C. Callbacks run on the engine's thread.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from dataplane.dp_book cimport dp_book_level_view
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_event cimport (
    DP_PRICE_NONE, DP_REASON_ACCEPTED, DP_SIDE_BUY, DP_SIDE_SELL, DP_TIF_DAY, DP_TIF_IOC,
    dp_event, dp_event_kind_name, dp_ord_status_name, dp_reason, dp_reason_name, dp_side,
)
from dataplane.dp_strategy cimport (
    dp_gateway, dp_gateway_cancel, dp_gateway_replace,
    dp_gateway_submit_once, dp_gateway_watch,
    dp_request, dp_strategy, dp_strategy_param, dp_top, dp_trade,
)

import errno

from dataplane.errors import DataplaneError

cdef extern from "dlfcn.h" nogil:
    const int RTLD_NOW
    const int RTLD_LOCAL
    void *dlopen(const char *path, int flags)
    void *dlsym(void *library, const char *name)
    int dlclose(void *library)
    const char *dlerror()

ctypedef int (*open_function)(
    dp_strategy *, const dp_strategy_param *, uint32_t, dp_err *) noexcept
ctypedef void (*close_function)(void *) noexcept

BUY = DP_SIDE_BUY
SELL = DP_SIDE_SELL
DAY = DP_TIF_DAY
IOC = DP_TIF_IOC
LEVELS_MAX = 1024


class StrategyError(Exception):
    """A Python callback raised; the cause is chained. The engine has stopped."""


class OrderDenied(Exception):
    """Our own gate refused the order; ``reason`` is its stable code, such as ``PRICE_COLLAR``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


cdef class Strategy:
    """Base of every strategy: a table of C functions and the state they work on."""


# ---- what a Python callback is given ----

cdef class Top:
    """The touch of one book. Prices are integers in 1e-9, None where a side is empty."""

    cdef readonly uint32_t instrument_index
    cdef readonly int64_t time_ns
    cdef readonly object bid_price_nanos
    cdef readonly object ask_price_nanos
    cdef readonly uint64_t bid_qty
    cdef readonly uint64_t ask_qty
    cdef readonly bint stale
    cdef readonly str trading_state
    cdef readonly str session


cdef class Trade:
    """A trade printed by the feed. ``aggressor`` is BUY, SELL or None."""

    cdef readonly uint32_t instrument_index
    cdef readonly int64_t time_ns
    cdef readonly int64_t price_nanos
    cdef readonly uint64_t qty
    cdef readonly uint64_t match_number
    cdef readonly object aggressor
    cdef readonly str kind


cdef class OrderEvent:
    """What happened to one order of ours; the fields of core/dp_event.h."""

    @property
    def kind(self): return (<bytes>dp_event_kind_name(self._event.kind)).decode()
    @property
    def ord_status(self): return (<bytes>dp_ord_status_name(self._event.ord_status)).decode()
    @property
    def time_ns(self): return self._event.time_ns
    @property
    def user_ref_num(self): return self._event.user_ref_num
    @property
    def orig_user_ref_num(self): return self._event.orig_user_ref_num
    @property
    def instrument_index(self): return self._event.instrument_index
    @property
    def side(self): return self._event.side
    @property
    def qty(self): return self._event.qty
    @property
    def price_nanos(self): return self._event.price_nanos
    @property
    def leaves_qty(self): return self._event.leaves_qty
    @property
    def cum_qty(self): return self._event.cum_qty
    @property
    def venue_order_id(self): return self._event.venue_order_id
    @property
    def exec_id(self): return self._event.exec_id
    @property
    def reason(self): return self._event.reason


cdef class Gateway:
    """A Python strategy's window on the appliance; usable inside callbacks only."""

    cdef dp_gateway *open(self) except NULL:
        if self._gateway == NULL:
            raise RuntimeError("gateway: used outside a callback; call it inside on_... only")
        return self._gateway

    @property
    def now_ns(self):
        """Engine time of this callback."""
        return self.open().now_ns

    def submit(self, uint32_t instrument_index, int side, uint64_t qty, int64_t price_nanos,
               *, int time_in_force=DP_TIF_DAY, uint64_t key=0):
        """Send a new order and return its user_ref_num; raise OrderDenied when our gate says no.

        With a ``key`` that this strategy used before, nothing is sent: the first answer comes
        again, also after a restart.
        """
        cdef uint32_t user_ref_num = 0
        cdef dp_request request
        request.instrument_index = instrument_index
        request.side = <uint8_t>side if 0 <= side <= 255 else 0
        request.time_in_force = <uint8_t>time_in_force if 0 <= time_in_force <= 255 else 0
        request.qty = qty
        request.price_nanos = price_nanos
        checked(dp_gateway_submit_once(self.open(), &request, key, &user_ref_num))
        return user_ref_num

    def replace(self, uint32_t user_ref_num, uint64_t qty, int64_t price_nanos):
        """Ask for a new total quantity and price; return the number the order has from now on."""
        cdef uint32_t new_user_ref_num = 0
        checked(dp_gateway_replace(
            self.open(), user_ref_num, qty, price_nanos, &new_user_ref_num))
        return new_user_ref_num

    def cancel(self, uint32_t user_ref_num):
        """Cancel what is left of an order."""
        checked(dp_gateway_cancel(self.open(), user_ref_num))

    def levels(self, uint32_t instrument_index, int side, uint32_t depth=10):
        """Return up to ``depth`` levels, best first, as (price_nanos, qty, order_count)."""
        if side != DP_SIDE_BUY and side != DP_SIDE_SELL:
            raise ValueError(f"side is {side}; it must be BUY ({BUY}) or SELL ({SELL})")
        if depth > LEVELS_MAX:
            raise ValueError(f"depth is {depth}; at most {LEVELS_MAX}")
        cdef dp_gateway *gateway = self.open()
        cdef dp_book_level_view *levels = <dp_book_level_view *>malloc(
            (depth + 1) * sizeof(dp_book_level_view))
        if levels == NULL:
            raise MemoryError()
        cdef uint32_t count = gateway.verbs.levels(
            gateway, instrument_index, <dp_side>side, levels, depth)
        try:
            return [
                (levels[index].price_nanos, levels[index].qty, levels[index].order_count)
                for index in range(count)
            ]
        finally:
            free(levels)

    def symbol(self, uint32_t instrument_index):
        """Return the instrument's symbol, trimmed."""
        cdef char symbol[9]
        cdef dp_gateway *gateway = self.open()
        gateway.verbs.symbol(gateway, instrument_index, symbol)
        return (<bytes>symbol).decode("ascii", "replace")

    def position(self, uint32_t instrument_index):
        """Return the appliance's signed position in the instrument."""
        cdef dp_gateway *gateway = self.open()
        return gateway.verbs.position(gateway, instrument_index)

    def watch(self, uint32_t instrument_index):
        """Ask for callbacks about one more instrument."""
        dp_gateway_watch(self.open(), instrument_index)

    def set_timer(self, int64_t interval_ns):
        """Call on_timer every so many nanoseconds of engine time; 0 stops it."""
        if interval_ns < 0:
            raise ValueError(f"interval_ns is {interval_ns}; it must be 0 or more")
        self.open().timer_interval_ns = interval_ns


cdef int checked(dp_reason reason) except -1:
    if reason != DP_REASON_ACCEPTED:
        raise OrderDenied((<bytes>dp_reason_name(reason)).decode())
    return 0


cdef object price_or_none(int64_t price_nanos):
    return None if price_nanos == DP_PRICE_NONE else price_nanos


cdef Top top_of(const dp_top *top):
    cdef Top result = Top.__new__(Top)
    result.instrument_index = top.instrument_index
    result.time_ns = top.time_ns
    result.bid_price_nanos = price_or_none(top.bid_price_nanos)
    result.ask_price_nanos = price_or_none(top.ask_price_nanos)
    result.bid_qty = top.bid_qty
    result.ask_qty = top.ask_qty
    result.stale = top.flags != 0
    result.trading_state = chr(top.trading_state) if top.trading_state else ""
    result.session = chr(top.session) if top.session else ""
    return result


cdef Trade trade_of(const dp_trade *trade):
    cdef Trade result = Trade.__new__(Trade)
    result.instrument_index = trade.instrument_index
    result.time_ns = trade.time_ns
    result.price_nanos = trade.price_nanos
    result.qty = trade.qty
    result.match_number = trade.match_number
    result.aggressor = trade.aggressor or None
    result.kind = chr(trade.kind)
    return result


cdef OrderEvent order_event_of(const dp_event *event):
    cdef OrderEvent result = OrderEvent.__new__(OrderEvent)
    result._event = event[0]
    return result


# ---- Python ----

cdef class PythonStrategy(Strategy):
    """A Python object's ``on_...`` methods as callbacks; those it lacks cost nothing.

    An exception in a callback ends the session: it is kept in ``failure``, no further callback is
    made, and the engine stops at the next message.
    """

    def __init__(self, target):
        self.target = target
        self.table.state = <void *>self
        if has(target, "on_start"):
            self.table.on_start = python_on_start
        if has(target, "on_open"):
            self.table.on_open = python_on_open
        if has(target, "on_book"):
            self.table.on_book = python_on_book
        if has(target, "on_trade"):
            self.table.on_trade = python_on_trade
        if has(target, "on_accepted"):
            self.table.on_accepted = python_on_accepted
        if has(target, "on_filled"):
            self.table.on_filled = python_on_filled
        if has(target, "on_canceled"):
            self.table.on_canceled = python_on_canceled
        if has(target, "on_rejected"):
            self.table.on_rejected = python_on_rejected
        if has(target, "on_timer"):
            self.table.on_timer = python_on_timer
        if has(target, "on_stop"):
            self.table.on_stop = python_on_stop


def has(target, name):
    """Tell whether the object has that callback."""
    return callable(getattr(target, name, None))


cdef void call(void *state, dp_gateway *gateway, str name, object argument) noexcept:
    cdef PythonStrategy strategy = <PythonStrategy>state
    cdef Gateway window = Gateway.__new__(Gateway)
    if strategy.failure is not None:
        return
    window._gateway = gateway
    try:
        if argument is None:
            getattr(strategy.target, name)(window)
        else:
            getattr(strategy.target, name)(window, argument)
    except BaseException as failure:
        strategy.failure = failure
        gateway.verbs.stop(gateway)
    finally:
        window._gateway = NULL


cdef void python_on_start(void *state, dp_gateway *gateway) noexcept with gil:
    call(state, gateway, "on_start", None)

cdef void python_on_stop(void *state, dp_gateway *gateway) noexcept with gil:
    call(state, gateway, "on_stop", None)

cdef void python_on_open(
        void *state, dp_gateway *gateway, uint32_t instrument_index) noexcept with gil:
    call(state, gateway, "on_open", instrument_index)

cdef void python_on_book(void *state, dp_gateway *gateway, const dp_top *top) noexcept with gil:
    call(state, gateway, "on_book", top_of(top))

cdef void python_on_trade(
        void *state, dp_gateway *gateway, const dp_trade *trade) noexcept with gil:
    call(state, gateway, "on_trade", trade_of(trade))

cdef void python_on_accepted(
        void *state, dp_gateway *gateway, const dp_event *event) noexcept with gil:
    call(state, gateway, "on_accepted", order_event_of(event))

cdef void python_on_filled(
        void *state, dp_gateway *gateway, const dp_event *event) noexcept with gil:
    call(state, gateway, "on_filled", order_event_of(event))

cdef void python_on_canceled(
        void *state, dp_gateway *gateway, const dp_event *event) noexcept with gil:
    call(state, gateway, "on_canceled", order_event_of(event))

cdef void python_on_rejected(
        void *state, dp_gateway *gateway, const dp_event *event) noexcept with gil:
    call(state, gateway, "on_rejected", order_event_of(event))

cdef void python_on_timer(void *state, dp_gateway *gateway, int64_t now_ns) noexcept with gil:
    call(state, gateway, "on_timer", now_ns)


# ---- C ----

cdef int call_open(open_function open_strategy, dp_strategy *table, dict params) except -1:
    # The encoded texts must live until the call is over.
    texts = [(name.encode(), value.encode()) for name, value in params.items()]
    cdef dp_err err
    cdef uint32_t index = 0
    cdef dp_strategy_param *pairs = <dp_strategy_param *>malloc(
        (len(texts) + 1) * sizeof(dp_strategy_param))
    if pairs == NULL:
        raise MemoryError()
    err.code = errno.EINVAL
    err.text[0] = 0
    try:
        for name, value in texts:
            pairs[index].name = name
            pairs[index].value = value
            index += 1
        if open_strategy(table, pairs, index, &err) != 0:
            raise_err(&err)
    finally:
        free(pairs)
    return 0


cdef class LibraryStrategy(Strategy):
    """A strategy in a shared library that exports dp_strategy_open and dp_strategy_close.

    ``params`` are handed to dp_strategy_open as text. Raises DataplaneError when the library cannot
    be loaded, lacks a name, or refuses its params.
    """

    def __init__(self, path: str, params: dict[str, str]):
        self._library = dlopen(path.encode(), RTLD_NOW | RTLD_LOCAL)
        if self._library == NULL:
            raise DataplaneError(
                errno.EINVAL,
                f"{path}: {(<bytes>dlerror()).decode('utf-8', 'replace')}; build it with "
                "-shared -fPIC and give its full path")
        cdef open_function open_strategy = <open_function>dlsym(self._library, b"dp_strategy_open")
        if open_strategy == NULL or dlsym(self._library, b"dp_strategy_close") == NULL:
            raise DataplaneError(
                errno.EINVAL,
                f"{path}: exports no dp_strategy_open and dp_strategy_close; see docs/strategy.md")
        call_open(open_strategy, &self.table, params)
        self._opened = True

    def __dealloc__(self):
        cdef close_function close_strategy
        if self._library != NULL:
            if self._opened:
                close_strategy = <close_function>dlsym(self._library, b"dp_strategy_close")
                close_strategy(self.table.state)
            dlclose(self._library)

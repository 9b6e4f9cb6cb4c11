"""An imbalance taker: buys when the bid queue dwarfs the offer, and the other way round.

Imbalance is (bid_qty - ask_qty) / (bid_qty + ask_qty) at the touch, in thousandths. Beyond the
threshold it takes up to ``qty`` lots at the far touch, immediate or cancel, then waits. A timer
closes what is held longer than ``hold_ms``.

params: ``qty`` lots an order, ``threshold`` in thousandths, ``position_max`` lots, ``cooldown_ms``
between two orders in one instrument, ``hold_ms`` how long a position may last.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from dataplane.dp_event cimport (
    DP_REASON_ACCEPTED, DP_SIDE_BUY, DP_SIDE_SELL, DP_TIF_IOC, dp_event, dp_side,
)
from dataplane.dp_strategy cimport (
    dp_gateway, dp_gateway_submit, dp_request, dp_top, dp_top_is_tradable,
)
from dataplane.strategy cimport Strategy

cdef int64_t NANOS_PER_MS = 1_000_000

cdef struct Instrument:
    int64_t position
    int64_t ordered_ns     # when the last order was sent
    int64_t opened_ns      # when the position last left zero
    uint32_t open_order    # an order whose end is awaited; 0 when none
    bint wanted_flat       # the timer asked for the position to be closed at the next touch

cdef struct State:
    uint64_t qty
    int64_t threshold
    int64_t position_max
    int64_t cooldown_ns
    int64_t hold_ns
    uint32_t instrument_count
    Instrument *instruments


cdef class ImbalanceTaker(Strategy):
    """See the module's words; ``params`` is a Section of the configuration."""

    cdef State _state

    def __init__(self, params):
        params.only("qty", "threshold", "position_max", "cooldown_ms", "hold_ms")
        self._state.qty = params.integer("qty", 1, 999_999, 100)
        self._state.threshold = params.integer("threshold", 1, 1_000, 700)
        self._state.position_max = params.integer("position_max", 0, 1_000_000_000, 500)
        self._state.cooldown_ns = params.integer("cooldown_ms", 0, 86_400_000, 1_000) * NANOS_PER_MS
        self._state.hold_ns = params.integer("hold_ms", 1, 86_400_000, 60_000) * NANOS_PER_MS
        self.table.state = &self._state
        self.table.on_start = on_start
        self.table.on_book = on_book
        self.table.on_filled = on_filled
        self.table.on_accepted = on_ended
        self.table.on_canceled = on_ended
        self.table.on_rejected = on_ended
        self.table.on_timer = on_timer

    def __dealloc__(self):
        free(self._state.instruments)


cdef void on_start(void *pointer, dp_gateway *gateway) noexcept nogil:
    cdef State *state = <State *>pointer
    state.instruments = <Instrument *>calloc(gateway.instrument_count_max, sizeof(Instrument))
    state.instrument_count = gateway.instrument_count_max if state.instruments != NULL else 0
    gateway.timer_interval_ns = state.hold_ns // 4 if state.hold_ns >= 4 else 1


cdef void on_timer(void *pointer, dp_gateway *gateway, int64_t now_ns) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef Instrument *instrument
    cdef uint32_t index
    for index in range(state.instrument_count):
        instrument = &state.instruments[index]
        if instrument.position != 0 and now_ns - instrument.opened_ns >= state.hold_ns:
            instrument.wanted_flat = True


cdef void on_book(void *pointer, dp_gateway *gateway, const dp_top *top) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef Instrument *instrument
    cdef int64_t imbalance
    if top.instrument_index >= state.instrument_count or not dp_top_is_tradable(top):
        return
    instrument = &state.instruments[top.instrument_index]
    if instrument.open_order != 0 or top.time_ns - instrument.ordered_ns < state.cooldown_ns:
        return

    if instrument.wanted_flat:
        flatten(gateway, top, instrument)
        return
    imbalance = (<int64_t>top.bid_qty - <int64_t>top.ask_qty) * 1_000 // <int64_t>(
        top.bid_qty + top.ask_qty)
    if imbalance >= state.threshold and (
            instrument.position + <int64_t>state.qty <= state.position_max):
        take(gateway, top, instrument, DP_SIDE_BUY, state.qty)
    elif imbalance <= -state.threshold and (
            instrument.position - <int64_t>state.qty >= -state.position_max):
        take(gateway, top, instrument, DP_SIDE_SELL, state.qty)


cdef void flatten(dp_gateway *gateway, const dp_top *top, Instrument *instrument) noexcept nogil:
    if instrument.position > 0:
        take(gateway, top, instrument, DP_SIDE_SELL, <uint64_t>instrument.position)
    elif instrument.position < 0:
        take(gateway, top, instrument, DP_SIDE_BUY, <uint64_t>(-instrument.position))
    else:
        instrument.wanted_flat = False


cdef void take(dp_gateway *gateway, const dp_top *top, Instrument *instrument, dp_side side,
               uint64_t qty) noexcept nogil:
    cdef dp_request request
    cdef uint32_t user_ref_num = 0
    request.instrument_index = top.instrument_index
    request.side = side
    request.time_in_force = DP_TIF_IOC
    request.qty = qty
    request.price_nanos = top.ask_price_nanos if side == DP_SIDE_BUY else top.bid_price_nanos
    instrument.ordered_ns = top.time_ns
    if dp_gateway_submit(gateway, &request, &user_ref_num) == DP_REASON_ACCEPTED:
        instrument.open_order = user_ref_num


cdef void on_filled(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef Instrument *instrument = &state.instruments[event.instrument_index]
    cdef int64_t signed_qty = <int64_t>event.qty
    if instrument.position == 0:
        instrument.opened_ns = event.time_ns
    instrument.position += signed_qty if event.side == DP_SIDE_BUY else -signed_qty
    if instrument.position == 0:
        instrument.wanted_flat = False
    if event.leaves_qty == 0:
        instrument.open_order = 0


cdef void on_ended(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef State *state = <State *>pointer
    if event.leaves_qty == 0:
        state.instruments[event.instrument_index].open_order = 0

"""A quoting market maker: one bid and one offer per instrument, leaned against its inventory.

Both quotes join the touch and shift by one tick for every ``skew_qty`` lots held: long lowers them,
so that the offer is hit first, short raises them. They never cross the other side, stop where the
position limit is reached, and are pulled while the book is stale, one-sided or not trading.

params: ``qty`` lots a quote, ``position_max`` lots long or short, ``skew_qty`` lots a tick,
``tick`` the price step, ``requote_us`` least time between two changes of one instrument's quotes.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from dataplane.dp_event cimport (
    DP_REASON_ACCEPTED, DP_SIDE_BUY, DP_SIDE_SELL, DP_TIF_DAY, dp_event, dp_side,
)
from dataplane.dp_strategy cimport (
    dp_gateway, dp_gateway_cancel, dp_gateway_replace, dp_gateway_submit, dp_request, dp_top,
    dp_top_is_tradable,
)
from dataplane.strategy cimport Strategy

cdef struct Quote:
    uint32_t user_ref_num  # 0: none is open
    bint pending           # an answer of the venue is awaited
    int64_t price_nanos
    uint64_t cum_qty       # executed in this order's chain

cdef struct Instrument:
    int64_t position
    int64_t quoted_ns
    Quote bid
    Quote ask

cdef struct State:
    uint64_t qty
    int64_t position_max
    int64_t skew_qty
    int64_t tick_nanos
    int64_t requote_ns
    uint32_t instrument_count
    Instrument *instruments


cdef class MarketMaker(Strategy):
    """See the module's words; ``params`` is a Section of the configuration."""

    cdef State _state

    def __init__(self, params):
        params.only("qty", "position_max", "skew_qty", "tick", "requote_us")
        self._state.qty = params.integer("qty", 1, 999_999, 100)
        self._state.position_max = params.integer("position_max", 0, 1_000_000_000, 1_000)
        self._state.skew_qty = params.integer("skew_qty", 1, 1_000_000_000, 200)
        self._state.tick_nanos = params.nanos("tick", 100_000, 1_000_000_000_000, 10_000_000)
        self._state.requote_ns = params.integer("requote_us", 0, 1_000_000_000, 1_000) * 1_000
        self.table.state = &self._state
        self.table.on_start = on_start
        self.table.on_book = on_book
        self.table.on_accepted = on_accepted
        self.table.on_filled = on_filled
        self.table.on_canceled = on_gone
        self.table.on_rejected = on_rejected

    def __dealloc__(self):
        free(self._state.instruments)


cdef void on_start(void *pointer, dp_gateway *gateway) noexcept nogil:
    cdef State *state = <State *>pointer
    state.instruments = <Instrument *>calloc(gateway.instrument_count_max, sizeof(Instrument))
    state.instrument_count = gateway.instrument_count_max if state.instruments != NULL else 0


cdef void on_book(void *pointer, dp_gateway *gateway, const dp_top *top) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef Instrument *instrument
    cdef int64_t shift_nanos, bid_nanos, ask_nanos
    if top.instrument_index >= state.instrument_count:
        return
    instrument = &state.instruments[top.instrument_index]
    if not dp_top_is_tradable(top):
        pull(gateway, &instrument.bid)
        pull(gateway, &instrument.ask)
        return
    if top.time_ns - instrument.quoted_ns < state.requote_ns:
        return

    shift_nanos = instrument.position // state.skew_qty * state.tick_nanos
    bid_nanos = min(top.bid_price_nanos - shift_nanos, top.ask_price_nanos - state.tick_nanos)
    ask_nanos = max(top.ask_price_nanos - shift_nanos, top.bid_price_nanos + state.tick_nanos)
    instrument.quoted_ns = top.time_ns
    if instrument.position + <int64_t>state.qty <= state.position_max:
        quote(state, gateway, top.instrument_index, DP_SIDE_BUY, bid_nanos, &instrument.bid)
    else:
        pull(gateway, &instrument.bid)
    if instrument.position - <int64_t>state.qty >= -state.position_max:
        quote(state, gateway, top.instrument_index, DP_SIDE_SELL, ask_nanos, &instrument.ask)
    else:
        pull(gateway, &instrument.ask)


cdef void quote(State *state, dp_gateway *gateway, uint32_t instrument_index, dp_side side,
                int64_t price_nanos, Quote *live) noexcept nogil:
    cdef dp_request request
    cdef uint32_t user_ref_num = 0
    if live.pending or price_nanos <= 0 or live.price_nanos == price_nanos:
        return
    if live.user_ref_num != 0:
        # The venue counts what was executed into the total.
        if dp_gateway_replace(gateway, live.user_ref_num, live.cum_qty + state.qty, price_nanos,
                              &user_ref_num) == DP_REASON_ACCEPTED:
            live.pending = True
        return

    request.instrument_index = instrument_index
    request.side = side
    request.time_in_force = DP_TIF_DAY
    request.qty = state.qty
    request.price_nanos = price_nanos
    if dp_gateway_submit(gateway, &request, &user_ref_num) == DP_REASON_ACCEPTED:
        live.user_ref_num = user_ref_num
        live.pending = True
        live.price_nanos = price_nanos
        live.cum_qty = 0


cdef void pull(dp_gateway *gateway, Quote *live) noexcept nogil:
    if live.user_ref_num != 0 and not live.pending:
        if dp_gateway_cancel(gateway, live.user_ref_num) == DP_REASON_ACCEPTED:
            live.pending = True


cdef Quote *quote_of(State *state, const dp_event *event) noexcept nogil:
    if event.side == DP_SIDE_BUY:
        return &state.instruments[event.instrument_index].bid
    return &state.instruments[event.instrument_index].ask


cdef void clear(Quote *live) noexcept nogil:
    live.user_ref_num = 0
    live.pending = False
    live.price_nanos = 0
    live.cum_qty = 0


cdef void on_accepted(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef Quote *live = quote_of(<State *>pointer, event)
    live.user_ref_num = event.user_ref_num
    live.pending = False
    live.price_nanos = event.price_nanos
    live.cum_qty = event.cum_qty
    if event.leaves_qty == 0:
        clear(live)


cdef void on_filled(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef Quote *live = quote_of(state, event)
    cdef int64_t signed_qty = <int64_t>event.qty
    state.instruments[event.instrument_index].position += (
        signed_qty if event.side == DP_SIDE_BUY else -signed_qty)
    live.cum_qty = event.cum_qty
    if event.leaves_qty == 0:
        clear(live)


cdef void on_gone(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    if event.leaves_qty == 0:
        clear(quote_of(<State *>pointer, event))


cdef void on_rejected(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef Quote *live = quote_of(<State *>pointer, event)
    live.pending = False
    if event.leaves_qty == 0:
        clear(live)

"""The same from Cython, outside the project's tree: no Python object on the path."""

from libc.stdint cimport uint32_t, uint64_t

from dataplane.dp_event cimport (
    DP_PRICE_NONE, DP_SIDE_BUY, DP_SIDE_SELL, DP_TIF_DAY, DP_TIF_IOC, dp_event,
)
from dataplane.dp_strategy cimport dp_gateway, dp_gateway_submit, dp_request, dp_top
from dataplane.strategy cimport Strategy

cdef struct State:
    uint64_t qty
    uint32_t orders_open


cdef class First(Strategy):
    cdef State _state

    def __init__(self, params):
        params.only("qty")
        self._state.qty = params.integer("qty", 1, 10_000, 100)
        self.table.state = &self._state
        self.table.on_book = on_book
        self.table.on_filled = on_filled
        self.table.on_canceled = on_ended
        self.table.on_rejected = on_ended


cdef void on_book(void *pointer, dp_gateway *gateway, const dp_top *top) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef dp_request request
    cdef uint32_t user_ref_num = 0
    if top.flags != 0 or top.trading_state != c'T' or top.session != c'Q':
        return
    if top.ask_price_nanos == DP_PRICE_NONE:
        return
    if state.orders_open != 0 or top.ask_qty < 5 * state.qty:
        return
    if gateway.verbs.position(gateway, top.instrument_index) != 0:
        return
    request.instrument_index = top.instrument_index
    request.side = DP_SIDE_BUY
    request.time_in_force = DP_TIF_IOC
    request.qty = state.qty
    request.price_nanos = top.ask_price_nanos
    if dp_gateway_submit(gateway, &request, &user_ref_num) == 0:
        state.orders_open += 1


cdef void on_filled(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef State *state = <State *>pointer
    cdef dp_request request
    cdef uint32_t user_ref_num = 0
    if event.side == DP_SIDE_BUY:
        request.instrument_index = event.instrument_index
        request.side = DP_SIDE_SELL
        request.time_in_force = DP_TIF_DAY
        request.qty = event.qty
        request.price_nanos = event.price_nanos + 10_000_000
        dp_gateway_submit(gateway, &request, &user_ref_num)
    if event.side == DP_SIDE_BUY and event.leaves_qty == 0:
        state.orders_open -= 1


cdef void on_ended(void *pointer, dp_gateway *gateway, const dp_event *event) noexcept nogil:
    cdef State *state = <State *>pointer
    if event.side == DP_SIDE_BUY and event.leaves_qty == 0:
        state.orders_open -= 1

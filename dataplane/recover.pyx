"""The state that a journal's records lead to, for recovery, replay to a moment, and verification.

core/dp_recover applies the records; dataplane/journal.py finds the segments.
"""

from libc.stdint cimport INT64_MAX, UINT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dataplane.dp_checkpoint cimport (
    DP_CHECKPOINT_PAGE, dp_checkpoint_load, dp_checkpoint_place,
    dp_checkpoint_save,
)
from dataplane.dp_engine cimport (
    dp_order, dp_order_status, dp_orders, dp_orders_at, dp_orders_count,
    money_high, money_low,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_event cimport DP_SIDE_BUY, dp_ord_status_name
from dataplane.dp_journal cimport DP_CL_ORD_ID_SIZE, dp_cl_ord_id, dp_journal_record
from dataplane.dp_recover cimport (
    DP_RECOVER_SESSIONS, dp_order_is_live, dp_order_worst_leaves, dp_order_worst_price,
    dp_orders_init, dp_orders_size, dp_recover, dp_recover_apply, dp_recover_init,
    dp_recover_instrument, dp_recover_is_conserved, dp_recover_is_in_flight,
    dp_recover_reserves_fit, dp_recover_settle,
    dp_recover_sum,
)
from dataplane.segment cimport Segment
from dataplane.sys_mman cimport MADV_HUGEPAGE, madvise, map_zeros, munmap

import os


cdef uint64_t _pages(uint64_t size) noexcept:
    return (size + DP_CHECKPOINT_PAGE - 1) // DP_CHECKPOINT_PAGE * DP_CHECKPOINT_PAGE


cdef str _text(const char *padded):
    return (<bytes>padded[:8]).decode("ascii", "replace").rstrip("\0 ")


cdef object _whole(object high, object low):
    return (high << 64) + low


cdef class State:
    """Orders, positions, numbers and session positions after the records applied so far."""

    def __cinit__(self, uint32_t order_count_max, uint32_t exec_count_max, uint32_t instruments):
        self._config.order_count_max = order_count_max
        self._config.exec_count_max = exec_count_max
        self._config.user_ref_num_first = 1
        self._instrument_count = instruments
        self._begin()

    cdef int _begin(self) except -1:
        cdef dp_err err
        self._map()
        if dp_orders_init(self._orders, &self._config, &err) < 0:
            raise_err(&err)
        dp_recover_init(
            self._recover, self._orders, self._instruments, self._instrument_count)
        return 0

    cdef int _map(self) except -1:
        cdef uint64_t orders_size = _pages(dp_orders_size(&self._config))
        cdef uint64_t instruments_size = _pages(
            self._instrument_count * sizeof(dp_recover_instrument))
        cdef uint64_t size = orders_size + instruments_size + _pages(sizeof(dp_recover))
        cdef void *memory = map_zeros(size, 0)
        if memory is NULL:
            raise MemoryError(f"journal: {size} bytes for the state of its orders")
        madvise(memory, size, MADV_HUGEPAGE)
        self._image.memory = <uint8_t *>memory
        self._image.size = size
        self._image.shape[0] = self._config.order_count_max
        self._image.shape[1] = self._config.exec_count_max
        self._image.shape[2] = self._instrument_count
        self._orders = <dp_orders *>memory
        self._instruments = <dp_recover_instrument *>(self._image.memory + orders_size)
        self._recover = <dp_recover *>(self._image.memory + orders_size + instruments_size)
        return 0

    cdef void _unmap(self) noexcept:
        if self._image.memory != NULL:
            munmap(self._image.memory, self._image.size)
        self._image.memory = NULL

    def __dealloc__(self):
        self._unmap()

    def apply(self, Segment segment, uint64_t until_sequence=UINT64_MAX,
              int64_t until_time_ns=INT64_MAX):
        """Apply the segment's records in order; return True when one lies behind the limits."""
        cdef const dp_journal_record *record = NULL
        cdef bint behind = False
        with nogil:
            while segment._walk.sequence <= until_sequence:
                record = segment._next()
                if record is NULL:
                    break
                if record.time_ns > until_time_ns:
                    behind = True
                    break
                dp_recover_apply(self._recover, record)
        if self._recover.sequence:
            segment.time_ns = self._recover.time_ns
        return behind or segment._walk.sequence > until_sequence

    def settle(self):
        """Make every order in flight Unknown; return how many there were."""
        return dp_recover_settle(self._recover, self._recover.time_ns)

    # ---- checkpoints ----

    def save(self, str directory, Segment segment):
        """Write a checkpoint of this state, which stands where the segment's walk stands."""
        cdef dp_err err
        cdef dp_checkpoint_place place
        memset(&place, 0, sizeof(place))
        place.sequence = self._recover.sequence
        place.segment_index = segment._header().segment_index
        place.offset = segment._walk.offset
        place.record_count = segment.record_count
        place.time_ns = self._recover.time_ns
        place.chain = segment._walk.chain
        place.header_crc = segment._header().header_crc
        cdef bytes path = os.fsencode(directory)
        cdef const char *name = path
        cdef int status
        with nogil:
            status = dp_checkpoint_save(name, &place, &self._image, &err)
        if status < 0:
            raise_err(&err)

    def load(self, str path):
        """Take the state from a checkpoint; return (segment index, what Segment.resume needs).

        Raise DataplaneError when it is cut, changed, or of another build or capacity: the state is
        then empty.
        """
        cdef dp_err err
        cdef dp_checkpoint_place place
        cdef bytes data = os.fsencode(path)
        cdef const char *name = data
        cdef int status
        self._unmap()
        self._map()
        with nogil:
            status = dp_checkpoint_load(name, &place, &self._image, &err)
        if status < 0:
            self._unmap()
            self._begin()
            raise_err(&err)
        self._recover.orders = self._orders
        self._recover.instruments = self._instruments
        return place.segment_index, (
            place.sequence, place.offset, place.record_count, place.time_ns, place.chain,
            place.header_crc,
        )

    # ---- looking in ----

    @property
    def sequence(self):
        """Number of the last record applied; 0 before the first."""
        return self._recover.sequence

    @property
    def time_ns(self):
        """Time of the last record applied; None before the first."""
        return self._recover.time_ns if self._recover.sequence else None

    @property
    def counts(self):
        """Events applied, those that the table had no room for, orders made, highest number."""
        return {
            "events": self._recover.event_count,
            "no_room": self._recover.full_count,
            "orders": dp_orders_count(self._orders),
            "user_ref_num_max": self._recover.user_ref_num_max,
        }

    @property
    def inbound_sequences(self):
        """Last message heard of each session of the venue, by session."""
        return {
            session: self._recover.inbound_sequences[session]
            for session in range(DP_RECOVER_SESSIONS)
            if self._recover.inbound_sequences[session]
        }

    def problems(self):
        """Return what does not add up, in words: illegal transitions, quantities, positions."""
        words = []
        if self._recover.differ_count:
            words.append(
                f"record {self._recover.differ_sequence} and"
                f" {self._recover.differ_count - 1} more state an outcome that their order's"
                " history does not give")
        cdef uint32_t index
        for index in range(dp_orders_count(self._orders)):
            if not dp_recover_is_conserved(dp_orders_at(self._orders, index)):
                number = dp_orders_at(self._orders, index).user_ref_num
                words.append(f"order {number}: its quantities do not add up")
            if not dp_recover_reserves_fit(dp_orders_at(self._orders, index)):
                number = dp_orders_at(self._orders, index).user_ref_num
                words.append(f"order {number}: it reserves more exposure than its terms")
        return words + self._position_problems()

    cdef list _position_problems(self):
        cdef uint32_t count = self._instrument_count
        cdef dp_recover_instrument *sums = <dp_recover_instrument *>calloc(
            count, sizeof(dp_recover_instrument))
        if sums == NULL:
            raise MemoryError()
        words = []
        try:
            dp_recover_sum(self._recover, sums)
            for index in range(count):
                if self._position(&sums[index]) != self._position(&self._instruments[index]):
                    name = _text(self._instruments[index].symbol)
                    words.append(f"{name}: executions do not add up to the orders' quantities")
        finally:
            free(sums)
        return words

    cdef dict _position(self, const dp_recover_instrument *instrument):
        return {
            "position": <int64_t>(instrument.bought_qty - instrument.sold_qty),
            "bought_qty": instrument.bought_qty,
            "sold_qty": instrument.sold_qty,
            "cash_nanos": _whole(money_high(instrument.cash), money_low(instrument.cash)),
        }

    def positions(self):
        """Return one dict per instrument that traded."""
        return [
            {"symbol": _text(self._instruments[index].symbol),
             **self._position(&self._instruments[index])}
            for index in range(self._instrument_count)
            if self._instruments[index].bought_qty or self._instruments[index].sold_qty
        ]

    def live_orders(self, str prefix):
        """Return one dict per order that may still execute, in order of their first numbers."""
        cdef bytes text = prefix.encode("ascii", "replace")
        cdef uint32_t index
        rows = []
        for index in range(dp_orders_count(self._orders)):
            if dp_order_is_live(dp_orders_at(self._orders, index)):
                rows.append(self._row(dp_orders_at(self._orders, index), text))
        return rows

    cdef dict _row(self, const dp_order *order, bytes prefix):
        cdef char cl_ord_id[DP_CL_ORD_ID_SIZE]
        dp_cl_ord_id(prefix, order.user_ref_num, cl_ord_id)
        symbol = None
        if order.instrument_index < self._instrument_count:
            symbol = _text(self._instruments[order.instrument_index].symbol) or None
        return {
            "cl_ord_id": cl_ord_id[:DP_CL_ORD_ID_SIZE].decode("ascii").rstrip(),
            "user_ref_num": order.user_ref_num,
            "pending_user_ref_num": order.pending_user_ref_num or None,
            "venue_order_id": order.venue_order_id or None,
            "strategy_index": order.strategy_index,
            "symbol": symbol,
            "side": "BUY" if order.side == DP_SIDE_BUY else "SELL",
            "ord_status": (<bytes>dp_ord_status_name(dp_order_status(order))).decode(),
            "in_flight": bool(dp_recover_is_in_flight(order)),
            "qty": order.qty,
            "leaves_qty": order.leaves_qty,
            "cum_qty": order.cum_qty,
            "price_nanos": order.price_nanos,
            "worst_leaves_qty": dp_order_worst_leaves(order),
            "worst_price_nanos": dp_order_worst_price(order),
        }

"""A matching engine, for scenarios, tests and tools; the rules are in docs/matching.md.

Every call returns what it caused, in order. Numbers are the C header's: sides 1 and 2, the codes of
``codes``; a price of None means none. What the engine refuses is a REJECTED report; what no engine
could be asked (a price that fits no integer) is an exception.
"""

from collections import namedtuple

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_match cimport (
    DP_MATCH_FEE_TIERS_MAX,
    DP_MATCH_LMM_MAX,
    DP_MATCH_NONE,
    DP_MATCH_REASON_COUNT,
    DP_PRICE_NONE,
    dp_match,
    dp_match_account_view,
    dp_match_add_instrument,
    dp_match_add_participant,
    dp_match_advance,
    dp_match_cancel,
    dp_match_config,
    dp_match_fee_tier,
    dp_match_indication,
    dp_match_init,
    dp_match_instrument,
    dp_match_ledger_account,
    dp_match_ledger_is_balanced,
    dp_match_ledger_position,
    dp_match_mass_cancel,
    dp_match_mass_cancel_request,
    dp_match_new,
    dp_match_order,
    dp_match_order_view,
    dp_match_policy,
    dp_match_quote,
    dp_match_reason,
    dp_match_reason_name,
    dp_match_reason_words,
    dp_match_replace,
    dp_match_replace_request,
    dp_match_report,
    dp_match_restore,
    dp_match_session,
    dp_match_set_fees,
    dp_match_set_session,
    dp_match_sink,
    dp_match_size,
    dp_match_snapshot,
    dp_match_snapshot_size,
    dp_match_terms,
    dp_match_level_view,
    dp_match_view_indication,
    dp_match_view_levels,
    dp_match_view_order_count,
    dp_match_view_orders,
    dp_side,
)

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

Report = namedtuple("Report", (
    "type reason side flags instrument order_id tag price qty leaves_qty display_qty fee "
    "match_number contra_order_id contra_tag contra_leaves_qty contra_fee"))
Resting = namedtuple("Resting", "order_id price leaves_qty display_qty participant side place")
Indication = namedtuple("Indication", "reference paired_qty imbalance_qty near far")
Account = namedtuple("Account", "cash fees traded_qty")

NONE = DP_MATCH_NONE
REASONS = {
    code: (dp_match_reason_name(<dp_match_reason>code).decode(),
           dp_match_reason_words(<dp_match_reason>code).decode())
    for code in range(DP_MATCH_REASON_COUNT)
}

cdef enum:
    REPORTS = 1024
    VIEWS = 256
    CACHE_LINE = 64


cdef int64_t _price(object price) except? -1:
    return DP_PRICE_NONE if price is None else price


cdef object _price_or_none(int64_t price):
    return None if price == DP_PRICE_NONE else price


cdef object _money(const void *value):
    return int.from_bytes((<const uint8_t *>value)[:16], "little", signed=True)


cdef object _report(const dp_match_report *report):
    return Report(
        report.type, report.reason, report.side, report.flags, report.instrument_index,
        report.order_id, report.tag, _price_or_none(report.price_nanos), report.qty,
        report.leaves_qty, report.display_qty, report.fee_nanos, report.match_number,
        report.contra_order_id, report.contra_tag, report.contra_leaves_qty,
        report.contra_fee_nanos)


cdef void _flush(dp_match_sink *sink) noexcept with gil:
    (<Matcher>sink.context)._collect()


cdef class Matcher:
    """One venue: instruments, participants, fees, books, accounts."""

    cdef dp_match *_match
    cdef dp_match_sink _sink
    cdef dp_match_report _reports[REPORTS]
    cdef list _collected

    def __cinit__(
        self, *, instruments=1, participants=16, orders=10_000, terms=10_000, levels=10_000,
        seed=0,
    ):
        cdef dp_err err
        cdef dp_match_config config
        memset(&config, 0, sizeof(config))
        config.instrument_count_max = instruments
        config.participant_count_max = participants
        config.order_count_max = orders
        config.terms_count_max = terms
        config.level_count_max = levels
        config.node_count_max = levels
        config.seed = seed
        cdef size_t size = dp_match_size(&config)
        # A configuration out of range has no size; init then says what is wrong with it.
        self._match = <dp_match *>aligned_alloc(CACHE_LINE, size if size else CACHE_LINE)
        if self._match is NULL:
            raise MemoryError(f"match: {size} bytes; give fewer orders")
        if dp_match_init(self._match, &config, &err) < 0:
            raise_err(&err)
        self._sink.reports = self._reports
        self._sink.capacity = REPORTS
        self._sink.count = 0
        self._sink.flush = _flush
        self._sink.context = <void *>self
        self._collected = []

    def __dealloc__(self):
        free(self._match)

    cdef int _collect(self) except -1:
        cdef uint32_t index
        for index in range(self._sink.count):
            self._collected.append(_report(&self._reports[index]))
        self._sink.count = 0
        return 0

    cdef list _take(self):
        self._collect()
        cdef list reports = self._collected
        self._collected = []
        return reports

    # ---- set-up ----

    def add_instrument(
        self, *, tick, price_max, reference_price=None, lot=1, policy=0, session=2,
        allocation_min=0, top_max=0, band_ppm=0, pause_ns=0, dark=False, quoted=False, lmms=(),
    ):
        """Return the new instrument's index; lmms: (participant, share in ppm) each."""
        cdef dp_err err
        cdef dp_match_instrument terms
        memset(&terms, 0, sizeof(terms))
        terms.tick_nanos = tick
        terms.price_nanos_max = price_max
        terms.reference_price_nanos = _price(reference_price)
        terms.lot_qty = lot
        terms.policy = <dp_match_policy><int>policy
        terms.session = <dp_match_session><int>session
        terms.allocation_min_qty = allocation_min
        terms.top_qty_max = top_max
        terms.band_ppm = band_ppm
        terms.pause_ns = pause_ns
        terms.dark = dark
        terms.quoted = quoted
        for index, (participant, share_ppm) in enumerate(lmms[:DP_MATCH_LMM_MAX]):
            terms.lmms[<int>index].participant = participant
            terms.lmms[<int>index].share_ppm = share_ppm
        cdef int64_t result = dp_match_add_instrument(self._match, &terms, &err)
        if result < 0:
            raise_err(&err)
        return result

    def add_participant(self, fee_class=0):
        """Return the new participant's index."""
        cdef dp_err err
        cdef int64_t result = dp_match_add_participant(self._match, fee_class, &err)
        if result < 0:
            raise_err(&err)
        return result

    def set_fees(self, fee_class, tiers):
        """Set a class's tiers: (from quantity, maker and taker per unit, maker and taker ppm)."""
        cdef dp_err err
        cdef dp_match_fee_tier of[4]
        cdef int index
        if len(tiers) > DP_MATCH_FEE_TIERS_MAX:
            raise ValueError(f"{len(tiers)} fee tiers; at most {DP_MATCH_FEE_TIERS_MAX}")
        for index in range(len(tiers)):
            of[index].from_qty = tiers[index][0]
            of[index].maker_nanos_per_unit = tiers[index][1]
            of[index].taker_nanos_per_unit = tiers[index][2]
            of[index].maker_ppm = tiers[index][3]
            of[index].taker_ppm = tiers[index][4]
        if dp_match_set_fees(self._match, fee_class, of, <uint32_t>len(tiers), &err) < 0:
            raise_err(&err)

    # ---- what goes in; each returns the reports ----

    def new(
        self, order_id, side, qty, price=None, *, instrument=0, participant=0, tag=0, type=2,
        time_in_force=0, flags=0, stp_group=0, stp_mode=0, stop_price=0, trail=0, display_qty=0,
        refresh_range_qty=0, min_qty=0, peg=0, peg_offset=0, discretion=0, expire_ns=0, group=0,
        group_order_id=0, now_ns=0,
    ):
        """A new order."""
        cdef dp_match_order order
        cdef dp_match_terms terms
        memset(&order, 0, sizeof(order))
        order.order_id = order_id
        order.tag = tag
        order.price_nanos = _price(price)
        order.qty = qty
        order.instrument_index = instrument
        order.participant = participant
        order.stp_group = stp_group
        order.side = side
        order.type = type
        order.time_in_force = time_in_force
        order.stp_mode = stp_mode
        order.flags = flags
        memset(&terms, 0, sizeof(terms))
        terms.stop_price_nanos = stop_price
        terms.trail_nanos = trail
        terms.display_qty = display_qty
        terms.refresh_range_qty = refresh_range_qty
        terms.min_qty = min_qty
        terms.peg_offset_nanos = peg_offset
        terms.discretion_nanos = discretion
        terms.expire_ns = expire_ns
        terms.group_order_id = group_order_id
        terms.peg = peg
        terms.group = group
        if (stop_price or trail or display_qty or refresh_range_qty or min_qty or peg_offset
                or discretion or expire_ns or group_order_id or peg or group):
            order.terms = &terms
        dp_match_new(self._match, &order, now_ns, &self._sink)
        return self._take()

    def replace(
        self, order_id, qty, price=None, *, new_order_id=0, tag=0, stop_price=0, now_ns=0,
    ):
        """Another price or open quantity."""
        cdef dp_match_replace_request request
        request.order_id = order_id
        request.new_order_id = new_order_id
        request.tag = tag
        request.price_nanos = _price(price)
        request.qty = qty
        request.stop_price_nanos = stop_price
        dp_match_replace(self._match, &request, now_ns, &self._sink)
        return self._take()

    def cancel(self, order_id, leaves_qty_max=0, *, now_ns=0):
        """Leave at most that much of the order open."""
        dp_match_cancel(self._match, order_id, leaves_qty_max, now_ns, &self._sink)
        return self._take()

    def mass_cancel(self, *, participant=NONE, instrument=NONE, side=0, now_ns=0):
        """Cancel everything that fits."""
        cdef dp_match_mass_cancel_request request
        request.participant = participant
        request.instrument_index = instrument
        request.side = side
        dp_match_mass_cancel(self._match, &request, now_ns, &self._sink)
        return self._take()

    def set_session(self, session, *, instrument=0, now_ns=0):
        """Let an instrument go to another session."""
        dp_match_set_session(
            self._match, instrument, <dp_match_session><int>session, now_ns, &self._sink)
        return self._take()

    def quote(self, bid, ask, *, instrument=0, now_ns=0):
        """The away market of an instrument."""
        dp_match_quote(
            self._match, instrument, _price(bid), _price(ask), now_ns, &self._sink)
        return self._take()

    def advance(self, *, now_ns):
        """Let time pass."""
        dp_match_advance(self._match, now_ns, &self._sink)
        return self._take()

    # ---- what is there ----

    @property
    def order_count(self):
        """Orders that are live."""
        return dp_match_view_order_count(self._match)

    def orders(self, instrument=0):
        """Return the live orders of an instrument in the order of a mass cancel."""
        cdef dp_match_order_view views[VIEWS]
        cdef uint32_t count = VIEWS
        cdef uint32_t index
        cdef list found = []
        while count == VIEWS:
            count = dp_match_view_orders(
                self._match, instrument, views, <uint32_t>len(found), VIEWS)
            for index in range(count):
                found.append(Resting(
                    views[index].order_id, _price_or_none(views[index].price_nanos),
                    views[index].leaves_qty, views[index].display_qty, views[index].participant,
                    views[index].side, views[index].place))
        return found

    def levels(self, side, instrument=0):
        """Return (price, displayed, orders with hidden ones) of a side, best first."""
        cdef dp_match_level_view views[VIEWS]
        cdef uint32_t count = dp_match_view_levels(
            self._match, instrument, <dp_side><int>side, views, VIEWS)
        return [
            (_price_or_none(views[index].price_nanos), views[index].display_qty,
             views[index].order_count)
            for index in range(count)
        ]

    def indication(self, instrument=0):
        """Return what an auction would do now; an imbalance above 0 is of buyers."""
        cdef dp_match_indication view = dp_match_view_indication(self._match, instrument)
        return Indication(
            _price_or_none(view.reference_nanos), view.paired_qty, view.imbalance_qty,
            _price_or_none(view.near_nanos), _price_or_none(view.far_nanos))

    def account(self, participant=NONE):
        """Return what the participant has; without one, what the venue took."""
        cdef dp_match_account_view view = dp_match_ledger_account(self._match, participant)
        return Account(_money(&view.cash_nanos), _money(&view.fees_nanos), view.traded_qty)

    def position(self, participant, instrument=0):
        """Return what the participant bought less what it sold."""
        return dp_match_ledger_position(self._match, participant, instrument)

    @property
    def is_balanced(self):
        """Whether all money and all positions together are 0."""
        return dp_match_ledger_is_balanced(self._match)

    def snapshot(self):
        """Return the whole state."""
        cdef bytearray data = bytearray(dp_match_snapshot_size(self._match))
        cdef uint8_t[::1] view = data
        dp_match_snapshot(self._match, &view[0])
        return bytes(data)

    def restore(self, const uint8_t[::1] data not None):
        """Go on from a snapshot."""
        cdef dp_err err
        cdef uint8_t nothing = 0
        cdef const uint8_t *at = &data[0] if data.shape[0] else &nothing
        if dp_match_restore(self._match, at, <size_t>data.shape[0], &err) < 0:
            raise_err(&err)

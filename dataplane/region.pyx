"""A running appliance's memory, attached read-only from another process.

Everything read here may be a moment old; nothing is ever torn, and the writer never notices. A
region of another layout is refused with the name of the build that made it.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset

from dataplane.books cimport books_view
from dataplane.dp_book cimport (
    DP_BOOK_READ_OK,
    dp_book_is_open,
    dp_book_level_view,
    dp_book_read,
    dp_book_symbol,
    dp_book_view,
    dp_books,
    dp_books_instrument_count,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_ticks_to_ns
from dataplane.dp_counter cimport (
    DP_COUNTER_COUNT,
    dp_counter,
    dp_counter_key,
    dp_counter_read,
    dp_counters,
)
from dataplane.dp_event cimport (
    DP_SIDE_BUY, DP_SIDE_SELL, dp_event, dp_event_has_key, dp_event_kind_name, dp_ord_status_name,
)
from dataplane.dp_hist cimport DP_STAGE_COUNT, dp_hist, dp_hist_percentile, dp_stage, dp_stage_key
from dataplane.dp_region cimport dp_region
from dataplane.dp_risk cimport (
    DP_RISK_SCOPE_ACCOUNT,
    DP_RISK_SCOPE_FIRM,
    DP_RISK_SCOPE_INSTRUMENT,
    DP_RISK_SCOPE_SESSION,
    DP_RISK_SCOPE_STRATEGY,
    DP_RISK_SESSIONS_MAX,
    dp_risk,
    dp_risk_config_of,
    dp_risk_field_at,
    dp_risk_field_count,
    dp_risk_field_get,
    dp_risk_field_used,
    dp_risk_group_name,
    dp_risk_mark_of,
    dp_risk_scope,
    dp_risk_scope_kind,
    dp_risk_strategy_name,
    dp_switch_mode_of,
    dp_switch_mode_word,
    dp_switch_source_of,
    dp_switch_source_word,
)
from dataplane.mapping cimport Mapping

cdef extern from "dp_engine.h" nogil:
    struct dp_engine_status:
        uint64_t heartbeat
        int64_t now_ns
        uint64_t position
        uint64_t size
        int64_t wall_start_ns
        uint64_t state
        char name[64]
        char source[256]

cdef extern from "dp_recent.h" nogil:
    enum:
        DP_RECENT_SLOTS
    struct dp_recent:
        pass
    uint64_t dp_recent_count(const dp_recent *recent)
    bint dp_recent_read(const dp_recent *recent, uint64_t number, dp_event *event)

cdef extern from "dp_order.h" nogil:
    struct dp_orders:
        pass
    struct dp_order:
        pass
    uint32_t dp_orders_count(const dp_orders *orders)
    const dp_order *dp_orders_at(const dp_orders *orders, uint32_t index)
    int dp_order_status(const dp_order *order)

cdef dict _event_fields(const dp_event *event, const dp_books *books):
    cdef char symbol[9]
    symbol[0] = 0
    if event.instrument_index < dp_books_instrument_count(books):
        dp_book_symbol(books, event.instrument_index, symbol)
    return {
        "time_ns": event.time_ns,
        "event": dp_event_kind_name(event.kind).decode(),
        "user_ref_num": event.user_ref_num,
        "orig_user_ref_num": event.orig_user_ref_num or None,
        "venue_order_id": event.venue_order_id or None,
        "strategy_index": event.strategy_index,
        "symbol": symbol.decode("ascii", "replace") or None,
        "side": {DP_SIDE_BUY: "BUY", DP_SIDE_SELL: "SELL"}.get(event.side),
        "qty": event.qty,
        "price_nanos": event.price_nanos,
        "exec_id": None if dp_event_has_key(event) else event.exec_id or None,
        "request_key": event.request_key or None if dp_event_has_key(event) else None,
        "ord_status": dp_ord_status_name(event.ord_status).decode() if event.ord_status else None,
        "leaves_qty": event.leaves_qty,
        "cum_qty": event.cum_qty,
        "reason": event.reason or None,
    }


cdef dp_risk_scope scope_of(int kind, uint32_t index) noexcept:
    cdef dp_risk_scope scope
    scope.kind, scope.index = <dp_risk_scope_kind>kind, index
    return scope


cdef list named_scopes(const dp_risk *risk):
    config = dp_risk_config_of(risk)
    found = [("firm", <int>DP_RISK_SCOPE_FIRM, 0)]
    for index in range(config.account_count_max):
        name = dp_risk_group_name(risk, index + 1).decode()
        found.append((f"account:{name}", <int>DP_RISK_SCOPE_ACCOUNT, index))
    for index in range(config.strategy_count_max):
        name = dp_risk_strategy_name(risk, index).decode()
        if name:
            found.append((f"strategy:{name}", <int>DP_RISK_SCOPE_STRATEGY, index))
    return found


# Whether somebody holds of that instrument, has an order in it, or has set its switch.
cdef bint is_in_use(const dp_risk *risk, dp_risk_scope scope) noexcept nogil:
    cdef uint32_t number
    cdef int64_t used = 0
    if dp_risk_mark_of(risk, scope) & 0xff:
        return True
    for number in range(dp_risk_field_count(scope.kind)):
        if dp_risk_field_used(risk, scope, number, 0, &used) and used:
            return True
    return False


STATES = ("starting", "running", "finished", "failed")
PERCENTILES = {"p50": 50_000, "p99": 99_000, "p999": 99_900}


cdef class Region(Mapping):
    """One region, mapped read-only until close() or the end of a ``with`` block."""

    @property
    def header(self):
        """Who made the region, and when: build, layout, generation, size, pid, clock."""
        cdef dp_region *region = self._checked()
        return {
            "build": region.build.decode("utf-8", "replace"),
            "layout_version": region.layout_version,
            "layout_hash": f"{region.layout_hash:016x}",
            "generation": region.generation,
            "size": region.size,
            "used": region.used,
            "pid": region.pid,
            "tsc_hz": region.tsc_hz,
            "tsc_error_ppb": region.tsc_error_ppb,
        }

    @property
    def parts(self):
        """Name to (offset, size), in the order of their places."""
        cdef dp_region *region = self._checked()
        return {
            region.parts[index].name.decode("utf-8", "replace"): (
                region.parts[index].offset, region.parts[index].size)
            for index in range(region.part_count)
        }

    def status(self):
        """What the engine says of itself."""
        cdef const dp_engine_status *status = <const dp_engine_status *>self.part(
            "status", sizeof(dp_engine_status))
        state = status.state
        return {
            "name": status.name[:64].split(b"\0")[0].decode("utf-8", "replace"),
            "source": status.source[:256].split(b"\0")[0].decode("utf-8", "replace"),
            "state": STATES[state] if state < len(STATES) else str(state),
            "heartbeat": status.heartbeat,
            "now_ns": status.now_ns,
            "position": status.position,
            "size": status.size,
            "wall_start_ns": status.wall_start_ns,
        }

    def counters(self):
        """Every counter by its key."""
        cdef const dp_counters *counters = <const dp_counters *>self.part(
            "counters", sizeof(dp_counters))
        return {
            dp_counter_key(<dp_counter>id).decode(): dp_counter_read(counters, <dp_counter>id)
            for id in range(DP_COUNTER_COUNT)
        }

    def latencies(self):
        """Stage to count and percentiles in nanoseconds."""
        return {
            dp_stage_key(<dp_stage>stage).decode(): self._latency(<dp_stage>stage)
            for stage in range(DP_STAGE_COUNT)
        }

    cdef dict _latency(self, dp_stage stage):
        cdef dp_clock clock
        memset(&clock, 0, sizeof(clock))
        clock.tsc_hz = self._checked().tsc_hz or 1_000_000_000
        key = dp_stage_key(stage).decode()
        cdef const dp_hist *hist = <const dp_hist *>self.part(f"hist.{key}", sizeof(dp_hist))
        found = {"count": hist.count}
        for name, per_100000 in PERCENTILES.items():
            found[name] = dp_clock_ticks_to_ns(&clock, dp_hist_percentile(hist, per_100000))
        found["max"] = dp_clock_ticks_to_ns(&clock, hist.max)
        return found

    def orders(self):
        """How many orders are in each OrdStatus."""
        cdef const dp_orders *orders = <const dp_orders *>self.part("orders", 1)
        cdef uint64_t[256] counts
        cdef uint32_t index
        memset(counts, 0, sizeof(counts))
        with nogil:
            for index in range(dp_orders_count(orders)):
                counts[dp_order_status(dp_orders_at(orders, index)) & 255] += 1
        return {
            dp_ord_status_name(status).decode(): counts[status]
            for status in range(256) if counts[status]
        }

    def recent(self):
        """The last events of our orders, as dictionaries, the oldest first."""
        cdef const dp_recent *recent = <const dp_recent *>self.part("recent", 1)
        cdef const dp_books *books = <const dp_books *>self.part("books", 1)
        cdef uint64_t last = dp_recent_count(recent)
        cdef uint64_t number = last - DP_RECENT_SLOTS + 1 if last > DP_RECENT_SLOTS else 1
        cdef dp_event event
        found = []
        while number <= last:
            if dp_recent_read(recent, number, &event):
                found.append({"number": number, **_event_fields(&event, books)})
            number += 1
        return found

    def tops(self):
        """Index to (symbol, changes, bid price, bid qty, ask price, ask qty) of every open book.

        Prices are nanos, None for an empty side. A book in the middle of a change at every try is
        left out; the next call has it.
        """
        cdef const dp_books *books = <const dp_books *>self.part("books", 1)
        cdef dp_book_level_view bid, ask
        cdef dp_book_view view
        cdef char symbol[9]
        cdef uint32_t index
        memset(&view, 0, sizeof(view))
        memset(&bid, 0, sizeof(bid))
        memset(&ask, 0, sizeof(ask))
        view.bids, view.asks = &bid, &ask
        found = {}
        for index in range(dp_books_instrument_count(books)):
            if not dp_book_is_open(books, index):
                continue
            if dp_book_read(books, index, 1, &view) != DP_BOOK_READ_OK:
                continue
            dp_book_symbol(books, index, symbol)
            found[index] = (
                symbol.decode("ascii", "replace"), view.sequence,
                bid.price_nanos if view.bid_count else None, bid.qty if view.bid_count else 0,
                ask.price_nanos if view.ask_count else None, ask.qty if view.ask_count else 0)
        return found

    def books(self):
        """Return the books at full depth, where they lie: whole only while nothing changes them."""
        return books_view(<dp_books *>self.part("books", 1), self)

    def risk(self):
        """Return the switch of each scope and what it uses of its limits, the firm first.

        Then accounts and strategies, sessions whose switch is set, instruments that are in use or
        whose switch is set. ``uses`` has those limits that something uses up: name to
        (used, limit, whether it is money in nanos).
        """
        cdef const dp_risk *risk = <const dp_risk *>self.part("risk", 1)
        cdef dp_risk_scope scope
        found = [
            self._scope_row(risk, label, scope_of(kind, index))
            for label, kind, index in named_scopes(risk)
        ]
        for index in range(DP_RISK_SESSIONS_MAX):
            scope = scope_of(DP_RISK_SCOPE_SESSION, index)
            if dp_risk_mark_of(risk, scope) & 0xff:
                found.append(self._scope_row(risk, f"session:{index}", scope))
        return found + self._instrument_rows(risk)

    cdef list _instrument_rows(self, const dp_risk *risk):
        cdef const dp_books *books = <const dp_books *>self.part("books", 1)
        cdef dp_risk_scope scope
        cdef char symbol[9]
        cdef uint32_t index
        found = []
        for index in range(dp_books_instrument_count(books)):
            scope = scope_of(DP_RISK_SCOPE_INSTRUMENT, index)
            if is_in_use(risk, scope):
                dp_book_symbol(books, index, symbol)
                label = f"instrument:{symbol.decode('ascii', 'replace')}"
                found.append(self._scope_row(risk, label, scope))
        return found

    cdef dict _scope_row(self, const dp_risk *risk, str label, dp_risk_scope scope):
        cdef int64_t now_ns = (<const dp_engine_status *>self.part(
            "status", sizeof(dp_engine_status))).now_ns
        cdef int64_t used = 0, limit = 0
        cdef uint64_t mark = dp_risk_mark_of(risk, scope)
        uses = {}
        for number in range(dp_risk_field_count(scope.kind)):
            if dp_risk_field_used(risk, scope, number, now_ns, &used):
                dp_risk_field_get(risk, scope, number, &limit)
                field = dp_risk_field_at(scope.kind, number)
                uses[field.name.decode()] = (used, limit, bool(field.is_money))
        return {
            "scope": label,
            "mode": dp_switch_mode_word(dp_switch_mode_of(mark)).decode(),
            "source": dp_switch_source_word(dp_switch_source_of(mark)).decode(),
            "uses": uses,
        }

"""The engine: one recorded session through books, strategies, risk gate, orders and journal.

    engine = Engine(EngineSettings(...))
    engine.add_strategy(strategy, symbols=(), first=20, limits={...})
    engine.start("day.itch")
    while engine.run(100_000):
        ...                       # progress; Ctrl-C arrives here
    engine.finish()
    engine.counters(), engine.latency(), engine.positions() ...

One thread. All amounts are integers in 1e-9.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from dataplane.books cimport books_view
from dataplane.dp_book cimport dp_book_symbol
from dataplane.dp_clock cimport dp_clock_ticks_to_ns
from dataplane.dp_counter cimport (
    DP_COUNTER_COUNT, dp_counter, dp_counter_key, dp_counter_read,
)
from dataplane.dp_digest cimport dp_digest, dp_digest_text
from dataplane.dp_engine cimport (
    dp_engine_add_strategy, dp_engine_books, dp_engine_clock, dp_engine_close,
    dp_engine_config, dp_engine_counters, dp_engine_desk_strategy,
    dp_engine_events_digest, dp_engine_finish,
    dp_engine_hist, dp_engine_is_stopping,
    dp_engine_limits, dp_engine_mark, dp_engine_open, dp_engine_orders,
    DP_PACER_SPEED_MAX, dp_engine_pacer, dp_engine_risk, dp_engine_run, dp_pacer,
    dp_engine_set_group,
    dp_engine_set_limits, dp_engine_source_status, dp_engine_start,
    dp_engine_status_of, dp_engine_submit, dp_engine_venue_stats, dp_engine_watch,
    dp_engine_wire_digest, dp_net_endpoint, dp_order_status, dp_orders_at, dp_orders_count,
    dp_risk_group_limits,
    dp_risk_instrument_limits, dp_risk_position, dp_risk_position_of, dp_risk_strategy_limits,
    money_high, money_low,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_event cimport (
    DP_PRICE_NONE, DP_REASON_COUNT, dp_ord_status_name, dp_reason, dp_reason_name,
)
from dataplane.dp_hist cimport (
    DP_STAGE_COUNT, dp_hist, dp_hist_percentile, dp_stage, dp_stage_key,
)
from dataplane.strategy cimport Strategy

import dataclasses
import errno
import os

from dataplane.errors import DataplaneError
from dataplane.strategy import StrategyError


@dataclasses.dataclass(frozen=True)
class EngineSettings:
    """What one run needs to know; names and units are those of struct dp_engine_config."""

    name: str
    midnight_ns: int
    region_path: str = ""
    journal_directory: str = ""
    pcap_out: str = ""
    card: str = ""  # as of dataplane.card.Card
    card_identity: bytes = b""  # b"": any
    card_watched_only: bool = False
    configuration: str = ""  # hash of what the run was configured with
    journal_segment_size: int = 64 << 20
    journal_durability: tuple = (0, 0, 0)
    generation: int = 0
    gap_timeout_ns: int = 50_000_000
    speed_permille: int = 0  # of a replay: 1000 as it was recorded; 0: as fast as it goes
    instrument_count_max: int = 65_536
    order_count_max: int = 1 << 21
    level_count_max: int = 1 << 19
    own_order_count_max: int = 1 << 20
    account_count: int = 0
    desk_count: int = 0
    desk_waiting_count: int = 255
    order_latency_ns: int = 20_000
    report_latency_ns: int = 20_000
    cl_ord_id_prefix: str = "TP"
    capacity: str = "P"
    display: str = "Y"
    measure_latency: bool = True


ctypedef char[8] char8

cdef enum:
    UNLIMITED = 0x7fffffffffffffff  # DP_RISK_UNLIMITED


SPEED_MAX_PERMILLE = DP_PACER_SPEED_MAX  # of a replay


cdef object whole(int64_t high, uint64_t low):
    return (<object>high << 64) + <object>low


cdef void set_endpoint(dp_net_endpoint *endpoint, uint32_t ip, int port) noexcept:
    # Locally administered addresses: no real card has them.
    cdef int index
    for index in range(6):
        endpoint.mac[index] = 0
    endpoint.mac[0] = 2
    endpoint.mac[5] = <unsigned char>(ip & 0xff)
    endpoint.ip = ip
    endpoint.port = <unsigned short>port


cdef int copy_symbol(char *target, str symbol) except -1:
    cdef bytes data = symbol.encode("ascii", "replace").ljust(8)
    if len(data) > 8:
        raise DataplaneError(
            errno.EINVAL, f"engine: symbol {symbol!r} has {len(data)} characters; at most 8")
    memcpy(target, <const char *>data, 8)
    return 0


cdef class DeskStrategy(Strategy):
    """A strategy whose orders come from other processes, see dataplane.desk."""

    def __cinit__(self):
        self.table = dp_engine_desk_strategy


cdef class Engine:
    """One appliance working through one recorded session."""

    def __init__(self, settings):
        cdef dp_engine_config config
        cdef dp_err err
        memset(&config, 0, sizeof(config))
        # File names as the system has them: bytes, perhaps not UTF-8. The engine keeps pointers.
        self._names = [
            os.fsencode(text) for text in (
                settings.name, settings.region_path, settings.journal_directory, settings.pcap_out,
                settings.configuration, settings.card)
        ] + [settings.card_identity]
        config.name, config.region_path = <bytes>self._names[0], <bytes>self._names[1]
        config.journal_directory = <bytes>self._names[2]
        config.pcap_out = <bytes>self._names[3]
        config.configuration = <bytes>self._names[4]
        config.card.name = <bytes>self._names[5]
        if settings.card_identity:
            config.card.identity = <const uint8_t *>(<const char *><bytes>self._names[6])
        config.card.watched_only = settings.card_watched_only
        config.journal_segment_size = settings.journal_segment_size
        for index in range(3):
            config.journal_durability[index] = settings.journal_durability[index]
        config.generation = settings.generation
        config.midnight_ns = settings.midnight_ns
        config.gap_timeout_ns = settings.gap_timeout_ns
        config.speed_permille = settings.speed_permille
        config.books.instrument_count_max = settings.instrument_count_max
        config.books.order_count_max = settings.order_count_max
        config.books.level_count_max = settings.level_count_max
        config.orders.order_count_max = settings.own_order_count_max
        config.orders.exec_count_max = settings.own_order_count_max
        config.orders.user_ref_num_first = 1
        config.account_count = settings.account_count
        config.desks.desk_count = settings.desk_count
        config.desks.waiting_count = settings.desk_waiting_count
        config.venue.order_latency_ns = settings.order_latency_ns
        config.venue.report_latency_ns = settings.report_latency_ns
        config.measure_latency = settings.measure_latency
        # 192.0.2.0/24 is for documentation (RFC 5737): no frame of a replay is meant for anybody.
        set_endpoint(&config.session.us, 0xc0000201, 40001)
        set_endpoint(&config.session.venue, 0xc0000202, 26400)
        prefix = settings.cl_ord_id_prefix.encode("ascii")[:6]
        memcpy(config.session.cl_ord_id_prefix, <const char *>prefix, len(prefix))
        config.session.capacity = ord(settings.capacity)
        config.session.display = ord(settings.display)
        self._settings = settings
        self._strategies = []
        self._engine = dp_engine_open(&config, &err)
        if self._engine == NULL:
            raise_err(&err)

    def __dealloc__(self):
        self.close()

    cdef void close(self) noexcept:
        """Let go of everything at once: for what the engine stands on, and goes before it."""
        dp_engine_close(self._engine)
        self._engine = NULL

    def set_limits(self, default, overrides):
        """Set limits of instruments: ``default`` for all, ``overrides`` by symbol.

        Each is an object with the attributes of struct dp_risk_instrument_limits.
        """
        cdef uint32_t count = 1 + len(overrides)
        cdef dp_err err
        cdef dp_engine_limits *limits = <dp_engine_limits *>calloc(count, sizeof(dp_engine_limits))
        if limits == NULL:
            raise MemoryError()
        try:
            fill_instrument_limits(&limits[0].limits, default)
            for index, (symbol, values) in enumerate(sorted(overrides.items()), 1):
                copy_symbol(limits[index].symbol, symbol)
                fill_instrument_limits(&limits[index].limits, values)
            if dp_engine_set_limits(self._engine, limits, count, &err) < 0:
                raise_err(&err)
        finally:
            free(limits)

    def set_groups(self, firm, accounts):
        """Set limits of the firm, and of ``accounts``: pairs of name and limits, in their order.

        Each is an object with attributes of struct dp_risk_group_limits.
        """
        cdef dp_risk_group_limits limits
        cdef dp_err err
        for group, (name, values) in enumerate([("firm", firm), *accounts]):
            fill_group_limits(&limits, values)
            if dp_engine_set_group(self._engine, group, name.encode(), &limits, &err) < 0:
                raise_err(&err)

    def add_strategy(
            self, Strategy strategy, *, symbols=(), first=0, limits, name="", account_index=0):
        """Seat a strategy; it hears of those symbols, or of the first so many of the directory."""
        cdef dp_engine_watch watch
        cdef dp_risk_strategy_limits risk
        cdef dp_err err
        cdef char8 *copies = <char8 *>calloc(len(symbols) + 1, 8)
        if copies == NULL:
            raise MemoryError()
        try:
            for index, symbol in enumerate(symbols):
                copy_symbol(copies[index], symbol)
            text = name.encode()
            watch.name = text
            watch.symbols = copies
            watch.symbol_count = len(symbols)
            watch.first_count = first
            fill_strategy_limits(&risk, limits)
            risk.account_index = account_index
            if dp_engine_add_strategy(self._engine, &strategy.table, &watch, &risk, &err) < 0:
                raise_err(&err)
        finally:
            free(copies)
        self._strategies.append(strategy)

    def start(self, path: str):
        """Open the recorded session and call on_start of every strategy."""
        cdef bytes data = os.fsencode(path)
        cdef dp_err err
        if dp_engine_start(self._engine, data, &err) < 0:
            raise_err(&err)
        self._raise_failure()

    def run(self, uint64_t message_count):
        """Work through about so many messages; return how many records were taken, 0 at the end."""
        cdef uint64_t taken
        with nogil:
            taken = dp_engine_run(self._engine, message_count)
        self._raise_failure()
        return taken

    def pace(self):
        """Return how late a begun replay released what was recorded; None when it did not wait."""
        cdef const dp_pacer *pacer = dp_engine_pacer(self._engine)
        if pacer.speed_permille == 0:
            return None
        return {
            "speed": pacer.speed_permille / 1000,
            "late_ns_mean": pacer.late_sum_ns // <int64_t>pacer.count if pacer.count else 0,
            "late_ns_max": pacer.late_max_ns,
        }

    def is_stopping(self):
        """Say whether a strategy or a hard-stop has ended the run."""
        return bool(dp_engine_is_stopping(self._engine))

    def finish(self):
        """End the session: open orders cancelled, journal and capture on disk. Call once."""
        cdef dp_err err
        cdef int status
        with nogil:
            status = dp_engine_finish(self._engine, &err)
        if status < 0:
            raise_err(&err)
        self._raise_failure()

    def _raise_failure(self):
        for strategy in self._strategies:
            failure = strategy.failure
            if isinstance(failure, KeyboardInterrupt):
                # Ctrl-C met a callback: no fault of the strategy, which still hears on_stop.
                strategy.failure = None
                raise failure
            # Once: the strategy keeps its failure, so that it gets no further callback.
            if failure is not None and not self._failure_raised:
                self._failure_raised = True
                name = type(strategy.target).__name__
                raise StrategyError(f"{name}: {type(failure).__name__}: {failure}") from failure

    # ---- looking in ----

    def source_fault(self):
        """Return what was wrong with the recorded session, or None."""
        cdef dp_err err
        if dp_engine_source_status(self._engine, &err) < 0:
            return (<bytes>err.text).decode("utf-8", "replace")
        return None

    def progress(self):
        """Return (bytes of the capture done, bytes in all, engine time in nanoseconds)."""
        status = dp_engine_status_of(self._engine)
        return status.position, status.size, status.now_ns

    def counters(self):
        """Return every counter by name."""
        counters = dp_engine_counters(self._engine)
        return {
            (<bytes>dp_counter_key(<dp_counter>index)).decode():
                dp_counter_read(counters, <dp_counter>index)
            for index in range(DP_COUNTER_COUNT)
        }

    def messages_by_type(self):
        """Return how many messages of each type were seen, unknown ones as \\xNN."""
        status = dp_engine_status_of(self._engine)
        return {
            (chr(code) if 32 < code < 127 else f"\\x{code:02x}"): status.messages_by_type[code]
            for code in range(256)
            if status.messages_by_type[code]
        }

    def latency(self):
        """Return nanoseconds per stage: count, p50, p99, p999, max."""
        return {
            (<bytes>dp_stage_key(<dp_stage>stage)).decode(): self._percentiles(
                dp_engine_hist(self._engine, <dp_stage>stage))
            for stage in range(DP_STAGE_COUNT)
        }

    cdef dict _percentiles(self, const dp_hist *hist):
        clock = dp_engine_clock(self._engine)
        values = {
            name: dp_clock_ticks_to_ns(clock, dp_hist_percentile(hist, share))
            for name, share in (("p50", 50_000), ("p99", 99_000), ("p999", 99_900))
        }
        values["max"] = dp_clock_ticks_to_ns(clock, hist.max)
        values["count"] = hist.count
        return values

    def clock(self):
        """Return how latency was measured: TSC rate, its error, and what one reading costs."""
        clock = dp_engine_clock(self._engine)
        return {
            "tsc_hz": clock.tsc_hz,
            "error_ppb": clock.error_ppb,
            "overhead_ns": dp_clock_ticks_to_ns(clock, clock.overhead_tsc),
            "invariant": bool(clock.invariant),
        }

    def orders(self):
        """Return how many orders ended in each OrdStatus."""
        counts = {}
        orders = dp_engine_orders(self._engine)
        for index in range(dp_orders_count(orders)):
            status = dp_order_status(dp_orders_at(orders, index))
            counts[status] = counts.get(status, 0) + 1
        return {
            (<bytes>dp_ord_status_name(status)).decode(): count
            for status, count in sorted(counts.items())
        }

    def risk_rejects(self):
        """Return how many requests our gate refused, by code."""
        submit = dp_engine_submit(self._engine)
        return {
            (<bytes>dp_reason_name(<dp_reason>index)).decode(): submit.reject_counts[index]
            for index in range(1, <int>DP_REASON_COUNT)  # 0 is ACCEPTED
            if submit.reject_counts[index]
        }

    def venue(self):
        """Return what the replay venue did."""
        stats = dp_engine_venue_stats(self._engine)
        return {
            "orders": stats.orders, "executions": stats.executions, "rejected": stats.rejected,
            "ignored": stats.ignored, "malformed": stats.malformed,
        }

    def positions(self):
        """Return one dict per instrument that traded: quantities, cash, mark and profit in 1e-9."""
        rows = []
        for index in range(self._settings.instrument_count_max):
            position = dp_risk_position_of(dp_engine_risk(self._engine), index)
            if position.bought_qty or position.sold_qty:
                rows.append(self._position_row(index, position))
        return rows

    cdef dict _position_row(self, uint32_t index, dp_risk_position position):
        cdef char symbol[9]
        books = dp_engine_books(self._engine)
        dp_book_symbol(books, index, symbol)
        middle = dp_engine_mark(self._engine, index)
        mark = None if middle == DP_PRICE_NONE else middle
        cash = whole(money_high(position.cash), money_low(position.cash))
        profit = cash if position.position == 0 else (
            None if mark is None else <object>position.position * mark + cash)
        return {
            "symbol": (<bytes>symbol).decode("ascii", "replace"),
            "position": position.position,
            "bought_qty": position.bought_qty,
            "sold_qty": position.sold_qty,
            "cash_nanos": cash,
            "mark_nanos": mark,
            "pnl_nanos": profit,
        }

    def books(self):
        """Return the books, as a view that keeps this engine alive."""
        return books_view(dp_engine_books(self._engine), self)

    def events_digest(self):
        """Return the fingerprint of all order events so far."""
        return digest_text(dp_engine_events_digest(self._engine))

    def wire_digest(self):
        """Return the fingerprint of all frames sent so far."""
        return digest_text(dp_engine_wire_digest(self._engine))


cdef str digest_text(const dp_digest *digest):
    cdef char text[33]
    dp_digest_text(digest, text)
    return (<bytes>text).decode()


cdef int fill_instrument_limits(dp_risk_instrument_limits *limits, object values) except -1:
    memset(limits, 0, sizeof(dp_risk_instrument_limits))
    limits.order_qty_max = values.order_qty_max
    limits.order_notional_max_nanos = values.order_notional_max_nanos
    limits.position_max = values.position_max
    limits.collar_bps = values.collar_bps
    limits.collar_abs_nanos = values.collar_abs_nanos
    limits.adv_fraction_bps = values.adv_fraction_bps
    limits.adv_qty = values.adv_qty
    limits.band_low_nanos = values.band_low_nanos
    limits.band_high_nanos = values.band_high_nanos
    limits.reference_age_max_ns = values.reference_age_max_ns
    limits.locate_qty = values.locate_qty
    limits.typical_multiple = values.typical_multiple
    limits.impact_bps = values.impact_bps
    limits.impact_levels = values.impact_levels
    limits.short_sale = values.short_sale
    limits.restricted = values.restricted
    limits.price_test = values.price_test
    limits.self_trade_denied = values.self_trade_denied
    limits.has_policy = True
    return 0


cdef int fill_group_limits(dp_risk_group_limits *limits, object values) except -1:
    memset(limits, 0, sizeof(dp_risk_group_limits))
    limits.order_qty_max = limits.order_notional_max_nanos = UNLIMITED
    limits.gross_max_nanos = values.gross_max_nanos
    limits.net_max_nanos = values.net_max_nanos
    limits.open_order_count_max = values.open_order_count_max
    limits.open_max_nanos = values.open_max_nanos
    limits.entered_max_nanos = values.entered_max_nanos
    limits.message_floor = values.message_floor
    limits.message_ratio = values.message_ratio
    limits.order_rate_max = values.order_rate_max
    limits.order_burst_max = values.order_burst_max
    limits.loss_max_nanos = values.loss_max_nanos
    limits.drawdown_max_nanos = values.drawdown_max_nanos
    limits.feed_age_max_ns = values.feed_age_max_ns
    limits.has_policy = True
    return 0


cdef int fill_strategy_limits(dp_risk_strategy_limits *limits, object values) except -1:
    memset(limits, 0, sizeof(dp_risk_strategy_limits))  # what is not configured is not limited
    limits.order_qty_max = values.order_qty_max
    limits.order_notional_max_nanos = values.order_notional_max_nanos
    limits.gross_max_nanos = values.gross_max_nanos
    limits.net_max_nanos = values.net_max_nanos
    limits.open_order_count_max = values.open_order_count_max
    limits.order_rate_max = values.order_rate_max
    limits.order_burst_max = values.order_burst_max
    limits.duplicate_count_max = values.duplicate_count_max
    limits.duplicate_window_ns = values.duplicate_window_ns
    limits.fan_out_max = values.fan_out_max
    limits.reject_rate_max = values.reject_rate_max
    limits.fill_rate_max = values.fill_rate_max
    limits.loss_max_nanos = values.loss_max_nanos
    limits.drawdown_max_nanos = values.drawdown_max_nanos
    limits.soft_percent = values.soft_percent
    limits.has_policy = True
    return 0

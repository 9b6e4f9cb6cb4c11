"""A whole exchange without its sockets: time and bytes in, bytes out (docs/venue.md)."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_exchange cimport (
    DP_EXCHANGE_FAULT_COUNT,
    DP_EXCHANGE_LINES,
    DP_EXCHANGE_NONE,
    DP_EXCHANGE_PACKET_MAX,
    DP_EXCHANGE_PORT_ORDERS,
    DP_EXCHANGE_PORT_SNAPSHOT,
    DP_EXCHANGE_REQUEST_MAX,
    DP_EXCHANGE_SHORT_SALE_FREE,
    DP_EXCHANGE_TAPE_NO_ACCOUNT,
    dp_exchange_account_config,
    dp_exchange_add_account,
    dp_exchange_add_instrument,
    dp_exchange_advance,
    dp_exchange_break,
    dp_exchange_close,
    dp_exchange_closed,
    dp_exchange_config,
    dp_exchange_connect,
    dp_exchange_cursor,
    dp_exchange_end,
    dp_exchange_fault,
    dp_exchange_fault_word,
    dp_exchange_follow,
    dp_exchange_freeze,
    dp_exchange_get_stats,
    dp_exchange_get_tape,
    dp_exchange_is_over,
    dp_exchange_is_paused,
    dp_exchange_line_config,
    dp_exchange_match,
    dp_exchange_next_ns,
    dp_exchange_note,
    dp_exchange_note_words,
    dp_exchange_open,
    dp_exchange_output,
    dp_exchange_pop_datagram,
    dp_exchange_receive,
    dp_exchange_reply,
    dp_exchange_reports,
    dp_exchange_request,
    dp_exchange_sent,
    dp_exchange_set_fault,
    dp_exchange_set_fees,
    dp_exchange_set_line,
    dp_exchange_set_session,
    dp_exchange_set_short_sale,
    dp_exchange_short_sale,
    dp_exchange_start,
    dp_exchange_stats_s,
    dp_exchange_store,
    dp_exchange_store_first,
    dp_exchange_store_next,
    dp_exchange_store_seek,
    dp_exchange_store_span,
    dp_exchange_take_note,
    dp_exchange_take_ready,
    dp_exchange_tape_data,
    dp_exchange_tape_drop,
    dp_exchange_touch,
)
from dataplane.dp_match cimport (
    DP_MATCH_FEE_TIERS_MAX,
    DP_MATCH_LMM_MAX,
    DP_MATCH_POLICY_COUNT,
    DP_MATCH_SESSION_COUNT,
    DP_MATCH_STP_MODE_COUNT,
    dp_match_fee_tier,
    dp_match_instrument,
    dp_match_ledger_is_balanced,
    dp_match_ledger_position,
    dp_match_policy,
    dp_match_session,
)

# In the order of the C enumerations.
POLICIES = (
    "fifo", "pro_rata", "threshold_pro_rata", "fifo_lmm", "fifo_top_lmm", "time_pro_rata",
)
SESSIONS = ("closed", "pre_open", "continuous", "pre_close", "halted", "paused")
STP_MODES = ("cancel_newest", "cancel_oldest", "cancel_both", "decrement_and_cancel")
FAULTS = tuple(dp_exchange_fault_word(at).decode() for at in range(DP_EXCHANGE_FAULT_COUNT))
SHORT_SALES = ("free", "restricted", "remains")
LINES = DP_EXCHANGE_LINES

assert len(POLICIES) == DP_MATCH_POLICY_COUNT
assert len(SESSIONS) == DP_MATCH_SESSION_COUNT
assert len(STP_MODES) == DP_MATCH_STP_MODE_COUNT

PRICE_NONE = (1 << 63) - 1
PRICE_NANOS_MAX = 199_999_990_000_000  # OUCH 5.0: $199,999.99
TICKS_MAX = (1 << 29) - 2
PACKET_SIZE_DEFAULT = 1400
SECOND_NS = 1_000_000_000


cdef int _padded(char *to, str text, Py_ssize_t size, bint left) except -1:
    cdef bytes data = text.encode("ascii")
    if len(data) > size:
        raise ValueError(f"{text!r} has {len(data)} characters; give at most {size}")
    data = data.rjust(size) if left else data.ljust(size)
    memcpy(to, <const char *>data, <size_t>size)
    return 0


cdef int _place(tuple words, str word) except -1:
    if word not in words:
        raise ValueError(f"{word!r} is not one of {', '.join(words)}")
    return words.index(word)


def note_words(uint8_t kind) -> str:
    """Return what a note of that number says."""
    return dp_exchange_note_words(kind).decode()


cdef class Exchange:
    """One exchange. One thread at a time; ``now_ns`` never goes back.

    A host calls ``connect`` for each connection, ``receive`` with its bytes, ``advance`` after
    each round, then ``take_ready`` until None, sending what ``send`` returns, and ``datagrams`` of
    each line. ``dataplane.server.Server`` is such a host.
    """

    def __cinit__(
        self, str name="venue", *, int index=0, str session="1", int64_t midnight_ns=0,
        int64_t order_latency_ns=0, int64_t report_latency_ns=0, int64_t heartbeat_ns=SECOND_NS,
        int64_t silence_ns=15 * SECOND_NS, int64_t login_ns=30 * SECOND_NS,
        int64_t imbalance_ns=SECOND_NS,
        uint32_t connections=1024, uint32_t accounts=64, uint32_t instruments=64,
        uint32_t orders=1 << 16, uint64_t store_bytes=64 << 20, uint64_t slow_bytes=16 << 20,
        uint32_t packet_size=PACKET_SIZE_DEFAULT, uint64_t seed=1, bint dark=False,
        bint newest_login_wins=False,
    ):
        cdef dp_err err
        cdef dp_exchange_config config
        memset(&err, 0, sizeof(err))
        memset(&config, 0, sizeof(config))
        _padded(config.session, session, 10, True)
        config.index = <uint8_t>index
        config.midnight_ns = midnight_ns
        config.order_latency_ns = order_latency_ns
        config.report_latency_ns = report_latency_ns
        config.heartbeat_ns = heartbeat_ns
        config.silence_ns = silence_ns
        config.login_ns = login_ns
        config.imbalance_ns = imbalance_ns
        config.connection_count_max = connections
        config.account_count_max = accounts
        config.instrument_count_max = instruments
        config.order_count_max = orders
        config.store_bytes_max = store_bytes
        config.slow_bytes_max = slow_bytes
        config.packet_size_max = packet_size
        config.seed = seed
        config.dark = dark
        config.newest_login_wins = newest_login_wins
        self.name = name
        self.c = dp_exchange_open(&config, &err)
        if self.c is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_exchange_close(self.c)

    # ---- set-up ----

    def add_instrument(
        self, str symbol, *, int64_t tick_nanos=10_000_000,
        int64_t reference_nanos=PRICE_NONE,
        uint64_t lot=1, uint64_t allocation_min=0, uint64_t top_max=0, uint32_t band_ppm=0,
        int64_t pause_ns=0, str policy="fifo", str session="continuous", lmms=(),
    ) -> int:
        """Add an instrument; its index. ``lmms``: (account, parts of a million) each, up to 4."""
        cdef dp_err err
        cdef dp_match_instrument instrument
        cdef char padded[8]
        memset(&err, 0, sizeof(err))
        memset(&instrument, 0, sizeof(instrument))
        _padded(padded, symbol, 8, False)
        instrument.tick_nanos = tick_nanos
        # The protocol's highest price, on the grid, as far as the engine's ladder goes.
        instrument.price_nanos_max = min(PRICE_NANOS_MAX // tick_nanos, TICKS_MAX) * tick_nanos
        instrument.reference_price_nanos = reference_nanos
        instrument.lot_qty = lot
        instrument.allocation_min_qty = allocation_min
        instrument.top_qty_max = top_max
        instrument.band_ppm = band_ppm
        instrument.pause_ns = pause_ns
        instrument.policy = <dp_match_policy>_place(POLICIES, policy)
        instrument.session = <dp_match_session>_place(SESSIONS, session)
        for at, (account, share_ppm) in enumerate(lmms[:DP_MATCH_LMM_MAX]):
            instrument.lmms[at].participant = account
            instrument.lmms[at].share_ppm = share_ppm
        cdef int64_t index = dp_exchange_add_instrument(self.c, padded, &instrument, &err)
        if index < 0:
            raise_err(&err)
        return index

    def add_account(
        self, str user, str password="", *, str firm="", uint32_t fee_class=0,
        uint32_t stp_group=0, str stp_mode="cancel_newest", bint cancel_on_disconnect=False,
        bint no_login=False, uint32_t requests_per_second=0, bint locate_required=False,
    ) -> int:
        """Add an account; its index. Account 0 is the house's own and is there already."""
        cdef dp_err err
        cdef dp_exchange_account_config config
        memset(&err, 0, sizeof(err))
        memset(&config, 0, sizeof(config))
        _padded(config.user, user.lower(), 6, False)
        _padded(config.password, password.lower(), 10, False)
        _padded(config.firm, firm, 4, False)
        config.fee_class = fee_class
        config.stp_group = stp_group
        config.stp_mode = <uint8_t>_place(STP_MODES, stp_mode)
        config.cancel_on_disconnect = cancel_on_disconnect
        config.no_login = no_login
        config.requests_per_second = requests_per_second
        config.locate_required = locate_required
        cdef int64_t index = dp_exchange_add_account(self.c, &config, &err)
        if index < 0:
            raise_err(&err)
        return index

    def set_fees(self, uint32_t fee_class, tiers) -> None:
        """Set the tiers of a class: (from quantity, maker and taker nanos a unit, ppm each)."""
        cdef dp_err err
        cdef dp_match_fee_tier fees[DP_MATCH_FEE_TIERS_MAX]
        memset(&err, 0, sizeof(err))
        if len(tiers) > DP_MATCH_FEE_TIERS_MAX:
            raise ValueError(f"{len(tiers)} tiers; give at most {DP_MATCH_FEE_TIERS_MAX}")
        for at, (from_qty, maker, taker, maker_ppm, taker_ppm) in enumerate(tiers):
            fees[at].from_qty = from_qty
            fees[at].maker_nanos_per_unit = maker
            fees[at].taker_nanos_per_unit = taker
            fees[at].maker_ppm = <int32_t>maker_ppm
            fees[at].taker_ppm = <int32_t>taker_ppm
        if dp_exchange_set_fees(self.c, fee_class, fees, <uint32_t>len(tiers), &err) < 0:
            raise_err(&err)

    def follow(self, Exchange lit not None) -> None:
        """Take the midpoints of another exchange from now on."""
        lit._follower = self
        dp_exchange_follow(self.c, lit.c)

    def start(self, int64_t now_ns) -> None:
        """Announce the day, before anything else."""
        dp_exchange_start(self.c, now_ns)

    # ---- connections ----

    def connect(self, int64_t now_ns, *, bint snapshot=False):
        """Return the number of a new connection, None when there are too many."""
        cdef uint32_t connection = dp_exchange_connect(
            self.c, DP_EXCHANGE_PORT_SNAPSHOT if snapshot else DP_EXCHANGE_PORT_ORDERS, now_ns)
        return None if connection == DP_EXCHANGE_NONE else connection

    def receive(self, uint32_t connection, const uint8_t[::1] data, int64_t now_ns) -> None:
        """Take bytes of a connection."""
        if data.shape[0] > 0:
            dp_exchange_receive(
                self.c, connection, &data[0], <size_t>data.shape[0], now_ns)

    def closed(self, uint32_t connection, int64_t now_ns) -> None:
        """Say that a connection is gone."""
        dp_exchange_closed(self.c, connection, now_ns)

    def take_ready(self):
        """Return the next connection with something to send or to end, or None."""
        cdef uint32_t connection = dp_exchange_take_ready(self.c)
        return None if connection == DP_EXCHANGE_NONE else connection

    def send(self, uint32_t connection, int64_t now_ns, size_t size_max=1 << 30) -> bytes:
        """Return what is to be sent, at most ``size_max`` bytes; it then counts as sent."""
        cdef const uint8_t *data = NULL
        cdef size_t size = 0
        parts = []
        while size_max > 0:
            size = dp_exchange_output(self.c, connection, &data)
            if size == 0:
                break
            if size > size_max:
                size = size_max
            parts.append(PyBytes_FromStringAndSize(<const char *>data, <Py_ssize_t>size))
            dp_exchange_sent(self.c, connection, size, now_ns)
            size_max -= size
        return b"".join(parts)

    def is_over(self, uint32_t connection) -> bool:
        """Say whether the connection is to be closed."""
        return dp_exchange_is_over(self.c, connection)

    def is_paused(self, uint32_t connection) -> bool:
        """Say whether the connection's bytes are to stay unread for now."""
        return dp_exchange_is_paused(self.c, connection)

    # ---- time and market data ----

    def advance(self, int64_t now_ns) -> None:
        """Let time pass: what is due happens, and what was published is packed."""
        dp_exchange_advance(self.c, now_ns)

    @property
    def next_ns(self):
        """When something is due next; None when nothing waits."""
        cdef int64_t next_ns = dp_exchange_next_ns(self.c)
        return None if next_ns == PRICE_NONE else next_ns

    def datagrams(self, uint32_t line, int64_t now_ns) -> list:
        """Return the packets of a line that are due."""
        cdef const uint8_t *data = NULL
        cdef uint32_t size = 0
        packets = []
        if line >= DP_EXCHANGE_LINES:
            raise ValueError(f"line is {line}; it must be below {DP_EXCHANGE_LINES}")
        while True:
            data = dp_exchange_pop_datagram(self.c, line, now_ns, &size)
            if data is NULL:
                return packets
            packets.append(PyBytes_FromStringAndSize(<const char *>data, <Py_ssize_t>size))

    def reply(self, bytes request not None, int64_t now_ns) -> bytes:
        """Answer a retransmission request; b"" is silence."""
        cdef uint8_t answer[DP_EXCHANGE_PACKET_MAX]
        cdef uint32_t size = dp_exchange_reply(
            self.c, <const uint8_t *>request, <size_t>len(request), answer, now_ns)
        return (<const char *>answer)[:size]

    def set_line(
        self, uint32_t line, *, uint64_t seed=1, int64_t delay_ns=0, uint32_t loss_ppm=0,
        uint32_t reorder_ppm=0, uint32_t duplicate_ppm=0,
    ) -> None:
        """Say how good or bad a line is from now on."""
        cdef dp_exchange_line_config config
        if line >= DP_EXCHANGE_LINES:
            raise ValueError(f"line is {line}; it must be below {DP_EXCHANGE_LINES}")
        config.seed = seed
        config.delay_ns = delay_ns
        config.loss_ppm = loss_ppm
        config.reorder_ppm = reorder_ppm
        config.duplicate_ppm = duplicate_ppm
        dp_exchange_set_line(self.c, line, &config)

    def touch(self, uint32_t instrument) -> tuple:
        """Return best bid and offer in nanos, None where there is none."""
        cdef int64_t bid = 0
        cdef int64_t ask = 0
        dp_exchange_touch(self.c, instrument, &bid, &ask)
        return (None if bid == PRICE_NONE else bid, None if ask == PRICE_NONE else ask)

    # ---- the operator ----

    def request(self, uint32_t account, bytes message not None, int64_t now_ns) -> None:
        """Take an OUCH message of an account that needs no connection."""
        if not 0 < len(message) <= DP_EXCHANGE_REQUEST_MAX:
            raise ValueError(f"a message of {len(message)} bytes is none")
        dp_exchange_request(
            self.c, account, <const uint8_t *>message, <uint32_t>len(message), now_ns)

    def reports(self, uint32_t account, uint64_t first=1) -> list:
        """Return what the account was told from that number on, those still kept."""
        cdef const dp_exchange_store *store = dp_exchange_reports(self.c, account)
        cdef dp_exchange_cursor cursor
        cdef const uint8_t *data = NULL
        cdef int64_t span = 0
        cdef uint32_t size = 0
        if first < dp_exchange_store_first(store):
            first = dp_exchange_store_first(store)
        messages = []
        if first >= dp_exchange_store_next(store):
            return messages
        dp_exchange_store_seek(store, first, &cursor)
        while True:
            span = dp_exchange_store_span(store, &cursor, &data)
            if span <= 0:
                return messages
            size = (data[0] << 8) | data[1]
            messages.append((<const char *>data)[3:2 + size])
            cursor.offset += 2 + size

    def next_report(self, uint32_t account) -> int:
        """Return the number of the account's next report."""
        return dp_exchange_store_next(dp_exchange_reports(self.c, account))

    def set_session(self, str session, int64_t now_ns, instrument=None) -> None:
        """Bring an instrument, or all, to a session of the day."""
        dp_exchange_set_session(
            self.c, DP_EXCHANGE_NONE if instrument is None else instrument,
            <dp_match_session>_place(SESSIONS, session), now_ns)

    def freeze(self, instrument=None) -> None:
        """Hold cancels of orders for the next cross."""
        dp_exchange_freeze(self.c, DP_EXCHANGE_NONE if instrument is None else instrument)

    def set_short_sale(self, str state, int64_t now_ns, instrument=None) -> None:
        """Restrict short sales of an instrument, or of all, or free them: see SHORT_SALES."""
        dp_exchange_set_short_sale(
            self.c, DP_EXCHANGE_NONE if instrument is None else instrument,
            <dp_exchange_short_sale>(DP_EXCHANGE_SHORT_SALE_FREE + _place(SHORT_SALES, state)),
            now_ns)

    def set_fault(self, str fault, int64_t value, int64_t now_ns, account=None) -> None:
        """Do something wrong to an account, or to all: see FAULTS and docs/venue.md."""
        dp_exchange_set_fault(
            self.c, DP_EXCHANGE_NONE if account is None else account,
            <dp_exchange_fault>_place(FAULTS, fault), value, now_ns)

    def break_trade(self, uint64_t match_number, int64_t now_ns, str reason="E") -> bool:
        """Take a trade back; False when there is none of that number to be taken back."""
        return dp_exchange_break(self.c, match_number, <char>ord(reason), now_ns)

    def end(self, int64_t now_ns) -> None:
        """End the day."""
        dp_exchange_end(self.c, now_ns)

    def position(self, uint32_t account, uint32_t instrument) -> int:
        """Return what an account has bought less what it has sold."""
        return dp_match_ledger_position(dp_exchange_match(self.c), account, instrument)

    def is_balanced(self) -> bool:
        """Say whether all money and all positions together are nothing."""
        return dp_match_ledger_is_balanced(dp_exchange_match(self.c))

    def notes(self) -> list:
        """Return (time, connection, account, kind, detail) of what happened since the last call."""
        cdef dp_exchange_note note
        notes = []
        while dp_exchange_take_note(self.c, &note):
            notes.append((
                note.time_ns,
                None if note.connection == DP_EXCHANGE_NONE else note.connection,
                None if note.account == DP_EXCHANGE_TAPE_NO_ACCOUNT else note.account,
                note.kind,
                chr(note.detail) if note.detail else "",
            ))
        return notes

    def record(self) -> None:
        """Begin to keep the record of truth."""
        dp_exchange_get_tape(self.c).on = True

    def take_record(self) -> bytes:
        """Return the records since the last call."""
        cdef size_t size = 0
        cdef const uint8_t *data = dp_exchange_tape_data(dp_exchange_get_tape(self.c), &size)
        cdef bytes records = b"" if size == 0 else (<const char *>data)[:size]
        dp_exchange_tape_drop(dp_exchange_get_tape(self.c))
        return records

    def stats(self) -> dict:
        """Return the counts of everything so far."""
        cdef dp_exchange_stats_s stats = dp_exchange_get_stats(self.c)
        return stats

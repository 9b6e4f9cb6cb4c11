"""One segment of a journal for Python: its header, its records as dictionaries, its verdict.

core/dp_journal judges the bytes; dataplane/journal.py puts segments together.
"""

from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_event cimport (
    DP_EVENT_ACCEPTED,
    DP_EVENT_BROKEN,
    DP_EVENT_FILLED,
    DP_SIDE_BUY,
    DP_SIDE_SELL,
    dp_event,
    dp_event_has_key,
    dp_event_kind_name,
    dp_ord_status_name,
    dp_reason,
    dp_reason_name,
)
from dataplane.dp_journal cimport (
    DP_CL_ORD_ID_SIZE,
    DP_JOURNAL_CLOSED,
    DP_JOURNAL_CORRUPT,
    DP_JOURNAL_END,
    DP_JOURNAL_END_FINAL,
    DP_JOURNAL_END_RECOVERED,
    DP_JOURNAL_END_ROLLED,
    DP_JOURNAL_EVENT,
    DP_JOURNAL_CONTROL,
    DP_JOURNAL_INSTRUMENT,
    DP_JOURNAL_NEVER_WRITTEN,
    DP_JOURNAL_OK,
    DP_JOURNAL_SESSION,
    DP_JOURNAL_UNFINISHED,
    dp_cl_ord_id,
    dp_journal_control,
    dp_journal_find_behind,
    dp_journal_header,
    dp_journal_header_check,
    dp_journal_is_unused,
    dp_journal_next,
    dp_journal_record,
    dp_journal_verdict_name,
    dp_journal_walk_init,
)
from dataplane.dp_risk cimport (
    DP_RISK_SCOPE_FIRM,
    DP_RISK_SCOPE_INSTRUMENT,
    dp_risk_field_at,
    dp_risk_scope_kind,
    dp_risk_scope_word,
    dp_switch_mode,
    dp_switch_mode_word,
    dp_switch_source,
    dp_switch_source_word,
)

from dataplane.seal cimport Sealed

from dataplane.seal import map_file

CLOCKS = ("replay", "kernel", "hardware")
END_CAUSES = {
    DP_JOURNAL_END_FINAL: "final",
    DP_JOURNAL_END_ROLLED: "rolled",
    DP_JOURNAL_END_RECOVERED: "recovered",
}
DURABILITIES = ("memory", "fsync", "replica", "fsync+replica")
CLASSES = ("new", "replace", "cancel")


cdef _text_or_none(uint8_t letter):
    return chr(letter) if letter else None


cdef _price(int64_t price_nanos):
    """Four decimals as the venue quotes, more where they are not zero; None for no price."""
    if price_nanos == 0:
        return None
    whole, part = divmod(abs(price_nanos), 1_000_000_000)
    digits = f"{part:09d}"
    return f"{'-' if price_nanos < 0 else ''}{whole}.{digits[:4]}{digits[4:].rstrip('0')}"


cdef _reason(const dp_event *event):
    """The code of our gate, or the venue's number; None where there is none."""
    if event.reason == 0:
        return None
    if event.kind >= DP_EVENT_ACCEPTED:
        return f"VENUE_{event.reason}"
    return dp_reason_name(<dp_reason>event.reason).decode()


cdef _cl_ord_id(const char *prefix, uint32_t user_ref_num):
    cdef char text[DP_CL_ORD_ID_SIZE]
    dp_cl_ord_id(prefix, user_ref_num, text)
    return text[:DP_CL_ORD_ID_SIZE].decode("ascii", "replace").rstrip()


ACTIONS = {1: "KILL_SET", 2: "KILL_CLEARED", 3: "LIMIT_CHANGED"}


cdef dict _event_fields(const dp_journal_record *record, const char *prefix, dict symbols):
    cdef const dp_event *event = &record.event
    sides = {DP_SIDE_BUY: "BUY", DP_SIDE_SELL: "SELL"}
    return {
        "event": dp_event_kind_name(event.kind).decode(),
        "cl_ord_id": _cl_ord_id(prefix, event.user_ref_num),
        "user_ref_num": event.user_ref_num,
        "orig_user_ref_num": event.orig_user_ref_num or None,
        "venue_order_id": event.venue_order_id or None,
        "strategy_index": event.strategy_index,
        "instrument_index": event.instrument_index,
        "symbol": symbols.get(event.instrument_index),
        "side": sides.get(event.side),
        "time_in_force": _text_or_none(event.time_in_force),
        "qty": event.qty,
        "price": _price(event.price_nanos),
        "price_nanos": event.price_nanos,
        "exec_id": None if dp_event_has_key(event) else event.exec_id or None,
        "request_key": event.request_key or None if dp_event_has_key(event) else None,
        "liquidity": None if dp_event_has_key(event) else _text_or_none(event.liquidity),
        "ord_status": dp_ord_status_name(event.ord_status).decode() if event.ord_status else None,
        "order_state": _text_or_none(event.order_state),
        "leaves_qty": event.leaves_qty,
        "cum_qty": event.cum_qty,
        "reason": _reason(event),
        "observed": event.observed,
        "limit": event.limit,
        "policy_version": event.policy_version,
        "session": event.session_index if dp_event_has_key(event) else record.session,
        "inbound_sequence": record.inbound_sequence or None,
    }


cdef dict _control_fields(const dp_journal_control *control, dict symbols):
    kind, index = <dp_risk_scope_kind>control.scope_kind, control.scope_index
    scope = dp_risk_scope_word(kind).decode()
    found = {
        "event": ACTIONS.get(control.action, f"ACTION_{control.action}"),
        "scope": scope if kind == DP_RISK_SCOPE_FIRM else f"{scope}:{symbols.get(index, index)}"
        if kind == DP_RISK_SCOPE_INSTRUMENT else f"{scope}:{index}",
        "before": control.before,
        "after": control.after,
        "source": dp_switch_source_word(<dp_switch_source>control.source).decode(),
        "author": control.author[:16].split(b"\0")[0].decode("utf-8", "replace") or None,
        "cause": control.cause[:40].split(b"\0")[0].decode("utf-8", "replace") or None,
        "policy_version": control.policy_version,
    }
    if found["event"] == "LIMIT_CHANGED":
        field = dp_risk_field_at(kind, control.field)
        found["limit"] = field.name.decode() if field != NULL else str(control.field)
    else:
        for key in ("before", "after"):
            found[key] = dp_switch_mode_word(<dp_switch_mode>found[key]).decode()
    return found


def record_words() -> list:
    """Return what a record's ``event`` may be, in the order of the format's numbers."""
    events = [dp_event_kind_name(number).decode() for number in range(256)]
    words = [word for word in events if word not in ("NONE", "UNKNOWN")]
    return [*words, "INSTRUMENT", *ACTIONS.values(), "SESSION", "END"]


cdef dict _fields(const dp_journal_record *record, const char *prefix, dict symbols):
    if record.kind == DP_JOURNAL_EVENT:
        return _event_fields(record, prefix, symbols)
    if record.kind == DP_JOURNAL_INSTRUMENT:
        symbol = record.instrument.symbol[:8].decode("ascii", "replace").rstrip()
        symbols[record.instrument.instrument_index] = symbol
        return {
            "event": "INSTRUMENT",
            "instrument_index": record.instrument.instrument_index,
            "symbol": symbol,
        }
    if record.kind == DP_JOURNAL_CONTROL:
        return _control_fields(&record.control, symbols)
    if record.kind == DP_JOURNAL_SESSION:
        return {
            "event": "SESSION",
            "session_name": record.session_open.name[:10].decode("ascii", "replace").strip(),
            "next_user_ref_num": record.session_open.user_ref_num_next,
            "session": record.session,
            "inbound_sequence": record.inbound_sequence,
        }
    if record.kind == DP_JOURNAL_END:
        cause = END_CAUSES.get(record.end.cause, str(record.end.cause))
        return {"event": "END", "record_count": record.end.record_count, "cause": cause}
    return {"event": f"KIND_{record.kind}"}


cdef dict _record(const dp_journal_record *record, const char *prefix, dict symbols):
    clock = CLOCKS[record.clock] if record.clock < len(CLOCKS) else str(record.clock)
    head = {"seq": record.sequence, "time_ns": record.time_ns, "clock": clock}
    return head | _fields(record, prefix, symbols)


def decode_record(bytes data, str prefix, dict symbols) -> dict:
    """Return a record's bytes as Segment.records() yields it; nothing is checked."""
    cdef dp_journal_record record
    cdef bytes text = prefix.encode("ascii", "replace")
    if len(data) != sizeof(record):
        raise ValueError(f"{len(data)} bytes; a record has {sizeof(record)}")
    memcpy(&record, <const char *>data, sizeof(record))
    return _record(&record, text, symbols)


cdef class Segment:
    """One file of a journal, mapped read-only, and a walk over its records.

    A sealed file (`.tps`) is unpacked block by block into memory as the walk comes to it. As a
    buffer it is the whole segment; the records behind the walk are then whole.

    The mapping lives as long as the object. A file that another process cuts while it is mapped
    kills the reader: nothing of ours ever cuts one.
    """

    def __cinit__(self, str path):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        self.path = path
        self._map(path)
        self.unused = dp_journal_is_unused(self._memory, self._size)
        self._verdict = DP_JOURNAL_NEVER_WRITTEN
        if not self.unused:
            if dp_journal_header_check(self._memory, self._size, &err) < 0:
                raise_err(&err)
            dp_journal_walk_init(&self._walk, self._memory, self._size)
            self._verdict = DP_JOURNAL_OK

    def __dealloc__(self):
        if self._has_buffer:
            PyBuffer_Release(&self._buffer)

    cdef _map(self, str path):
        if path.endswith(".tps"):
            self.sealed = Sealed(path)
            self._is_sealed = True
            self._memory = self.sealed.memory
            self._size = self.sealed.size
            return
        PyObject_GetBuffer(map_file(path), &self._buffer, PyBUF_SIMPLE)
        self._has_buffer = True
        self._memory = <const uint8_t *>self._buffer.buf
        self._size = self._buffer.len

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, <void *>self._memory, self._size, 1, flags)

    cdef const dp_journal_header *_header(self) noexcept:
        return <const dp_journal_header *>self._memory

    @property
    def header(self) -> dict:
        """What the first page says; empty for a segment never started."""
        if self.unused:
            return {}
        cdef const dp_journal_header *header = self._header()
        return {
            "format_version": header.format_version,
            "segment_index": header.segment_index,
            "segment_size": header.segment_size,
            "sequence_first": header.sequence_first,
            "generation": header.generation,
            "epoch": header.epoch,
            "created_ns": header.created_ns,
            "chain_previous": header.chain_previous,
            "appliance": header.appliance.decode("utf-8", "replace"),
            "cl_ord_id_prefix": header.cl_ord_id_prefix.decode("ascii", "replace"),
            "build": header.build[:64].split(b"\0")[0].decode("utf-8", "replace"),
            "configuration": header.configuration[:65].split(b"\0")[0].decode("ascii", "replace"),
            "durability": {
                name: DURABILITIES[header.durability[index] & 3]
                for index, name in enumerate(CLASSES)
            },
            "schema": header.schema[:3072].split(b"\0")[0].decode("ascii", "replace"),
        }

    @property
    def verdict(self) -> str:
        """How the walk stands: ok, closed, never_written, unfinished, torn or corrupt."""
        return dp_journal_verdict_name(self._verdict).decode()

    @property
    def cause(self) -> str | None:
        """Why it ended; None before its end record was met."""
        return END_CAUSES.get(self._end_cause)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size

    @property
    def offset(self) -> int:
        """Byte of the file where the walk stands: behind the last good record."""
        return self._walk.offset

    @property
    def fault_offset(self) -> int:
        """Byte of the file of what the walk cannot pass."""
        return self.sealed.offset_of(self._walk.offset) if self._is_sealed else self._walk.offset

    @property
    def sequence(self) -> int:
        """The number that the next record must carry."""
        return self._walk.sequence

    @property
    def chain(self) -> int:
        """The CRC that the next record must repeat."""
        return self._walk.chain

    cdef const dp_journal_record *_next(self) noexcept nogil:
        """The next good record, or NULL: the verdict then says why."""
        cdef const dp_journal_record *record = NULL
        if self._verdict != DP_JOURNAL_OK:
            return NULL
        if self._is_sealed and not self.sealed.reach(self._walk.offset):
            self._verdict = DP_JOURNAL_CORRUPT
            return NULL
        self._verdict = dp_journal_next(&self._walk, &record)
        if self._verdict == DP_JOURNAL_OK:
            self.record_count += 1
        elif self._verdict == DP_JOURNAL_CLOSED:
            self._end_cause = record.end.cause
            self.final = record.end.cause != DP_JOURNAL_END_ROLLED
            if record.end.record_count != self.record_count:
                self._verdict = DP_JOURNAL_CORRUPT
                return NULL
        return record

    def resume(self, uint64_t sequence, uint64_t offset, uint64_t record_count, int64_t time_ns,
               uint32_t chain, uint32_t header_crc) -> bool:
        """Walk on from where a checkpoint stands; False when it is not of this segment."""
        if self.unused or header_crc != self._header().header_crc or offset > self._size:
            return False
        self._walk.sequence = sequence + 1
        self._walk.offset = offset
        self._walk.chain = chain
        self.record_count = record_count
        self.time_ns = time_ns
        return True

    def skip(self) -> None:
        """Walk to the end, checking and counting every record."""
        cdef const dp_journal_record *record = NULL
        cdef int64_t time_ns = 0
        cdef uint64_t before = self.record_count
        with nogil:
            record = self._next()
            while record is not NULL:
                time_ns = record.time_ns
                self.durable_sequence = record.durable_sequence
                if record.kind == DP_JOURNAL_EVENT:
                    self._count(&record.event)
                record = self._next()
        if self.record_count > before:
            self.time_ns = time_ns

    cdef void _count(self, const dp_event *event) noexcept nogil:
        self.event_count += 1
        self.execution_count += event.kind == DP_EVENT_FILLED or event.kind == DP_EVENT_BROKEN
        self.user_ref_num_max = max(self.user_ref_num_max, event.user_ref_num)

    def retry(self) -> bool:
        """Look again where the records ended before; False when they end for good."""
        if self._verdict in (DP_JOURNAL_NEVER_WRITTEN, DP_JOURNAL_UNFINISHED) and not self.unused:
            self._verdict = DP_JOURNAL_OK
        return self._verdict == DP_JOURNAL_OK

    cdef const dp_journal_record *_next_wanted(self, wanted) except? NULL:
        """The next good record, of a block that may hold one that is wanted."""
        while wanted is not None and self._is_sealed and self._walk.offset >= self.sealed.there:
            facts = self.sealed.next_block(self._walk.offset)
            if facts is None or wanted(facts):
                break
            self.record_count += self.sealed.step_over(&self._walk)
        return self._next()

    def records(self, dict symbols, wanted=None):
        """Yield every good record; ``symbols`` (index to symbol) is read and added to.

        ``wanted`` is asked about each block of a sealed segment (Sealed.block()): those of no
        interest are stepped over unread, but for the ones that name instruments.
        """
        cdef const dp_journal_record *record = self._next_wanted(wanted)
        while record is not NULL:
            self.time_ns = record.time_ns
            yield _record(record, self._header().cl_ord_id_prefix, symbols)
            record = self._next_wanted(wanted)

    def behind(self) -> int | None:
        """The number of the first record behind the fault that is whole in itself."""
        cdef const dp_journal_record *record = NULL
        if self._verdict == DP_JOURNAL_CORRUPT:
            record = dp_journal_find_behind(&self._walk)
        return None if record is NULL else record.sequence

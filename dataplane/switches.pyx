"""The switches of an engine in this process: set again before it starts, read while it runs.

    switches = Switches(engine)
    unknown = switches.keep([{"scope": "firm", "mode": "reject-new", "source": "person", ...}])
    switches.gate(), switches.marks()

Other processes use dataplane.control.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from dataplane.control cimport fill
from dataplane.dp_book cimport dp_book_symbol, dp_books_find, dp_books_instrument_count
from dataplane.dp_engine cimport (
    dp_engine_books, dp_engine_keep_switches, dp_engine_kept, dp_engine_risk,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_risk cimport (
    DP_RISK_SCOPE_INSTRUMENT, DP_RISK_SCOPE_SESSION, DP_RISK_SESSIONS_MAX, DP_SWITCH_MODE_COUNT,
    DP_SWITCH_SOURCE_COUNT, dp_risk_gate, dp_risk_kill, dp_risk_mark_of, dp_risk_scope,
    dp_risk_scope_kind, dp_switch_mode, dp_switch_mode_of, dp_switch_mode_word, dp_switch_source,
    dp_switch_source_of, dp_switch_source_word,
)
from dataplane.engine cimport Engine
from dataplane.region cimport named_scopes

cdef tuple MODES = tuple(
    dp_switch_mode_word(<dp_switch_mode>number).decode() for number in range(DP_SWITCH_MODE_COUNT))
cdef tuple SOURCES = tuple(
    dp_switch_source_word(<dp_switch_source>number).decode()
    for number in range(DP_SWITCH_SOURCE_COUNT))


cdef class Switches:
    """What one engine's kill switch says, scope by scope."""

    cdef Engine _engine

    def __init__(self, Engine engine):
        self._engine = engine

    cdef list _known(self):
        # (label, kind, index) of all scopes but instruments
        sessions = [
            (f"session:{index}", <int>DP_RISK_SCOPE_SESSION, index)
            for index in range(DP_RISK_SESSIONS_MAX)
        ]
        return named_scopes(dp_engine_risk(self._engine._engine)) + sessions

    def keep(self, rows):
        """Set these from the start on; return the scopes that this engine does not have.

        Each has scope, mode, source, author and cause; limits and strategies are set before.
        """
        cdef dp_err err
        cdef uint32_t count = 0
        known = {label: (kind, index) for label, kind, index in self._known()}
        cdef dp_engine_kept *kept = <dp_engine_kept *>calloc(len(rows) + 1, sizeof(dp_engine_kept))
        if kept == NULL:
            raise MemoryError()
        unknown = []
        try:
            for row in rows:
                if place(&kept[count], row, known):
                    count += 1
                else:
                    unknown.append(row["scope"])
            if dp_engine_keep_switches(self._engine._engine, kept, count, &err) < 0:
                raise_err(&err)
        finally:
            free(kept)
        return unknown

    def kill(self, str scope, str mode, str source):
        """Set one of a running engine; of instruments only what the feed has named."""
        cdef dp_engine_kept kept
        known = {label: (kind, index) for label, kind, index in self._known()}
        memset(&kept, 0, sizeof(kept))
        row = {"scope": scope, "mode": mode, "source": source, "author": "", "cause": ""}
        if not place(&kept, row, known):
            return False
        if kept.scope.kind == DP_RISK_SCOPE_INSTRUMENT:
            kept.scope.index = dp_books_find(
                dp_engine_books(self._engine._engine), scope.partition(":")[2].encode())
        return dp_risk_kill(
            dp_engine_risk(self._engine._engine), kept.scope, kept.mode, kept.source)

    def gate(self) -> int:
        """Return a number that moves with each change of any switch."""
        return dp_risk_gate(dp_engine_risk(self._engine._engine))

    def marks(self):
        """Return every switch that is set: scope to (mode, who set it)."""
        found = {}
        for label, kind, index in self._known():
            self._look(found, label, kind, index)
        cdef char symbol[9]
        books = dp_engine_books(self._engine._engine)
        for index in range(dp_books_instrument_count(books)):
            dp_book_symbol(books, index, symbol)
            label = f"instrument:{symbol.decode('ascii', 'replace')}"
            self._look(found, label, <int>DP_RISK_SCOPE_INSTRUMENT, index)
        return found

    cdef int _look(self, dict found, str label, int kind, uint32_t index) except -1:
        cdef dp_risk_scope scope
        scope.kind, scope.index = <dp_risk_scope_kind>kind, index
        cdef uint64_t mark = dp_risk_mark_of(dp_engine_risk(self._engine._engine), scope)
        if <int>dp_switch_mode_of(mark) != 0:
            found[label] = (
                MODES[<int>dp_switch_mode_of(mark)], SOURCES[<int>dp_switch_source_of(mark)])
        return 0


cdef bint place(dp_engine_kept *kept, dict row, dict known) except -1:
    kind, _, name = row["scope"].partition(":")
    if kind == "instrument":
        kept.scope.kind = DP_RISK_SCOPE_INSTRUMENT
        symbol = name.encode("ascii", "replace").ljust(8)[:8]
        memcpy(kept.symbol, <const char *>symbol, 8)
    elif row["scope"] in known:
        found_kind, found_index = known[row["scope"]]
        kept.scope.kind, kept.scope.index = <dp_risk_scope_kind><int>found_kind, found_index
    else:
        return False
    kept.mode = <dp_switch_mode><int>MODES.index(row["mode"])
    kept.source = <dp_switch_source><int>SOURCES.index(row["source"])
    fill(kept.author, sizeof(kept.author), row["author"])
    fill(kept.cause, sizeof(kept.cause), row["cause"])
    return True

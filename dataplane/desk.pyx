"""Orders from another process: the verbs of a strategy, spoken to a running engine.

    with Desk.attach("/dev/shm/tickplane-live-4711") as desk:
        desk.open("remote")                    # a strategy of kind desk
        number = desk.submit("AAPL", BUY, 100, 12_340_000_000, key=1)
        for event in desk.events():
            ...
        desk.cancel(number)

Each request goes through the engine's gate, journal and order session like one of a strategy
inside; docs/desk.md tells what happens when either side dies. One thread a desk.
"""

import errno
import time

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from dataplane.dp_book cimport dp_books, dp_books_find
from dataplane.dp_desk cimport (
    DP_DESK_CANCEL,
    DP_DESK_NEW,
    DP_DESK_POST_MAX,
    DP_DESK_REPLACE,
    dp_desk,
    dp_desk_answer,
    dp_desk_is_over,
    dp_desk_leave,
    dp_desk_missed,
    dp_desk_open,
    dp_desk_post,
    dp_desk_read,
    dp_desk_request,
    dp_desks,
    dp_process_has_ended,
    dp_process_id,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_event cimport DP_REASON_ACCEPTED, DP_TIF_DAY, dp_reason, dp_reason_name
from dataplane.dp_risk cimport DP_RISK_SCOPE_STRATEGY, dp_risk
from dataplane.mapping cimport Mapping
from dataplane.region cimport named_scopes
from dataplane.strategy cimport order_event_of

from dataplane.errors import DataplaneError
from dataplane.strategy import OrderDenied

cdef extern from "<sched.h>" nogil:
    int sched_yield()

POST_MAX = DP_DESK_POST_MAX
SPINS = 2000  # looks for an answer before the core is given up in between


cdef bint has_ended(uint64_t process) noexcept nogil:
    return dp_process_has_ended(process)


cdef class Desk(Mapping):
    """One desk of a running engine, until close() or the end of a ``with`` block."""

    cdef dp_desk _desk
    cdef dp_desks *_desks
    cdef dp_risk *_risk
    cdef dp_books *_books
    cdef uint64_t _tag
    cdef list _events  # that came while an answer was waited for
    cdef dict _answers

    def __cinit__(self):
        self._is_writable = True
        self._events = []
        self._answers = {}

    cdef int _find_parts(self) except -1:
        if not self.has_part("desks"):
            raise DataplaneError(
                errno.ENOENT, "desk: this appliance takes no orders from other processes; give it"
                " a strategy of kind: desk")
        self._desks = <dp_desks *>self.part("desks", sizeof(dp_desks))
        self._risk = <dp_risk *>self.part("risk", 1)
        self._books = <dp_books *>self.part("books", 1)
        return 0

    # ---- the desk ----

    def open(self, str strategy, *, double wait_s=5.0):
        """Take a desk that speaks for this strategy; wait for one that is just becoming free."""
        self._checked()
        if self._desk.desks is not NULL:
            raise DataplaneError(errno.EBUSY, "desk: open already; attach once more for another")
        cdef uint16_t index = self._strategy(strategy)
        cdef dp_err err
        until = time.monotonic() + wait_s
        while True:
            memset(&err, 0, sizeof(err))
            if dp_desk_open(
                    &self._desk, self._desks, index, dp_process_id(), has_ended, &err) == 0:
                return
            self._desk.desks = NULL
            if err.code != errno.EAGAIN or time.monotonic() > until:
                raise_err(&err)
            time.sleep(0.001)

    cdef uint16_t _strategy(self, str name) except *:
        names = {}
        for label, kind, index in named_scopes(self._risk):
            if kind == DP_RISK_SCOPE_STRATEGY:
                names[label.partition(":")[2]] = index
        if name not in names:
            raise DataplaneError(
                errno.ENOENT, f"desk: no strategy {name!r} here; known: {', '.join(names)}")
        return names[name]

    def close(self):
        """Leave the desk and unmap. What was posted is still carried out."""
        if self._region is not NULL and self._desk.desks is not NULL:
            dp_desk_leave(&self._desk)
        self._desk.desks = NULL
        Mapping.close(self)

    def __dealloc__(self):
        if self._region is not NULL and self._desk.desks is not NULL:
            dp_desk_leave(&self._desk)

    cdef dp_desk *_opened(self) except NULL:
        self._checked()
        if self._desk.desks is NULL:
            raise DataplaneError(errno.EBADF, "desk: not open; call open() with a strategy's name")
        return &self._desk

    @property
    def missed(self):
        """Answers and events lost because nobody read them here: ask again by key, look again."""
        return dp_desk_missed(self._opened())

    # ---- the verbs, each waiting for its answer ----

    def submit(self, str symbol, int side, uint64_t qty, int64_t price_nanos,
               *, int time_in_force=DP_TIF_DAY, uint64_t key=0, double wait_s=5.0):
        """Send a new order and return its user_ref_num; raise OrderDenied when the gate says no.

        Raise DataplaneError with ETIMEDOUT when no answer came: it may have been sent. Asking again
        with the same ``key`` sends nothing twice.
        """
        request = Request(symbol, side, qty, price_nanos, time_in_force, key)
        return self._number_of(self.post([request])[0], wait_s)

    def submit_n(self, requests, *, double wait_s=5.0):
        """Send several Requests with one doorbell; return a (user_ref_num, reason) for each.

        The reason is None for an order that left. At most POST_MAX of them.
        """
        return [self._answer_of(tag, wait_s) for tag in self.post(requests)]

    def replace(self, uint32_t user_ref_num, uint64_t qty, int64_t price_nanos,
                *, double wait_s=5.0):
        """Ask for a new total quantity and price; return the number the order has from now on."""
        cdef dp_desk_request request
        memset(&request, 0, sizeof(request))
        request.verb, request.user_ref_num = DP_DESK_REPLACE, user_ref_num
        request.qty, request.price_nanos = qty, price_nanos
        return self._number_of(self._post(&request, 1)[0], wait_s)

    def cancel(self, uint32_t user_ref_num, *, double wait_s=5.0):
        """Cancel what is left of an order."""
        cdef dp_desk_request request
        memset(&request, 0, sizeof(request))
        request.verb, request.user_ref_num = DP_DESK_CANCEL, user_ref_num
        self._number_of(self._post(&request, 1)[0], wait_s)

    # ---- posts and answers ----

    def post(self, requests):
        """Hand new orders over without waiting; return a tag for each, see answers().

        All or none: DataplaneError with EAGAIN when too many of ours wait for the engine.
        """
        cdef dp_desk_request posts[DP_DESK_POST_MAX]
        cdef uint32_t index = 0
        if not 0 < len(requests) <= DP_DESK_POST_MAX:
            raise DataplaneError(
                errno.EINVAL, f"desk: {len(requests)} requests; give 1 to {POST_MAX}")
        memset(posts, 0, sizeof(posts))
        for request in requests:
            posts[index].verb = DP_DESK_NEW
            posts[index].instrument_index = self._instrument(request.symbol)
            posts[index].side, posts[index].qty = byte(request.side), request.qty
            posts[index].price_nanos = request.price_nanos
            posts[index].time_in_force = byte(request.time_in_force)
            posts[index].key = request.key
            index += 1
        return self._post(posts, index)

    cdef list _post(self, dp_desk_request *posts, uint32_t count):
        cdef dp_desk *desk = self._opened()
        cdef uint32_t index
        tags = []
        for index in range(count):
            self._tag += 1
            posts[index].tag = self._tag
            tags.append(self._tag)
        posted = dp_desk_post(desk, posts, count)
        if posted == 0 and dp_desk_is_over(desk):
            raise DataplaneError(errno.EPIPE, "desk: the run is over; attach to the next one")
        if posted < count:
            raise DataplaneError(
                errno.EAGAIN, f"desk: {posted} of {count} found room; the engine is behind, or"
                " stopped: raise desk.waiting, or ask again")
        return tags

    def answers(self):
        """Return what came back so far: tag to (user_ref_num, reason), None for one that left."""
        self._read_all()
        found, self._answers = self._answers, {}
        return found

    def events(self):
        """Return what happened to the strategy's orders since the last call, the oldest first."""
        self._read_all()
        found, self._events = self._events, []
        return found

    cdef int _read_all(self) except -1:
        cdef dp_desk_answer answer
        while dp_desk_read(self._opened(), &answer):
            if answer.is_event:
                self._events.append(order_event_of(&answer.event))
            else:
                self._answers[answer.tag] = (answer.user_ref_num, reason_of(answer.reason))
        return 0

    cdef tuple _answer_of(self, object tag, double wait_s):
        cdef int spins = 0
        until = time.monotonic() + wait_s
        self._read_all()
        while tag not in self._answers:
            spins += 1
            if spins > SPINS:
                time.sleep(0.0002)
            else:
                sched_yield()
            if time.monotonic() > until:
                raise DataplaneError(
                    errno.ETIMEDOUT, "desk: no answer; the order may have been sent: ask again with"
                    " the same key")
            self._read_all()
        return self._answers.pop(tag)

    cdef object _number_of(self, object tag, double wait_s):
        number, reason = self._answer_of(tag, wait_s)
        if reason is not None:
            raise OrderDenied(reason)
        return number

    cdef uint32_t _instrument(self, str symbol) except *:
        self._checked()
        cdef uint32_t index = dp_books_find(self._books, symbol.encode("ascii", "replace"))
        if index == <uint32_t>-1:
            raise DataplaneError(errno.ENOENT, f"desk: no instrument {symbol!r} is open")
        return index


cdef unsigned char byte(int value) noexcept:
    return <unsigned char>value if 0 <= value <= 255 else 0


cdef object reason_of(uint16_t reason):
    if reason == DP_REASON_ACCEPTED:
        return None
    return (<bytes>dp_reason_name(<dp_reason>reason)).decode()


class Request:
    """A new order, as submit() takes it."""

    __slots__ = ("key", "price_nanos", "qty", "side", "symbol", "time_in_force")

    def __init__(self, symbol, side, qty, price_nanos, time_in_force=DP_TIF_DAY, key=0):
        self.symbol, self.side, self.qty = symbol, side, qty
        self.price_nanos, self.time_in_force, self.key = price_nanos, time_in_force, key

"""MoldUDP64: two lines into one sequence, for tests and tools."""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_moldudp cimport (
    dp_moldudp_config,
    dp_moldudp_feed,
    dp_moldudp_feed_expected,
    dp_moldudp_feed_init,
    dp_moldudp_feed_poll,
    dp_moldudp_feed_push,
    dp_moldudp_feed_size,
    dp_moldudp_handler,
)

# In the order of enum dp_moldudp_verdict.
VERDICTS = ("delivered", "duplicate", "held", "idle", "malformed", "old_session", "strange")


cdef void _on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns
) noexcept with gil:
    (<Feed>context).messages.append((sequence, data[:size], time_ns))


cdef void _on_gap(
    void *context, uint64_t first, uint64_t last, int64_t time_ns
) noexcept with gil:
    (<Feed>context).gaps.append((first, last, time_ns))


cdef void _on_session(void *context, const uint8_t *session) noexcept with gil:
    (<Feed>context).sessions.append(session[:10])


cdef void _on_end(void *context) noexcept with gil:
    (<Feed>context).end_count += 1


cdef class Feed:
    """Collect what comes out of any number of lines.

    ``messages`` holds (sequence, bytes, time_ns), ``gaps`` (first, last, time_ns), ``sessions``
    the names of the sessions that followed the first; all grow as packets are pushed.

    >>> feed = Feed()
    >>> feed.push(b"session 01" + bytes([0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 2]) + b"hi", 5)
    'delivered'
    >>> feed.messages
    [(1, b'hi', 5)]
    """

    cdef dp_moldudp_feed *_feed
    cdef dp_moldudp_handler _handler
    cdef readonly list messages
    cdef readonly list gaps
    cdef readonly list sessions
    cdef readonly int end_count

    def __cinit__(
        self,
        uint32_t hold_count_max=64,
        uint32_t packet_size_max=1500,
        int64_t gap_timeout_ns=1_000_000,
        uint64_t sequence_first=1,
    ):
        cdef dp_err err
        cdef dp_moldudp_config config = dp_moldudp_config(
            hold_count_max, packet_size_max, gap_timeout_ns, sequence_first)
        self.messages, self.gaps, self.sessions = [], [], []
        self._handler = dp_moldudp_handler(
            <void *>self, _on_message, _on_gap, _on_session, _on_end)
        self._feed = <dp_moldudp_feed *>malloc(dp_moldudp_feed_size(&config))
        if self._feed is NULL:
            raise MemoryError()
        if dp_moldudp_feed_init(self._feed, &config, &err) < 0:
            raise_err(&err)

    def __dealloc__(self):
        free(self._feed)

    def push(self, bytes packet not None, int64_t time_ns) -> str:
        """Take one packet of either line; return the verdict on it, one of VERDICTS."""
        return VERDICTS[dp_moldudp_feed_push(
            self._feed, <const uint8_t *>packet, len(packet), time_ns, &self._handler)]

    def poll(self, int64_t now_ns=INT64_MAX) -> None:
        """Give up the holes whose time is up; without a time, all of them."""
        dp_moldudp_feed_poll(self._feed, now_ns, &self._handler)

    @property
    def expected(self) -> int:
        """Return the next sequence number to go out."""
        return dp_moldudp_feed_expected(self._feed)

"""The sockets of exchanges: one loop for any number of venues."""

cimport cython
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_server cimport (
    DP_SERVER_ORDERS,
    DP_SERVER_REQUESTS,
    DP_SERVER_SNAPSHOT,
    dp_server,
    dp_server_add,
    dp_server_close,
    dp_server_get_stats,
    dp_server_open,
    dp_server_port,
    dp_server_run,
    dp_server_stats_s,
    dp_server_venue_config,
)
from dataplane.exchange cimport Exchange

LOOPBACK = 0x7F000001


@cython.no_gc_clear  # closing needs the exchanges
cdef class Server:
    """Runs exchanges on sockets. Addresses are (ip as a number, port); port 0 takes a free one.

    Nothing else may call the exchanges while ``run`` does.
    """

    cdef dp_server *_server
    cdef list _exchanges

    def __cinit__(self):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        self._exchanges = []
        self._server = dp_server_open(&err)
        if self._server is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_server_close(self._server)

    def add(
        self, Exchange exchange not None, *, orders=(LOOPBACK, 0), snapshot=(LOOPBACK, 0),
        requests=(LOOPBACK, 0), lines=((0, 0), (0, 0)), uint32_t multicast_ip=0,
        int record_file=-1,
    ) -> int:
        """Bind the sockets of an exchange; its index. ``record_file``: where its record goes."""
        cdef dp_err err
        cdef dp_server_venue_config config
        memset(&err, 0, sizeof(err))
        self._check_open()
        config.orders.ip, config.orders.port = orders
        config.snapshot.ip, config.snapshot.port = snapshot
        config.requests.ip, config.requests.port = requests
        for at in range(2):
            config.lines[at].ip, config.lines[at].port = lines[at]
        config.multicast_ip = multicast_ip
        cdef int index = dp_server_add(self._server, exchange.c, &config, record_file, &err)
        if index < 0:
            raise_err(&err)
        self._exchanges.append(exchange)
        return index

    def ports(self, uint32_t venue) -> tuple:
        """Return the ports for orders, snapshots and retransmission requests."""
        self._check_open()
        if venue >= <uint32_t>len(self._exchanges):
            raise ValueError(f"venue is {venue}; there are {len(self._exchanges)}")
        return (
            dp_server_port(self._server, venue, DP_SERVER_ORDERS),
            dp_server_port(self._server, venue, DP_SERVER_SNAPSHOT),
            dp_server_port(self._server, venue, DP_SERVER_REQUESTS),
        )

    def run(self, int64_t budget_ns) -> None:
        """Work for so long; 0 is one round without waiting."""
        self._check_open()
        with nogil:
            dp_server_run(self._server, budget_ns)

    def stats(self) -> dict:
        """Return what went through the sockets so far."""
        cdef dp_server_stats_s stats
        self._check_open()
        stats = dp_server_get_stats(self._server)
        return stats

    def close(self) -> None:
        """Close all connections and sockets. Closing twice is fine."""
        dp_server_close(self._server)
        self._server = NULL

    cdef int _check_open(self) except -1:
        if self._server is NULL:
            raise ValueError("server: it is closed; open another one")
        return 0

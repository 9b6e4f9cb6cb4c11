"""Both ends of a wire, for the rows ``wire.*`` of ``tickplane bench``.

An end is (hardware address, IPv4 address as a number, port). Each class here keeps one end of a
wire busy on the calling thread; appliance/bench/wire_role.py is the process around it.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.unistd cimport close

from dataplane.dp_bench_wire cimport (
    dp_bench_wire_blast,
    dp_bench_wire_blast_config,
    dp_bench_wire_connect,
    dp_bench_wire_echo,
    dp_bench_wire_echo_close,
    dp_bench_wire_echo_open,
    dp_bench_wire_echo_run,
    dp_bench_wire_ends,
    dp_bench_wire_give,
    dp_bench_wire_on_book,
    dp_bench_wire_ping,
    dp_bench_wire_ping_config,
    dp_bench_wire_port,
    dp_bench_wire_port_close,
    dp_bench_wire_port_open,
    dp_bench_wire_return,
    dp_bench_wire_server,
    dp_bench_wire_server_close,
    dp_bench_wire_server_open,
    dp_bench_wire_server_run,
    dp_bench_wire_session_ping,
    dp_bench_wire_sink,
    dp_bench_wire_socket,
    dp_bench_wire_take,
    dp_bench_wire_trade,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate
from dataplane.dp_engine cimport dp_net_endpoint
from dataplane.dp_engine_live cimport (
    DP_ENGINE_LIVE_OPEN,
    dp_engine_idle,
    dp_engine_live_config,
    dp_engine_live_status,
    dp_engine_run_live,
    dp_engine_start_live,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.engine cimport Engine
from dataplane.strategy cimport Strategy

cdef enum:
    CALIBRATION_MS = 20
    SECOND_NS = 1_000_000_000


cdef int set_end(dp_net_endpoint *end, object values) except -1:
    mac, ip, port = values
    memcpy(end.mac, <const char *><bytes>mac, 6)
    end.ip = ip
    end.port = <uint16_t>port
    return 0


cdef dp_bench_wire_ends ends_of(object here, object there) except *:
    cdef dp_bench_wire_ends ends
    set_end(&ends.here, here)
    set_end(&ends.there, there)
    return ends


cdef list answered(const uint32_t *ticks, uint32_t count, const dp_clock *clock):
    tick_ns = 1e9 / clock.tsc_hz
    return [ticks[at] * tick_ns for at in range(count) if ticks[at] != 0]


def ping(here, there, *, str tcp="", str interface="", uint32_t count, uint32_t warm_count,
         int64_t pause_ns):
    """Send ticks, or orders on a session, each after the answer to the one before.

    (nanoseconds of each that was answered, how many were not). ``tcp``: kernel, lwip or plain for
    orders on a session; "" for ticks.
    """
    cdef dp_bench_wire_ends ends = ends_of(here, there)
    cdef dp_bench_wire_ping_config config
    cdef dp_clock clock
    cdef dp_err err
    cdef bytes tcp_name = tcp.encode()
    cdef bytes interface_name = interface.encode()
    cdef const char *tcp_text = tcp_name
    cdef const char *interface_text = interface_name
    cdef bint is_session = len(tcp) > 0
    cdef uint32_t lost = 0
    cdef int status
    cdef uint32_t *ticks = <uint32_t *>calloc(count, sizeof(uint32_t))
    if ticks is NULL:
        raise MemoryError()
    config.warm_count, config.count, config.pause_ns = warm_count, count, pause_ns
    dp_clock_calibrate(&clock, CALIBRATION_MS)
    with nogil:
        if is_session:
            status = dp_bench_wire_session_ping(
                tcp_text, interface_text, &ends, &config, ticks, &err)
        else:
            status = dp_bench_wire_ping(&ends, &config, ticks, &lost, &err)
    taken = answered(ticks, count, &clock) if status == 0 else []
    free(ticks)
    if status < 0:
        raise_err(&err)
    return taken, lost


def blast(here, there, *, uint32_t size, uint64_t rate, uint64_t count, int64_t time_ns):
    """Send datagrams, ``rate`` a second (0: as many as go), and return how many were sent."""
    cdef dp_bench_wire_ends ends = ends_of(here, there)
    cdef dp_bench_wire_blast_config config
    cdef dp_err err
    cdef uint64_t sent = 0
    cdef int status
    config.size, config.rate, config.count, config.time_ns = size, rate, count, time_ns
    with nogil:
        status = dp_bench_wire_blast(&ends, &config, &sent, &err)
    if status < 0:
        raise_err(&err)
    return sent


cdef class Echo:
    """The bare echo of one kind of port."""

    cdef dp_bench_wire_echo *_echo

    def __cinit__(self, str kind, str interface, here, there):
        cdef dp_bench_wire_ends ends = ends_of(here, there)
        cdef dp_err err
        self._echo = dp_bench_wire_echo_open(kind.encode(), interface.encode(), &ends, &err)
        if self._echo is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_bench_wire_echo_close(self._echo)

    def run(self, int64_t time_ns):
        """Send back what comes, for so long."""
        with nogil:
            dp_bench_wire_echo_run(self._echo, time_ns)


cdef class Port:
    """A port under test."""

    cdef dp_bench_wire_port _opened
    cdef dp_bench_wire_ends _ends

    def __cinit__(self, str kind, str interface, here, there):
        cdef dp_err err
        memset(&self._opened, 0, sizeof(self._opened))
        self._ends = ends_of(here, there)
        if dp_bench_wire_port_open(
                &self._opened, kind.encode(), interface.encode(), &self._ends, &err) < 0:
            raise_err(&err)

    def __dealloc__(self):
        dp_bench_wire_port_close(&self._opened)

    def take(self, int64_t time_ns):
        """Receive for so long; return how many packets came."""
        cdef uint64_t taken
        with nogil:
            taken = dp_bench_wire_take(self._opened.port, time_ns)
        return taken

    def send_back(self, int64_t time_ns):
        """Send each packet back to where it came from, for so long."""
        with nogil:
            dp_bench_wire_return(self._opened.port, time_ns)

    def give(self, uint32_t payload_size, int64_t time_ns):
        """Send as fast as it goes; return how many packets the port took."""
        cdef uint64_t given
        with nogil:
            given = dp_bench_wire_give(self._opened.port, &self._ends, payload_size, time_ns)
        return given


cdef class Sink:
    """A plain UDP socket that is only read, many datagrams a system call."""

    cdef int _file

    def __cinit__(self, here, there):
        cdef dp_bench_wire_ends ends = ends_of(here, there)
        cdef dp_err err
        self._file = dp_bench_wire_socket(&ends, &err)
        if self._file < 0:
            raise_err(&err)

    def __dealloc__(self):
        if self._file >= 0:
            close(self._file)

    def take(self, int64_t time_ns):
        """Receive for so long; return how many datagrams came."""
        cdef uint64_t taken
        with nogil:
            taken = dp_bench_wire_sink(self._file, time_ns)
        return taken


cdef class Server:
    """The far end of order sessions: each message comes back as a sequenced one."""

    cdef dp_bench_wire_server *_server

    def __cinit__(self, here, there):
        cdef dp_bench_wire_ends ends = ends_of(here, there)
        cdef dp_err err
        self._server = dp_bench_wire_server_open(&ends, &err)
        if self._server is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_bench_wire_server_close(self._server)

    def run(self, int64_t time_ns):
        """Serve for so long."""
        with nogil:
            dp_bench_wire_server_run(self._server, time_ns)


cdef class WireStrategy(Strategy):
    """An order whenever the touch changes."""

    cdef uint64_t _count

    def __cinit__(self):
        self.table.state = &self._count
        self.table.on_book = dp_bench_wire_on_book


cdef class Trader:
    """A live engine on a port; ``engine`` is furnished and not started."""

    cdef Engine _engine
    cdef Port _port
    cdef dp_bench_wire_trade _trade

    def __init__(self, Engine engine, Port port, str idle="spin"):
        cdef dp_engine_live_config config
        cdef dp_err err
        memset(&config, 0, sizeof(config))
        self._engine, self._port = engine, port
        self._trade.port, self._trade.ends = port._opened.port, port._ends
        config.channels[0].feed.lines[0].port = port._opened.port
        config.channels[0].feed.lines[0].target.ip = port._ends.here.ip
        config.channels[0].feed.lines[0].target.port = port._ends.here.port
        config.channels[0].feed.line_count = 1
        config.channel_count = 1
        config.channels[0].feed.gap_timeout_ns = SECOND_NS
        config.session_count = 1
        config.sessions[0].wire.address_count = 1
        config.sessions[0].wire.connect = &dp_bench_wire_connect
        config.sessions[0].wire.connect_context = &self._trade
        config.sessions[0].wire.soup.silence_ns = 3600 * <int64_t>SECOND_NS
        config.idle = <dp_engine_idle><int>("yield", "spin", "adaptive").index(idle)
        if dp_engine_start_live(engine._engine, &config, &err) < 0:
            raise_err(&err)

    def __dealloc__(self):
        # Before the port, which its feed stands on.
        if self._engine is not None:
            self._engine.close()

    def run(self, int64_t time_ns):
        """Trade for so long."""
        with nogil:
            dp_engine_run_live(self._engine._engine, time_ns)

    @property
    def is_open(self):
        """Whether orders may pass."""
        return dp_engine_live_status(self._engine._engine, 0).state == DP_ENGINE_LIVE_OPEN

"""A live run: an engine whose market data comes from ports and whose orders go to a venue.

    live = Live(engine, LiveSettings(...))
    live.start()
    while live.status()["state"] != "OPEN":
        live.run(0.1)

This is the one module that links the libraries of all ports, DPDK's among them.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dataplane.dp_engine cimport dp_engine_adopt, dp_recover_state
from dataplane.dp_engine_live cimport (
    DP_DIFFERENCE_COUNT,
    DP_FEED_CHANNELS_MAX,
    DP_FEED_LINES_MAX,
    dp_difference,
    dp_difference_name,
    dp_engine_live_config,
    dp_engine_live_feed,
    dp_engine_live_feed_of,
    dp_engine_live_line,
    dp_engine_live_session,
    dp_engine_live_state_name,
    dp_engine_live_status,
    dp_engine_live_status_of,
    dp_engine_idle,
    dp_engine_run_live,
    dp_engine_show_port,
    dp_engine_start_live,
    dp_feed_line_stats,
    dp_feed_live_config,
    dp_feed_state_name,
    dp_feed_target,
    dp_live_channel,
    dp_live_connect,
    dp_live_kind,
    dp_live_ports,
    dp_live_ports_at,
    dp_live_ports_close,
    dp_live_ports_config,
    dp_live_ports_card,
    dp_live_ports_describe,
    dp_live_ports_open,
    dp_order_session_config,
    dp_port,
    dp_port_buffers_used,
    dp_port_is_up,
    dp_route_spread,
    dp_throttle_make,
    DP_ROUTE_SESSIONS_MAX,
    dp_soup_session_words,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_risk cimport DP_SWITCH_MODE_COUNT, dp_switch_mode, dp_switch_mode_word
from dataplane.engine cimport Engine
from dataplane.recover cimport State

import dataclasses
import os

KINDS = ("uring", "xdp", "dpdk")
SPREADS = ("strategy", "instrument", "least_loaded")
IDLES = ("yield", "spin", "adaptive")
WORST_FIRST = ("HELD", "DOWN", "ASKING", "OPEN", "STOPPED")  # one that stopped leaves the others
SUMS = ("logins", "losses", "never_received", "unexplained", "cancels_again")

cdef enum:
    REQUEST_WAIT_NS = 1_000_000   # for the other line
    REQUEST_RETRY_NS = 5_000_000  # for a server's answer
    REQUEST_INTERVAL_NS = 100_000
    REQUEST_COUNT_MAX = 1000


@dataclasses.dataclass(frozen=True)
class SessionSettings:
    """One order session; where it goes on: a blank name and 0 or 1 begin a new one."""

    user: str
    password: str
    addresses: tuple
    name: bytes = b""
    sequence: int = 0


@dataclasses.dataclass(frozen=True)
class ChannelSettings:
    """One channel of the feed; the last one may have all instruments that are left (0)."""

    lines: tuple
    servers: tuple = ()
    snapshots: tuple = ()
    instruments: int = 0


@dataclasses.dataclass(frozen=True)
class LiveSettings:
    """Where a live run's packets come from and go to; addresses are (IPv4 as a number, port)."""

    name: str
    channels: tuple
    sessions: tuple
    spread: str = "strategy"
    message_rate: int = 0  # a second, of each session; 0: no limit
    message_burst: int = 1
    headroom_percent: int = 0
    queues: bool = False
    differences: dict = dataclasses.field(default_factory=dict)  # kind: mode of a switch
    window_max: int = 10_000  # messages asked for again; a longer hole is for a snapshot
    kind: str = "uring"
    interface: str = ""
    queue: int = 0
    queue_count: int = 1
    huge_pages: bool = True
    mtu: int = 1500  # dpdk: longest packet of the lines
    sqpoll_cpu: int = -1
    busy_poll_us: int = 0
    local_ip: int = 0
    card: str = ""  # as of dataplane.card.Card
    card_identity: bytes = b""  # b"": any
    lwip: object = None  # ip, port_first, next_hop (6 bytes); None: the kernel's TCP
    gap_timeout_ns: int = 50_000_000
    heartbeat_ns: int = 1_000_000_000
    silence_ns: int = 15_000_000_000
    midnights_ns: tuple = ()  # of the feed's days, ascending; at most 32
    warm_after_ns: int = 1_000_000
    idle: str = "yield"
    seed: int = 1


cdef void set_targets(dp_feed_target *targets, object addresses):
    for index, (ip, port) in enumerate(addresses):
        targets[index].ip = ip
        targets[index].port = <uint16_t>port


cdef int64_t mean(int64_t total, uint64_t count) noexcept:
    return 0 if count == 0 else total // <int64_t>count


cdef object words_of(const char *text):
    return None if text is NULL else (<bytes>text).decode("utf-8", "replace")


cdef class Live:
    """The live run of one engine; the ports are open as long as it lives."""

    cdef Engine _engine
    cdef object _settings
    cdef list _names  # what C keeps pointers to
    cdef dp_live_ports *_ports

    def __init__(self, Engine engine, settings):
        self._engine = engine
        self._settings = settings
        self._names = [
            settings.name.encode(), os.fsencode(settings.interface), os.fsencode(settings.card),
            settings.card_identity,
        ]

    def __dealloc__(self):
        # The engine first: its session and feed stand on the ports.
        if self._engine is not None:
            self._engine.close()
        dp_live_ports_close(self._ports)

    cdef int _open_ports(self, dp_engine_live_config *config) except -1:
        settings = self._settings
        cdef dp_live_ports_config ports
        cdef dp_err err
        memset(&ports, 0, sizeof(ports))
        ports.name, ports.interface = <bytes>self._names[0], <bytes>self._names[1]
        ports.card = <bytes>self._names[2]
        if settings.card_identity:
            ports.card_identity = <const uint8_t *>(<const char *><bytes>self._names[3])
        ports.kind = <dp_live_kind><int>KINDS.index(settings.kind)
        ports.queue, ports.queue_count = settings.queue, settings.queue_count
        ports.huge_pages = settings.huge_pages
        ports.mtu = settings.mtu
        ports.sqpoll_cpu = settings.sqpoll_cpu
        ports.busy_poll_us = settings.busy_poll_us
        ports.local_ip = settings.local_ip
        if settings.lwip is not None:
            ports.tcp.is_lwip = True
            ports.tcp.ip = settings.lwip.ip
            ports.tcp.port_first = settings.lwip.port_first
            memcpy(ports.tcp.next_hop_mac, <const char *><bytes>settings.lwip.next_hop, 6)
        self._set_lines(&ports)
        self._ports = dp_live_ports_open(&ports, config.channels, &err)
        if self._ports == NULL:
            raise_err(&err)
        config.card = dp_live_ports_card(self._ports)
        return 0

    cdef int _set_lines(self, dp_live_ports_config *ports) except -1:
        cdef dp_live_channel *channel
        channels = self._settings.channels[:DP_FEED_CHANNELS_MAX]
        ports.channel_count = len(channels)
        for index, one in enumerate(channels):
            channel = &ports.channels[index]
            channel.line_count = min(len(one.lines), DP_FEED_LINES_MAX - 1)
            set_targets(&ports.lines[ports.line_count], one.lines[:channel.line_count])
            ports.line_count += channel.line_count
            channel.server_count = min(len(one.servers), 4)
            set_targets(channel.servers, one.servers[:4])
        return 0

    cdef int _set_feed(self, dp_feed_live_config *feed, object channel) except -1:
        settings = self._settings
        feed.gap_timeout_ns = settings.gap_timeout_ns
        feed.request.wait_ns = REQUEST_WAIT_NS
        feed.request.retry_ns = REQUEST_RETRY_NS
        feed.request.interval_ns = REQUEST_INTERVAL_NS
        feed.request.tries_max = 1 << 30  # the gap's own time ends it
        feed.request.count_max = REQUEST_COUNT_MAX
        feed.window_max = settings.window_max
        self._set_wire(
            &feed.snapshot, settings.sessions[0], channel.snapshots, settings.seed)
        return 0

    cdef int _set_wire(
            self, dp_order_session_config *wire, object session, object addresses, uint64_t seed
    ) except -1:
        settings = self._settings
        user, password = session.user.encode(), session.password.encode()
        memcpy(wire.soup.username, <const char *>user, min(len(user), 6))
        memcpy(wire.soup.password, <const char *>password, min(len(password), 10))
        wire.soup.heartbeat_ns = settings.heartbeat_ns
        wire.soup.silence_ns = settings.silence_ns
        wire.address_count = len(addresses)
        for index, (ip, port) in enumerate(addresses[:4]):
            wire.addresses[index].ip = ip
            wire.addresses[index].port = <uint16_t>port
        wire.connect = &dp_live_connect
        wire.connect_context = self._ports
        wire.seed = seed
        return 0

    cdef int _set_session(
            self, dp_engine_live_session *config, object session, uint64_t seed
    ) except -1:
        settings = self._settings
        self._set_wire(&config.wire, session, session.addresses, seed)
        config.throttle = dp_throttle_make(
            settings.message_rate, settings.message_burst, settings.headroom_percent)
        memcpy(config.name, <const char *><bytes>session.name, min(len(session.name), 10))
        config.sequence = session.sequence
        return 0

    cdef int _set_differences(self, dp_engine_live_config *config) except -1:
        modes = [
            dp_switch_mode_word(<dp_switch_mode>mode).decode()
            for mode in range(DP_SWITCH_MODE_COUNT)
        ]
        kinds = [
            dp_difference_name(<dp_difference>kind).decode()
            for kind in range(DP_DIFFERENCE_COUNT)
        ]
        for kind, mode in self._settings.differences.items():
            config.differences[<int>kinds.index(kind)] = <dp_switch_mode><int>modes.index(mode)
        return 0

    def adopt(self, State state):
        """Go on from what a journal leads to; before the start."""
        cdef dp_err err
        if dp_engine_adopt(self._engine._engine, <dp_recover_state *>state._recover, &err) < 0:
            raise_err(&err)

    def start(self):
        """Open the ports and the journal, and call on_start of every strategy."""
        settings = self._settings
        cdef dp_engine_live_config config
        cdef dp_err err
        memset(&config, 0, sizeof(config))
        self._open_ports(&config)
        channels = settings.channels[:DP_FEED_CHANNELS_MAX]
        config.channel_count = len(channels)
        for index, channel in enumerate(channels):
            self._set_feed(&config.channels[index].feed, channel)
            config.channels[index].instrument_count = channel.instruments
        config.spread = <dp_route_spread><int>SPREADS.index(settings.spread)
        config.queues = settings.queues
        self._set_differences(&config)
        config.session_count = len(settings.sessions)
        for index, session in enumerate(settings.sessions[:DP_ROUTE_SESSIONS_MAX]):
            self._set_session(&config.sessions[index], session, settings.seed + index)
        midnights = settings.midnights_ns[:32]
        config.midnight_count = len(midnights)
        for index, midnight_ns in enumerate(midnights):
            config.midnights_ns[index] = midnight_ns
        config.warm_after_ns = settings.warm_after_ns
        config.idle = <dp_engine_idle><int>IDLES.index(settings.idle)
        if dp_engine_start_live(self._engine._engine, &config, &err) < 0:
            raise_err(&err)
        self._engine._raise_failure()

    def run(self, double seconds):
        """Run for so long; return how many packets were taken."""
        cdef int64_t duration_ns = <int64_t>(seconds * 1e9)
        cdef uint64_t packets
        with nogil:
            packets = dp_engine_run_live(self._engine._engine, duration_ns)
            self._show_ports()
        self._engine._raise_failure()
        return packets

    cdef void _show_ports(self) noexcept nogil:
        cdef uint32_t index = 0
        cdef dp_port *port = dp_live_ports_at(self._ports, index)
        while port != NULL:
            dp_engine_show_port(self._engine._engine, index, port)
            index += 1
            port = dp_live_ports_at(self._ports, index)

    def ports(self) -> str:
        """Return one line about what carries the feed."""
        cdef char text[256]
        dp_live_ports_describe(self._ports, text, sizeof(text))
        return (<bytes>text).decode("utf-8", "replace")

    def port_counters(self):
        """Return for each port, in the order in which they were opened, its counters and link."""
        cdef uint32_t index = 0
        cdef dp_port *port = dp_live_ports_at(self._ports, index)
        found = []
        while port != NULL:
            found.append({
                "port": (<bytes>port.ops.name).decode(),
                "is_up": bool(dp_port_is_up(port)),
                "buffers_used": dp_port_buffers_used(port),
                **port.stats,
            })
            index += 1
            port = dp_live_ports_at(self._ports, index)
        return found

    def status(self):
        """Return how all order sessions are together, and in "sessions" each for itself."""
        cdef dp_engine_live_status_of run = dp_engine_live_status(self._engine._engine, 0)
        sessions = [self._session(index) for index in range(len(self._settings.sessions))]
        states = [one["state"] for one in sessions]
        worst = sessions[states.index(min(states, key=WORST_FIRST.index))]
        return {
            "state": worst["state"],
            "verdict": worst["verdict"],
            "error": worst["error"],
            "clock_steps": run.clock_step_count,
            "clock_step_ns": run.clock_step_ns,
            "journal_trouble": words_of(run.journal_trouble),
            **{name: sum([one[name] for one in sessions]) for name in SUMS},
            "sessions": sessions,
        }

    cdef dict _session(self, uint32_t index):
        cdef dp_engine_live_status_of status = dp_engine_live_status(self._engine._engine, index)
        return {
            "user": self._settings.sessions[index].user,
            "state": (<bytes>dp_engine_live_state_name(status.state)).decode(),
            "verdict": (<bytes>dp_soup_session_words(status.verdict)).decode(),
            "error": os.strerror(status.error) if status.error else "",
            "logins": status.login_count,
            "losses": status.loss_count,
            "never_received": status.never_received,
            "unexplained": status.unexplained,
            "cancels_again": status.cancels_again,
            "session": status.session_name[:10].decode("ascii", "replace"),
            "sequence_next": status.sequence_next,
            "given": status.given,
            "waiting": status.waiting,
        }

    def feed(self) -> str:
        """Return how market data is: whole, late, lost or rebuilding; that of the worst channel."""
        return words_of(dp_feed_state_name(dp_engine_live_feed(self._engine._engine)))

    def channels(self):
        """Return how each channel is."""
        return [
            words_of(dp_feed_state_name(dp_engine_live_feed_of(self._engine._engine, index)))
            for index in range(len(self._settings.channels))
        ]

    def lines(self):
        """Return what each line brought, channel by channel, and behind them its servers."""
        found = []
        for channel, settings in enumerate(self._settings.channels):
            for index, name in enumerate("ABC"[:len(settings.lines)]):
                found.append(self._line(channel, index, name))
            found.append(self._line(channel, DP_FEED_LINES_MAX - 1, "asked again"))
        return found

    cdef dict _line(self, uint32_t channel, uint32_t index, str name):
        cdef const dp_feed_line_stats *line = dp_engine_live_line(
            self._engine._engine, channel, index)
        return {
            "channel": channel,
            "name": name,
            "packets": line.packets,
            "first": line.first,
            "lost": line.lost,
            "behind_ns": mean(line.behind_ns_sum, line.behind_count),
            "behind_ns_max": line.behind_ns_max,
            "heard_ns": line.heard_ns,
        }

"""What a running appliance says of itself, read from another process: see engine/dp_engine_page.h.

    with Page.attach("/dev/shm/tickplane-live-4711") as page:
        page.run(), page.feed(), page.sessions(), page.books(), page.open_orders()
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.books cimport books_view
from dataplane.dp_book cimport dp_book_symbol, dp_books, dp_books_instrument_count
from dataplane.dp_event cimport DP_SIDE_BUY, dp_ord_status_name
from dataplane.mapping cimport Mapping

import ipaddress
import os

from dataplane.segment import CLASSES, DURABILITIES

cdef extern from "dp_engine_live.h" nogil:  # not its .pxd: that one links every port
    enum:
        DP_FEED_LINES_MAX
    const char *dp_engine_live_state_name(int state)
    const char *dp_feed_state_name(int state)
    const char *dp_soup_session_words(int verdict)

cdef extern from "dp_engine_page.h" nogil:
    const int DP_ROUTE_SESSIONS_MAX
    const int DP_PAGE_PORTS_MAX
    const int DP_FEED_CHANNELS_MAX

    struct dp_page_session:
        uint64_t state
        uint64_t error
        uint64_t verdict
        uint64_t login_count
        uint64_t loss_count
        uint64_t never_received
        uint64_t unexplained
        uint64_t cancels_again
        uint64_t sequence_next
        uint64_t waiting
        uint64_t given
        uint64_t address
        char user[8]

    struct dp_page_line:
        uint64_t packets
        uint64_t first
        uint64_t lost
        int64_t heard_ns
        uint64_t address

    struct dp_page_port:
        uint64_t rx_packets
        uint64_t rx_failed
        uint64_t tx_packets
        uint64_t tx_failed
        uint64_t tx_refused
        uint64_t buffers_used
        uint64_t is_up
        char name[8]

    struct dp_page_channel:
        uint64_t state
        uint64_t line_count
        dp_page_line lines[4]
        uint64_t hole_first
        uint64_t hole_last
        int64_t hole_since_ns

    struct dp_engine_page:
        uint64_t is_live
        int64_t wall_ns
        uint64_t has_journal
        uint64_t journal_last
        uint64_t journal_durable
        uint64_t journal_failed
        uint64_t channel_count
        dp_page_channel channels[8]
        uint64_t session_count
        dp_page_session sessions[8]
        uint64_t port_count
        dp_page_port ports[16]
        uint8_t durability[3]
        char journal_directory[256]
        char configuration[65]

cdef extern from "dp_order.h" nogil:
    struct dp_order:
        uint64_t state
        uint32_t user_ref_num
        uint32_t pending_user_ref_num
        uint32_t instrument_index
        uint8_t session_index
        uint8_t side
        uint64_t qty
        uint64_t leaves_qty
        uint64_t cum_qty
        int64_t price_nanos
        uint64_t venue_order_id
        int64_t entered_ns
        int64_t changed_ns
    struct dp_orders:
        pass
    enum:
        DP_PENDING_CANCEL
        DP_PENDING_REPLACE
    uint32_t dp_orders_count(const dp_orders *orders)
    const dp_order *dp_orders_at(const dp_orders *orders, uint32_t index)
    bint dp_order_read(const dp_order *order, dp_order *copy)
    bint dp_order_is_live(const dp_order *order)
    uint8_t dp_order_status(const dp_order *order)
    uint32_t DP_ORDER_PENDING(uint64_t state)
    uint32_t DP_ORDER_FLAGS(uint64_t state)


cdef str text_of(uint64_t address):
    return "" if address == 0 else f"{ipaddress.IPv4Address(address >> 16)}:{address & 0xffff}"


cdef str words_of(const char *text):
    return (<bytes>text).decode("utf-8", "replace")


cdef dict order_fields(const dp_order *order, const dp_books *books):
    cdef char symbol[9]
    symbol[0] = 0
    if order.instrument_index < dp_books_instrument_count(books):
        dp_book_symbol(books, order.instrument_index, symbol)
    pending = DP_ORDER_PENDING(order.state)
    return {
        "user_ref_num": order.user_ref_num,
        "session": order.session_index,
        "symbol": symbol.decode("ascii", "replace"),
        "side": "BUY" if order.side == DP_SIDE_BUY else "SELL",
        "qty": order.qty,
        "leaves_qty": order.leaves_qty,
        "cum_qty": order.cum_qty,
        "price_nanos": order.price_nanos,
        "ord_status": words_of(dp_ord_status_name(dp_order_status(order))),
        "cancel_pending": bool(pending & DP_PENDING_CANCEL),
        "replace_pending": order.pending_user_ref_num if pending & DP_PENDING_REPLACE else None,
        "venue_order_id": order.venue_order_id or None,
        "flags": DP_ORDER_FLAGS(order.state),
        "entered_ns": order.entered_ns,
        "changed_ns": order.changed_ns,
    }


cdef dict session_fields(const dp_page_session *session):
    return {
        "user": words_of(session.user),
        "address": text_of(session.address),
        "state": words_of(dp_engine_live_state_name(<int>session.state)),
        "error": os.strerror(session.error) if session.error else "",
        "verdict": words_of(dp_soup_session_words(<int>session.verdict)),
        "logins": session.login_count,
        "losses": session.loss_count,
        "never_received": session.never_received,
        "unexplained": session.unexplained,
        "cancels_again": session.cancels_again,
        "sequence_next": session.sequence_next,
        "given": session.given,
        "waiting": session.waiting,
    }


cdef dict port_fields(const dp_page_port *port):
    return {
        "port": words_of(port.name),
        "is_up": bool(port.is_up),
        "rx_packets": port.rx_packets,
        "rx_failed": port.rx_failed,
        "tx_packets": port.tx_packets,
        "tx_failed": port.tx_failed,
        "tx_refused": port.tx_refused,
        "buffers_used": port.buffers_used,
    }


cdef dict line_fields(const dp_page_line *line):
    return {
        "address": text_of(line.address),
        "packets": line.packets,
        "first": line.first,
        "lost": line.lost,
        "heard_ns": line.heard_ns,
    }


cdef dict channel_fields(const dp_page_channel *channel):
    missing = None
    if channel.hole_first:
        missing = {
            "first": channel.hole_first,
            "last": channel.hole_last,
            "since_ns": channel.hole_since_ns,
        }
    count = min(channel.line_count, DP_FEED_LINES_MAX - 1)
    return {
        "state": (<bytes>dp_feed_state_name(channel.state)).decode(),
        "lines": [line_fields(&channel.lines[index]) for index in range(count)],
        "replies": line_fields(&channel.lines[DP_FEED_LINES_MAX - 1]),
        "missing": missing,
    }


cdef class Page(Mapping):
    """One region, mapped read-only until close() or the end of a ``with`` block."""

    cdef const dp_engine_page *_page(self) except NULL:
        return <const dp_engine_page *>self.part("page", sizeof(dp_engine_page))

    def run(self):
        """Return which run it is: live or not, its configuration, where its journal stands."""
        cdef const dp_engine_page *page = self._page()
        journal = None
        if page.has_journal:
            journal = {
                "directory": words_of(page.journal_directory),
                "records": page.journal_last,
                "durable": page.journal_durable,
                "failed": bool(page.journal_failed),
                "durability": {
                    name: DURABILITIES[page.durability[index]]
                    for index, name in enumerate(CLASSES)
                },
            }
        return {
            "is_live": bool(page.is_live),
            "written_ns": page.wall_ns,
            "configuration": words_of(page.configuration),
            "journal": journal,
        }

    def feed(self):
        """Return what the lines of a live run brought, and what is missing just now, by channel."""
        cdef uint64_t count = min(self._page().channel_count, DP_FEED_CHANNELS_MAX)
        return {"channels": [channel_fields(&self._page().channels[i]) for i in range(count)]}

    def sessions(self):
        """Return the order sessions of a live run."""
        cdef const dp_engine_page *page = self._page()
        if not page.is_live:
            return []
        count = min(page.session_count, DP_ROUTE_SESSIONS_MAX)
        return [session_fields(&page.sessions[index]) for index in range(count)]

    def ports(self):
        """Return the ports of a live run: counters, buffers that are out, link."""
        cdef const dp_engine_page *page = self._page()
        count = min(page.port_count, DP_PAGE_PORTS_MAX)
        return [port_fields(&page.ports[index]) for index in range(count)]

    def books(self):
        """Return counts over all books: open, trading, stale, suspect."""
        return books_view(<dp_books *>self.part("books", 1), self).summary()

    def open_orders(self):
        """Return every order that is open or may be, whole, in the order of their numbers."""
        cdef const dp_orders *orders = <const dp_orders *>self.part("orders", 1)
        cdef const dp_books *books = <const dp_books *>self.part("books", 1)
        cdef const dp_order *order
        cdef dp_order copy
        cdef uint32_t index
        found = []
        for index in range(dp_orders_count(orders)):
            order = dp_orders_at(orders, index)
            if dp_order_is_live(order) and dp_order_read(order, &copy):
                found.append(order_fields(&copy, books))
        return found

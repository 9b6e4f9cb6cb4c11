/*
 * dp_counter - the counters of one engine, in the region, readable by anyone while it runs.
 *
 * One writer (the engine thread); readers in any process see values that are whole and may be a
 * moment old. Counters only grow; a consumer subtracts two readings to get a rate.
 */
#ifndef DP_COUNTER_H
#define DP_COUNTER_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_COUNTERS(X) \
    X(RX_PACKETS, rx_packets, "frames received on the feed port") \
    X(RX_BYTES, rx_bytes, "bytes received on the feed port") \
    X(NET_DROPPED, net_dropped, \
        "frames whose headers or lengths are cut or contradict each other") \
    X(NET_CHECKSUM_BAD, net_checksum_bad, "frames with a wrong IPv4 or UDP checksum") \
    X(MOLD_MALFORMED, mold_malformed, "datagrams that are not MoldUDP64") \
    X(MOLD_DUPLICATE, mold_duplicate, \
        "packets whose messages had all been seen (normal for the slower line)") \
    X(MOLD_REORDERED, mold_reordered, "packets held until an earlier one arrived") \
    X(MOLD_GAPS, mold_gaps, "holes given up: missing on every line") \
    X(MOLD_LOST, mold_lost, "messages in those holes") \
    X(MOLD_STRANGE, mold_strange, "first packets of what may be another session") \
    X(MOLD_UNASKED, mold_unasked, "answers of re-request servers that answer nothing asked") \
    X(MOLD_RESTARTS, mold_restarts, "feeds that began anew under the name of their session") \
    X(SNAPSHOTS, snapshots, "books rebuilt from a snapshot") \
    X(ITCH_MESSAGES, itch_messages, "messages decoded") \
    X(ITCH_UNKNOWN, itch_unknown, "messages of an unknown type, skipped by length") \
    X(ITCH_MALFORMED, itch_malformed, "messages shorter than their type") \
    X(ITCH_LONGER, itch_longer, "messages longer than their type, known prefix used") \
    X(BOOK_UNKNOWN_ORDER, book_unknown_order, "messages that name an order not in the book") \
    X(BOOK_DUPLICATE_ORDER, book_duplicate_order, "adds that reuse a live order reference") \
    X(BOOK_OVER_REDUCTION, book_over_reduction, "reductions larger than what was left") \
    X(BOOK_INVALID, book_invalid, "adds with no side, quantity, price or instrument") \
    X(BOOK_FULL, book_full, "adds refused because a pool is exhausted") \
    X(STRATEGY_CALLS, strategy_calls, "callbacks made into strategies") \
    X(ORDERS_SENT, orders_sent, "new orders handed to the order port") \
    X(ORDERS_DENIED, orders_denied, "new orders and replaces refused by our own gate") \
    X(REPLACES_SENT, replaces_sent, "replaces handed to the order port") \
    X(REQUESTS_REPEATED, requests_repeated, \
        "requests whose key had been answered before; answered again, nothing sent") \
    X(CANCELS_SENT, cancels_sent, "cancels handed to the order port") \
    X(REPORTS, reports, "venue messages applied to orders") \
    X(REPORTS_DUPLICATE, reports_duplicate, "venue messages that had been applied before") \
    X(REPORTS_ANOMALY, reports_anomaly, \
        "venue messages that do not fit the order's state; recorded") \
    X(REPORTS_UNKNOWN, reports_unknown, "venue messages for no order of ours") \
    X(OUCH_MALFORMED, ouch_malformed, "venue messages that cannot be decoded") \
    X(SESSION_LOGINS, session_logins, "logins that the venue accepted") \
    X(SESSION_LOSSES, session_losses, "order sessions lost, and tries to connect that failed") \
    X(JOURNAL_RECORDS, journal_records, "records appended to the journal") \
    X(JOURNAL_LOST, journal_lost, "venue messages and cancels that the journal could not take") \
    X(TX_FRAMES, tx_frames, "frames sent on the order port") \
    X(TX_BYTES, tx_bytes, "bytes sent on the order port") \
    X(ORDERS_QUEUED, orders_queued, "new orders and replaces that waited for their session") \
    X(SHADOW_ORDERS, shadow_orders, "orders that only keep the path warm; they cannot leave") \
    X(DESK_REQUESTS, desk_requests, "requests of other processes that were carried out") \
    X(DESK_LEAKED, desk_leaked, "records of such requests that were in nobody's hands at the end") \
    X(CARD_FAILED, card_failed, "times that an offload card's kill switch did not take") \
    X(NET_OTHER, net_other, "frames that are neither UDP nor IPv4: somebody else's traffic") \
    X(NET_FRAGMENTS, net_fragments, "fragments of datagrams, which are not joined") \
    X(NET_FOREIGN, net_foreign, "datagrams for no line: another group, port or hardware address") \
    X(REPORTS_QUANTITY, reports_quantity, "venue messages about more shares than were open") \
    X(REPORTS_PRICE, reports_price, "executions at a price that the order did not allow") \
    X(REPORTS_EXECUTION, reports_execution, "executions told in two ways, or broken unseen") \
    X(REPORTS_INSTRUMENT, reports_instrument, "orders accepted for another instrument")

enum dp_counter {
#define X(name, key, words) DP_COUNTER_##name,
    DP_COUNTERS(X) DP_COUNTER_COUNT
#undef X
};

struct dp_counters {
    alignas(DP_CACHE_LINE) _Atomic uint64_t values[DP_COUNTER_COUNT];
};

/* Writer only. A plain load and store: there is one writer, so no locked instruction is needed. */
static inline void dp_counter_add(struct dp_counters *counters, enum dp_counter id, uint64_t count)
{
    dp_store_relaxed(&counters->values[id], dp_load_relaxed(&counters->values[id]) + count);
}

static inline uint64_t dp_counter_read(const struct dp_counters *counters, enum dp_counter id)
{
    return dp_load_relaxed(&counters->values[id]);
}

const char *dp_counter_key(enum dp_counter id); /* "rx_packets" */
const char *dp_counter_words(enum dp_counter id);

#endif

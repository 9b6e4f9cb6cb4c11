/*
 * dp_book_feed - a recorded session straight into books: no strategies, no orders.
 *
 * A BinaryFILE is applied as it stands. The packets of a pcap or pcapng go through checksums and
 * MoldUDP64 first: lines A and B are joined into one sequence, and a hole in both marks every book
 * opened so far STALE. One thread; the memory of the books and counters is the caller's.
 */
#ifndef DP_BOOK_FEED_H
#define DP_BOOK_FEED_H

#include "dp_book.h"
#include "dp_counter.h"
#include "dp_err.h"

struct dp_book_feed; /* opaque, allocated by dp_book_feed_open() */

/* until_ns: since midnight. The session ends before the first message stamped later; INT64_MAX: at
 * its end. */
struct dp_book_feed *dp_book_feed_open(struct dp_books *books, struct dp_counters *counters,
    const char *path, int64_t until_ns, struct dp_err *err);
/* Applies some thousand messages; false when the session is over. */
bool dp_book_feed_step(struct dp_book_feed *feed);
/* 0, or -errno and what is wrong with the file at which byte; all before the fault was applied. */
int dp_book_feed_status(const struct dp_book_feed *feed, struct dp_err *err);
void dp_book_feed_close(struct dp_book_feed *feed); /* NULL is fine */

#endif

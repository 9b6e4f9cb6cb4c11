/*
 * dp_exchange_feed - what an exchange publishes: numbered ITCH messages, as MoldUDP64 on two lines.
 *
 * Messages are added as they happen and packed when the caller says so: everything since the last
 * time, in as few packets as hold it. Both lines carry the same packets; what each line does with
 * them is dp_exchange_line's business. Quiet times carry a heartbeat a second, the end of the
 * session is said DP_EXCHANGE_ENDS times. Any message still kept can be asked for again.
 * One thread.
 */
#ifndef DP_EXCHANGE_FEED_H
#define DP_EXCHANGE_FEED_H

#include "dp_exchange_line.h"
#include "dp_exchange_store.h"
#include "dp_itch_encode.h"
#include "dp_moldudp.h"

#define DP_EXCHANGE_LINES 2
#define DP_EXCHANGE_ENDS 3
#define DP_EXCHANGE_FEED_PACKET_DEFAULT 1400u

struct dp_exchange_feed_config {
    uint8_t session[10];
    uint32_t packet_size_max; /* bytes of a datagram, at most DP_EXCHANGE_PACKET_MAX */
    int64_t heartbeat_ns;
    uint64_t store_bytes_max;
};

struct dp_exchange_feed {
    struct dp_exchange_feed_config config;
    struct dp_exchange_store *store;
    struct dp_exchange_line *lines[DP_EXCHANGE_LINES];
    struct dp_exchange_cursor cursor; /* of the first message not yet packed */
    uint64_t packed;                  /* its number */
    int64_t said_ns;                  /* when the last packet was made */
    uint32_t ends_left; /* end marks still to be said; 0 while the session lasts too */
    bool ended;
    uint8_t packet[DP_EXCHANGE_PACKET_MAX];
};

/* A packet that was made: `lost` tells which lines lost it. For the record of truth. */
typedef void (*dp_exchange_feed_seen)(void *context, uint32_t line, bool lost, const uint8_t *data,
    uint32_t size, uint64_t sequence, int64_t now_ns);

bool dp_exchange_feed_open(
    struct dp_exchange_feed *feed, const struct dp_exchange_feed_config *config);
void dp_exchange_feed_close(struct dp_exchange_feed *feed);
void dp_exchange_feed_add(struct dp_exchange_feed *feed, const struct dp_itch_message *message);
void dp_exchange_feed_add_noii(struct dp_exchange_feed *feed, const struct dp_itch_noii *noii);
/* Packs what was added, else says a heartbeat or an end mark that is due. */
void dp_exchange_feed_flush(
    struct dp_exchange_feed *feed, int64_t now_ns, dp_exchange_feed_seen seen, void *context);
/* No message comes after this; what was added before still goes out. */
void dp_exchange_feed_end(struct dp_exchange_feed *feed);
/* Earliest time that something is due, INT64_MAX for never. */
int64_t dp_exchange_feed_next_ns(const struct dp_exchange_feed *feed);
/* Answers a request packet into reply (config.packet_size_max bytes); 0: by silence. */
uint32_t dp_exchange_feed_reply(
    const struct dp_exchange_feed *feed, const uint8_t *request, size_t size, uint8_t *reply);

#endif

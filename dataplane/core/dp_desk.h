/*
 * dp_desk - where other processes hand orders to a running engine, and hear what became of them.
 *
 *     a submitter, any process                 the engine's thread
 *     ------------------------                 -------------------
 *     dp_desk_open()                           dp_desks_take() -> requests of one desk
 *     dp_desk_post(requests)                   (the gate decides on them like on any other)
 *     dp_desk_read() -> answers, events        dp_desks_answer(), dp_desks_tell()
 *     dp_desk_leave()                          dp_desks_settle()
 *
 * A desk is one submitter's place: a lane of a dp_queue, a seat of a dp_pool_shared whose records
 * are the requests, and a dp_ring for what comes back. It speaks for one strategy; several desks
 * may speak for the same one, and each hears of all of its orders, so a successor hears of those of
 * a dead one. A desk is used by one thread at a time. No pointers inside; memory belongs to the
 * caller.
 *
 * Progress: a submitter waits for nobody. A post is wait-free (dp_queue, dp_pool_shared); where the
 * lane is full it takes fewer. The engine waits for no submitter: what does not fit into the ring
 * of one that does not read is counted there (missed) and lost; that one asks again with the same
 * key, or looks at the order table.
 *
 * Who has a desk stands in the word `owner`: a process and OPEN or LEFT, 0 for nobody.
 *   0 -> OPEN      by the submitter, CAS: of several one gets it
 *   OPEN -> LEFT   by the submitter itself, or by whoever has learnt from the kernel that its
 *                  process has ended; CAS, so nobody turns out an owner that came later
 *   LEFT -> 0      by the engine, once the lane is empty: it has then also given back the records
 *                  that a dead owner had taken and never pushed
 * So a desk is never used by two, and the engine needs to know nothing of processes. Acquire of the
 * first pairs with release of the last: lane, seat and ring are as the engine left them.
 *
 * Death of a submitter, at any instruction: its desk stays OPEN until somebody who opens one looks.
 * Requests of posts that were complete are carried out, of one that was cut short all or none
 * (dp_queue); their answers wait in the ring that nobody reads. Nobody else notices.
 */
#ifndef DP_DESK_H
#define DP_DESK_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"
#include "dp_pool_shared.h"
#include "dp_queue.h"
#include "dp_ring.h"

#define DP_DESKS_MAX 32u
#define DP_DESK_POST_MAX 32u     /* requests in one post */
#define DP_DESK_ANSWERS 1024u    /* of one desk, unread */
#define DP_DESK_WAITING_MAX 1024 /* of one desk, not yet taken: the next power of two less one */

enum dp_desk_verb { DP_DESK_NEW = 1, DP_DESK_REPLACE = 2, DP_DESK_CANCEL = 3 };

/* A record of the pool: one request as its submitter wrote it. */
struct dp_desk_request {
    alignas(DP_CACHE_LINE) uint64_t tag; /* the submitter's word; comes back in the answer */
    uint64_t key;                        /* NEW: of dp_submit_once(); 0: none */
    uint64_t qty;                        /* NEW, REPLACE */
    int64_t price_nanos;                 /* NEW, REPLACE */
    uint32_t instrument_index;           /* NEW */
    uint32_t user_ref_num;               /* REPLACE, CANCEL */
    uint32_t desk_index;                 /* written by dp_desk_post() */
    uint16_t strategy_index;             /* written by dp_desk_post() */
    uint8_t verb;                        /* enum dp_desk_verb */
    uint8_t side;                        /* NEW: enum dp_side */
    uint8_t time_in_force;               /* NEW: enum dp_time_in_force */
};

static_assert(sizeof(struct dp_desk_request) == DP_CACHE_LINE, "one line goes over");

/* Of a request, or an event of an order of the desk's strategy. */
struct dp_desk_answer {
    uint64_t tag;          /* of the request */
    uint32_t user_ref_num; /* its number, or the new one; 0: none */
    uint16_t reason;       /* enum dp_reason */
    bool is_event;         /* then `event` alone counts */
    struct dp_event event;
};

struct dp_desk_place {
    alignas(DP_QUEUE_PAD) _Atomic uint64_t owner; /* process << 2 | OPEN or LEFT; 0: nobody */
    _Atomic uint32_t strategy; /* index + 1; 0: hears nothing yet. The owner; 0 by the engine */
    alignas(DP_QUEUE_PAD) _Atomic uint64_t missed; /* the engine: answers that found no room */
};

struct dp_desks_config {
    uint32_t desk_count;    /* 1 .. DP_DESKS_MAX: submitters at once */
    uint32_t waiting_count; /* requests of one that may wait, 1 .. DP_DESK_WAITING_MAX - 1 */
};

struct dp_desks {
    /* Written by dp_desks_init(), then read-only. */
    struct dp_desks_config config;
    uint64_t queue_offset;
    uint64_t pool_offset;
    uint64_t records_offset;
    uint64_t rings_offset;
    uint64_t ring_size;
    _Atomic uint64_t strategies; /* bits: who takes orders from here. The engine, before it runs */
    alignas(DP_QUEUE_PAD) _Atomic uint64_t left; /* grows with each desk that was left */
    alignas(DP_QUEUE_PAD) _Atomic uint64_t over; /* the engine: no request is taken any more */
    uint64_t left_seen;                          /* the engine's */
    struct dp_desk_place places[];
};

size_t dp_desks_size(const struct dp_desks_config *config);
/* desks: dp_desks_size() bytes at a multiple of DP_QUEUE_PAD. */
int dp_desks_init(struct dp_desks *desks, const struct dp_desks_config *config, struct dp_err *err);

/* ---- a submitter ---- */

/* Process-local. */
struct dp_desk {
    struct dp_desks *desks;
    struct dp_desk_place *place;
    struct dp_queue_lane *lane;
    struct dp_pool_seat *seat;
    struct dp_ring *answers;
    uint64_t process;
    uint64_t missed_before;
    uint32_t index;
    uint16_t strategy_index;
};

/* Tells of a process id whether that process will never run again (sys/dp_process.h). */
typedef bool dp_desk_has_ended(uint64_t process);

/* process: of the caller (sys/dp_process.h); its two highest bits are not kept. -EAGAIN when every
 * desk is taken, or was just left and waits for the engine; -EACCES when that strategy takes no
 * orders from here; -EPIPE when the engine takes none any more. */
int dp_desk_open(struct dp_desk *desk, struct dp_desks *desks, uint16_t strategy_index,
    uint64_t process, dp_desk_has_ended *has_ended, struct dp_err *err);
/* What was posted is still carried out; nobody hears of it. */
void dp_desk_leave(struct dp_desk *desk);
/* Hands over the first requests, as many as there is room for, all at once; returns how many. 0
 * also when the engine takes none any more (dp_desk_is_over). */
uint32_t dp_desk_post(struct dp_desk *desk, const struct dp_desk_request *requests, uint32_t count);
/* The next answer or event, in the order in which things happened; false when there is none. */
bool dp_desk_read(struct dp_desk *desk, struct dp_desk_answer *answer);
/* Answers and events that were lost because this desk did not read, since it was opened. */
uint64_t dp_desk_missed(const struct dp_desk *desk);
bool dp_desk_is_over(const struct dp_desk *desk);

/* ---- the engine's thread ---- */

/* Before it runs: that strategy takes orders from here. */
void dp_desks_allow(struct dp_desks *desks, uint16_t strategy_index);
bool dp_desks_allows(const struct dp_desks *desks, uint16_t strategy_index);
/* The next requests, all of one desk, in its order, at most `count` (DP_QUEUE_TAKE_MAX); their
 * records are free again. Returns how many; 0: nothing waits. */
uint32_t dp_desks_take(struct dp_desks *desks, struct dp_desk_request *requests, uint32_t count);
void dp_desks_answer(struct dp_desks *desks, const struct dp_desk_request *request, uint16_t reason,
    uint32_t user_ref_num);
/* To every desk of the event's strategy. */
void dp_desks_tell(struct dp_desks *desks, const struct dp_event *event);
/* Frees desks that were left. To be called when dp_desks_take() has returned 0; costs one load when
 * none was. */
void dp_desks_settle(struct dp_desks *desks);
/* No request is taken any more: those that wait are answered with `reason`. */
void dp_desks_close(struct dp_desks *desks, uint16_t reason);
/* Records that are out and in nobody's hands: not 0 at the end has leaked. */
uint32_t dp_desks_leaked(struct dp_desks *desks);

#endif

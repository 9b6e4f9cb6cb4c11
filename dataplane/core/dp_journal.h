/*
 * dp_journal - the format of the write-ahead log, in memory: append, check, walk.
 *
 * Pure: it sees bytes, not files (sys/dp_wal maps the files). A segment is a header of one 4 KiB
 * page and then records of 128 bytes: 96 bytes of payload (a struct dp_event, an instrument, the
 * end), then 32 bytes of trailer. The CRC-32C of a record runs over all its bytes, with the CRC of
 * the record before where its own will stand: one pass is checksum and chain. The first record
 * continues the CRC of the header, and the header that of the last record of the segment before. So
 * a lost, swapped or altered record breaks the chain. A closed segment ends in an end record; space
 * never written is zero. docs/journal.md tells an outsider how to read one.
 *
 * One thread appends. The record is in the mapped page when the call returns: it survives the death
 * of the process. The CRC is in the last word stored and never 0, so a record whose CRC is 0 was
 * never finished: the append that was writing it did not return, and nothing was sent on its
 * strength. Two words are for other threads: sequence_next is stored last, with release, so
 * whoever loads it with acquire sees every record below it; tainted is set by whoever finds that
 * the disk does not take what was written, and from then on nothing is appended.
 */
#ifndef DP_JOURNAL_H
#define DP_JOURNAL_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"

#define DP_JOURNAL_MAGIC 0x004c4e4a504b4354ull /* "TCKPJNL\0" as bytes */
#define DP_JOURNAL_FORMAT_VERSION 2
/* Layout of the payloads; a reader refuses what it does not know. */
#define DP_JOURNAL_SCHEMA_VERSION 2
#define DP_JOURNAL_HEADER_SIZE 4096
#define DP_JOURNAL_SEGMENT_SIZE_MIN (64u << 10)
#define DP_JOURNAL_NAME_SIZE 64
#define DP_JOURNAL_PREFIX_SIZE 8
#define DP_JOURNAL_SCHEMA_SIZE 3072

/* Append only: a reader steps over a kind that it does not know, its CRC and chain checked like any
 * other. */
enum dp_journal_kind {
    DP_JOURNAL_EVENT = 1,
    DP_JOURNAL_END = 2,
    DP_JOURNAL_INSTRUMENT = 3,
    DP_JOURNAL_CONTROL = 4,
    DP_JOURNAL_SESSION = 5,
};

/* Where time_ns of a record came from. */
enum dp_journal_clock {
    DP_JOURNAL_CLOCK_REPLAY = 0,
    DP_JOURNAL_CLOCK_KERNEL = 1,
    DP_JOURNAL_CLOCK_HARDWARE = 2
};

/* What an outgoing order waits for before it may leave. */
enum dp_journal_durability {
    DP_JOURNAL_MEMORY = 0,        /* the mapped page: survives the process, not the machine */
    DP_JOURNAL_FSYNC = 1,         /* the disk: survives the machine */
    DP_JOURNAL_REPLICA = 2,       /* the memory of a standby: has its place, not its writer yet */
    DP_JOURNAL_FSYNC_REPLICA = 3, /* both */
};

/* What may wait for different things: the records that an outgoing frame stands behind. */
enum dp_journal_class {
    DP_JOURNAL_CLASS_NEW,
    DP_JOURNAL_CLASS_REPLACE,
    DP_JOURNAL_CLASS_CANCEL,
    DP_JOURNAL_CLASS_COUNT,
};

struct dp_journal_header {
    uint64_t magic;
    uint32_t format_version;
    uint32_t header_size;    /* bytes before the first record */
    uint32_t record_size;    /* bytes of one record */
    uint32_t event_schema;   /* DP_JOURNAL_SCHEMA_VERSION of the writer */
    uint64_t segment_index;  /* 0, 1, 2 ... within the journal */
    uint64_t segment_size;   /* bytes of the file */
    uint64_t sequence_first; /* of the first record of this segment */
    uint64_t generation;     /* of the run that wrote it */
    uint64_t epoch;          /* fencing epoch of the writer (standby): 0 until there is one */
    int64_t created_ns;
    uint32_t chain_previous; /* CRC of the end record of the segment before; 0 in segment 0 */
    uint32_t header_crc;     /* CRC-32C of the header page with this field 0; written last */
    char appliance[DP_JOURNAL_NAME_SIZE];          /* name from the configuration, NUL-terminated */
    char cl_ord_id_prefix[DP_JOURNAL_PREFIX_SIZE]; /* NUL-terminated: ClOrdID is this and 8
                                                      hexadecimal digits */
    char build[64];                                /* of the writer, NUL-terminated */
    uint8_t durability[DP_JOURNAL_CLASS_COUNT];    /* enum dp_journal_durability by class */
    char configuration[65];              /* hash of the writer's, NUL-terminated; "": it had none */
    uint8_t reserved[740];               /* 0 */
    char schema[DP_JOURNAL_SCHEMA_SIZE]; /* every field of a record in words, NUL-terminated: see
                                            docs/journal.md */
};

static_assert(sizeof(struct dp_journal_header) == DP_JOURNAL_HEADER_SIZE, "one page");

/* Which symbol an index stands for, from here on.
 * Written before the first event of the instrument. */
struct dp_journal_instrument {
    int64_t time_ns;
    uint32_t instrument_index;
    uint32_t reserved;
    char symbol[8];   /* space padded */
    uint8_t zero[72]; /* 0 */
};

/* What a person or a breaker changed. */
enum dp_journal_action {
    DP_JOURNAL_KILL_SET = 1,
    DP_JOURNAL_KILL_CLEARED = 2,
    DP_JOURNAL_LIMIT_CHANGED = 3,
};

struct dp_journal_control {
    int64_t time_ns;
    uint64_t policy_version; /* from here on */
    int64_t before;          /* mode of the switch, or the limit */
    int64_t after;
    uint32_t scope_index;
    uint8_t action;     /* enum dp_journal_action */
    uint8_t scope_kind; /* enum dp_risk_scope_kind */
    uint8_t field;      /* LIMIT_CHANGED: number of dp_risk_field.h */
    uint8_t source;     /* enum dp_switch_source */
    char author[16];    /* who, ended by 0 */
    char cause[40];     /* why, ended by 0 */
};

/* A session is open from here on. The trailer has which one, and the number of the message that
 * said so: an earlier answer to the same question is never heard again. */
struct dp_journal_session {
    int64_t time_ns;
    uint32_t user_ref_num_next; /* that the venue would take */
    char name[10];              /* the venue's name of it, space padded */
    uint8_t zero[74];           /* 0 */
};

/* Why a segment ended. */
enum dp_journal_end_cause {
    DP_JOURNAL_END_FINAL = 1,     /* the journal is complete */
    DP_JOURNAL_END_ROLLED = 2,    /* the next segment's file exists and goes on */
    DP_JOURNAL_END_RECOVERED = 3, /* its writer died here; the next segment is another run's */
};

struct dp_journal_end {
    int64_t time_ns;       /* of the record before */
    uint64_t record_count; /* of this segment, this one not counted */
    uint32_t cause;        /* enum dp_journal_end_cause */
    uint8_t zero[76];      /* 0 */
};

/* 64-byte aligned in file and memory. */
struct dp_journal_record {
    union {
        int64_t time_ns; /* every payload begins with it */
        struct dp_event event;
        struct dp_journal_instrument instrument;
        struct dp_journal_control control;
        struct dp_journal_session session_open;
        struct dp_journal_end end;
    };
    uint64_t sequence; /* 1 for the first record of the journal, then +1 */
    /* Of the venue's answers: number of the session message that brought it; else 0. */
    uint64_t inbound_sequence;
    uint64_t durable_sequence; /* highest one known to be on disk when this was written; 0: none */
    uint8_t kind;              /* enum dp_journal_kind */
    uint8_t schema;            /* DP_JOURNAL_SCHEMA_VERSION */
    uint8_t clock;             /* enum dp_journal_clock */
    uint8_t session;           /* that inbound_sequence counts in */
    uint32_t crc; /* CRC-32C of these 128 bytes with the crc of the record before (the header's for
                     the first) in this place; ffffffff stands for 0 */
};

static_assert(sizeof(struct dp_journal_record) == 128, "docs/journal.md states this layout");
static_assert(offsetof(struct dp_journal_record, sequence) == 96 &&
        offsetof(struct dp_journal_record, crc) == 124,
    "the payload has the size of an event, the crc stands last");

/* The writer's place in a segment. */
struct dp_journal_segment {
    uint8_t *memory; /* the mapped file, header first */
    uint64_t size;
    uint64_t used;        /* bytes from the start */
    uint32_t uncommitted; /* records put behind sequence_next */
    _Atomic uint64_t sequence_next;
    int64_t time_ns;           /* of the last record: the end record repeats it */
    uint64_t inbound_sequence; /* what records of answers say from here on */
    uint64_t durable_sequence; /* what every record says from here on */
    uint32_t chain;
    uint8_t clock;        /* enum dp_journal_clock: what every record says from here on */
    uint8_t session;      /* what records of answers say from here on */
    _Atomic bool tainted; /* a flush failed: there is no room any more */
};

/* What a walk over a segment's bytes found. The first three say how a healthy segment may go on. */
enum dp_journal_verdict {
    DP_JOURNAL_OK = 0,        /* a whole record */
    DP_JOURNAL_CLOSED,        /* the end record, and only zeros behind it */
    DP_JOURNAL_NEVER_WRITTEN, /* zero bytes to the end of the segment: the writer stopped here */
    DP_JOURNAL_UNFINISHED,    /* an append that did not return: its CRC is still 0, and only zeros
                                 behind it */
    DP_JOURNAL_TORN,    /* the tail is cut: a bad record with only zeros behind it, or, where orders
                           wait for the disk, with nothing behind it that any order left on; or the
                           file ends early */
    DP_JOURNAL_CORRUPT, /* bad, and something that counts was written behind it */
};

/* Where a walk stands. Start with dp_journal_walk_init(). */
struct dp_journal_walk {
    const uint8_t *memory;
    uint64_t size;
    uint64_t offset;   /* of the record that dp_journal_next() will look at */
    uint64_t sequence; /* that it must carry */
    int64_t time_ns;   /* of the last good one; 0 before */
    uint32_t chain;    /* that it must carry */
};

/* ---- the writer ---- */

/* Writes all of the header page but what only the moment of its start can tell. memory: `size`
 * zeroed bytes, a whole number of 4 KiB pages. Of *header the caller fills in index, generation,
 * epoch, created_ns, appliance, prefix and durability; sizes, versions and schema are set here. Any
 * thread; a reader still takes the segment for one never started. */
int dp_journal_segment_prepare(
    uint8_t *memory, uint64_t size, const struct dp_journal_header *header, struct dp_err *err);
/* Starts a prepared segment: the rest of the header and its CRC. */
void dp_journal_segment_start(struct dp_journal_segment *segment, uint8_t *memory, uint64_t size,
    uint64_t sequence_first, uint32_t chain_previous);
/* Both, with sequence_first and chain_previous out of *header. */
int dp_journal_segment_init(struct dp_journal_segment *segment, uint8_t *memory, uint64_t size,
    const struct dp_journal_header *header, struct dp_err *err);
/* The same writer in the next segment, prepared at `memory`: sequence, chain, clock and session go
 * on. The end record of the present one has been written. */
void dp_journal_segment_continue(struct dp_journal_segment *segment, uint8_t *memory);
/* Room for one record and the end record, and a disk that took everything so far. */
static inline bool dp_journal_has_room(const struct dp_journal_segment *segment)
{
    return segment->size - segment->used >= 2 * sizeof(struct dp_journal_record) &&
        !dp_load_relaxed(&segment->tainted);
}

/* The same in two steps, for several records with one commit: put each, then commit, before
 * anything is sent on their strength and before the segment is rolled. A record that is put and not
 * committed survives the death of the process like any other; who flushes or follows does not count
 * on it. Who was told that there is room may put one record: a disk that fails meanwhile stops the
 * next one. */
void dp_journal_put(struct dp_journal_segment *segment, const struct dp_event *event);
static inline void dp_journal_commit(struct dp_journal_segment *segment)
{
    uint64_t sequence = dp_load_relaxed(&segment->sequence_next) + segment->uncommitted;
    segment->uncommitted = 0;
    /* Release: who sees the number sees every record below it. */
    dp_store_release(&segment->sequence_next, sequence);
}

/* False when there is no room (one slot is kept for the end record): nothing was written then. */
bool dp_journal_append(struct dp_journal_segment *segment, const struct dp_event *event);
bool dp_journal_append_session(
    struct dp_journal_segment *segment, const struct dp_journal_session *session);
/* Names an instrument; once a journal for each, before its first event. symbol: 8 bytes, space
 * padded. */
bool dp_journal_append_control(
    struct dp_journal_segment *segment, const struct dp_journal_control *control);
bool dp_journal_append_instrument(struct dp_journal_segment *segment, uint32_t instrument_index,
    const char symbol[8], int64_t time_ns);
void dp_journal_close(struct dp_journal_segment *segment,
    enum dp_journal_end_cause cause); /* writes the end record */

/* ---- any reader, at any time ---- */

/* 0 when the first page is a header of this format; else -errno and why (EPROTO: of another format
 * version). */
int dp_journal_header_check(const uint8_t *memory, uint64_t size, struct dp_err *err);
/* A file made ready for a segment that was never started: no header, not one record. */
bool dp_journal_is_unused(const uint8_t *memory, uint64_t size);
/* memory passed dp_journal_header_check() and outlives the walk. */
void dp_journal_walk_init(struct dp_journal_walk *walk, const uint8_t *memory, uint64_t size);
/* Looks at the next record; steps past it on OK and CLOSED, and then *record points into memory.
 * Any other verdict leaves the walk where it is: offset is the first byte in question. */
enum dp_journal_verdict dp_journal_next(
    struct dp_journal_walk *walk, const struct dp_journal_record **record);
/* The first record behind walk->offset that fits the one right before it, whatever that is worth;
 * NULL when there is none: a good one behind a bad one is reported, not silently dropped. */
const struct dp_journal_record *dp_journal_find_behind(const struct dp_journal_walk *walk);
/* Whether some record from that byte on, which fits the one right before it, says that record
 * `sequence` was on disk when it was written: then what is missing there had been promised. */
bool dp_journal_acknowledges(
    const uint8_t *memory, uint64_t size, uint64_t offset, uint64_t sequence);
/* Whether new orders and replaces waited for the disk in that segment, as its header has it. */
bool dp_journal_waits(const uint8_t *memory);
const char *dp_journal_verdict_name(enum dp_journal_verdict verdict); /* "never_written" */

#endif

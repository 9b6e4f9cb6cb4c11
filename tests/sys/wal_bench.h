/*
 * wal_bench - a journal in a scratch directory, and a reader that walks all of its files.
 */
#ifndef WAL_BENCH_H
#define WAL_BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "dp_wal.h"

#define SIZE DP_WAL_SEGMENT_SIZE_MIN
#define ROOM ((SIZE - DP_JOURNAL_HEADER_SIZE) / sizeof(struct dp_journal_record) - 1)

static struct dp_err err;
static struct dp_wal wal;
static char scratch[] = "/tmp/test-wal-XXXXXX";

static inline const char *directory_of(const char *name)
{
    static char path[100];
    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    return path;
}

static inline int open_as(
    const char *directory, uint8_t durability, bool resume, uint64_t resume_sequence)
{
    const struct dp_wal_config config = {
        .segment_size = SIZE,
        .generation = 3,
        .created_ns = 4,
        .appliance = "test",
        .cl_ord_id_prefix = "TP",
        .durability = {durability, durability, durability},
        .resume = resume,
        .resume_sequence = resume_sequence,
    };
    return dp_wal_open(&wal, directory, &config, &err);
}

/* A new journal. */
static inline int open_with(const char *directory, uint8_t durability)
{
    return open_as(directory, durability, false, 0);
}

static inline bool append_one(uint32_t number)
{
    const struct dp_event event = {.kind = DP_EVENT_NEW, .user_ref_num = number, .time_ns = 9};
    return dp_journal_append(&wal.segment, &event) ||
        (dp_wal_next(&wal) && dp_journal_append(&wal.segment, &event));
}

static inline void append(uint64_t count)
{
    for (uint64_t number = 0; number < count; number++)
        CHECK_THAT(append_one((uint32_t)number), "%s", wal.err.text);
}

/* What a reader that walks all files of a journal finds. */
struct found {
    uint64_t records; /* end records not counted */
    uint64_t sequence;
    uint32_t segments;
    enum dp_journal_verdict verdict; /* of the last segment in use; NEVER_WRITTEN if none is */
};

static inline void walk_segment(const uint8_t *memory, struct found *found, uint32_t *chain)
{
    CHECK_EQUAL(dp_journal_header_check(memory, SIZE, &err), 0);
    const struct dp_journal_header *header = (const void *)memory;
    CHECK_EQUAL(header->segment_index, found->segments);
    CHECK_EQUAL(header->chain_previous, *chain);
    struct dp_journal_walk walk;
    const struct dp_journal_record *record = NULL;
    dp_journal_walk_init(&walk, memory, SIZE);
    while ((found->verdict = dp_journal_next(&walk, &record)) == DP_JOURNAL_OK)
        found->records++;
    *chain = walk.chain;
    found->sequence = walk.sequence - 1;
}

static inline void read_segment(int fd, struct found *found, uint32_t *chain)
{
    /* A file of no size: killed between making it and allocating it. */
    struct stat file;
    CHECK_EQUAL(fstat(fd, &file), 0);
    uint64_t size = (uint64_t)file.st_size;
    uint8_t *memory = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    /* One that was made ready and never begun, when the run is killed, says nothing. */
    if (!dp_journal_is_unused(memory, size))
        walk_segment(memory, found, chain);
    if (memory != NULL)
        munmap(memory, size);
}

static inline struct found read_back(const char *directory)
{
    struct found found = {.verdict = DP_JOURNAL_NEVER_WRITTEN};
    uint32_t chain = 0;
    for (;; found.segments++) {
        char path[200];
        snprintf(path, sizeof(path), "%s/journal-%06u.tpj", directory, found.segments);
        int fd = open(path, O_RDONLY);
        if (fd < 0)
            return found;
        read_segment(fd, &found, &chain);
        close(fd);
    }
}

static inline void remove_scratch(void)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", scratch);
}

static inline bool make_scratch(void)
{
    return mkdtemp(scratch) != NULL && atexit(remove_scratch) == 0;
}

#endif

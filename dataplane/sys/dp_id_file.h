/*
 * dp_id_file - order numbers of one venue session, reserved on disk ahead of their use.
 *
 * The keeper's half of core/dp_id_pool: `DIR/ids-VENUE-SESSION`, one file, two places of 512 bytes
 * written in turn. Each holds the whole reservation (venue, session, trading day, end) with a
 * number that rises and a CRC: a write that power or a kill cut short leaves the other one. A place
 * that cannot be read may hold the newest reservation, and none is ever more than a block ahead of
 * the one before: numbers then go on one block above the other place.
 *
 * One process has the file at a time (a lock that dies with it). Numbers are of a trading day: a
 * later day begins at its first again, an earlier one is refused. One thread calls these; the order
 * path meanwhile uses the pool.
 */
#ifndef DP_ID_FILE_H
#define DP_ID_FILE_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_id_pool.h"

#define DP_ID_NAME_SIZE 32
#define DP_ID_PATH_SIZE 320

struct dp_id_file_config {
    const char *directory; /* must exist */
    const char *venue;     /* 1 to 31 letters, digits, dots, underscores */
    const char *session;   /* the same; an account's name where numbers are the account's */
    uint32_t day;          /* YYYYMMDD, as the venue counts it */
    uint32_t first;        /* the least number of this run: 1, or above what a journal or the venue
                              has seen */
    uint32_t block;        /* reserved at a time, 2 to 2^24 */
};

struct dp_id_file {
    char path[DP_ID_PATH_SIZE];
    int fd; /* -1: not open */
    uint64_t write_count;
    struct dp_id_file_config config;
    struct dp_id_pool *pool;
};

/* Makes or reads the file, reserves the first block, and makes the pool: numbers from next of the
 * pool on may be used. pool: cache-line aligned, outlives the file. */
int dp_id_file_open(struct dp_id_file *file, const struct dp_id_file_config *config,
    struct dp_id_pool *pool, struct dp_err *err);
/* Reserves more when less than half a block is left; waits for the disk then. To be called as often
 * as half a block can be used up. After an error the order path goes on to the end of what it has.
 */
int dp_id_file_keep(struct dp_id_file *file, struct dp_err *err);
/* No number is used any more: gives back what was reserved and not used, so that the next run goes
 * on without a gap. Closing twice is fine. */
int dp_id_file_close(struct dp_id_file *file, struct dp_err *err);

#endif

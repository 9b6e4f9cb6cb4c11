/*
 * dp_region - one block of memory that several processes map, laid out in named parts.
 *
 * It holds offsets and indexes, never pointers: each process maps it where it likes. The maker lays
 * the parts out once (dp_region_init, dp_region_place ..., dp_region_publish); afterwards the table
 * of parts is read-only. A reader that finds another magic, layout version or layout hash refuses
 * to attach and says so. Each part has exactly one writer unless its own header says otherwise.
 * docs/memory-map.md lists the parts.
 *
 * Layout rule: dp_region_layout_hash() covers every struct of core's public headers that lies in a
 * region, field offsets and the names of counters and stages included. What it cannot see is
 * private: whoever changes dp_book_layout.h, the struct of dp_orders or dp_risk, or
 * dp_engine_status or dp_engine_page raises DP_REGION_LAYOUT_VERSION.
 *
 * Publishing: the maker's thread writes everything, then stores ready with release; a reader that
 * loads 1 with acquire sees all of it. Both are wait-free. A maker that dies before that leaves a
 * region that nobody attaches.
 */
#ifndef DP_REGION_H
#define DP_REGION_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"

#define DP_REGION_MAGIC 0x454e414c504b4354ull /* "TCKPLANE" as bytes in memory */
#define DP_REGION_LAYOUT_VERSION 15
/* Two lines: a processor that fetches lines in pairs brings no part of a neighbour along. */
#define DP_REGION_ALIGN (2 * DP_CACHE_LINE)
#define DP_REGION_PARTS_MAX 48
#define DP_REGION_NAME_SIZE 24

struct dp_region_part {
    char name[DP_REGION_NAME_SIZE]; /* NUL-terminated */
    uint64_t offset; /* bytes from the start of the region, a multiple of DP_REGION_ALIGN */
    uint64_t size;
};

struct dp_region {
    uint64_t magic;
    uint32_t layout_version;
    uint32_t part_count;
    uint64_t layout_hash;   /* dp_region_layout_hash() of the maker */
    uint64_t generation;    /* nanoseconds since the epoch when it was made: tells two runs apart */
    uint64_t size;          /* bytes, this header included */
    uint64_t used;          /* bytes placed so far */
    uint64_t tsc_hz;        /* calibrated ticks a second */
    uint64_t tsc_error_ppb; /* half-width of the calibration, in parts per 1e9 */
    int64_t pid;            /* of the maker: a reader can see that it died */
    _Atomic uint32_t ready; /* 1 once all parts are laid out and initialised (release / acquire) */
    char build[52];         /* dp_region_build() of the maker, NUL-terminated */
    struct dp_region_part parts[DP_REGION_PARTS_MAX];
};

/* Bytes to ask for: dp_region_header_size() plus the sum of dp_region_part_size(size) of
 * all parts. */
size_t dp_region_header_size(void);
size_t dp_region_part_size(size_t size); /* rounded up to whole cache lines */

/* memory: `size` zeroed bytes, cache-line aligned, owned by the caller for the life of the region.
 * Untouched pages stay untouched: only the header is written. */
int dp_region_init(void *memory, size_t size, uint64_t generation, struct dp_err *err);
/* Pointer to `size` zeroed bytes named `name`, or NULL with err filled when it does not fit or the
 * name is taken. */
void *dp_region_place(struct dp_region *region, const char *name, size_t size, struct dp_err *err);
/* From now on readers may attach. The maker's pid, tsc_hz and tsc_error_ppb are its own to fill in
 * before this. */
void dp_region_publish(struct dp_region *region);

/* 0 when `size` mapped bytes hold a region of this very layout that is ready; else -errno and why:
 * EPROTO another layout (the text names the build that made it), EAGAIN still being made, EINVAL no
 * region or a damaged one. */
int dp_region_check(const void *memory, size_t size, struct dp_err *err);
/* The part's first byte, or NULL. *size may be NULL.
 * Bounds are checked against the region's size. */
void *dp_region_find(struct dp_region *region, const char *name, size_t *size);
uint64_t dp_region_layout_hash(void);
const char *dp_region_build(void); /* version and compiler of this build: at most 51 characters */

#endif

#include "dp_noise.h"

#include "dp_atomic.h"
#include "dp_cpu.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static uint32_t bucket_of(uint64_t ticks)
{
    uint32_t bucket = ticks == 0 ? 0 : 63u - (uint32_t)__builtin_clzll(ticks);
    return bucket < DP_NOISE_BUCKETS ? bucket : DP_NOISE_BUCKETS - 1;
}

static void note_pause(struct dp_noise *noise, uint64_t ticks)
{
    noise->pause_count++;
    noise->pause_total_tsc += ticks;
    if (ticks > noise->pause_max_tsc)
        noise->pause_max_tsc = ticks;
    noise->buckets[bucket_of(ticks)]++;
}

void dp_noise_listen(struct dp_noise *noise, uint64_t duration_tsc, uint64_t pause_tsc_min)
{
    *noise = (struct dp_noise){0};
    uint64_t start = dp_tsc();
    uint64_t before = start;
    do {
        uint64_t now = dp_tsc();
        if (DP_UNLIKELY(now - before >= pause_tsc_min))
            note_pause(noise, now - before);
        before = now;
        noise->read_count++;
    } while (before - start < duration_tsc);
    noise->duration_tsc = before - start;
}

/* Two words, each written by one side: `there` by the caller's thread, `back` by the other. */
struct court {
    alignas(2 * DP_CACHE_LINE) _Atomic uint64_t there;
    alignas(2 * DP_CACHE_LINE) _Atomic uint64_t back;
    alignas(2 * DP_CACHE_LINE) uint32_t core;
    struct dp_err err;
};

#define READY UINT64_MAX
#define FAILED (UINT64_MAX - 1)
#define OVER UINT64_MAX

static void *return_trips(void *argument)
{
    struct court *court = argument;
    bool pinned = dp_cpu_pin(court->core, &court->err) == 0;
    /* Release: who sees FAILED sees err. */
    dp_store_release(&court->back, pinned ? READY : FAILED);
    for (uint64_t seen = 0; pinned && seen != OVER;) {
        uint64_t trip = dp_load_relaxed(&court->there);
        if (trip == seen)
            continue;
        seen = trip;
        dp_store_relaxed(&court->back, trip);
    }
    return NULL;
}

static int ascending(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* False when the time was up before the line came back. */
static bool make_trip(struct court *court, uint64_t trip, uint64_t end_tsc, uint64_t *ticks)
{
    uint64_t start = dp_tsc();
    uint64_t now = start;
    dp_store_relaxed(&court->there, trip);
    while (dp_load_relaxed(&court->back) != trip) {
        now = dp_tsc();
        if (now >= end_tsc)
            return false;
    }
    *ticks = dp_tsc() - start;
    return true;
}

static void make_trips(
    struct court *court, uint32_t trip_count, uint64_t duration_tsc, struct dp_noise_trips *trips)
{
    uint64_t ticks[DP_NOISE_TRIPS_MAX];
    uint64_t end_tsc = dp_tsc() + duration_tsc;
    *trips = (struct dp_noise_trips){0};
    while (trips->count < trip_count &&
        make_trip(court, trips->count + 1, end_tsc, &ticks[trips->count]))
        trips->count++;
    if (trips->count == 0)
        return;
    qsort(ticks, trips->count, sizeof(ticks[0]), ascending);
    trips->min_tsc = ticks[0];
    trips->median_tsc = ticks[trips->count / 2];
}

int dp_noise_trip(uint32_t here, uint32_t there, uint32_t trip_count, uint64_t duration_tsc,
    struct dp_noise_trips *trips, struct dp_err *err)
{
    struct court court = {.core = there};
    pthread_t other;
    if (here == there)
        return dp_err_set(err, EINVAL, "cpu: %u: both ends; give two cores", here);
    if (trip_count == 0 || trip_count > DP_NOISE_TRIPS_MAX)
        return dp_err_set(
            err, EINVAL, "trips: count is %u; it must be 1 to %u", trip_count, DP_NOISE_TRIPS_MAX);
    int code = dp_cpu_pin(here, err);
    if (code < 0)
        return code;
    code = pthread_create(&other, NULL, return_trips, &court);
    if (code != 0)
        return dp_err_set(err, code, "trips: no thread: %s; free some", strerror(code));
    uint64_t answer;
    /* Acquire: pairs with the release of return_trips(). */
    while ((answer = dp_load_acquire(&court.back)) == 0)
        dp_pause();
    if (answer == READY) {
        make_trips(&court, trip_count, duration_tsc, trips);
        dp_store_relaxed(&court.there, OVER);
    }
    pthread_join(other, NULL);
    if (answer == READY)
        return 0;
    *err = court.err;
    return -err->code;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

struct line {
    alignas(DP_CACHE_LINE) uint64_t next;
};

/* One circle through all lines (Sattolo's shuffle): no load can be guessed from the one before. */
static void lay_circle(struct line *lines, uint64_t line_count)
{
    uint64_t random = 0x9e3779b97f4a7c15;
    for (uint64_t index = 0; index < line_count; index++)
        lines[index].next = index;
    for (uint64_t index = line_count - 1; index > 0; index--) {
        uint64_t other = next_random(&random) % index;
        uint64_t kept = lines[index].next;
        lines[index].next = lines[other].next;
        lines[other].next = kept;
    }
}

int dp_noise_memory(size_t size, uint32_t load_count, uint64_t *duration_tsc, struct dp_err *err)
{
    uint64_t line_count = size / sizeof(struct line);
    struct line *lines;
    if (line_count < 2 || load_count == 0)
        return dp_err_set(err, EINVAL, "memory: size is %zu, loads %u; give two lines, one load",
            size, load_count);
    lines = aligned_alloc(DP_CACHE_LINE, line_count * sizeof(struct line));
    if (lines == NULL)
        return dp_err_set(
            err, ENOMEM, "memory: %zu bytes cannot be had; give a smaller size", size);
    lay_circle(lines, line_count);
    uint64_t start = dp_tsc();
    uint64_t at = 0;
    for (uint32_t load = 0; load < load_count; load++)
        at = lines[at].next;
    *duration_tsc = dp_tsc() - start;
    __asm__ volatile("" : : "r"(at)); /* the loads are the result */
    free(lines);
    return 0;
}

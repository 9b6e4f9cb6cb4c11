#include "dp_region.h"

#include <errno.h>

#include "dp_book.h"
#include "dp_counter.h"
#include "dp_desk.h"
#include "dp_event.h"
#include "dp_hist.h"
#include "dp_order.h"
#include "dp_pool.h"
#include "dp_ring.h"

/* Filled in by the build from the project's version. */
#ifndef DP_VERSION
#error "DP_VERSION is not set: see dataplane/core/meson.build"
#endif

#define FIELD(type, field) offsetof(struct type, field), sizeof(((struct type *)0)->field)

/* What the compiler made of every public struct that lies in a region. */
static const uint64_t layout[] = {
    DP_REGION_LAYOUT_VERSION,
    sizeof(struct dp_region),
    FIELD(dp_region, layout_hash),
    FIELD(dp_region, generation),
    FIELD(dp_region, size),
    FIELD(dp_region, tsc_hz),
    FIELD(dp_region, pid),
    FIELD(dp_region, ready),
    FIELD(dp_region, build),
    FIELD(dp_region, parts),
    sizeof(struct dp_region_part),
    FIELD(dp_region_part, name),
    FIELD(dp_region_part, offset),
    FIELD(dp_region_part, size),
    sizeof(struct dp_counters),
    DP_COUNTER_COUNT,
    sizeof(struct dp_hist),
    DP_HIST_SUB_BITS,
    FIELD(dp_hist, sum),
    FIELD(dp_hist, min),
    FIELD(dp_hist, max),
    FIELD(dp_hist, buckets),
    DP_STAGE_COUNT,
    sizeof(struct dp_ring),
    FIELD(dp_ring, tail),
    FIELD(dp_ring, head),
    FIELD(dp_ring, slot_mask),
    FIELD(dp_ring, slot_size),
    sizeof(struct dp_ring_slot),
    FIELD(dp_ring_slot, time_ns),
    sizeof(struct dp_pool),
    sizeof(struct dp_pool_link),
    sizeof(struct dp_order),
    FIELD(dp_order, state),
    FIELD(dp_order, user_ref_num),
    FIELD(dp_order, instrument_index),
    FIELD(dp_order, side),
    FIELD(dp_order, qty),
    FIELD(dp_order, leaves_qty),
    FIELD(dp_order, cum_qty),
    FIELD(dp_order, price_nanos),
    FIELD(dp_order, venue_order_id),
    FIELD(dp_order, cum_money),
    FIELD(dp_order, changed_ns),
    sizeof(struct dp_desks),
    sizeof(struct dp_desk_request),
    sizeof(struct dp_desk_answer),
    sizeof(struct dp_queue_lane),
    sizeof(struct dp_queue_seat),
    sizeof(struct dp_pool_block),
};

/* Order and names matter as much as sizes: a swapped pair of counters has the same sizeof. */
/* clang-format off */
static const char names[] = ""
#define X(name, key, words) #key " "
    DP_COUNTERS(X)
#undef X
#define X(name, key) #key " "
    DP_STAGES(X)
#undef X
    ;
/* clang-format on */

static const char build[] = "tickplane " DP_VERSION ", " __VERSION__;

/* FNV-1a with its published 64-bit constants. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t index = 0; index < size; index++)
        hash = (hash ^ bytes[index]) * 0x100000001b3ull;
    return hash;
}

uint64_t dp_region_layout_hash(void)
{
    uint64_t hash = hash_bytes(0xcbf29ce484222325ull, layout, sizeof(layout));
    return hash_bytes(hash, names, sizeof(names));
}

const char *dp_region_build(void)
{
    static_assert(
        sizeof(build) <= sizeof(((struct dp_region *)0)->build), "shorten the build text");
    return build;
}

size_t dp_region_header_size(void)
{
    return dp_region_part_size(sizeof(struct dp_region));
}

size_t dp_region_part_size(size_t size)
{
    return dp_round_up(size, DP_REGION_ALIGN);
}

int dp_region_init(void *memory, size_t size, uint64_t generation, struct dp_err *err)
{
    DP_ASSERT((uintptr_t)memory % DP_CACHE_LINE == 0);
    if (size < dp_region_header_size())
        return dp_err_set(err, EINVAL, "region: size is %zu bytes; the header alone takes %zu",
            size, dp_region_header_size());

    struct dp_region *region = memory;
    *region = (struct dp_region){
        .magic = DP_REGION_MAGIC,
        .layout_version = DP_REGION_LAYOUT_VERSION,
        .layout_hash = dp_region_layout_hash(),
        .generation = generation,
        .size = size,
        .used = dp_region_header_size(),
    };
    memcpy(region->build, build, sizeof(build));
    return 0;
}

static bool part_is_sound(const struct dp_region *region, const struct dp_region_part *part)
{
    return memchr(part->name, '\0', sizeof(part->name)) != NULL &&
        part->offset % DP_REGION_ALIGN == 0 && part->offset >= dp_region_header_size() &&
        part->offset <= region->size && part->size <= region->size - part->offset;
}

static const struct dp_region_part *find_part(const struct dp_region *region, const char *name)
{
    uint32_t count = region->part_count;
    for (uint32_t index = 0; index < count && index < DP_REGION_PARTS_MAX; index++)
        if (strncmp(region->parts[index].name, name, DP_REGION_NAME_SIZE) == 0)
            return &region->parts[index];
    return NULL;
}

void *dp_region_place(struct dp_region *region, const char *name, size_t size, struct dp_err *err)
{
    DP_ASSERT(dp_load_relaxed(&region->ready) == 0);
    DP_ASSERT(name[0] != '\0' && strlen(name) < DP_REGION_NAME_SIZE);
    if (find_part(region, name) != NULL || region->part_count == DP_REGION_PARTS_MAX) {
        dp_err_set(err, EEXIST, "region: part '%s': the name is taken, or all %d entries are", name,
            DP_REGION_PARTS_MAX);
        return NULL;
    }
    uint64_t room = region->size - region->used;
    if (size > room || dp_region_part_size(size) > room) {
        dp_err_set(err, ENOSPC,
            "region: part '%s': %zu bytes do not fit in the %llu left; "
            "ask for a larger region",
            name, size, (unsigned long long)room);
        return NULL;
    }
    struct dp_region_part *part = &region->parts[region->part_count++];
    memcpy(part->name, name, strlen(name) + 1);
    part->offset = region->used;
    part->size = size;
    region->used += dp_region_part_size(size);
    return (uint8_t *)region + part->offset;
}

void dp_region_publish(struct dp_region *region)
{
    /* Release: pairs with the acquire in dp_region_check(); who sees 1 sees every part as it was
     * initialised. */
    dp_store_release(&region->ready, 1);
}

static int check_layout(const struct dp_region *region, struct dp_err *err)
{
    uint64_t hash = dp_region_layout_hash();
    if (region->layout_version == DP_REGION_LAYOUT_VERSION && region->layout_hash == hash)
        return 0;
    return dp_err_set(err, EPROTO,
        "region: layout: made by '%.*s' with version %u hash %016llx, this build has version %u "
        "hash %016llx; use the tickplane that made it",
        (int)sizeof(region->build), region->build, region->layout_version,
        (unsigned long long)region->layout_hash, DP_REGION_LAYOUT_VERSION,
        (unsigned long long)hash);
}

int dp_region_check(const void *memory, size_t size, struct dp_err *err)
{
    const struct dp_region *region = memory;
    if (size < sizeof(*region) || (region->magic != DP_REGION_MAGIC && region->magic != 0))
        return dp_err_set(err, EINVAL, "region: %zu bytes that are no tickplane region", size);
    /* Before `ready` is looked at: in another layout that field may be elsewhere. All zero: just
     * being born. */
    bool blank = region->magic == 0 || region->layout_hash == 0;
    if (!blank && check_layout(region, err) < 0)
        return -EPROTO;
    /* Acquire: pairs with dp_region_publish(). */
    if (blank || dp_load_acquire(&region->ready) != 1)
        return dp_err_set(err, EAGAIN, "region: still being made; try again in a moment");
    if (region->size > size || region->part_count > DP_REGION_PARTS_MAX)
        return dp_err_set(err, EINVAL, "region: damaged: says %llu bytes and %u parts in %zu bytes",
            (unsigned long long)region->size, region->part_count, size);
    for (uint32_t index = 0; index < region->part_count; index++)
        if (!part_is_sound(region, &region->parts[index]))
            return dp_err_set(
                err, EINVAL, "region: damaged: part %u lies outside the region", index);
    return 0;
}

void *dp_region_find(struct dp_region *region, const char *name, size_t *size)
{
    const struct dp_region_part *part = find_part(region, name);
    if (part == NULL || !part_is_sound(region, part))
        return NULL;
    if (size != NULL)
        *size = part->size;
    return (uint8_t *)region + part->offset;
}

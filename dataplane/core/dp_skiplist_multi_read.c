/* What any reader may do, without an epoch: every record is checked after it was read. */
#include "dp_skiplist_multi_layout.h"

/* A record under a link. */
struct reading {
    int64_t price_nanos;
    uint64_t amount;
    uint64_t onward; /* its link at height 0, with the mark */
};

/* False when the record has begun another life since it was linked there. */
static bool read_record(
    const struct dp_skiplist_multi *multi, uint64_t link, struct reading *reading)
{
    const struct dp_skiplist_multi_record *record =
        dp_skiplist_multi_record(multi, dp_skiplist_multi_target(link));
    /* Acquire, each: pairs with the releases in begin_life() and later. The generation is loaded
     * after them, so that it is the new one when any of them is of the new life. */
    reading->price_nanos = dp_load_acquire(&record->price_nanos);
    reading->amount = dp_load_acquire(&record->amount);
    reading->onward = dp_load_acquire(&record->links[0]);
    return dp_load_relaxed(&record->generation) == link >> DP_SKIPLIST_MULTI_GENERATION_SHIFT;
}

/* What a search by a reader stands on and knows. */
struct walk {
    const struct dp_skiplist_multi_record *records;
    uint32_t list;
    int64_t rank;
    uint64_t before; /* the link that led to the record we stand on; 0: the head */
    uint64_t behind; /* the link to one at or behind the rank, met before */
};

static bool is_of_life(const struct dp_skiplist_multi_record *record, uint64_t link)
{
    /* Acquire: who finds another life tries again, and then sees the former one unlinked. */
    return dp_load_acquire(&record->generation) == link >> DP_SKIPLIST_MULTI_GENERATION_SHIFT;
}

/* One height, whose links start at `links` and lie `stride` words apart. False as above. */
static bool walk_height(
    struct walk *walk, const _Atomic uint64_t *head, const _Atomic uint64_t *links, size_t stride)
{
    uint32_t number = dp_skiplist_multi_target(walk->before);
    const _Atomic uint64_t *at = number == 0 ? head : links + number * stride;
    uint64_t link = dp_load_acquire(at) & ~DP_SKIPLIST_MULTI_MARK; /* as in read_record() */
    if (number != 0 && !is_of_life(&walk->records[number], walk->before))
        return false;
    while ((number = dp_skiplist_multi_target(link)) != 0 && link != walk->behind) {
        const struct dp_skiplist_multi_record *record = &walk->records[number];
        int64_t price_nanos = dp_load_acquire(&record->price_nanos); /* as in read_record() */
        uint64_t onward = dp_load_acquire(links + number * stride);
        DP_PREFETCH(&walk->records[dp_skiplist_multi_target(onward)]);
        if (!is_of_life(record, link))
            return false;
        /* What is marked is passed over but never stood on: it may lead past newer levels. */
        if (onward & DP_SKIPLIST_MULTI_MARK) {
            link = onward & ~DP_SKIPLIST_MULTI_MARK;
            continue;
        }
        if (dp_skiplist_multi_rank(walk->list, price_nanos) >= walk->rank)
            break;
        walk->before = link;
        link = onward;
    }
    walk->behind = link;
    return true;
}

/* The link at height 0 before the first level at or behind a rank. False when a record changed its
 * life on the way. */
static bool try_seek(
    const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank, uint64_t *found)
{
    const struct dp_skiplist_multi_tower *towers =
        dp_skiplist_multi_at(multi, multi->towers_offset);
    const _Atomic uint64_t *head = multi->lists[list].head;
    struct walk walk = {.records = dp_skiplist_multi_record(multi, 0), .list = list, .rank = rank};
    uint32_t height = DP_SKIPLIST_MULTI_HEIGHT_MAX;
    while (height > 1 && dp_load_relaxed(&head[height - 1]) == 0)
        height--;
    for (; height-- > DP_SKIPLIST_MULTI_LOW;)
        if (!walk_height(&walk, &head[height], &towers->links[height - DP_SKIPLIST_MULTI_LOW],
                sizeof(*towers) / sizeof(uint64_t)))
            return false;
    for (height++; height-- > 0;)
        if (!walk_height(&walk, &head[height], &walk.records->links[height],
                sizeof(*walk.records) / sizeof(uint64_t)))
            return false;
    *found = walk.behind;
    return true;
}

static uint64_t seek(const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank)
{
    uint64_t link;
    while (!try_seek(multi, list, rank, &link))
        ; /* a writer took a level out, put one in and came back to the same record */
    return link;
}

bool dp_skiplist_multi_find(const struct dp_skiplist_multi *multi, uint32_t list,
    int64_t price_nanos, struct dp_skiplist_multi_level *level)
{
    int64_t rank = dp_skiplist_multi_rank(list, price_nanos);
    struct reading reading;
    uint64_t link;
    do {
        link = seek(multi, list, rank);
        if (dp_skiplist_multi_target(link) == 0)
            return false;
    } while (!read_record(multi, link, &reading));
    if (reading.price_nanos != price_nanos || reading.amount & DP_SKIPLIST_MULTI_CLOSED)
        return false;
    *level = dp_skiplist_multi_view(reading.price_nanos, reading.amount);
    return true;
}

struct dp_skiplist_multi_cursor dp_skiplist_multi_begin(
    const struct dp_skiplist_multi *multi, uint32_t list)
{
    /* Acquire: pairs with the release in insert; the level behind the link is filled in. */
    return (struct dp_skiplist_multi_cursor){
        .multi = multi, .list = list, .link = dp_load_acquire(&multi->lists[list].head[0])};
}

bool dp_skiplist_multi_next(
    struct dp_skiplist_multi_cursor *cursor, struct dp_skiplist_multi_level *level)
{
    while (dp_skiplist_multi_target(cursor->link) != 0) {
        struct reading reading;
        if (!read_record(cursor->multi, cursor->link, &reading)) {
            /* From the top, behind the last level given out. */
            cursor->link =
                seek(cursor->multi, cursor->list, cursor->has_rank ? cursor->rank + 1 : INT64_MIN);
            continue;
        }
        cursor->link = reading.onward & ~DP_SKIPLIST_MULTI_MARK;
        if (reading.amount & DP_SKIPLIST_MULTI_CLOSED)
            continue;
        cursor->rank = dp_skiplist_multi_rank(cursor->list, reading.price_nanos);
        cursor->has_rank = true;
        *level = dp_skiplist_multi_view(reading.price_nanos, reading.amount);
        return true;
    }
    return false;
}

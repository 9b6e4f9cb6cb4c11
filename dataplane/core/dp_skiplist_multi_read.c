/* What any reader may do, without an epoch: every record is checked after it was read. */
#include "dp_skiplist_multi_layout.h"

/* A record under a link, at one height. */
struct reading {
    int64_t price_nanos;
    uint64_t amount;
    uint64_t onward; /* its link, with the mark */
};

/* False when the record has begun another life since it was linked there. */
static bool read_record(const struct dp_skiplist_multi *multi, uint32_t list, uint64_t link,
    uint32_t height, struct reading *reading)
{
    uint32_t number = dp_skiplist_multi_target(link);
    if (number > multi->capacity)
        return false;
    const struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
    /* Acquire, each: pairs with the releases in begin_life() and later. The generation is loaded
     * after them, so that it is the new one when any of them is of the new life; acquire as well,
     * so that the next try sees the former life unlinked. */
    reading->price_nanos = dp_load_acquire(&record->price_nanos);
    reading->amount = dp_load_acquire(&record->amount);
    reading->onward = dp_load_acquire(dp_skiplist_multi_link(multi, list, number, height));
    return dp_load_acquire(&record->generation) == link >> DP_SKIPLIST_MULTI_GENERATION_SHIFT;
}

/* The link at height 0 before the first level at or behind a rank. False when a record changed its
 * life on the way. */
static bool try_seek(
    const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank, uint64_t *found)
{
    uint64_t before = 0; /* the link that led to the record we stand on; 0: the head */
    for (uint32_t height = DP_SKIPLIST_MULTI_HEIGHT_MAX; height-- > 0;) {
        struct reading reading = {.onward = dp_load_acquire(&multi->lists[list].head[height])};
        if (before != 0 && !read_record(multi, list, before, height, &reading))
            return false;
        uint64_t link = reading.onward & ~DP_SKIPLIST_MULTI_MARK;
        while (dp_skiplist_multi_target(link) != 0) {
            if (!read_record(multi, list, link, height, &reading))
                return false;
            /* What is marked is passed over but never stood on: it may lead past newer levels. */
            bool is_marked = (reading.onward & DP_SKIPLIST_MULTI_MARK) != 0;
            if (!is_marked && dp_skiplist_multi_rank(list, reading.price_nanos) >= rank)
                break;
            if (!is_marked)
                before = link;
            link = reading.onward & ~DP_SKIPLIST_MULTI_MARK;
        }
        *found = link;
    }
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
    } while (!read_record(multi, list, link, 0, &reading));
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
        if (!read_record(cursor->multi, cursor->list, cursor->link, 0, &reading)) {
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

/* The changes: search, insert, change, remove. The argument stands in the header. */
#include "dp_skiplist_multi_layout.h"

/* At each height the last link before a rank, and what it was when it was read. */
struct path {
    _Atomic uint64_t *links[DP_SKIPLIST_MULTI_HEIGHT_MAX];
    uint64_t words[DP_SKIPLIST_MULTI_HEIGHT_MAX];
};

static int64_t rank_of(const struct dp_skiplist_multi *multi, uint32_t list, uint32_t number)
{
    /* Relaxed: the link that led here was acquired, and the price does not change in a life. */
    return dp_skiplist_multi_rank(
        list, dp_load_relaxed(&dp_skiplist_multi_record(multi, number)->price_nanos));
}

/* One height of a search, from record *before on. Unlinks what is marked; false when *before is
 * marked itself. */
static bool search_height(const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank,
    uint32_t height, uint32_t *before, struct path *path)
{
    _Atomic uint64_t *at = dp_skiplist_multi_link(multi, list, *before, height);
    uint64_t word = dp_load_acquire(at); /* pairs with the release of who linked what is next */
    for (;;) {
        if (word & DP_SKIPLIST_MULTI_MARK)
            return false;
        uint32_t next = dp_skiplist_multi_target(word);
        if (next == 0)
            break;
        _Atomic uint64_t *link = dp_skiplist_multi_link(multi, list, next, height);
        uint64_t onward = dp_load_acquire(link);
        DP_PREFETCH(dp_skiplist_multi_record(multi, dp_skiplist_multi_target(onward)));
        if (onward & DP_SKIPLIST_MULTI_MARK) {
            onward &= ~DP_SKIPLIST_MULTI_MARK;
            /* Release: hands on what lies behind; acquire: for the next one, when it fails. */
            if (dp_cas_acq_rel(at, &word, onward))
                word = onward;
            continue;
        }
        if (rank_of(multi, list, next) >= rank)
            break;
        *before = next;
        at = link;
        word = onward;
    }
    path->links[height] = at;
    path->words[height] = word;
    return true;
}

/* Fills in the path to a rank; the level of that rank, or 0. */
static uint32_t search(
    const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank, struct path *path)
{
    uint32_t before = 0;
    for (uint32_t height = DP_SKIPLIST_MULTI_HEIGHT_MAX; height-- > 0;)
        if (!search_height(multi, list, rank, height, &before, path)) {
            before = 0;
            height = DP_SKIPLIST_MULTI_HEIGHT_MAX; /* from the top again */
        }
    uint32_t number = dp_skiplist_multi_target(path->words[0]);
    return number != 0 && rank_of(multi, list, number) == rank ? number : 0;
}

uint32_t dp_skiplist_multi_search(
    const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank)
{
    struct path path;
    return search(multi, list, rank, &path);
}

/* ---- taking out ---- */

void dp_skiplist_multi_mark(const struct dp_skiplist_multi *multi, uint32_t number)
{
    const struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
    /* Release: who sees the mark, and unlinks, hands on that the level is closed. */
    for (uint32_t height = record->height; height-- > 0;)
        dp_fetch_or_release(
            dp_skiplist_multi_link(multi, record->list, number, height), DP_SKIPLIST_MULTI_MARK);
}

/* Unlinks a marked record at all its heights where the path still leads to it. False when it does
 * not at one of them: a search will find it. */
static bool unlink_by_path(
    const struct dp_skiplist_multi *multi, uint32_t number, const struct path *path)
{
    const struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
    for (uint32_t height = record->height; height-- > 0;) {
        uint64_t word = path->words[height];
        uint64_t onward =
            dp_load_acquire(dp_skiplist_multi_link(multi, record->list, number, height));
        /* Release: hands on what lies behind, as in search_height(). */
        if (dp_skiplist_multi_target(word) != number ||
            !dp_cas_release(path->links[height], &word, onward & ~DP_SKIPLIST_MULTI_MARK))
            return false;
    }
    return true;
}

/* Who changes the claim to LIMBO keeps the record; at most one does. path: of a search that found
 * it, or NULL. */
static void finish(
    struct dp_skiplist_multi_writer *writer, uint32_t number, const struct path *path)
{
    const struct dp_skiplist_multi *multi = writer->multi;
    struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
    int64_t rank = rank_of(multi, record->list, number);
    uint32_t mine = dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_LIMBO, writer->slot);

    dp_skiplist_multi_mark(multi, number);
    /* Acquire: LIVE says that all its heights were linked before; the search will find them. */
    uint32_t claim = dp_load_acquire(&record->claim);
    if (dp_skiplist_multi_state(claim) == DP_SKIPLIST_MULTI_TAKEN) {
        uint32_t doomed =
            dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_DOOMED, dp_skiplist_multi_slot(claim));
        /* Release: who inserted it sees the marks; acquire: when it is LIVE by now, as above. */
        if (dp_cas_acq_rel(&record->claim, &claim, doomed))
            claim = doomed;
    }
    if (path == NULL || !unlink_by_path(multi, number, path))
        dp_skiplist_multi_search(multi, record->list, rank);
    if (dp_skiplist_multi_state(claim) == DP_SKIPLIST_MULTI_LIVE &&
        dp_cas_relaxed(&record->claim, &claim, mine))
        dp_skiplist_multi_retire(writer, number);
}

void dp_skiplist_multi_finish(struct dp_skiplist_multi_writer *writer, uint32_t number)
{
    finish(writer, number, NULL);
}

static bool is_closed(const struct dp_skiplist_multi_record *record)
{
    return (dp_load_relaxed(&record->amount) & DP_SKIPLIST_MULTI_CLOSED) != 0;
}

/* ---- inserting ---- */

/* One level in four reaches each next height; see dp_skiplist.c for the generator. */
static uint32_t draw_height(struct dp_skiplist_multi_writer *writer)
{
    writer->random = writer->random * 1664525u + 1013904223u;
    uint32_t bits = writer->random | 1u << (31 - 2 * (DP_SKIPLIST_MULTI_HEIGHT_MAX - 1));
    return 1 + (uint32_t)__builtin_clz(bits) / 2;
}

static uint64_t link_to(const struct dp_skiplist_multi *multi, uint32_t number)
{
    uint64_t generation = dp_load_relaxed(&dp_skiplist_multi_record(multi, number)->generation);
    return generation << DP_SKIPLIST_MULTI_GENERATION_SHIFT | number;
}

/* A spare's new life, not linked yet. The generation goes first: who read anything of the new life
 * (all releases) sees that it is another one. */
static void begin_life(struct dp_skiplist_multi_writer *writer, uint32_t number, uint32_t list,
    int64_t price_nanos, uint64_t amount)
{
    struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(writer->multi, number);
    uint32_t generation = (dp_load_relaxed(&record->generation) + 1) & INT32_MAX;
    /* Release: a reader that comes across it searches again, and finds the former life unlinked. */
    dp_store_release(&record->generation, generation);
    dp_store_release(&record->price_nanos, price_nanos);
    dp_store_release(&record->amount, amount);
    record->list = (uint16_t)list;
    record->height = (uint16_t)draw_height(writer);
}

static void lead_on(const struct dp_skiplist_multi *multi, uint32_t number, const struct path *path)
{
    const struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
    /* Release: as in begin_life(), and who follows it finds the level behind filled in. */
    for (uint32_t height = 0; height < record->height; height++)
        dp_store_release(
            dp_skiplist_multi_link(multi, record->list, number, height), path->words[height]);
}

/* False when the level was marked: it is gone, or going. */
static bool link_height(const struct dp_skiplist_multi *multi, uint32_t number, uint32_t height,
    int64_t rank, struct path *path)
{
    uint32_t list = dp_skiplist_multi_record(multi, number)->list;
    _Atomic uint64_t *link = dp_skiplist_multi_link(multi, list, number, height);
    uint64_t own = dp_load_relaxed(link);
    for (;;) {
        uint32_t next = dp_skiplist_multi_target(path->words[height]);
        /* The only other one to change our link is who marks it. Relaxed: nobody comes by it before
         * it is linked at this height, which is a release. */
        if (own & DP_SKIPLIST_MULTI_MARK ||
            (own != path->words[height] && !dp_cas_relaxed(link, &own, path->words[height])))
            return false;
        own = path->words[height];
        /* Never before an equal rank: an earlier life of this price is on its way out. */
        if ((next == 0 || rank_of(multi, list, next) != rank) &&
            dp_cas_release(path->links[height], &path->words[height], link_to(multi, number)))
            return true;
        if (search(multi, list, rank, path) != number)
            return false;
    }
}

/* The heights above 0, then the claim. */
static void link_above(
    struct dp_skiplist_multi_writer *writer, uint32_t number, int64_t rank, struct path *path)
{
    const struct dp_skiplist_multi *multi = writer->multi;
    struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
    uint32_t height = 1;
    while (height < record->height && link_height(multi, number, height, rank, path))
        height++;
    uint32_t claim = dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_TAKEN, writer->slot);
    uint32_t live = dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_LIVE, 0);
    /* Release: who finds it LIVE finds all its links. Acquire: DOOMED, so its marks are seen. */
    if (dp_cas_acq_rel(&record->claim, &claim, live))
        return;
    dp_skiplist_multi_search(multi, record->list, rank);
    dp_store_relaxed(
        &record->claim, dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_LIMBO, writer->slot));
    dp_skiplist_multi_retire(writer, number);
}

static enum dp_skiplist_multi_result insert_inside(
    struct dp_skiplist_multi_writer *writer, uint32_t list, int64_t price_nanos, uint64_t amount)
{
    const struct dp_skiplist_multi *multi = writer->multi;
    int64_t rank = dp_skiplist_multi_rank(list, price_nanos);
    uint32_t number = 0;
    for (;;) {
        struct path path;
        uint32_t found = search(multi, list, rank, &path);
        if (found != 0 && !is_closed(dp_skiplist_multi_record(multi, found))) {
            if (number != 0)
                dp_skiplist_multi_give(writer, number);
            return DP_SKIPLIST_MULTI_EXISTS;
        }
        if (found != 0) {
            dp_skiplist_multi_finish(writer, found);
            continue;
        }
        if (number == 0) {
            number = dp_skiplist_multi_take(writer);
            begin_life(writer, number, list, price_nanos, amount);
        }
        lead_on(multi, number, &path);
        /* Relaxed: before it is linked only an heir asks for it, after all that we did. */
        dp_store_relaxed(&dp_skiplist_multi_record(multi, number)->claim,
            dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_TAKEN, writer->slot));
        /* Release: who follows the link finds the level filled in. */
        if (dp_cas_release(path.links[0], &path.words[0], link_to(multi, number))) {
            link_above(writer, number, rank, &path);
            return DP_SKIPLIST_MULTI_OK;
        }
    }
}

enum dp_skiplist_multi_result dp_skiplist_multi_insert(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, uint64_t qty, uint32_t order_count)
{
    DP_CHECK(list < writer->multi->list_count);
    if (qty > DP_SKIPLIST_MULTI_QTY_MAX || order_count > DP_SKIPLIST_MULTI_ORDERS_MAX)
        return DP_SKIPLIST_MULTI_RANGE;
    if (DP_UNLIKELY(!dp_skiplist_multi_stock(writer)))
        return DP_SKIPLIST_MULTI_FULL;
    uint64_t amount = (uint64_t)order_count << DP_SKIPLIST_MULTI_ORDERS_SHIFT | qty;
    dp_epoch_enter(writer->epoch, writer->slot);
    enum dp_skiplist_multi_result result = insert_inside(writer, list, price_nanos, amount);
    dp_epoch_exit(writer->epoch, writer->slot);
    dp_skiplist_multi_tidy(writer);
    return result;
}

/* ---- changing and removing: the amount's next word ---- */

struct step {
    int64_t qty_change;
    int32_t order_change;
    bool closes;
    bool if_empty;
};

static enum dp_skiplist_multi_result next_amount(
    uint64_t amount, const struct step *step, uint64_t *next)
{
    struct dp_skiplist_multi_level level = dp_skiplist_multi_view(0, amount);
    if (step->if_empty && level.order_count != 0)
        return DP_SKIPLIST_MULTI_IN_USE;
    uint64_t qty = level.qty + (uint64_t)step->qty_change;
    uint64_t order_count = level.order_count + (uint64_t)(int64_t)step->order_change;
    if (qty > DP_SKIPLIST_MULTI_QTY_MAX || order_count > DP_SKIPLIST_MULTI_ORDERS_MAX)
        return DP_SKIPLIST_MULTI_RANGE;
    *next = qty | order_count << DP_SKIPLIST_MULTI_ORDERS_SHIFT |
        (step->closes ? DP_SKIPLIST_MULTI_CLOSED : 0);
    return DP_SKIPLIST_MULTI_OK;
}

static enum dp_skiplist_multi_result change_inside(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, const struct step *step, uint64_t *amount)
{
    struct path path;
    uint32_t number = search(writer->multi, list, dp_skiplist_multi_rank(list, price_nanos), &path);
    if (number == 0)
        return DP_SKIPLIST_MULTI_NONE;
    struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(writer->multi, number);
    *amount = dp_load_relaxed(&record->amount);
    for (;;) {
        uint64_t next;
        if (*amount & DP_SKIPLIST_MULTI_CLOSED)
            return DP_SKIPLIST_MULTI_NONE;
        enum dp_skiplist_multi_result result = next_amount(*amount, step, &next);
        if (result != DP_SKIPLIST_MULTI_OK)
            return result;
        /* Relaxed: whoever reads it acquires what begin_life() released, by the release sequence.
         */
        if (dp_cas_relaxed(&record->amount, amount, next))
            break;
    }
    if (step->closes)
        finish(writer, number, &path);
    return DP_SKIPLIST_MULTI_OK;
}

static enum dp_skiplist_multi_result change(struct dp_skiplist_multi_writer *writer, uint32_t list,
    int64_t price_nanos, const struct step *step, uint64_t *amount)
{
    DP_CHECK(list < writer->multi->list_count);
    dp_epoch_enter(writer->epoch, writer->slot);
    enum dp_skiplist_multi_result result = change_inside(writer, list, price_nanos, step, amount);
    dp_epoch_exit(writer->epoch, writer->slot);
    dp_skiplist_multi_tidy(writer);
    return result;
}

enum dp_skiplist_multi_result dp_skiplist_multi_change(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, int64_t qty_change, int32_t order_change)
{
    uint64_t amount;
    struct step step = {.qty_change = qty_change, .order_change = order_change};
    return change(writer, list, price_nanos, &step, &amount);
}

enum dp_skiplist_multi_result dp_skiplist_multi_remove(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, struct dp_skiplist_multi_level *last)
{
    uint64_t amount = 0;
    struct step step = {.closes = true};
    enum dp_skiplist_multi_result result = change(writer, list, price_nanos, &step, &amount);
    if (result == DP_SKIPLIST_MULTI_OK)
        *last = dp_skiplist_multi_view(price_nanos, amount);
    return result;
}

enum dp_skiplist_multi_result dp_skiplist_multi_remove_empty(
    struct dp_skiplist_multi_writer *writer, uint32_t list, int64_t price_nanos)
{
    uint64_t amount;
    struct step step = {.closes = true, .if_empty = true};
    return change(writer, list, price_nanos, &step, &amount);
}

/* dp_skiplist_multi: writers beside writers, readers beside writers, and deaths. */
#include "prove.h"

#include "dp_skiplist_multi_layout.h"

#define CAPACITY 3u
#define SLOTS 3u
#define ASKS 1u

static alignas(DP_CACHE_LINE) unsigned char memory[1024];
static alignas(DP_CACHE_LINE) unsigned char epoch_memory[512];
static struct dp_skiplist_multi *const multi = (struct dp_skiplist_multi *)(void *)memory;
static struct dp_epoch *const epoch = (struct dp_epoch *)(void *)epoch_memory;
static struct dp_skiplist_multi_writer writers[SLOTS];
/* What each thread did: how often it put the level of 10 in and took it out, and the quantity that
 * it brought in, less what it took out. */
static int inserted[SLOTS], removed[SLOTS];
static int64_t brought[SLOTS];
static bool has_left[SLOTS];

/* ---- what threads do ---- */

static struct dp_skiplist_multi_writer *self(void)
{
    return &writers[prove_self()];
}

/* The next level that this writer puts in shall have that height. */
static void let_height_be(struct dp_skiplist_multi_writer *writer, uint32_t height)
{
    while ((writer->random * 1664525u + 1013904223u) >> 30 != (height > 1 ? 0 : 3))
        writer->random++;
}

static enum dp_skiplist_multi_result insert(
    struct dp_skiplist_multi_writer *writer, int64_t price_nanos, uint32_t height)
{
    let_height_be(writer, height);
    return dp_skiplist_multi_insert(
        writer, ASKS, price_nanos, (uint64_t)price_nanos, (uint32_t)price_nanos);
}

static void insert_here(int64_t price_nanos, uint32_t height)
{
    if (insert(self(), price_nanos, height) == DP_SKIPLIST_MULTI_OK && price_nanos == 10) {
        inserted[prove_self()]++;
        brought[prove_self()] += 10;
    }
}

static void remove_here(int64_t price_nanos)
{
    struct dp_skiplist_multi_level last;
    if (dp_skiplist_multi_remove(self(), ASKS, price_nanos, &last) == DP_SKIPLIST_MULTI_OK &&
        price_nanos == 10) {
        PROVE_EQUAL(last.order_count, last.qty);
        removed[prove_self()]++;
        brought[prove_self()] -= (int64_t)last.qty;
    }
}

static void insert_ten(void)
{
    insert_here(10, 1);
}

static void insert_high_ten(void)
{
    insert_here(10, 2);
}

static void insert_high_fifteen(void)
{
    insert_here(15, 2);
}

static void remove_ten(void)
{
    remove_here(10);
}

static void replace_ten(void)
{
    remove_here(10);
    insert_here(10, 2);
}

static void change_ten(void)
{
    if (dp_skiplist_multi_change(self(), ASKS, 10, 3, 3) == DP_SKIPLIST_MULTI_OK)
        brought[prove_self()] += 3;
}

/* ---- the start ---- */

static void setup_empty(void)
{
    struct dp_err err;
    PROVE(dp_skiplist_multi_size(2, CAPACITY) <= sizeof(memory));
    PROVE(dp_epoch_size(SLOTS) <= sizeof(epoch_memory));
    memset(memory, 0, sizeof(memory));
    memset(epoch_memory, 0, sizeof(epoch_memory));
    memset(inserted, 0, sizeof(inserted));
    memset(removed, 0, sizeof(removed));
    memset(brought, 0, sizeof(brought));
    memset(has_left, 0, sizeof(has_left));
    dp_epoch_init(epoch, SLOTS);
    PROVE_EQUAL(dp_skiplist_multi_init(multi, 2, CAPACITY, &err), 0);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        PROVE(dp_skiplist_multi_join(&writers[slot], multi, epoch, slot + 1));
}

static void setup_ten(void)
{
    setup_empty();
    PROVE_EQUAL(insert(&writers[2], 10, 1), DP_SKIPLIST_MULTI_OK);
    inserted[2] = 1;
    brought[2] = 10;
}

static void setup_high_ten(void)
{
    setup_empty();
    PROVE_EQUAL(insert(&writers[2], 10, 2), DP_SKIPLIST_MULTI_OK);
    inserted[2] = 1;
    brought[2] = 10;
}

static void setup_ten_and_twenty(void)
{
    setup_high_ten();
    PROVE_EQUAL(insert(&writers[2], 20, 1), DP_SKIPLIST_MULTI_OK);
}

/* One record is left. */
static void setup_almost_full(void)
{
    setup_empty();
    PROVE_EQUAL(insert(&writers[2], 20, 1), DP_SKIPLIST_MULTI_OK);
    PROVE_EQUAL(insert(&writers[2], 30, 1), DP_SKIPLIST_MULTI_OK);
}

/* ---- the end ---- */

static bool is_claimed(uint32_t number, enum dp_skiplist_multi_state state)
{
    return dp_skiplist_multi_state(
               dp_load_relaxed(&dp_skiplist_multi_record(multi, number)->claim)) == state;
}

/* Ordered, live, whole; how many at a height. */
static uint32_t check_height(uint32_t height)
{
    int64_t last = 0;
    uint32_t count = 0;
    uint64_t link = dp_load_relaxed(&multi->lists[ASKS].head[height]);
    for (; dp_skiplist_multi_target(link) != 0; count++) {
        uint32_t number = dp_skiplist_multi_target(link);
        const struct dp_skiplist_multi_record *record = dp_skiplist_multi_record(multi, number);
        PROVE(dp_load_relaxed(&record->generation) == link >> DP_SKIPLIST_MULTI_GENERATION_SHIFT);
        PROVE(is_claimed(number, DP_SKIPLIST_MULTI_LIVE));
        PROVE((dp_load_relaxed(&record->amount) & DP_SKIPLIST_MULTI_CLOSED) == 0);
        PROVE(record->height > height);
        PROVE(dp_load_relaxed(&record->price_nanos) > last);
        last = dp_load_relaxed(&record->price_nanos);
        /* Only the level of 10 is ever changed. */
        uint64_t amount = dp_load_relaxed(&record->amount);
        PROVE(last == 10 || dp_skiplist_multi_view(last, amount).qty == (uint64_t)last);
        link = dp_load_relaxed(dp_skiplist_multi_link(multi, ASKS, number, height));
        PROVE((link & DP_SKIPLIST_MULTI_MARK) == 0);
    }
    return count;
}

/* Every live record is in the list, at all its heights unless its writer died. */
static void check_structure(bool is_whole)
{
    uint32_t counts[2] = {check_height(0), check_height(1)};
    uint32_t live[2] = {0, 0};
    for (uint32_t number = 1; number <= CAPACITY; number++) {
        if (!is_claimed(number, DP_SKIPLIST_MULTI_LIVE))
            continue;
        live[0]++;
        live[1] += dp_skiplist_multi_record(multi, number)->height > 1;
    }
    PROVE_EQUAL(counts[0], live[0]);
    PROVE(is_whole ? counts[1] == live[1] : counts[1] <= live[1]);
}

/* As often in as out, and the level is there or not accordingly, with what is left. */
static void check_sums(void)
{
    int64_t in = 0, qty = 0;
    struct dp_skiplist_multi_level level = {0};
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        in += inserted[slot] - removed[slot];
        qty += brought[slot];
    }
    PROVE_EQUAL(dp_skiplist_multi_find(multi, ASKS, 10, &level), in);
    PROVE_EQUAL(level.qty, qty);
    PROVE_EQUAL(level.order_count, qty);
}

/* All writers leave; every record that is not live is free. */
static void check_leaks(uint32_t gone)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (slot != gone && !has_left[slot])
            PROVE(dp_skiplist_multi_leave(&writers[slot]));
    for (uint32_t number = 1; number <= CAPACITY; number++)
        PROVE(is_claimed(number, DP_SKIPLIST_MULTI_LIVE) ||
            is_claimed(number, DP_SKIPLIST_MULTI_FREE));
}

static void check_all(void)
{
    check_structure(true);
    check_sums();
    check_leaks(SLOTS);
}

/* ---- readers ---- */

/* Prices get worse, amounts are whole, and 20 is there all the time. */
static void walk(void)
{
    struct dp_skiplist_multi_cursor cursor = dp_skiplist_multi_begin(multi, ASKS);
    struct dp_skiplist_multi_level level;
    int64_t last = 0;
    bool has_twenty = false;
    while (dp_skiplist_multi_next(&cursor, &level)) {
        PROVE(level.price_nanos > last);
        has_twenty |= level.price_nanos == 20;
        PROVE_EQUAL(level.qty, level.price_nanos);
        PROVE_EQUAL(level.order_count, level.price_nanos);
        last = level.price_nanos;
    }
    PROVE(has_twenty);
}

static void find_twenty(void)
{
    struct dp_skiplist_multi_level level;
    PROVE(dp_skiplist_multi_find(multi, ASKS, 20, &level));
    PROVE_EQUAL(level.price_nanos, 20);
    PROVE_EQUAL(level.qty, 20);
}

/* What is found once inserted is found again. */
static void find_fifteen_twice(void)
{
    struct dp_skiplist_multi_level level;
    bool first = dp_skiplist_multi_find(multi, ASKS, 15, &level);
    PROVE(!first || level.qty == 15);
    bool second = dp_skiplist_multi_find(multi, ASKS, 15, &level);
    PROVE(!second || level.qty == 15);
    PROVE(second || !first);
}

/* Takes 10 out and puts 15 in, in the same record: the others are taken. */
static void recycle_ten(void)
{
    remove_here(10);
    insert_here(15, 2);
}

/* The same, but behind 20: the new life leads past it. */
static void recycle_ten_behind(void)
{
    remove_here(10);
    insert_here(25, 1);
}

/* A high level behind 20 comes back before it. */
static void recycle_forty(void)
{
    remove_here(40);
    insert_here(10, 2);
}

static void insert_then_remove(void)
{
    insert_here(15, 1);
    remove_here(10);
}

static void insert_thirty(void)
{
    insert_here(30, 1);
}

/* Leaves its record to anybody. */
static void insert_and_leave(void)
{
    insert_here(10, 1);
    remove_here(10);
    has_left[prove_self()] = dp_skiplist_multi_leave(self());
}

static void insert_and_remove(void)
{
    insert_here(10, 2);
    remove_here(10);
}

static void setup_forty(void)
{
    setup_empty();
    PROVE_EQUAL(insert(&writers[2], 20, 1), DP_SKIPLIST_MULTI_OK);
    PROVE_EQUAL(insert(&writers[2], 40, 2), DP_SKIPLIST_MULTI_OK);
    PROVE_EQUAL(insert(&writers[2], 50, 1), DP_SKIPLIST_MULTI_OK);
}

static void setup_full(void)
{
    setup_ten_and_twenty();
    PROVE_EQUAL(insert(&writers[2], 30, 1), DP_SKIPLIST_MULTI_OK);
}

static void find_fifteen(void)
{
    struct dp_skiplist_multi_level level;
    if (dp_skiplist_multi_find(multi, ASKS, 15, &level))
        PROVE_EQUAL(level.qty, 15);
}

static void remove_and_find(void)
{
    remove_here(10);
    find_fifteen();
}

/* ---- deaths ---- */

static bool is_dead(void *context, uint64_t owner)
{
    (void)context;
    return prove_is_dead((uint32_t)owner - 1);
}

static void recover(void)
{
    dp_skiplist_multi_recover(self(), 0, is_dead, NULL);
}

/* Dies having done nothing, or ends. */
static void idle(void)
{
    prove_pause();
}

static void remove_and_recover(void)
{
    remove_here(10);
    recover();
}

/* Puts what it has recovered to another use. */
static void remove_recover_insert(void)
{
    remove_here(10);
    recover();
    insert_here(15, 1);
}

/* Thread 0 died or ended; whoever is left has recovered, or does it now. */
static void check_after_death(void)
{
    bool died = prove_is_dead(0);
    if (died)
        dp_skiplist_multi_recover(&writers[2], 0, is_dead, NULL);
    check_structure(!died);
    if (!died)
        check_sums();
    check_leaks(died ? 0 : SLOTS);
}

#define WRITERS(what, start, ...) \
    .name = what, .setup = start, .threads = {__VA_ARGS__}, .finally = check_all
#define MORTAL(what, start, ...) \
    .name = what, .setup = start, .threads = {__VA_ARGS__}, .finally = check_after_death, \
    .mortal = 1

static const struct prove_case cases[] = {
    {WRITERS("two insert the same", setup_empty, insert_high_ten, insert_ten)},
    {WRITERS("two remove the same", setup_high_ten, remove_ten, remove_ten)},
    {WRITERS("one changes, one removes", setup_ten, change_ten, remove_ten)},
    {WRITERS(
        "one removes, one inserts behind it", setup_high_ten, remove_ten, insert_high_fifteen)},
    {WRITERS("one inserts, one removes it", setup_empty, insert_high_ten, remove_ten)},
    {WRITERS("a change beside a new life", setup_full, recycle_ten_behind, change_ten)},
    {.name = "a walk beside a new life", .setup = setup_full, .threads = {recycle_ten, walk}},
    {.name = "a walk beside a new life behind",
        .setup = setup_full,
        .threads = {recycle_ten_behind, walk}},
    {.name = "a search beside a new life",
        .setup = setup_ten_and_twenty,
        .threads = {recycle_ten, find_twenty}},
    {.name = "a search beside a new life behind",
        .setup = setup_full,
        .threads = {recycle_ten_behind, find_twenty}},
    {.name = "a search beside a new life before",
        .setup = setup_forty,
        .threads = {recycle_forty, find_twenty}},
    {.name = "what is behind a removed one is found",
        .setup = setup_high_ten,
        .threads = {insert_high_fifteen, remove_and_find}},
    {.name = "found once, found again",
        .setup = setup_high_ten,
        .threads = {recycle_ten, find_fifteen_twice}},
    {MORTAL("an heir beside others", setup_empty, idle, insert_and_remove, recover),
        .preemptions_max = 2},
    {MORTAL("an inserter dies", setup_empty, insert_high_ten, recover)},
    {MORTAL("a remover dies", setup_high_ten, remove_ten, recover)},
    {MORTAL("an inserter dies beside a remover", setup_empty, insert_high_ten, remove_and_recover)},
    {MORTAL("an inserter dies, one removes, one recovers", setup_empty, insert_high_ten, remove_ten,
         recover),
        .preemptions_max = 2, .is_long = true},
    {WRITERS("one replaces, one removes", setup_high_ten, replace_ten, remove_ten),
        .is_long = true},
    {WRITERS("one inserts, one removes, one inserts again", setup_empty, insert_high_ten,
         remove_ten, insert_high_ten),
        .preemptions_max = 2, .stale_max = 1, .is_long = true},
    {WRITERS("a record changes hands", setup_almost_full, insert_and_leave, insert_high_fifteen),
        .preemptions_max = 2, .is_long = true},
    {.name = "the same when another one unlinks it",
        .setup = setup_ten,
        .threads = {insert_then_remove, insert_thirty, find_fifteen},
        .preemptions_max = 2,
        .is_long = true},
    {MORTAL("a change beside what an heir frees", setup_almost_full, insert_high_ten, change_ten,
         remove_recover_insert),
        .preemptions_max = 2, .stale_max = 1, .is_long = true},
};

#define BY_FENCE \
    "the fence on entering the epoch does as much; the reader's argument needs no epoch"

static const struct prove_spared spared[] = {
    {NULL, "dp_epoch.h", "by prove_epoch"},
    {NULL, "dp_epoch.c", "by prove_epoch"},
    {"begin_life", "&record->generation", BY_FENCE},
    {"begin_life", "&record->price_nanos", BY_FENCE},
    {"settle_taken", "&record->claim", BY_FENCE},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), spared,
        sizeof(spared) / sizeof(spared[0]));
}

/* dp_skiplist: a reader beside the writer of a book's side. */
#include "prove.h"

#include "dp_skiplist.h"

#define CAPACITY 3u

static alignas(DP_CACHE_LINE) unsigned char memory[1024];
static struct dp_skiplist_pool *const pool = (struct dp_skiplist_pool *)(void *)memory;
static struct dp_skiplist list;
static int64_t put_before; /* the worst price that setup() put */

static void put(int64_t price_nanos)
{
    uint32_t level = dp_skiplist_insert(&list, pool, price_nanos);
    PROVE(level != DP_SKIPLIST_NONE);
    dp_store_release(&pool->levels[level].qty, (uint64_t)price_nanos + 1);
    dp_store_release(&pool->levels[level].order_count, (uint32_t)price_nanos + 2);
}

static void take(int64_t price_nanos)
{
    uint32_t before;
    uint32_t level = dp_skiplist_seek(&list, pool, price_nanos, &before);
    PROVE(level != DP_SKIPLIST_NONE);
    dp_skiplist_remove(&list, pool, level);
}

static void setup_one(void)
{
    PROVE(dp_skiplist_pool_size(CAPACITY) <= sizeof(memory));
    memset(memory, 0, sizeof(memory));
    memset(&list, 0, sizeof(list));
    dp_skiplist_pool_init(pool, CAPACITY);
    dp_skiplist_init(&list, DP_SIDE_SELL, 1);
    put(10);
    put_before = 10;
}

/* Whoever finds 5 first may find it empty, so nothing is said of 10 either. */
static void setup_one_unsaid(void)
{
    setup_one();
    put_before = 0;
}

static void setup_two(void)
{
    setup_one();
    put(20);
    put_before = 20;
}

/* Record 1 goes and comes back at a worse price: its old links and fields are read in between. */
static void recycle(void)
{
    take(10);
    put(30);
}

static void insert_and_remove(void)
{
    put(25);
    take(25);
}

static void insert_best(void)
{
    put(5);
}

/* The link past 10 leads to a level that no link before it led to. */
static void replace(void)
{
    put(20);
    take(10);
}

/* A level has nothing between its insertion and the first stores to its fields; those of setup()
 * are past that. */
static void check_fields(const struct dp_skiplist_reading *reading)
{
    bool may_be_empty = reading->price_nanos > put_before;
    uint64_t price = (uint64_t)reading->price_nanos;
    PROVE((may_be_empty && reading->qty == 0) || reading->qty == price + 1);
    PROVE((may_be_empty && reading->order_count == 0) || reading->order_count == price + 2);
}

/* Every level that is called whole belongs to one life, and prices get worse. */
static enum dp_skiplist_step walk_on(struct dp_skiplist_cursor *cursor, int64_t least)
{
    struct dp_skiplist_reading reading;
    int64_t last = 0;
    enum dp_skiplist_step step;
    while ((step = dp_skiplist_next(pool, CAPACITY, cursor, &reading)) == DP_SKIPLIST_LEVEL) {
        PROVE(reading.price_nanos > last);
        check_fields(&reading);
        last = reading.price_nanos;
    }
    PROVE(step == DP_SKIPLIST_RECYCLED || last >= least);
    return step;
}

static void walk_to_ten(void)
{
    struct dp_skiplist_cursor cursor = dp_skiplist_begin(&list);
    walk_on(&cursor, 10);
}

/* Where 20 is in the list all the time. */
static void walk_to_twenty(void)
{
    struct dp_skiplist_cursor cursor = dp_skiplist_begin(&list);
    walk_on(&cursor, 20);
}

/* Alone, a reader comes to the end. */
static void walk_alone(void)
{
    struct dp_skiplist_cursor cursor = dp_skiplist_begin(&list);
    PROVE_EQUAL(walk_on(&cursor, 10), DP_SKIPLIST_END);
}

static const struct prove_case cases[] = {
    {.name = "a record is recycled",
        .setup = setup_two,
        .threads = {recycle, walk_to_twenty},
        .finally = walk_alone},
    {.name = "a level comes and goes",
        .setup = setup_two,
        .threads = {insert_and_remove, walk_to_twenty},
        .finally = walk_alone},
    {.name = "a better level comes",
        .setup = setup_one_unsaid,
        .threads = {insert_best, walk_to_ten},
        .finally = walk_alone},
    {.name = "the only level is replaced",
        .setup = setup_one,
        .threads = {replace, walk_to_ten},
        .finally = walk_alone},
};

int main(int count, char **words)
{
    return prove_main(count, words, cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}

/*
 * Readers in threads and in another process while the writer writes. The writer keeps what every
 * reader can check: a level's quantity is its order count times a number that follows from its
 * price; bids fall, asks rise, and all bids stand below all asks.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dp_book_layout.h"

#define DEPTH 16u
#define CHANGES 200000u
#define ORDERS 64u
#define CENT 10000000ll
#define MIDDLE 1000

static const struct dp_books_config config = {2, 2 * ORDERS, 4 * ORDERS};
static _Atomic uint32_t is_done;

static struct dp_books *new_books(void)
{
    size_t size = dp_books_size(&config);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(dp_books_init(memory, &config, NULL), 0);
    dp_book_open(memory, 1, "TEST    ");
    return memory;
}

static uint64_t qty_at(int64_t price_nanos)
{
    return (uint64_t)(price_nanos / CENT);
}

static int64_t random_price(uint64_t *random, enum dp_side side)
{
    int64_t away = 1 + (int64_t)(check_random(random) % 20);
    return (side == DP_SIDE_BUY ? MIDDLE - away : MIDDLE + away) * CENT;
}

static enum dp_side side_of(uint64_t order_ref)
{
    return order_ref & 1 ? DP_SIDE_BUY : DP_SIDE_SELL;
}

static void write_changes(struct dp_books *books, uint64_t seed)
{
    uint64_t random = seed;
    for (uint32_t step = 0; step < CHANGES; step++) {
        uint64_t order_ref = check_random(&random) % ORDERS;
        int64_t price = random_price(&random, side_of(order_ref));
        struct dp_book_order_view order;
        if (!dp_book_order(books, order_ref, &order))
            dp_book_add(books, 1, order_ref, side_of(order_ref), qty_at(price), price, step);
        else if (check_random(&random) & 1)
            dp_book_remove(books, order_ref, step);
        else
            dp_book_replace(books, order_ref, order_ref + ORDERS, qty_at(price), price, step);
        /* A replaced order comes back under its first reference, so that references stay few. */
        if (dp_book_order(books, order_ref + ORDERS, &order))
            dp_book_replace(
                books, order_ref + ORDERS, order_ref, order.qty, order.price_nanos, step);
    }
}

static uint32_t bad_levels(const struct dp_book_level_view *levels, uint32_t count, int direction)
{
    uint32_t bad = 0;
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_book_level_view *level = &levels[index];
        bad += level->order_count == 0 ||
            level->qty != level->order_count * qty_at(level->price_nanos);
        bad += (level->price_nanos - MIDDLE * CENT) * direction <= 0;
        bad += index > 0 && (level->price_nanos - levels[index - 1].price_nanos) * direction <= 0;
    }
    return bad;
}

struct tally {
    uint64_t ok;
    uint64_t busy;
    uint64_t bad;
};

static void read_once(const struct dp_books *books, uint64_t *sequence, struct tally *tally)
{
    struct dp_book_level_view bids[DEPTH], asks[DEPTH];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    enum dp_book_read_result result = dp_book_read(books, 1, DEPTH, &view);
    if (result != DP_BOOK_READ_OK) {
        tally->busy++;
        return;
    }
    tally->ok++;
    tally->bad += bad_levels(bids, view.bid_count, -1) + bad_levels(asks, view.ask_count, 1);
    tally->bad += view.sequence < *sequence;
    *sequence = view.sequence;
}

static void *read_until_done(void *argument)
{
    const struct dp_books *books = argument;
    struct tally *tally = calloc(1, sizeof(*tally));
    uint64_t sequence = 0;
    while (!dp_load_acquire(&is_done) || tally->ok == 0)
        read_once(books, &sequence, tally);
    return tally;
}

static void test_threads_never_see_half_a_change(void)
{
    struct dp_books *books = new_books();
    pthread_t readers[2];
    dp_store_release(&is_done, 0);
    for (int index = 0; index < 2; index++)
        CHECK_EQUAL(pthread_create(&readers[index], NULL, read_until_done, books), 0);
    write_changes(books, 11);
    dp_store_release(&is_done, 1);
    for (int index = 0; index < 2; index++) {
        void *result;
        CHECK_EQUAL(pthread_join(readers[index], &result), 0);
        struct tally *tally = result;
        CHECK_EQUAL(tally->bad, 0);
        CHECK(tally->ok > 0);
        free(tally);
    }
    munmap(books, dp_books_size(&config));
}

static void test_another_process_never_sees_half_a_change(void)
{
    struct dp_books *books = new_books();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct tally tally = {0};
        uint64_t sequence = 0;
        while (sequence < CHANGES && tally.bad == 0)
            read_once(books, &sequence, &tally);
        _exit(tally.bad == 0 ? 0 : 1);
    }
    write_changes(books, 12);
    /* The child stops at a sequence that the writer has passed. */
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    munmap(books, dp_books_size(&config));
}

static void test_a_reader_gives_up_on_a_writer_that_died_in_a_change(void)
{
    struct dp_books *books = new_books();
    struct tally tally = {0};
    uint64_t sequence = 0;
    read_once(books, &sequence, &tally);
    CHECK_EQUAL(tally.ok, 1);
    dp_store_relaxed(&books->book[1].sequence, dp_load_relaxed(&books->book[1].sequence) + 1);
    read_once(books, &sequence, &tally);
    CHECK_EQUAL(tally.busy, 1);
    munmap(books, dp_books_size(&config));
}

static void test_an_instrument_that_is_not_there_has_no_view(void)
{
    struct dp_books *books = new_books();
    struct dp_book_view view = {0};
    CHECK_EQUAL(dp_book_read(books, 0, 0, &view), DP_BOOK_READ_NONE);
    CHECK_EQUAL(dp_book_read(books, 2, 0, &view), DP_BOOK_READ_NONE);
    munmap(books, dp_books_size(&config));
}

int main(void)
{
    RUN_TESTS(TEST(test_threads_never_see_half_a_change),
        TEST(test_another_process_never_sees_half_a_change),
        TEST(test_a_reader_gives_up_on_a_writer_that_died_in_a_change),
        TEST(test_an_instrument_that_is_not_there_has_no_view));
}

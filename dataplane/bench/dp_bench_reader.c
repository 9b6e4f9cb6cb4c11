#include "dp_bench_reader.h"

#include <time.h>

static void look_at_all(struct dp_bench_reader *reader)
{
    struct dp_book_level_view bids[DP_BENCH_READER_DEPTH], asks[DP_BENCH_READER_DEPTH];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    uint32_t count = dp_books_instrument_count(reader->books);
    for (uint32_t index = 0; index < count; index++) {
        enum dp_book_read_result result =
            dp_book_read(reader->books, index, DP_BENCH_READER_DEPTH, &view);
        reader->ok_count += result == DP_BOOK_READ_OK;
        reader->busy_count += result == DP_BOOK_READ_BUSY;
    }
}

static void *run(void *argument)
{
    struct dp_bench_reader *reader = argument;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    while (!dp_load_acquire(&reader->is_done)) {
        look_at_all(reader);
        next.tv_nsec += 1000000000 / DP_BENCH_READER_HZ;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    look_at_all(reader); /* of a session shorter than a sixtieth of a second, too */
    return NULL;
}

int dp_bench_reader_start(struct dp_bench_reader *reader, const struct dp_books *books)
{
    reader->books = books;
    return -pthread_create(&reader->thread, NULL, run, reader);
}

void dp_bench_reader_stop(struct dp_bench_reader *reader)
{
    /* Release: pairs with the acquire in run(); nothing but the flag is handed over. */
    dp_store_release(&reader->is_done, 1);
    pthread_join(reader->thread, NULL);
}

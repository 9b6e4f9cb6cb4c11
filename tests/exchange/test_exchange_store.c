/* Numbered messages against an array of them, with a store small enough to forget. */
#include "check.h"
#include "dp_exchange_store.h"

#define MESSAGES 200000u
#define KEPT_BYTES (512u << 10)

/* Every message can be told by its number. */
static uint32_t size_of(uint64_t number)
{
    return (uint32_t)(number * 2654435761u >> 7) % 60 + 8;
}

static void add(struct dp_exchange_store *store)
{
    uint64_t number = dp_exchange_store_next(store);
    uint8_t *room = dp_exchange_store_room(store);
    memset(room, (uint8_t)number, size_of(number));
    memcpy(room, &number, sizeof(number));
    CHECK_EQUAL(dp_exchange_store_commit(store, size_of(number)), number);
}

/* Reads the message at the cursor; false at the end. */
static bool check_next(
    const struct dp_exchange_store *store, struct dp_exchange_cursor *cursor, uint64_t number)
{
    const uint8_t *data;
    int64_t span = dp_exchange_store_span(store, cursor, &data);
    if (span == 0)
        return false;
    uint64_t found;
    memcpy(&found, data + 2, sizeof(found));
    CHECK_THAT(found == number, "found %" PRIu64 " at %" PRIu64, found, number);
    CHECK_EQUAL(dp_load_be16(data), size_of(number));
    cursor->offset += 2 + size_of(number);
    return true;
}

static void test_any_message_kept_can_be_sought(void)
{
    struct dp_exchange_store *store = dp_exchange_store_open(KEPT_BYTES);
    uint64_t random = 7;
    for (uint32_t index = 0; index < MESSAGES; index++) {
        add(store);
        if (index % 1000 != 0)
            continue;
        uint64_t first = dp_exchange_store_first(store);
        uint64_t next = dp_exchange_store_next(store);
        uint64_t number = first + check_random(&random) % (next - first + 1);
        struct dp_exchange_cursor cursor;
        dp_exchange_store_seek(store, number, &cursor);
        while (check_next(store, &cursor, number))
            number++;
        CHECK_EQUAL(number, next);
        CHECK_EQUAL(dp_exchange_store_behind(store, &cursor), 0);
    }
    CHECK(dp_exchange_store_first(store) > 1);
    dp_exchange_store_close(store);
}

static void test_a_reader_that_fell_behind_is_told(void)
{
    struct dp_exchange_store *store = dp_exchange_store_open(KEPT_BYTES);
    struct dp_exchange_cursor cursor;
    const uint8_t *data;
    dp_exchange_store_seek(store, 1, &cursor);
    while (dp_exchange_store_first(store) == 1)
        add(store);
    CHECK_EQUAL(dp_exchange_store_span(store, &cursor, &data), -1);
    CHECK(dp_exchange_store_behind(store, &cursor) >= KEPT_BYTES / 2);
    dp_exchange_store_close(store);
}

static void test_clearing_begins_at_one_and_leaves_cursors_behind(void)
{
    struct dp_exchange_store *store = dp_exchange_store_open(0);
    struct dp_exchange_cursor cursor;
    const uint8_t *data;
    add(store);
    dp_exchange_store_seek(store, 1, &cursor);
    dp_exchange_store_clear(store);
    CHECK_EQUAL(dp_exchange_store_next(store), 1);
    CHECK_EQUAL(dp_exchange_store_span(store, &cursor, &data), -1);
    add(store);
    dp_exchange_store_seek(store, 1, &cursor);
    CHECK(check_next(store, &cursor, 1));
    dp_exchange_store_close(store);
}

int main(void)
{
    RUN_TESTS(TEST(test_any_message_kept_can_be_sought),
        TEST(test_a_reader_that_fell_behind_is_told),
        TEST(test_clearing_begins_at_one_and_leaves_cursors_behind));
}

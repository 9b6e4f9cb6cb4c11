#include <pthread.h>

#include "check.h"
#include "dp_recent.h"

static struct dp_recent recent;

/* Every field says the same number, so that a mixture shows. */
static struct dp_event event_of(uint64_t number)
{
    return (struct dp_event){
        .time_ns = (int64_t)number,
        .venue_order_id = number,
        .qty = number,
        .leaves_qty = number,
        .cum_qty = number,
    };
}

static void add(uint64_t count)
{
    for (uint64_t each = 0; each < count; each++) {
        struct dp_event event = event_of(dp_recent_count(&recent) + 1);
        dp_recent_add(&recent, &event);
    }
}

static bool is_whole(const struct dp_event *event, uint64_t number)
{
    struct dp_event wanted = event_of(number);
    return memcmp(event, &wanted, sizeof(wanted)) == 0;
}

static void test_the_last_events_are_there_and_older_ones_are_gone(void)
{
    struct dp_event event;
    memset(&recent, 0, sizeof(recent));
    CHECK(!dp_recent_read(&recent, 0, &event) && !dp_recent_read(&recent, 1, &event));
    add(DP_RECENT_SLOTS + 10);
    CHECK_EQUAL(dp_recent_count(&recent), DP_RECENT_SLOTS + 10);
    for (uint64_t number = 1; number <= DP_RECENT_SLOTS + 11; number++) {
        bool is_there = number > 10 && number <= DP_RECENT_SLOTS + 10;
        CHECK_EQUAL(dp_recent_read(&recent, number, &event), is_there);
        CHECK(!is_there || is_whole(&event, number));
    }
}

static void *write_on(void *argument)
{
    add(*(const uint64_t *)argument);
    return NULL;
}

static void test_a_reader_beside_the_writer_never_sees_a_mixture(void)
{
    uint64_t count = 400 * DP_RECENT_SLOTS;
    pthread_t writer;
    memset(&recent, 0, sizeof(recent));
    CHECK_EQUAL(pthread_create(&writer, NULL, write_on, &count), 0);
    uint64_t read = 0;
    for (uint64_t last = 0; last < count;) {
        struct dp_event event;
        last = dp_recent_count(&recent);
        /* The oldest that may still be there: the one being written over. */
        uint64_t oldest = last > DP_RECENT_SLOTS ? last - DP_RECENT_SLOTS + 1 : 1;
        if (!dp_recent_read(&recent, oldest, &event))
            continue;
        read++;
        CHECK_THAT(is_whole(&event, oldest), "event %" PRIu64 " is a mixture", oldest);
    }
    CHECK_EQUAL(pthread_join(writer, NULL), 0);
    CHECK(read > 0);
}

int main(void)
{
    RUN_TESTS(TEST(test_the_last_events_are_there_and_older_ones_are_gone),
        TEST(test_a_reader_beside_the_writer_never_sees_a_mixture));
}

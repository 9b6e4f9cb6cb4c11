/* The digest taken late is the digest taken at once, whenever somebody settles. */
#include "check.h"
#include "dp_event_log.h"

static void add(struct dp_event_log *log, struct dp_digest *at_once, uint64_t number)
{
    struct dp_event *event = dp_event_log_next(log);
    CHECK(dp_event_log_next(log) == event); /* the same until it is added */
    *event = (struct dp_event){.time_ns = (int64_t)number, .qty = number * number};
    dp_digest_update(at_once, event, sizeof(*event));
    dp_event_log_add(log);
}

static void test_settling_late_changes_nothing(void)
{
    static struct dp_event_log log;
    for (uint64_t every = 1; every <= 2 * DP_EVENT_LOG_SLOTS + 1; every++) {
        struct dp_digest at_once;
        dp_digest_init(&at_once);
        dp_event_log_init(&log);
        for (uint64_t number = 0; number < 4 * DP_EVENT_LOG_SLOTS; number++) {
            add(&log, &at_once, number);
            if (number % every == 0)
                dp_event_log_settle(&log);
        }
        dp_event_log_settle(&log);
        CHECK_THAT(memcmp(&log.digest, &at_once, sizeof(at_once)) == 0,
            "settled every %" PRIu64 " events", every);
    }
}

static void test_an_event_begun_and_never_added_is_not_there(void)
{
    static struct dp_event_log log;
    struct dp_digest none;
    dp_digest_init(&none);
    dp_event_log_init(&log);
    dp_event_log_next(&log)->qty = 1;
    dp_event_log_settle(&log);
    CHECK(memcmp(&log.digest, &none, sizeof(none)) == 0);
}

int main(void)
{
    RUN_TESTS(TEST(test_settling_late_changes_nothing),
        TEST(test_an_event_begun_and_never_added_is_not_there));
}

#include "check.h"
#include "dp_hold.h"

static struct dp_hold hold;

static void test_without_a_record_to_wait_for_frames_leave_at_once(void)
{
    memset(&hold, 0, sizeof(hold));
    dp_hold_note(&hold, 3, 0);
    CHECK_EQUAL(dp_hold_open(&hold, 0), 3);
    dp_hold_note(&hold, 3, 9); /* nothing was added */
    CHECK(hold.head == hold.tail);
}

static void test_one_barrier_frees_all_that_was_noted_before_it(void)
{
    memset(&hold, 0, sizeof(hold));
    dp_hold_note(&hold, 1, 10);
    dp_hold_note(&hold, 2, 11);
    dp_hold_note(&hold, 5, 14);
    CHECK_EQUAL(dp_hold_open(&hold, 9), 0);
    CHECK_EQUAL(dp_hold_open(&hold, 12), 2);
    CHECK_EQUAL(dp_hold_open(&hold, 14), 5);
}

static void test_a_frame_that_waits_for_nothing_stands_behind_those_before_it(void)
{
    memset(&hold, 0, sizeof(hold));
    dp_hold_note(&hold, 1, 10);
    dp_hold_note(&hold, 2, 0);
    CHECK_EQUAL(dp_hold_open(&hold, 9), 0);
    CHECK_EQUAL(dp_hold_open(&hold, 10), 2);
    dp_hold_note(&hold, 3, 0);
    CHECK_EQUAL(dp_hold_open(&hold, 10), 3);
}

/* Beside a model that remembers for every frame what it waits for. */
static void test_no_frame_leaves_before_its_record_is_on_disk(void)
{
    enum { FRAMES = 20000 };
    static uint64_t wanted[FRAMES + 1];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed;
        uint64_t noted = 0;
        uint64_t sequence = 0;
        uint64_t durable = 0;
        memset(&hold, 0, sizeof(hold));
        while (noted < FRAMES) {
            uint64_t more = check_random(&random) % 3;
            sequence += more;
            bool waits = more > 0 && check_random(&random) % 4 != 0;
            for (uint64_t index = 0; index < more && noted < FRAMES; index++)
                wanted[noted++] = waits ? sequence : 0;
            dp_hold_note(&hold, noted, waits ? sequence : 0);
            if (check_random(&random) % (seed % 5 == 0 ? 4000 : 8) == 0)
                durable += check_random(&random) % (sequence - durable + 1);
            uint64_t open = dp_hold_open(&hold, durable);
            for (uint64_t index = open; index-- > 0 && open - index < 4;)
                CHECK_THAT(
                    wanted[index] <= durable, "seed %" PRIu64 ": frame %" PRIu64, seed, index);
            CHECK(open <= noted);
        }
        CHECK_EQUAL(dp_hold_open(&hold, sequence), FRAMES);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_without_a_record_to_wait_for_frames_leave_at_once),
        TEST(test_one_barrier_frees_all_that_was_noted_before_it),
        TEST(test_a_frame_that_waits_for_nothing_stands_behind_those_before_it),
        TEST(test_no_frame_leaves_before_its_record_is_on_disk));
}

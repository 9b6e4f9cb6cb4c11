/*
 * The disk fails while an order is on its way: another thread taints the segment behind any one of
 * the instructions of a call, and the call ends as one that came before or after it.
 */
#include "step.h"
#include "submit_bench.h"

#define PLACES 24              /* of one call */
#define PLACES_OF_A_LONG_ONE 4 /* as it is under a sanitizer */
#define LONG 5000              /* instructions */

static struct path *path;
static uint32_t first;

/* A frame stands behind a record, whenever the disk failed; exit status 2: it does not. */
static void check_both_or_none(uint64_t records_before, bool passed)
{
    uint64_t records = path_record_count(path) - records_before;
    bool has_frame = dp_ring_peek(path->submit.tx) != NULL;
    if (has_frame != passed || (passed && records != 1) || path->segment.uncommitted != 0)
        _exit(2);
}

static struct dp_request order_of(uint32_t qty)
{
    return (struct dp_request){.instrument_index = OPEN,
        .side = DP_SIDE_BUY,
        .time_in_force = DP_TIF_DAY,
        .qty = qty,
        .price_nanos = 10 * DOLLAR};
}

static void call_new(void *unused)
{
    (void)unused;
    const struct dp_request request = order_of(100);
    uint64_t before = path_record_count(path);
    uint32_t number = 0;
    enum dp_reason reason = dp_submit_new(&path->submit, 0, &request, &number);
    if (reason != DP_REASON_ACCEPTED && reason != DP_REASON_JOURNAL_UNAVAILABLE)
        _exit(3);
    check_both_or_none(before, reason == DP_REASON_ACCEPTED);
}

static void call_denied(void *unused)
{
    (void)unused;
    const struct dp_request request = order_of(5000);
    uint64_t before = path_record_count(path);
    uint32_t number = 0;
    if (dp_submit_new(&path->submit, 0, &request, &number) == DP_REASON_ACCEPTED)
        _exit(3);
    check_both_or_none(before, false);
}

static void call_replace(void *unused)
{
    (void)unused;
    uint64_t before = path_record_count(path);
    uint32_t number = 0;
    enum dp_reason reason =
        dp_submit_replace(&path->submit, 0, first, 200, 10 * DOLLAR + CENT, &number);
    if (reason != DP_REASON_ACCEPTED && reason != DP_REASON_JOURNAL_UNAVAILABLE)
        _exit(3);
    check_both_or_none(before, reason == DP_REASON_ACCEPTED);
}

/* A cancel leaves in any case. */
static void call_cancel(void *unused)
{
    (void)unused;
    if (dp_submit_cancel(&path->submit, 0, first) != DP_REASON_ACCEPTED ||
        dp_ring_peek(path->submit.tx) == NULL)
        _exit(3);
}

static void call_report(void *unused)
{
    (void)unused;
    if (path_report(path, DP_EVENT_FILLED, first, 40, 9) != DP_ORDER_APPLIED)
        _exit(3);
}

/* As the keeper's thread does it. */
static void taint(pid_t child)
{
    uintptr_t place = (uintptr_t)&path->segment.tainted;
    void *word = (void *)(place & ~(uintptr_t)7);
    long bytes = ptrace(PTRACE_PEEKDATA, child, word, NULL);
    bytes |= 1L << (8 * (place & 7));
    CHECK_EQUAL(ptrace(PTRACE_POKEDATA, child, word, (void *)bytes), 0);
}

static void try_everywhere(void (*call)(void *))
{
    uint64_t length = step_length(call, NULL);
    uint64_t stride = length / (length < LONG ? PLACES : PLACES_OF_A_LONG_ONE) + 1;
    for (uint64_t place = 0; place < length; place += stride) {
        pid_t child = step_start(call, NULL);
        int status = -1;
        CHECK(!step_on(child, place));
        taint(child);
        ptrace(PTRACE_DETACH, child, NULL, NULL);
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        CHECK_THAT(status == 0, "instruction %llu of %llu: status %x", (unsigned long long)place,
            (unsigned long long)length, (unsigned)status);
    }
}

static void open_path_with_an_order(void)
{
    struct dp_ouch_message message;
    path = path_open();
    first = path_submit(path, 100, 10 * DOLLAR);
    CHECK_EQUAL(path_report(path, DP_EVENT_ACCEPTED, first, 100, 0), DP_ORDER_APPLIED);
    CHECK(path_sent(path, &message));
}

static void test_a_new_order_has_record_and_frame_or_neither(void)
{
    open_path_with_an_order();
    try_everywhere(call_new);
    path_close(path);
}

static void test_a_denied_order_is_denied(void)
{
    open_path_with_an_order();
    try_everywhere(call_denied);
    path_close(path);
}

static void test_a_replace_has_record_and_frame_or_neither(void)
{
    open_path_with_an_order();
    try_everywhere(call_replace);
    path_close(path);
}

static void test_a_cancel_leaves_and_an_answer_is_applied(void)
{
    open_path_with_an_order();
    try_everywhere(call_cancel);
    try_everywhere(call_report);
    path_close(path);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_new_order_has_record_and_frame_or_neither),
        TEST(test_a_denied_order_is_denied), TEST(test_a_replace_has_record_and_frame_or_neither),
        TEST(test_a_cancel_leaves_and_an_answer_is_applied));
}

#include "check.h"
#include "dp_moldudp_request.h"

#define MS 1000000ll
#define MESSAGES 400

static const struct dp_moldudp_request_config usual = {
    .wait_ns = MS,
    .retry_ns = 20 * MS,
    .interval_ns = MS / 10,
    .tries_max = 3,
    .count_max = 10,
    .server_count = 2,
};

/* A feed whose messages are their own numbers, and what it let out. */
struct bench {
    struct dp_moldudp_feed *feed;
    struct dp_moldudp_requester requester;
    uint64_t next; /* number expected to come out */
    uint64_t out_of_order;
    uint64_t lost;
};

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct bench *bench = context;
    (void)data;
    (void)size;
    (void)time_ns;
    bench->out_of_order += sequence != bench->next;
    bench->next = sequence + 1;
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct bench *bench = context;
    (void)time_ns;
    bench->lost += last - first + 1;
    bench->next = last + 1;
}

static void on_session(void *context, const uint8_t *session)
{
    (void)context;
    (void)session;
}

static void on_end(void *context)
{
    (void)context;
}

static struct dp_moldudp_handler handler_of(struct bench *bench)
{
    return (struct dp_moldudp_handler){bench, on_message, on_gap, on_session, on_end};
}

static struct bench open_bench_of(
    const struct dp_moldudp_request_config *config, int64_t gap_timeout_ns)
{
    const struct dp_moldudp_config feed = {.hold_count_max = 512,
        .packet_size_max = 256,
        .gap_timeout_ns = gap_timeout_ns,
        .sequence_first = 1};
    struct bench bench = {.next = 1};
    bench.feed = malloc(dp_moldudp_feed_size(&feed));
    CHECK_EQUAL(dp_moldudp_feed_init(bench.feed, &feed, NULL), 0);
    CHECK_EQUAL(dp_moldudp_requester_init(&bench.requester, config, NULL), 0);
    return bench;
}

static struct bench open_bench(const struct dp_moldudp_request_config *config)
{
    return open_bench_of(config, 1000 * MS);
}

static void push(struct bench *bench, uint64_t sequence, uint16_t count, int64_t now_ns)
{
    uint8_t data[256];
    struct dp_moldudp_handler handler = handler_of(bench);
    size_t size = dp_moldudp_build(data, (const uint8_t *)"SESSION001", sequence, count);
    for (uint16_t index = 0; index < count; index++, size += 3) {
        dp_store_be16(data + size, 1);
        data[size + 2] = 'x';
    }
    dp_moldudp_feed_push(bench->feed, data, size, now_ns, &handler);
}

/* The request that is due as text: "first+count@server", or "none". */
static const char *ask(struct bench *bench, int64_t now_ns)
{
    static char text[64];
    uint8_t out[DP_MOLDUDP_REQUEST_SIZE];
    uint32_t server = 99;
    size_t size = dp_moldudp_requester_poll(&bench->requester, bench->feed, now_ns, out, &server);
    if (size == 0)
        return "none";
    CHECK_EQUAL(size, DP_MOLDUDP_REQUEST_SIZE);
    CHECK(memcmp(out, "SESSION001", 10) == 0);
    snprintf(text, sizeof(text), "%" PRIu64 "+%u@%u", dp_load_be64(out + 10),
        dp_load_be16(out + 18), server);
    return text;
}

static void test_nothing_is_asked_while_nothing_is_missing(void)
{
    struct bench bench = open_bench(&usual);
    CHECK_TEXT(ask(&bench, 0), "none");
    push(&bench, 1, 5, 0);
    CHECK_TEXT(ask(&bench, 100 * MS), "none");
    free(bench.feed);
}

static void test_the_other_line_is_given_time(void)
{
    struct bench bench = open_bench(&usual);
    push(&bench, 4, 1, 0);
    CHECK_TEXT(ask(&bench, MS - 1), "none");
    CHECK_TEXT(ask(&bench, MS), "1+3@0");
    free(bench.feed);
}

static void test_silence_is_answered_by_the_next_server_and_then_left_alone(void)
{
    struct bench bench = open_bench(&usual);
    push(&bench, 4, 1, 0);
    CHECK_TEXT(ask(&bench, 1 * MS), "1+3@0");
    CHECK_TEXT(ask(&bench, 21 * MS - 1), "none");
    CHECK_TEXT(ask(&bench, 21 * MS), "1+3@1");
    CHECK_TEXT(ask(&bench, 41 * MS), "1+3@0");
    CHECK_TEXT(ask(&bench, 900 * MS), "none");
    CHECK_EQUAL(bench.requester.given_up_count, 1);
    CHECK_EQUAL(bench.requester.request_count, 3);
    free(bench.feed);
}

static void test_a_short_answer_is_followed_at_once(void)
{
    struct bench bench = open_bench(&usual);
    push(&bench, 31, 1, 0);
    CHECK_TEXT(ask(&bench, MS), "1+10@0");
    push(&bench, 1, 4, MS + 1);              /* it fitted four of the ten */
    CHECK_TEXT(ask(&bench, MS + 2), "none"); /* the server's limit */
    CHECK_TEXT(ask(&bench, MS + MS / 10), "5+10@0");
    push(&bench, 5, 26, 2 * MS); /* more than was asked for */
    CHECK_TEXT(ask(&bench, 3 * MS), "none");
    CHECK_EQUAL(bench.next, 32);
    CHECK_EQUAL(bench.lost, 0);
    free(bench.feed);
}

static void test_progress_gives_the_tries_back(void)
{
    struct bench bench = open_bench(&usual);
    push(&bench, 9, 1, 0);
    for (int64_t at = 1; at <= 60; at += 20)
        ask(&bench, at * MS);
    CHECK_TEXT(ask(&bench, 90 * MS), "none");
    push(&bench, 1, 2, 91 * MS);
    CHECK_TEXT(ask(&bench, 92 * MS), "3+6@0");
    free(bench.feed);
}

static void test_an_answer_that_came_too_late_changes_nothing(void)
{
    struct bench bench = open_bench(&usual);
    push(&bench, 4, 1, 0);
    push(&bench, 5, 1, 1100 * MS); /* the feed gave 1 to 3 up */
    CHECK_EQUAL(bench.lost, 3);
    push(&bench, 1, 3, 1101 * MS);
    CHECK_EQUAL(bench.next, 6);
    CHECK_EQUAL(bench.out_of_order, 0);
    CHECK_TEXT(ask(&bench, 1102 * MS), "none");
    free(bench.feed);
}

/* A server that loses, cuts, doubles and makes things up; whatever it does, the order holds and in
 * the end nothing is missing. */
static void answer(struct bench *bench, const char *request, uint64_t *random, int64_t now_ns)
{
    unsigned long long first;
    unsigned count;
    if (sscanf(request, "%llu+%u", &first, &count) != 2 || check_random(random) % 3 == 0)
        return;
    uint16_t given = (uint16_t)(1 + check_random(random) % count);
    push(bench, first, given, now_ns);
    if (check_random(random) % 4 == 0)
        push(bench, first, given, now_ns);
    if (check_random(random) % 8 == 0)
        push(bench, 1 + check_random(random) % first, 3, now_ns);
}

static void run_lossy(uint64_t seed)
{
    struct dp_moldudp_request_config config = usual;
    config.tries_max = 1000;
    struct bench bench = open_bench_of(&config, 60000 * MS);
    uint64_t random = seed;
    int64_t now_ns = 0;
    for (uint64_t sequence = 1; sequence <= MESSAGES; sequence++, now_ns += MS / 4) {
        if (check_random(&random) % 5 != 0 || sequence == MESSAGES)
            push(&bench, sequence, 1, now_ns);
        answer(&bench, ask(&bench, now_ns), &random, now_ns);
    }
    for (int step = 0; step < 1000 && bench.next <= MESSAGES; step++, now_ns += MS)
        answer(&bench, ask(&bench, now_ns), &random, now_ns);
    CHECK_THAT(bench.next == MESSAGES + 1 && bench.lost == 0 && bench.out_of_order == 0,
        "seed %" PRIu64 ": up to %" PRIu64 ", %" PRIu64 " lost, %" PRIu64 " out of order", seed,
        bench.next, bench.lost, bench.out_of_order);
    free(bench.feed);
}

static void test_a_bad_server_delays_but_never_deceives(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++)
        run_lossy(seed);
}

static void test_a_jump_drops_what_waits_before_it(void)
{
    struct bench bench = open_bench(&usual);
    struct dp_moldudp_handler handler = handler_of(&bench);
    push(&bench, 1, 2, 0);
    push(&bench, 5, 2, 0);
    push(&bench, 9, 2, 0);
    bench.next = 8;
    CHECK(dp_moldudp_feed_jump(bench.feed, 8, &handler));
    CHECK_EQUAL(dp_moldudp_feed_expected(bench.feed), 8);
    push(&bench, 8, 1, MS);
    CHECK_EQUAL(bench.next, 11);
    CHECK_EQUAL(bench.out_of_order, 0);
    CHECK(!dp_moldudp_feed_jump(bench.feed, 10, &handler));
    CHECK_EQUAL(dp_moldudp_feed_expected(bench.feed), 11);
    free(bench.feed);
}

static void test_a_configuration_that_cannot_work_is_refused(void)
{
    struct dp_err err;
    struct dp_moldudp_requester requester;
    struct dp_moldudp_request_config config = usual;
    config.count_max = 65535;
    CHECK(dp_moldudp_requester_init(&requester, &config, &err) < 0);
    CHECK_TEXT(err.text, "moldudp request: count_max: 65535; give 1 to 65534");
    config = usual;
    config.server_count = 0;
    CHECK(dp_moldudp_requester_init(&requester, &config, &err) < 0);
    CHECK_TEXT(err.text, "moldudp request: 0 servers, 3 tries; give at least one of each");
    config = usual;
    config.retry_ns = 0;
    CHECK(dp_moldudp_requester_init(&requester, &config, &err) < 0);
    CHECK_TEXT(err.text,
        "moldudp request: wait_ns 1000000, retry_ns 0, interval_ns 100000; only wait_ns and "
        "interval_ns may be 0, none negative");
}

int main(void)
{
    RUN_TESTS(TEST(test_nothing_is_asked_while_nothing_is_missing),
        TEST(test_the_other_line_is_given_time),
        TEST(test_silence_is_answered_by_the_next_server_and_then_left_alone),
        TEST(test_a_short_answer_is_followed_at_once), TEST(test_progress_gives_the_tries_back),
        TEST(test_an_answer_that_came_too_late_changes_nothing),
        TEST(test_a_bad_server_delays_but_never_deceives),
        TEST(test_a_jump_drops_what_waits_before_it),
        TEST(test_a_configuration_that_cannot_work_is_refused));
}

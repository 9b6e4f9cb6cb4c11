/* The engine on a small generated day, with a strategy of the test's own. */
#include "check.h"
#include "dp_engine.h"
#include "dp_generate.h"

#include <errno.h>
#include <unistd.h>

#define MESSAGES 30000
#define SYMBOLS 20

static char day_path[] = "/tmp/test-engine-XXXXXX";

/* What the strategy saw, and what it is to do. */
struct probe {
    uint32_t starts, opens, books, trades, accepts, fills, cancels, rejects, timers, stops;
    uint32_t orders_max;
    uint32_t sent;
    uint32_t stop_after_books;
    uint64_t qty;
    int64_t last_ns;
    bool went_back;
    enum dp_reason last_reason;
};

static void note_time(struct probe *probe, const struct dp_gateway *gateway)
{
    probe->went_back |= gateway->now_ns < probe->last_ns;
    probe->last_ns = gateway->now_ns;
}

static void on_start(void *state, struct dp_gateway *gateway)
{
    struct probe *probe = state;
    probe->starts++;
    gateway->timer_interval_ns = 60000000000ll;
}

static void on_open(void *state, struct dp_gateway *gateway, uint32_t instrument_index)
{
    struct probe *probe = state;
    char symbol[9];
    gateway->verbs->symbol(gateway, instrument_index, symbol);
    CHECK(symbol[0] != '\0');
    probe->opens++;
}

static void on_book(void *state, struct dp_gateway *gateway, const struct dp_top *top)
{
    struct probe *probe = state;
    note_time(probe, gateway);
    probe->books++;
    if (probe->stop_after_books != 0 && probe->books >= probe->stop_after_books) {
        gateway->verbs->stop(gateway);
        return;
    }
    if (probe->sent >= probe->orders_max || top->trading_state != DP_TRADING_OPEN ||
        top->ask_price_nanos == DP_PRICE_NONE || top->bid_price_nanos == DP_PRICE_NONE)
        return;

    uint32_t user_ref_num = 0;
    struct dp_request request = {
        .instrument_index = top->instrument_index,
        .side = DP_SIDE_BUY,
        .time_in_force = probe->sent % 2 == 0 ? DP_TIF_DAY : DP_TIF_IOC,
        .qty = probe->qty,
        .price_nanos = probe->sent % 2 == 0 ? top->bid_price_nanos : top->ask_price_nanos,
    };
    probe->last_reason = dp_gateway_submit(gateway, &request, &user_ref_num);
    if (probe->last_reason == DP_REASON_ACCEPTED) {
        probe->sent++;
        CHECK(user_ref_num != 0);
    }
}

static void on_trade(void *state, struct dp_gateway *gateway, const struct dp_trade *trade)
{
    struct probe *probe = state;
    note_time(probe, gateway);
    CHECK(trade->qty > 0 && trade->price_nanos > 0);
    probe->trades++;
}

static void on_accepted(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    struct probe *probe = state;
    note_time(probe, gateway);
    (void)event;
    probe->accepts++;
}

static void on_filled(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    struct probe *probe = state;
    note_time(probe, gateway);
    CHECK(event->qty > 0 && event->cum_qty + event->leaves_qty <= probe->qty);
    probe->fills++;
}

static void on_canceled(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    struct probe *probe = state;
    note_time(probe, gateway);
    CHECK_EQUAL(event->leaves_qty, 0);
    probe->cancels++;
}

static void on_rejected(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    struct probe *probe = state;
    (void)gateway;
    (void)event;
    probe->rejects++;
}

static void on_timer(void *state, struct dp_gateway *gateway, int64_t now_ns)
{
    struct probe *probe = state;
    note_time(probe, gateway);
    CHECK_EQUAL(now_ns, gateway->now_ns);
    probe->timers++;
}

static void on_stop(void *state, struct dp_gateway *gateway)
{
    struct probe *probe = state;
    (void)gateway;
    probe->stops++;
}

static struct dp_strategy table_for(struct probe *probe)
{
    return (struct dp_strategy){
        .state = probe,
        .on_start = on_start,
        .on_open = on_open,
        .on_book = on_book,
        .on_trade = on_trade,
        .on_accepted = on_accepted,
        .on_filled = on_filled,
        .on_canceled = on_canceled,
        .on_rejected = on_rejected,
        .on_timer = on_timer,
        .on_stop = on_stop,
    };
}

static struct dp_engine *open_engine_behind(const char *card)
{
    struct dp_engine_config config = {
        .name = "test",
        .region_path = "",
        .journal_directory = "",
        .configuration = "",
        .pcap_out = "",
        .card = {.name = card},
        .gap_timeout_ns = 50000000,
        .midnight_ns = 1000000000000000000ll,
        .books = {.instrument_count_max = 256, .order_count_max = 65536, .level_count_max = 65536},
        .orders = {.order_count_max = 4096, .exec_count_max = 4096, .user_ref_num_first = 1},
        .venue = {.order_latency_ns = 20000, .report_latency_ns = 20000},
        .session = {.us = {.ip = 0xc0000201, .port = 40001},
            .venue = {.ip = 0xc0000202, .port = 26400},
            .cl_ord_id_prefix = "TP",
            .capacity = 'P',
            .display = 'Y'},
        .measure_latency = true,
    };
    struct dp_err err;
    struct dp_engine *engine = dp_engine_open(&config, &err);
    CHECK_THAT(engine != NULL, "%s", err.text);
    return engine;
}

static struct dp_engine *open_engine(void)
{
    return open_engine_behind("");
}

static void seat(struct dp_engine *engine, const struct dp_strategy *strategy,
    const struct dp_engine_watch *watch, uint64_t order_qty_max)
{
    struct dp_err err;
    struct dp_risk_strategy_limits limits = {
        .order_qty_max = order_qty_max,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .gross_max_nanos = DP_RISK_UNLIMITED,
        .net_max_nanos = DP_RISK_UNLIMITED,
        .open_order_count_max = 1000000,
        .order_rate_max = 1000000,
        .order_burst_max = 1000000,
        .duplicate_count_max = DP_RISK_UNLIMITED,
        .duplicate_window_ns = 1000000,
        .has_policy = true,
    };
    struct dp_engine_limits instruments = {
        .limits =
            {
                .order_qty_max = 1000000,
                .order_notional_max_nanos = DP_RISK_UNLIMITED,
                .position_max = 1000000000,
                .collar_bps = 10000,
                .has_policy = true,
            },
    };
    CHECK_EQUAL(dp_engine_set_limits(engine, &instruments, 1, &err), 0);
    CHECK_EQUAL(dp_engine_add_strategy(engine, strategy, watch, &limits, &err), 0);
}

static uint64_t run_all(struct dp_engine *engine)
{
    struct dp_err err;
    int status = dp_engine_start(engine, day_path, &err);
    CHECK_THAT(status == 0, "%s", err.text);
    uint64_t total = 0;
    uint64_t taken;
    while ((taken = dp_engine_run(engine, 1000)) > 0)
        total += taken;
    return total;
}

static void finish(struct dp_engine *engine)
{
    struct dp_err err;
    CHECK_EQUAL(dp_engine_finish(engine, &err), 0);
}

static void test_every_callback_comes_in_order_of_time(void)
{
    struct probe probe = {.orders_max = 200, .qty = 10};
    struct dp_strategy table = table_for(&probe);
    struct dp_engine_watch watch = {.first_count = DP_ENGINE_WATCH_ALL};
    struct dp_engine *engine = open_engine();
    seat(engine, &table, &watch, 1000);
    CHECK_EQUAL(run_all(engine), MESSAGES);
    finish(engine);

    CHECK_EQUAL(probe.starts, 1);
    CHECK_EQUAL(probe.stops, 1);
    CHECK_EQUAL(probe.opens, SYMBOLS);
    CHECK(!probe.went_back);
    CHECK(probe.books > 1000);
    CHECK(probe.trades > 10);
    CHECK(probe.timers > 100);
    CHECK_EQUAL(probe.sent, probe.orders_max);
    CHECK_EQUAL(probe.accepts, probe.sent);
    CHECK(probe.fills > 0);
    CHECK(probe.cancels > 0);
    CHECK_EQUAL(probe.rejects, 0);
    dp_engine_close(engine);
}

static void test_no_order_is_open_after_finish(void)
{
    struct probe probe = {.orders_max = 200, .qty = 10};
    struct dp_strategy table = table_for(&probe);
    struct dp_engine_watch watch = {.first_count = DP_ENGINE_WATCH_ALL};
    struct dp_engine *engine = open_engine();
    seat(engine, &table, &watch, 1000);
    struct dp_err err;
    CHECK_EQUAL(dp_engine_start(engine, day_path, &err), 0);
    dp_engine_run(engine, MESSAGES / 2);
    finish(engine);

    struct dp_orders *orders = dp_engine_orders(engine);
    for (uint32_t index = 0; index < dp_orders_count(orders); index++)
        CHECK(!dp_order_is_live(dp_orders_at(orders, index)));
    struct dp_risk_exposure exposure = dp_risk_exposure(dp_engine_risk(engine), 0);
    CHECK(exposure.buy_open == 0 && exposure.sell_open == 0);
    CHECK_EQUAL(exposure.open_order_count, 0);
    dp_engine_close(engine);
}

static void test_two_runs_give_the_same_digests(void)
{
    char texts[2][2][DP_DIGEST_TEXT_SIZE];
    for (int round = 0; round < 2; round++) {
        struct probe probe = {.orders_max = 500, .qty = 25};
        struct dp_strategy table = table_for(&probe);
        struct dp_engine_watch watch = {.first_count = 10};
        struct dp_engine *engine = open_engine();
        seat(engine, &table, &watch, 1000);
        run_all(engine);
        finish(engine);
        CHECK_EQUAL(probe.opens, 10);
        dp_digest_text(dp_engine_events_digest(engine), texts[round][0]);
        dp_digest_text(dp_engine_wire_digest(engine), texts[round][1]);
        dp_engine_close(engine);
    }
    CHECK_TEXT(texts[1][0], texts[0][0]);
    CHECK_TEXT(texts[1][1], texts[0][1]);
}

static void test_every_order_goes_through_the_card_and_nothing_changes(void)
{
    char texts[2][2][DP_DIGEST_TEXT_SIZE];
    for (int round = 0; round < 2; round++) {
        struct probe probe = {.orders_max = 500, .qty = 25};
        struct dp_strategy table = table_for(&probe);
        struct dp_engine_watch watch = {.first_count = 10};
        struct dp_engine *engine = open_engine_behind(round == 0 ? "" : "soft");
        seat(engine, &table, &watch, 1000);
        run_all(engine);
        finish(engine);
        CHECK_EQUAL(dp_engine_card(engine) != NULL, round == 1);
        if (round == 1) {
            CHECK_EQUAL(
                dp_card_count(dp_engine_card(engine), DP_CARD_COUNT_ORDERS_OUT), probe.sent);
            CHECK_EQUAL(dp_card_count(dp_engine_card(engine), DP_CARD_COUNT_FRAMES_OUT),
                dp_counter_read(dp_engine_counters(engine), DP_COUNTER_TX_FRAMES));
        }
        dp_digest_text(dp_engine_events_digest(engine), texts[round][0]);
        dp_digest_text(dp_engine_wire_digest(engine), texts[round][1]);
        dp_engine_close(engine);
    }
    CHECK_TEXT(texts[1][0], texts[0][0]);
    CHECK_TEXT(texts[1][1], texts[0][1]);
}

static bool is_halted(struct dp_engine *engine)
{
    return (dp_card_read(dp_engine_card(engine), DP_CARD_REG_CONTROL) & DP_CARD_HALT) != 0;
}

static void test_the_kill_switch_of_the_firm_is_the_cards(void)
{
    static const struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
    static const struct dp_risk_scope strategy = {DP_RISK_SCOPE_STRATEGY, 0};
    struct probe probe = {.orders_max = 500, .qty = 25};
    struct dp_strategy table = table_for(&probe);
    struct dp_engine_watch watch = {.first_count = 10};
    struct dp_engine *engine = open_engine_behind("soft");
    struct dp_risk *risk = dp_engine_risk(engine);
    struct dp_err err;
    seat(engine, &table, &watch, 1000);
    CHECK_EQUAL(dp_engine_start(engine, day_path, &err), 0);
    dp_engine_run(engine, 1000);
    CHECK(!is_halted(engine));
    dp_risk_kill(risk, strategy, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON);
    dp_engine_run(engine, 1000);
    CHECK(!is_halted(engine)); /* others may trade */
    dp_risk_kill(risk, firm, DP_SWITCH_REDUCE_ONLY, DP_SWITCH_BY_PERSON);
    dp_engine_run(engine, 1000);
    CHECK(!is_halted(engine));
    dp_risk_kill(risk, firm, DP_SWITCH_CANCEL_ALL, DP_SWITCH_BY_PERSON);
    dp_engine_run(engine, 1000);
    CHECK(is_halted(engine));
    CHECK(dp_risk_arm(risk, firm, dp_risk_mark_of(risk, firm)));
    dp_engine_run(engine, 1000);
    CHECK(!is_halted(engine));
    CHECK_EQUAL(dp_counter_read(dp_engine_counters(engine), DP_COUNTER_CARD_FAILED), 0);
    finish(engine);
    dp_engine_close(engine);
}

static void test_a_run_that_begins_killed_begins_with_the_card_halted(void)
{
    static const struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
    struct dp_engine *engine = open_engine_behind("soft");
    struct dp_err err;
    dp_risk_kill(dp_engine_risk(engine), firm, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON);
    CHECK_EQUAL(dp_engine_start(engine, day_path, &err), 0);
    CHECK(is_halted(engine));
    finish(engine);
    dp_engine_close(engine);
}

static void test_a_card_that_is_not_built_is_one_line(void)
{
    struct dp_engine *engine = open_engine_behind("isa");
    struct dp_err err;
    CHECK_EQUAL(dp_engine_start(engine, day_path, &err), -ENODEV);
    CHECK_TEXT(err.text, "card: 'isa' is no backend of this build; use none or soft");
    dp_engine_close(engine);
}

static void test_a_refused_order_never_reaches_the_port(void)
{
    struct probe probe = {.orders_max = 5, .qty = 11};
    struct dp_strategy table = table_for(&probe);
    struct dp_engine_watch watch = {.first_count = 1};
    struct dp_engine *engine = open_engine();
    seat(engine, &table, &watch, 10);
    run_all(engine);
    finish(engine);
    CHECK_EQUAL(probe.last_reason, DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(probe.sent, 0);
    CHECK_EQUAL(dp_counter_read(dp_engine_counters(engine), DP_COUNTER_TX_FRAMES), 0);
    CHECK(dp_counter_read(dp_engine_counters(engine), DP_COUNTER_ORDERS_DENIED) > 0);
    dp_engine_close(engine);
}

static void test_stop_ends_the_run_at_the_next_message(void)
{
    struct probe probe = {.stop_after_books = 7};
    struct dp_strategy table = table_for(&probe);
    struct dp_engine_watch watch = {.first_count = DP_ENGINE_WATCH_ALL};
    struct dp_engine *engine = open_engine();
    seat(engine, &table, &watch, 1000);
    CHECK(run_all(engine) < MESSAGES);
    CHECK_EQUAL(probe.books, 7);
    finish(engine);
    CHECK_EQUAL(probe.stops, 1);
    dp_engine_close(engine);
}

static void test_a_strategy_hears_only_of_what_it_watches(void)
{
    struct probe probe = {0};
    struct dp_strategy table = table_for(&probe);
    const char symbols[1][8] = {{'N', 'O', 'N', 'E', ' ', ' ', ' ', ' '}};
    struct dp_engine_watch watch = {.symbols = symbols, .symbol_count = 1};
    struct dp_engine *engine = open_engine();
    seat(engine, &table, &watch, 1000);
    CHECK_EQUAL(run_all(engine), MESSAGES);
    finish(engine);
    CHECK_EQUAL(probe.opens + probe.books + probe.trades, 0);
    CHECK_EQUAL(probe.stops, 1);
    dp_engine_close(engine);
}

static void test_a_missing_file_is_an_error_in_words(void)
{
    struct dp_err err = {0};
    struct dp_engine *engine = open_engine();
    CHECK(dp_engine_start(engine, "/no/such/day.itch", &err) < 0);
    CHECK(strstr(err.text, "/no/such/day.itch") != NULL);
    dp_engine_close(engine);
}

static void write_day(void)
{
    struct dp_generate_config config = {
        .seed = 5, .message_count = MESSAGES, .symbol_count = SYMBOLS};
    struct dp_err err;
    int descriptor = mkstemp(day_path);
    FILE *file = fdopen(descriptor, "wb");
    struct dp_generate *generate = dp_generate_open(&config, &err);
    uint8_t record[2 + DP_GENERATE_MESSAGE_MAX];
    uint32_t size;
    while ((size = dp_generate_next(generate, record + 2)) > 0) {
        dp_store_be16(record, (uint16_t)size);
        fwrite(record, 1, size + 2, file);
    }
    dp_generate_close(generate);
    fclose(file);
}

static int run(void)
{
    RUN_TESTS(TEST(test_every_callback_comes_in_order_of_time),
        TEST(test_no_order_is_open_after_finish), TEST(test_two_runs_give_the_same_digests),
        TEST(test_every_order_goes_through_the_card_and_nothing_changes),
        TEST(test_the_kill_switch_of_the_firm_is_the_cards),
        TEST(test_a_run_that_begins_killed_begins_with_the_card_halted),
        TEST(test_a_card_that_is_not_built_is_one_line),
        TEST(test_a_refused_order_never_reaches_the_port),
        TEST(test_stop_ends_the_run_at_the_next_message),
        TEST(test_a_strategy_hears_only_of_what_it_watches),
        TEST(test_a_missing_file_is_an_error_in_words));
}

int main(void)
{
    write_day();
    int status = run();
    unlink(day_path);
    return status;
}

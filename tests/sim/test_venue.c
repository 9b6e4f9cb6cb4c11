#include "venue_scenarios.h"
#include "venue_world.h"

#include <stdarg.h>

#define TEXT_MAX 8192

struct run {
    struct world world;
    char text[TEXT_MAX];
    size_t size;
};

static void say(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct run *run, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int size = vsnprintf(run->text + run->size, TEXT_MAX - run->size, format, values);
    va_end(values);
    run->size += (size_t)size;
}

static void tell(struct run *run, int64_t time_ns, const struct dp_ouch_message *m)
{
    say(run, "%lld %c ", (long long)(time_ns - WORLD_MIDNIGHT_NS), m->type);
    switch (m->type) {
    case 'A':
        say(run, "%u %c %u %llu %c%c\n", m->user_ref_num, m->side, m->qty,
            (unsigned long long)m->price_wire, m->time_in_force, m->order_state);
        break;
    case 'U':
        say(run, "%u %u %c %u %llu %c%c\n", m->orig_user_ref_num, m->user_ref_num, m->side, m->qty,
            (unsigned long long)m->price_wire, m->time_in_force, m->order_state);
        break;
    case 'E':
        say(run, "%u %u %llu %c\n", m->user_ref_num, m->qty, (unsigned long long)m->price_wire,
            m->liquidity_flag);
        break;
    case 'C': say(run, "%u %u %c\n", m->user_ref_num, m->qty, m->reason); break;
    case 'J': say(run, "%u %s\n", m->user_ref_num, dp_ouch_reject_name(m->reject_code)); break;
    case 'Q': say(run, "%u\n", m->user_ref_num); break;
    default: say(run, "%c\n", m->event_code); break;
    }
}

static void pass_time(struct run *run, int64_t until_ns)
{
    struct dp_ouch_message message;
    int64_t time_ns = 0;
    for (;;) {
        int64_t next_ns = dp_venue_next_ns(run->world.venue);
        if (next_ns > until_ns || next_ns == INT64_MAX)
            return;
        dp_venue_advance(run->world.venue, next_ns);
        while (world_hear(&run->world, next_ns, &message, &time_ns))
            tell(run, time_ns, &message);
    }
}

static bool read_recorded(const char *line, struct dp_itch_message *m)
{
    unsigned long long ref = 0, second = 0, third = 0, fourth = 0;
    char letter = 0;
    *m = (struct dp_itch_message){.type = (uint8_t)line[0], .stock_locate = 1};
    switch (line[0]) {
    case 'A':
        sscanf(line, "A %llu %c %llu %llu", &ref, &letter, &second, &third);
        m->side = letter == 'B' ? DP_SIDE_BUY : DP_SIDE_SELL;
        m->qty = second;
        m->price4 = (uint32_t)third;
        break;
    case 'U':
        sscanf(line, "U %llu %llu %llu %llu", &ref, &second, &third, &fourth);
        m->new_order_ref = second;
        m->qty = third;
        m->price4 = (uint32_t)fourth;
        break;
    case 'H':
    case 'S':
        m->code = (uint8_t)line[2];
        m->stock_locate = line[0] == 'S' ? 0 : 1;
        break;
    default:
        sscanf(line + 1, "%llu %llu", &ref, &second);
        m->qty = second;
        break;
    }
    m->order_ref = ref;
    return strchr("AECXDUHS", line[0]) != NULL && line[1] == ' ';
}

static bool read_order(const char *line, struct dp_ouch_message *message)
{
    unsigned number = 0, orig = 0, qty = 0;
    unsigned long long price = 0;
    char side = 0, tif = '0';
    if (sscanf(line, "enter %u %c %u %llu %c", &number, &side, &qty, &price, &tif) == 5) {
        *message = world_enter(number, side, qty, price, tif);
        return true;
    }
    if (sscanf(line, "replace %u %u %u %llu %c", &orig, &number, &qty, &price, &tif) == 5) {
        *message = world_enter(number, 0, qty, price, tif);
        message->type = 'U';
        message->orig_user_ref_num = orig;
        return true;
    }
    *message = (struct dp_ouch_message){.type = 'X'};
    if (sscanf(line, "cancel %u %u", &message->user_ref_num, &message->qty) == 2)
        return true;
    message->type = 'Q';
    return strncmp(line, "query", 5) == 0;
}

static void play_line(struct run *run, const char *line)
{
    long long time = 0;
    int behind_time = 0;
    sscanf(line, "%lld %n", &time, &behind_time);
    int64_t now_ns = WORLD_MIDNIGHT_NS + time;
    pass_time(run, now_ns);

    line += behind_time;
    unsigned number = 0;
    struct dp_itch_message recorded;
    struct dp_ouch_message order;
    if (read_recorded(line, &recorded)) {
        world_record(&run->world, &recorded, now_ns);
    } else if (sscanf(line, "ahead %u", &number) == 1) {
        uint64_t qty = 0;
        bool known = dp_venue_queue_ahead(run->world.venue, number, &qty);
        say(run, known ? "ahead %llu\n" : "ahead none\n", (unsigned long long)qty);
    } else if (strncmp(line, "end", 3) == 0) {
        dp_venue_end(run->world.venue, now_ns);
    } else {
        CHECK_THAT(read_order(line, &order), "no such line: %s", line);
        CHECK(world_send(&run->world, &order, now_ns));
    }
}

static void play(const struct scenario *scenario)
{
    static struct run run;
    run.world = world_make(10, 5, 8);
    run.size = 0;
    run.text[0] = '\0';
    for (const char *line = scenario->script; *line != '\0'; line = strchr(line, '\n') + 1)
        play_line(&run, line);
    pass_time(&run, INT64_MAX);
    CHECK_THAT(strcmp(run.text, scenario->answers) == 0, "%s: answered\n%s-- expected\n%s",
        scenario->name, run.text, scenario->answers);
    world_free(&run.world);
}

static void test_each_scenario_is_answered_as_the_model_says(void)
{
    for (size_t index = 0; index < sizeof(scenarios) / sizeof(scenarios[0]); index++)
        play(&scenarios[index]);
}

/* An Enter with one value changed, and the code it is refused with; 0: accepted. */
static uint16_t code_of(struct dp_ouch_message message)
{
    struct world world = world_make(0, 0, 8);
    int64_t time_ns = 0;
    CHECK(world_send(&world, &message, WORLD_MIDNIGHT_NS));
    dp_venue_advance(world.venue, WORLD_MIDNIGHT_NS);
    CHECK(world_hear(&world, WORLD_MIDNIGHT_NS, &message, &time_ns));
    world_free(&world);
    return message.type == 'J' ? message.reject_code : 0;
}

static void test_what_the_model_does_not_know_is_refused(void)
{
    static const struct {
        const char *name;
        char side, tif, display, sweep, cross;
        uint32_t qty;
        uint64_t price;
        const char *symbol;
        uint16_t code;
    } rows[] = {
        {"good", 'B', '0', 'Y', 'N', 'N', 1, 1, "AAPL    ", 0},
        {"largest", 'T', '3', 'A', 'N', 'N', 999999, 1999999900, "MSFT    ", 0},
        {"no side", 'X', '0', 'Y', 'N', 'N', 1, 1, "AAPL    ", 0x0009},
        {"no quantity", 'B', '0', 'Y', 'N', 'N', 0, 1, "AAPL    ", 0x0013},
        {"one too many", 'B', '0', 'Y', 'N', 'N', 1000000, 1, "AAPL    ", 0x0013},
        {"no price", 'B', '0', 'Y', 'N', 'N', 1, 0, "AAPL    ", 0x001d},
        {"one tick too high", 'B', '0', 'Y', 'N', 'N', 1, 1999999901, "AAPL    ", 0x001d},
        {"market price", 'B', '0', 'Y', 'N', 'N', 1, 0x7fffffff, "AAPL    ", 0x001d},
        {"price of 2^63", 'B', '0', 'Y', 'N', 'N', 1, UINT64_C(1) << 63, "AAPL    ", 0x001d},
        {"unknown symbol", 'B', '0', 'Y', 'N', 'N', 1, 1, "NOPE    ", 0x0017},
        {"blank symbol", 'B', '0', 'Y', 'N', 'N', 1, 1, "        ", 0x0017},
        {"symbol of zeros", 'B', '0', 'Y', 'N', 'N', 1, 1, "\0\0\0\0\0\0\0\0", 0x0017},
        {"good till time", 'B', '6', 'Y', 'N', 'N', 1, 1, "AAPL    ", 0x000f},
        {"hidden", 'B', '0', 'N', 'N', 'N', 1, 1, "AAPL    ", 0x0003},
        {"sweep", 'B', '0', 'Y', 'Y', 'N', 1, 1, "AAPL    ", 0x0008},
        {"opening cross", 'B', '0', 'Y', 'N', 'O', 1, 1, "AAPL    ", 0x0014},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_ouch_message message =
            world_enter(1, rows[index].side, rows[index].qty, rows[index].price, rows[index].tif);
        message.display = rows[index].display;
        message.intermarket_sweep = rows[index].sweep;
        message.cross_type = rows[index].cross;
        memcpy(message.symbol, rows[index].symbol, 8);
        uint16_t code = code_of(message);
        CHECK_THAT(code == rows[index].code, "%s: 0x%04x", rows[index].name, code);
    }
    static const uint8_t min_qty[] = {5, 3, 0, 0, 0, 100};
    struct dp_ouch_message message = world_enter(1, 'B', 1, 1, '0');
    message.options = min_qty;
    message.options_size = sizeof(min_qty);
    CHECK_EQUAL(code_of(message), 0x000f);
}

static void test_frames_that_are_not_ours_are_counted(void)
{
    struct world world = world_make(0, 0, 8);
    struct dp_ouch_message message = world_enter(1, 'B', 1, 1, '0');
    uint8_t frame[256];
    uint32_t size = world_frame(&world, &message, frame);
    uint64_t bad_count = 0;
    for (uint32_t shorter = 0; shorter < size; shorter++, bad_count++)
        CHECK(dp_venue_receive(world.venue, frame, shorter, WORLD_MIDNIGHT_NS));
    /* Behind the two addresses of Ethernet every bit is under a checksum or decides what the frame
     * is. */
    for (uint32_t index = 12; index < size; index++, bad_count++) {
        frame[index] ^= 1;
        CHECK(dp_venue_receive(world.venue, frame, size, WORLD_MIDNIGHT_NS));
        frame[index] ^= 1;
    }
    CHECK_EQUAL(dp_venue_stats(world.venue).malformed, bad_count);
    CHECK_EQUAL(dp_venue_next_ns(world.venue), INT64_MAX);

    message.type = 'X';
    CHECK(world_send(&world, &message, WORLD_MIDNIGHT_NS));
    CHECK_EQUAL(dp_venue_next_ns(world.venue), WORLD_MIDNIGHT_NS);
    CHECK_EQUAL(dp_venue_stats(world.venue).malformed, bad_count);
    world_free(&world);
}

static void test_a_full_queue_takes_nothing(void)
{
    struct world world = world_make(1000, 0, 8);
    struct dp_ouch_message message = world_enter(1, 'B', 1, 1, '0');
    uint64_t taken = 0;
    while (taken < 1u << 20 && world_send(&world, &message, WORLD_MIDNIGHT_NS))
        taken++;
    CHECK(taken > 1000 && taken < 1u << 20);
    dp_venue_advance(world.venue, WORLD_MIDNIGHT_NS + 1000);
    CHECK_EQUAL(dp_venue_stats(world.venue).orders, taken);
    CHECK_EQUAL(dp_venue_stats(world.venue).ignored, taken - 1);
    CHECK(world_send(&world, &message, WORLD_MIDNIGHT_NS));
    world_free(&world);
}

static void test_a_venue_says_what_is_wrong_with_its_configuration(void)
{
    static const struct {
        struct dp_venue_config config;
        const char *text;
    } rows[] = {
        {{.order_latency_ns = -1, .order_count_max = 1},
            "venue: order_latency_ns: -1; it must be 0 or more"},
        {{.report_latency_ns = -2, .order_count_max = 1},
            "venue: report_latency_ns: -2; it must be 0 or more"},
        {{.order_count_max = 0}, "venue: order_count_max: 0; it must be from 1 to 268435456"},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_err err = {0};
        CHECK(dp_venue_open(&rows[index].config, NULL, &err) == NULL);
        CHECK_TEXT(err.text, rows[index].text);
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_each_scenario_is_answered_as_the_model_says),
        TEST(test_what_the_model_does_not_know_is_refused),
        TEST(test_frames_that_are_not_ours_are_counted), TEST(test_a_full_queue_takes_nothing),
        TEST(test_a_venue_says_what_is_wrong_with_its_configuration));
}

#include "venue_world.h"

/*
 * Random flows: recorded messages and orders of ours from a seed. What the venue answers is kept in
 * a ledger too simple to be wrong, and checked against what the recording could have given.
 */
#define NUMBERS_MAX 4096
#define REFS_MAX 8192
#define PRICES 16
#define PRICE_FIRST 1000

struct ledger_row {
    uint32_t entered; /* shares of the link, as accepted or replaced */
    uint32_t executed;
    uint32_t canceled;
    uint32_t replaced; /* shares that moved on to the next link */
    uint32_t price;
    char side;
};

struct flow {
    struct world world;
    uint64_t seed;
    uint64_t first_seed;
    int64_t now_ns;
    uint32_t number_next;
    uint32_t ref_next;
    struct ledger_row ledger[NUMBERS_MAX];
    uint64_t match_number_last;
    uint64_t removed[3][PRICES]; /* shares we took at each price, by the book's side */
    uint64_t added[3][PRICES];   /* shares ever displayed at each price */
    uint64_t passive_qty;        /* filled since the last recorded message */
};

static uint64_t pick(struct flow *flow, uint64_t count)
{
    return check_random(&flow->seed) % count;
}

static uint32_t open_qty(const struct ledger_row *row)
{
    return row->entered - row->executed - row->canceled - row->replaced;
}

static void enter_in_ledger(struct flow *flow, const struct dp_ouch_message *m)
{
    struct ledger_row *row = &flow->ledger[m->user_ref_num];
    CHECK_EQUAL(row->entered, 0);
    CHECK(m->order_ref >= DP_VENUE_ORDER_REF_FIRST);
    row->entered = m->qty;
    row->side = m->side;
    row->price = (uint32_t)m->price_wire;
    if (m->type == 'U') {
        struct ledger_row *old = &flow->ledger[m->orig_user_ref_num];
        CHECK(open_qty(old) > 0);
        old->replaced = open_qty(old);
    }
}

static void execute_in_ledger(struct flow *flow, const struct dp_ouch_message *m)
{
    struct ledger_row *row = &flow->ledger[m->user_ref_num];
    CHECK_THAT(m->qty > 0 && m->qty <= open_qty(row), "number %u filled %u of %u, seed %llu",
        m->user_ref_num, m->qty, open_qty(row), (unsigned long long)flow->first_seed);
    row->executed += m->qty;
    CHECK(m->match_number > flow->match_number_last);
    flow->match_number_last = m->match_number;
    if (m->liquidity_flag == 'A') {
        CHECK_EQUAL(m->price_wire, row->price);
        flow->passive_qty += m->qty;
        return;
    }
    CHECK_EQUAL(m->liquidity_flag, 'R');
    CHECK(row->side == 'B' ? m->price_wire <= row->price : m->price_wire >= row->price);
    int book_side = row->side == 'B' ? DP_SIDE_SELL : DP_SIDE_BUY;
    flow->removed[book_side][m->price_wire - PRICE_FIRST] += m->qty;
}

static void hear(struct flow *flow, int64_t until_ns)
{
    struct dp_ouch_message message;
    int64_t time_ns = 0;
    for (int64_t next_ns; (next_ns = dp_venue_next_ns(flow->world.venue)) <= until_ns;) {
        if (next_ns == INT64_MAX)
            return;
        dp_venue_advance(flow->world.venue, next_ns);
        while (world_hear(&flow->world, next_ns, &message, &time_ns)) {
            if (message.type == 'A' || message.type == 'U')
                enter_in_ledger(flow, &message);
            if (message.type == 'E')
                execute_in_ledger(flow, &message);
            if (message.type == 'C')
                flow->ledger[message.user_ref_num].canceled += message.qty;
        }
    }
}

/* ---- what happens ---- */

static void send_order(struct flow *flow)
{
    if (flow->number_next == NUMBERS_MAX)
        return;
    uint32_t older = (uint32_t)pick(flow, flow->number_next);
    struct dp_ouch_message message = world_enter(flow->number_next, "BSTE"[pick(flow, 4)],
        (uint32_t)pick(flow, 300) + 1, PRICE_FIRST + pick(flow, PRICES), "003"[pick(flow, 3)]);
    uint64_t kind = pick(flow, 10);
    if (kind < 2) {
        message = (struct dp_ouch_message){
            .type = 'X', .user_ref_num = older, .qty = (uint32_t)pick(flow, 3) * 40};
    } else if (kind < 4) {
        message.type = 'U';
        message.orig_user_ref_num = older;
    }
    if (message.type != 'X')
        flow->number_next++;
    CHECK(world_send(&flow->world, &message, flow->now_ns));
}

/* The recorded book of one side never reaches the other: bids below, asks above the middle. */
static uint32_t price_for(struct flow *flow, enum dp_side side)
{
    uint32_t offset = (uint32_t)pick(flow, PRICES / 2);
    return PRICE_FIRST + (side == DP_SIDE_BUY ? offset : PRICES / 2 + offset);
}

static struct dp_itch_message recorded_message(struct flow *flow)
{
    struct dp_itch_message m = {.stock_locate = 1, .type = (uint8_t) "AAAAEECXDU"[pick(flow, 10)]};
    m.order_ref = pick(flow, flow->ref_next + 1u) + 1;
    struct dp_book_order_view order;
    if (m.type != 'A' && !dp_book_order(flow->world.books, m.order_ref, &order))
        m.type = 'A';
    if (m.type == 'A') {
        m.order_ref = ++flow->ref_next;
        m.side = pick(flow, 2) ? DP_SIDE_BUY : DP_SIDE_SELL;
        m.qty = pick(flow, 200) + 1;
        m.price4 = price_for(flow, (enum dp_side)m.side);
    } else if (m.type == 'U') {
        m.new_order_ref = ++flow->ref_next;
        m.qty = pick(flow, 200) + 1;
        m.price4 = price_for(flow, (enum dp_side)order.side);
    } else {
        m.qty = m.type == 'D' ? 0 : pick(flow, order.qty) + 1;
    }
    return m;
}

static void note_added(struct flow *flow, const struct dp_itch_message *m)
{
    struct dp_book_order_view order;
    uint64_t ref = m->type == 'U' ? m->new_order_ref : m->order_ref;
    if ((m->type == 'A' || m->type == 'U') && dp_book_order(flow->world.books, ref, &order))
        flow->added[order.side][m->price4 - PRICE_FIRST] += order.qty;
}

static void record(struct flow *flow)
{
    if (flow->ref_next + 1 >= REFS_MAX)
        return;
    struct dp_itch_message m = recorded_message(flow);
    hear(flow, flow->now_ns);
    flow->passive_qty = 0;
    world_record(&flow->world, &m, flow->now_ns);
    note_added(flow, &m);
    hear(flow, flow->now_ns);
    uint64_t limit = strchr("XD", m.type) != NULL ? 0 : m.qty;
    CHECK_THAT(flow->passive_qty <= limit, "%c of %llu filled %llu, seed %llu", m.type,
        (unsigned long long)m.qty, (unsigned long long)flow->passive_qty,
        (unsigned long long)flow->first_seed);
}

/* ---- what must hold ---- */

static void check_nothing_was_used_twice(const struct flow *flow)
{
    for (int side = DP_SIDE_BUY; side <= DP_SIDE_SELL; side++)
        for (int price = 0; price < PRICES; price++)
            CHECK_THAT(flow->removed[side][price] <= flow->added[side][price],
                "price %d: %llu taken of %llu, seed %llu", price,
                (unsigned long long)flow->removed[side][price],
                (unsigned long long)flow->added[side][price], (unsigned long long)flow->first_seed);
}

static void check_all_shares_are_accounted_for(const struct flow *flow)
{
    uint64_t executed = 0;
    for (uint32_t number = 0; number < NUMBERS_MAX; number++) {
        CHECK_THAT(open_qty(&flow->ledger[number]) == 0, "number %u has %u open, seed %llu", number,
            open_qty(&flow->ledger[number]), (unsigned long long)flow->first_seed);
        executed += flow->ledger[number].executed;
    }
    CHECK(executed > 0);
}

static void check_open_orders_have_their_place(struct flow *flow)
{
    for (uint32_t number = 1; number < flow->number_next; number++) {
        uint64_t qty = 0;
        bool known = dp_venue_queue_ahead(flow->world.venue, number, &qty);
        CHECK_EQUAL(known, open_qty(&flow->ledger[number]) > 0);
    }
}

static void play(uint64_t seed, int64_t order_latency_ns)
{
    static struct flow flow;
    memset(&flow, 0, sizeof(flow));
    flow.world = world_make(order_latency_ns, 0, NUMBERS_MAX);
    flow.seed = flow.first_seed = seed;
    flow.now_ns = WORLD_MIDNIGHT_NS;
    flow.number_next = 1;
    for (int step = 0; step < 6000; step++) {
        flow.now_ns += (int64_t)pick(&flow, 3);
        if (pick(&flow, 2) == 0)
            send_order(&flow);
        else
            record(&flow);
        if (step % 500 == 0) {
            hear(&flow, flow.now_ns);
            check_open_orders_have_their_place(&flow);
        }
    }
    dp_venue_end(flow.world.venue, flow.now_ns);
    hear(&flow, INT64_MAX);
    check_all_shares_are_accounted_for(&flow);
    check_nothing_was_used_twice(&flow);
    world_free(&flow.world);
}

static void test_every_share_is_executed_cancelled_or_moved_on(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        play(seed * 7919, seed % 2 == 0 ? 0 : 25);
}

static void test_messages_of_other_instruments_change_nothing(void)
{
    struct world world = world_make(0, 0, 8);
    struct dp_ouch_message message = world_enter(1, 'B', 10, 1000, '0');
    CHECK(world_send(&world, &message, WORLD_MIDNIGHT_NS));
    dp_venue_advance(world.venue, WORLD_MIDNIGHT_NS);
    const struct dp_itch_message elsewhere = {
        .type = 'A',
        .stock_locate = 2,
        .side = DP_SIDE_SELL,
        .order_ref = 1,
        .qty = 1,
        .price4 = 1,
    };
    for (int round = 0; round < 1000; round++)
        dp_venue_on_message(world.venue, &elsewhere, WORLD_MIDNIGHT_NS);
    CHECK_EQUAL(dp_venue_stats(world.venue).executions, 0);
    world_free(&world);
}

int main(void)
{
    RUN_TESTS(TEST(test_every_share_is_executed_cancelled_or_moved_on),
        TEST(test_messages_of_other_instruments_change_nothing));
}

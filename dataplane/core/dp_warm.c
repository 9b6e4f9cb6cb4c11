#include "dp_warm.h"

#define PRICE_NANOS INT64_C(10000000000)
#define TICK_NANOS INT64_C(100000000)
#define RING_SLOTS 4
#define PAGE_SIZE 4096

/* A whole appliance, as small as it goes; its parts lie behind the struct. */
struct dp_warm {
    struct dp_submit submit;
    struct dp_counters counters;
    struct dp_event_log events;
    struct dp_template enter;
    struct dp_journal_segment segment;
    struct dp_journal_segment segment_first; /* as it was before the first record */
    uint64_t walk_count;
};

static const struct dp_books_config books_config = {
    .instrument_count_max = 1, .order_count_max = 4, .level_count_max = 4};
static const struct dp_risk_config risk_config = {
    .instrument_count_max = 1, .strategy_count_max = 1};
static const struct dp_orders_config orders_config = {
    .order_count_max = 2, .exec_count_max = 2, .user_ref_num_first = 1};
static const struct dp_risk_strategy_limits strategy_limits = {
    .order_qty_max = DP_RISK_UNLIMITED,
    .order_notional_max_nanos = DP_RISK_UNLIMITED,
    .gross_max_nanos = DP_RISK_UNLIMITED,
    .net_max_nanos = DP_RISK_UNLIMITED,
    .open_order_count_max = DP_RISK_UNLIMITED,
    .order_rate_max = DP_RISK_UNLIMITED,
    .order_burst_max = DP_RISK_UNLIMITED,
    .duplicate_count_max = DP_RISK_UNLIMITED,
    .has_policy = true,
};
static const struct dp_risk_instrument_limits instrument_limits = {
    .order_qty_max = DP_RISK_UNLIMITED,
    .order_notional_max_nanos = DP_RISK_UNLIMITED,
    .position_max = DP_RISK_UNLIMITED,
    .collar_bps = 1000,
    .has_policy = true,
};

/* ---- the parts ---- */

static void *place(uint8_t *memory, size_t *offset, size_t size)
{
    void *part = memory == NULL ? NULL : memory + *offset;
    *offset += dp_round_up(size, PAGE_SIZE);
    return part;
}

/* Where the parts end; called with no memory for the size. */
static size_t lay_out(uint8_t *memory, struct dp_submit *submit)
{
    size_t offset = dp_round_up(sizeof(struct dp_warm), PAGE_SIZE);
    submit->books = place(memory, &offset, dp_books_size(&books_config));
    submit->orders = place(memory, &offset, dp_orders_size(&orders_config));
    submit->risk = place(memory, &offset, dp_risk_size(&risk_config));
    submit->tx = place(memory, &offset, dp_ring_size(RING_SLOTS, DP_TEMPLATE_FRAME_MAX));
    return offset;
}

size_t dp_warm_size(void)
{
    struct dp_submit none;
    return lay_out(NULL, &none) + DP_JOURNAL_SEGMENT_SIZE_MIN;
}

static int open_gate(struct dp_submit *submit, struct dp_err *err)
{
    int status = dp_risk_init(submit->risk, &risk_config, err);
    if (status == 0)
        status = dp_risk_set_strategy(submit->risk, 0, &strategy_limits, err);
    if (status == 0)
        status = dp_risk_set_instrument(submit->risk, 0, &instrument_limits, err);
    return status;
}

static int open_book(struct dp_books *books, struct dp_err *err)
{
    int status = dp_books_init(books, &books_config, err);
    if (status < 0)
        return status;
    dp_book_open(books, 0, "SHADOW  ");
    dp_book_add(books, 0, 1, DP_SIDE_BUY, 100, PRICE_NANOS - TICK_NANOS, 1);
    dp_book_add(books, 0, 2, DP_SIDE_SELL, 100, PRICE_NANOS + TICK_NANOS, 1);
    dp_book_set_trading_state(books, 0, DP_TRADING_OPEN);
    return 0;
}

int dp_warm_init(struct dp_warm *warm, const struct dp_template *enter, struct dp_err *err)
{
    memset(warm, 0, dp_warm_size());
    struct dp_submit *submit = &warm->submit;
    uint8_t *journal = (uint8_t *)warm + lay_out((uint8_t *)warm, submit);
    const struct dp_journal_header header = {.sequence_first = 1};
    warm->enter = *enter;
    submit->counters = &warm->counters;
    submit->events = &warm->events;
    submit->segment = &warm->segment;
    submit->enter_templates = &warm->enter;
    submit->enter_template_count = 1;
    submit->now_ns = 1;
    dp_event_log_init(&warm->events);

    int status = open_book(submit->books, err);
    if (status == 0)
        status = open_gate(submit, err);
    if (status == 0)
        status = dp_orders_init(submit->orders, &orders_config, err);
    if (status == 0)
        status = dp_ring_init(submit->tx, RING_SLOTS, DP_TEMPLATE_FRAME_MAX, err);
    if (status == 0)
        status = dp_journal_segment_init(
            &warm->segment, journal, DP_JOURNAL_SEGMENT_SIZE_MIN, &header, err);
    warm->segment_first = warm->segment;
    return status;
}

/* ---- the walk ---- */

/* The venue's words of the shadow order: that it lives, that it is over. */
static void answer(struct dp_warm *warm, enum dp_event_kind kind)
{
    struct dp_event event = {
        .time_ns = warm->submit.now_ns,
        .venue_order_id = 1,
        .qty = 100,
        .user_ref_num = orders_config.user_ref_num_first,
        .kind = (uint8_t)kind,
        .order_state = kind == DP_EVENT_ACCEPTED ? 'L' : 0,
    };
    enum dp_order_result result = dp_report(&warm->submit, &event);
    DP_ASSERT(result == DP_ORDER_APPLIED);
}

/* Back to the first order and the first record: the next walk touches the same lines. */
static void begin_again(struct dp_warm *warm)
{
    dp_ring_peek(warm->submit.tx);
    dp_ring_release(warm->submit.tx);
    dp_event_log_settle(&warm->events);
    dp_orders_init(warm->submit.orders, &orders_config, NULL);
    warm->segment = warm->segment_first;
}

void dp_warm_walk(struct dp_warm *warm)
{
    const struct dp_request request = {
        .side = warm->walk_count % 2 == 0 ? DP_SIDE_BUY : DP_SIDE_SELL,
        .time_in_force = DP_TIF_DAY,
        .qty = 100,
        .price_nanos = PRICE_NANOS,
    };
    uint32_t user_ref_num;
    warm->submit.now_ns++;
    enum dp_reason reason = dp_submit_new(&warm->submit, 0, &request, &user_ref_num);
    DP_ASSERT(reason == DP_REASON_ACCEPTED);
    answer(warm, DP_EVENT_ACCEPTED);
    answer(warm, DP_EVENT_CANCELED);
    begin_again(warm);
    warm->walk_count++;
}

uint64_t dp_warm_walk_count(const struct dp_warm *warm)
{
    return warm->walk_count;
}

/* ---- the look ---- */

static void ask_for(const void *memory, size_t size)
{
    for (size_t offset = 0; offset < size; offset += DP_CACHE_LINE)
        DP_PREFETCH_WRITE((const uint8_t *)memory + offset);
}

void dp_warm_look(
    const struct dp_submit *submit, uint16_t strategy_index, uint32_t instrument_index)
{
    dp_book_touch(submit->books, instrument_index);
    dp_risk_exposure(submit->risk, strategy_index);
    dp_risk_position(submit->risk, instrument_index);
    dp_orders_ask_for_next(submit->orders);
    if (submit->segment != NULL)
        ask_for(
            submit->segment->memory + submit->segment->used, 2 * sizeof(struct dp_journal_record));
    if (instrument_index < submit->enter_template_count)
        ask_for(&submit->enter_templates[instrument_index], sizeof(struct dp_template));
    ask_for(dp_ring_slot_ahead(submit->tx, 0), sizeof(struct dp_ring_slot) + DP_TEMPLATE_FRAME_MAX);
    ask_for(submit->events, offsetof(struct dp_event_log, slots));
    ask_for(&submit->events->slots[submit->events->count % DP_EVENT_LOG_SLOTS],
        sizeof(struct dp_event));
    ask_for(submit->counters, sizeof(*submit->counters));
}

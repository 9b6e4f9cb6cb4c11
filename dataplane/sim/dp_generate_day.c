/* The day as a table of phases, and what each phase that is not order flow writes. */
#include "dp_generate_state.h"

enum kind {
    ONCE,  /* one message without a stock */
    SPIN,  /* one message for every stock */
    CROSS, /* the same, each behind its executions */
    FLOW,  /* orders: a share of all messages that the other kinds leave */
    LATE,  /* orders that leave after the end of system hours */
};

struct phase {
    uint8_t kind;
    char code;      /* what to write: message type, event code or cross type */
    uint8_t mode;   /* enum dp_generate_flow_mode */
    uint16_t share; /* FLOW: of the sum of all shares */
    uint32_t start_s;
    uint32_t end_s;
};

#define AT(hour, minute, second) ((hour)*3600 + (minute)*60 + (second))

/* kind, code, mode, share, start, end. Spin codes h, q and t are the market-wide halt: H with
 * reason MWC1, then MWCQ, then trading again. */
static const struct phase day[] = {
    {ONCE, 'O', 0, 0, AT(3, 0, 0), AT(3, 0, 0)},
    {SPIN, 'R', 0, 0, AT(3, 5, 0), AT(3, 5, 10)},
    {SPIN, 'H', 0, 0, AT(3, 6, 0), AT(3, 6, 5)},
    {SPIN, 'Y', 0, 0, AT(3, 7, 0), AT(3, 7, 5)},
    {SPIN, 'L', 0, 0, AT(3, 10, 0), AT(3, 10, 30)},
    {ONCE, 'V', 0, 0, AT(3, 30, 0), AT(3, 30, 0)},
    {ONCE, 'S', 0, 0, AT(4, 0, 0), AT(4, 0, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_QUIET, 15, AT(4, 0, 0), AT(7, 0, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_SETTLED, 40, AT(7, 0, 0), AT(9, 25, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_OPENING, 20, AT(9, 25, 0), AT(9, 30, 0)},
    {ONCE, 'Q', 0, 0, AT(9, 30, 0), AT(9, 30, 0)},
    {CROSS, 'O', 0, 0, AT(9, 30, 0), AT(9, 30, 4)},
    {FLOW, 0, DP_GENERATE_FLOW_TRADING, 180, AT(9, 30, 4), AT(10, 0, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_TRADING, 160, AT(10, 0, 0), AT(11, 0, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_TRADING, 110, AT(11, 0, 0), AT(12, 0, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_SETTLED, 80, AT(12, 0, 0), AT(13, 0, 0)},
    {ONCE, 'W', 0, 0, AT(13, 0, 0), AT(13, 0, 0)},
    {SPIN, 'h', 0, 0, AT(13, 0, 0), AT(13, 0, 2)},
    {FLOW, 0, DP_GENERATE_FLOW_QUIET, 6, AT(13, 0, 2), AT(13, 10, 0)},
    {SPIN, 'q', 0, 0, AT(13, 10, 0), AT(13, 10, 2)},
    {FLOW, 0, DP_GENERATE_FLOW_QUIET, 6, AT(13, 10, 2), AT(13, 15, 0)},
    {SPIN, 't', 0, 0, AT(13, 15, 0), AT(13, 15, 2)},
    {FLOW, 0, DP_GENERATE_FLOW_TRADING, 90, AT(13, 15, 2), AT(14, 15, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_TRADING, 110, AT(14, 15, 0), AT(15, 15, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_SETTLED, 90, AT(15, 15, 0), AT(15, 50, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_CLOSING, 70, AT(15, 50, 0), AT(16, 0, 0)},
    {ONCE, 'M', 0, 0, AT(16, 0, 0), AT(16, 0, 0)},
    {CROSS, 'C', 0, 0, AT(16, 0, 0), AT(16, 0, 5)},
    {FLOW, 0, DP_GENERATE_FLOW_SETTLED, 5, AT(16, 0, 5), AT(18, 30, 0)},
    {FLOW, 0, DP_GENERATE_FLOW_UNWIND, 18, AT(18, 30, 0), AT(20, 0, 0)},
    {ONCE, 'E', 0, 0, AT(20, 0, 0), AT(20, 0, 0)},
    {LATE, 0, 0, 0, AT(20, 0, 0), AT(20, 4, 0)},
    {ONCE, 'C', 0, 0, AT(20, 5, 0), AT(20, 5, 0)},
};

#define PHASE_COUNT (sizeof(day) / sizeof(day[0]))

static uint64_t fixed_count(const struct phase *phase, uint32_t symbol_count)
{
    return phase->kind == ONCE ? 1 : phase->kind == SPIN || phase->kind == CROSS ? symbol_count : 0;
}

/* Messages that the phases from `first` on write whatever happens. */
static uint64_t fixed_count_from(size_t first, uint32_t symbol_count)
{
    uint64_t count = 0;
    for (size_t index = first; index < PHASE_COUNT; index++)
        count += fixed_count(&day[index], symbol_count);
    return count;
}

uint64_t dp_generate_count_min(uint32_t symbol_count)
{
    return fixed_count_from(0, symbol_count);
}

static uint32_t share_from(size_t first)
{
    uint32_t sum = 0;
    for (size_t index = first; index < PHASE_COUNT; index++)
        sum += day[index].share;
    return sum;
}

/* How many messages the phase that now begins will write.
 * What one leaves over the next ones share. */
static uint64_t plan_count(struct dp_generate *generate, const struct phase *phase)
{
    uint64_t free_count = generate->message_count - generate->written -
        fixed_count_from(generate->phase, generate->symbol_count);
    switch (phase->kind) {
    case FLOW:
        if (phase->mode == DP_GENERATE_FLOW_UNWIND) {
            uint64_t keep_max = free_count / 256;
            generate->keep_count =
                generate->order_count < keep_max ? generate->order_count : keep_max;
            return free_count - generate->keep_count;
        }
        return free_count * phase->share / share_from(generate->phase);
    case CROSS:
        generate->cross_budget = free_count / 64;
        generate->cross_begun = false;
        return 0; /* ends when every stock has crossed */
    case LATE: return free_count;
    default: return fixed_count(phase, generate->symbol_count);
    }
}

static void begin_phase(struct dp_generate *generate, uint32_t index)
{
    const struct phase *phase = &day[index];
    generate->phase = index;
    generate->phase_written = 0;
    generate->phase_start_ns = phase->start_s * 1000000000ull;
    generate->phase_end_ns = phase->end_s * 1000000000ull;
    generate->phase_count = plan_count(generate, phase);
    uint64_t count =
        generate->phase_count != 0 ? generate->phase_count : 2 * generate->symbol_count;
    generate->phase_step_ns = (generate->phase_end_ns - generate->phase_start_ns) / count;
    generate->spin_symbol = 0;
    generate->burst_left = 0;
    if (generate->time_ns < generate->phase_start_ns)
        generate->time_ns = generate->phase_start_ns;
}

void dp_generate_day_init(struct dp_generate *generate)
{
    uint64_t flow = generate->message_count - dp_generate_count_min(generate->symbol_count);
    uint64_t traded = 0;
    for (size_t index = 0; index < PHASE_COUNT; index++)
        if (day[index].mode == DP_GENERATE_FLOW_TRADING ||
            day[index].mode == DP_GENERATE_FLOW_SETTLED)
            traded += day[index].share;
    generate->flow_total = flow * traded / share_from(0);
    begin_phase(generate, 0);
}

/* Within a burst messages follow each other in fractions of microseconds to some of them. Between
 * bursts the clock catches up with the pace of the phase, by leaps of uneven length. */
static void advance_time(struct dp_generate *generate)
{
    uint64_t chance = dp_generate_random_next(&generate->random);
    uint64_t target = generate->phase_start_ns + generate->phase_step_ns * generate->phase_written;
    uint64_t time_ns = generate->time_ns + 40 + (chance & 1023);
    if (generate->burst_left == 0 && target > time_ns)
        time_ns += (uint64_t)dp_generate_random_below(&generate->random, 1 << 16) *
            ((target - time_ns) / (1 << 15));
    if (time_ns > generate->phase_end_ns)
        time_ns = generate->phase_end_ns;
    if (time_ns > generate->time_ns)
        generate->time_ns = time_ns;
}

static uint32_t mwcb_levels(const struct dp_generate *generate, uint8_t *message)
{
    const uint64_t index8 = 480000000000; /* $4,800.00000000, then 7 %, 13 % and 20 % below */
    dp_generate_header(generate, message, 'V', DP_GENERATE_NONE);
    dp_store_be64(message + 11, index8 * 93 / 100);
    dp_store_be64(message + 19, index8 * 87 / 100);
    dp_store_be64(message + 27, index8 * 80 / 100);
    return 35;
}

static uint32_t write_once(struct dp_generate *generate, uint8_t *message, char code)
{
    if (code == 'V')
        return mwcb_levels(generate, message);
    if (code != 'W')
        return dp_generate_system_event(generate, message, code);
    dp_generate_header(generate, message, 'W', DP_GENERATE_NONE);
    message[11] = '1';
    return 12;
}

static uint32_t directory(struct dp_generate *generate, uint8_t *message, uint32_t symbol_index)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    struct dp_generate_random *random = &generate->random;
    bool is_fund = dp_generate_random_one_in(random, 4);
    char market = "QQQGSNNAPZ"[dp_generate_random_below(random, 10)];
    bool is_nasdaq = market == 'Q' || market == 'G' || market == 'S';
    bool is_ipo = symbol_index == generate->ipo_symbol;
    dp_generate_header(generate, message, 'R', symbol_index);
    memcpy(message + 11, symbol->stock, 8);
    message[19] = (uint8_t)market;
    message[20] = is_nasdaq ? 'N' : ' ';
    dp_store_be32(message + 21,
        symbol->anchor4 <= 2500000        ? 100
            : symbol->anchor4 <= 10000000 ? 40
                                          : 10);
    message[25] = 'N';
    message[26] = is_fund ? 'Q' : 'C';
    memcpy(message + 27, is_fund ? "E " : "Z ", 2);
    message[29] = 'P';
    message[30] = 'N';
    message[31] = is_ipo ? 'Y' : is_nasdaq ? 'N' : ' ';
    message[32] = (uint8_t) "12"[dp_generate_random_below(random, 2)];
    message[33] = is_fund ? 'Y' : 'N';
    dp_store_be32(message + 34, is_fund ? 1 : 0);
    message[38] = 'N';
    return 39;
}

static uint32_t reg_sho(struct dp_generate *generate, uint8_t *message, uint32_t symbol)
{
    dp_generate_header(generate, message, 'Y', symbol);
    memcpy(message + 11, generate->symbols[symbol].stock, 8);
    message[19] = dp_generate_random_one_in(&generate->random, 50) ? '2' : '0';
    return 20;
}

static uint32_t market_maker(struct dp_generate *generate, uint8_t *message, uint32_t symbol)
{
    static const char mpids[4][5] = {"TPMM", "QLIQ", "ALFA", "CRUX"};
    dp_generate_header(generate, message, 'L', symbol);
    memcpy(message + 11, mpids[dp_generate_random_below(&generate->random, 4)], 4);
    memcpy(message + 15, generate->symbols[symbol].stock, 8);
    message[23] = dp_generate_random_one_in(&generate->random, 3) ? 'Y' : 'N';
    message[24] = 'N';
    message[25] = 'A';
    return 26;
}

/* The opening state: everything trades but what is listed for the first time today. */
static uint32_t first_state(struct dp_generate *generate, uint8_t *message, uint32_t symbol)
{
    if (symbol == generate->ipo_symbol || symbol == generate->direct_symbol)
        return dp_generate_trading_action(generate, message, symbol, 'H', "IPO1");
    return dp_generate_trading_action(generate, message, symbol, 'T', "");
}

static uint32_t write_spin(struct dp_generate *generate, uint8_t *message, char code)
{
    uint32_t symbol = generate->spin_symbol++;
    switch (code) {
    case 'R': return directory(generate, message, symbol);
    case 'H': return first_state(generate, message, symbol);
    case 'Y': return reg_sho(generate, message, symbol);
    case 'L': return market_maker(generate, message, symbol);
    case 'h': return dp_generate_trading_action(generate, message, symbol, 'H', "MWC1");
    case 'q': return dp_generate_trading_action(generate, message, symbol, 'Q', "MWCQ");
    default: return dp_generate_trading_action(generate, message, symbol, 'T', "MWCQ");
    }
}

/* The side that fills and the price: up to three of its best orders trade against interest that was
 * never shown. */
static void begin_cross(struct dp_generate *generate)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[generate->spin_symbol];
    uint8_t side = dp_generate_random_below(&generate->random, 2) != 0;
    generate->cross_begun = true;
    generate->cross_left = 0;
    generate->cross_price4 = symbol->trading_state == 'T' ? dp_generate_best4(symbol, side) : 0;
    generate->cross_shares = 0;
    generate->take_side = side;
    if (generate->cross_price4 == 0)
        return;
    generate->cross_left = dp_generate_random_below(&generate->random, 4);
    generate->cross_shares = 100ull * dp_generate_random_below(&generate->random, 200);
}

/* Executions that do not print by themselves, then the bulk print that counts them all. */
static uint32_t write_cross(struct dp_generate *generate, uint8_t *message, char code)
{
    if (!generate->cross_begun)
        begin_cross(generate);
    uint32_t index = generate->spin_symbol;
    const struct dp_generate_symbol *symbol = &generate->symbols[index];
    bool at_price = dp_generate_best4(symbol, generate->take_side) == generate->cross_price4;
    if (generate->cross_left != 0 && generate->cross_budget != 0 && at_price) {
        uint32_t order = dp_generate_book_front(symbol, generate->take_side);
        uint32_t qty = generate->orders[order].qty;
        generate->cross_left--;
        generate->cross_budget--;
        generate->cross_shares += qty;
        return dp_generate_execute(generate, message, order, qty, 'N', generate->cross_price4);
    }
    generate->spin_symbol++;
    generate->cross_begun = false;
    return dp_generate_cross_trade(
        generate, message, index, code, generate->cross_shares, generate->cross_price4);
}

static bool phase_is_over(const struct dp_generate *generate)
{
    if (day[generate->phase].kind == CROSS)
        return generate->spin_symbol == generate->symbol_count;
    return generate->phase_written == generate->phase_count;
}

static uint32_t write_late(struct dp_generate *generate, uint8_t *message)
{
    uint32_t symbol = dp_generate_unwind_next(generate);
    return dp_generate_delete(generate, message, dp_generate_book_pick(generate, symbol));
}

uint32_t dp_generate_day_next(struct dp_generate *generate, uint8_t *message)
{
    while (phase_is_over(generate)) {
        if (generate->phase + 1 == PHASE_COUNT)
            return 0;
        begin_phase(generate, generate->phase + 1);
    }
    advance_time(generate);
    generate->phase_written++;
    const struct phase *phase = &day[generate->phase];
    switch (phase->kind) {
    case ONCE: return write_once(generate, message, phase->code);
    case SPIN: return write_spin(generate, message, phase->code);
    case CROSS: return write_cross(generate, message, phase->code);
    case LATE: return write_late(generate, message);
    default: return dp_generate_flow(generate, message, phase->mode);
    }
}

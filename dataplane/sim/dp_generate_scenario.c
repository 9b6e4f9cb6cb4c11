/* What befalls single stocks while the market trades: pauses, halts, releases, broken trades.
 *
 * A scenario is a script, one letter a message, played with pauses between the letters:
 *   P  pause, LULD        J  auction collar      H  halt, news pending     D  news disseminated
 *   R  quotation, news    L  quotation, LULD     Y  quotation, IPO         W  not yet trading, IPO
 *   I  imbalance          X  resumption cross    T  trading                B  broken trade
 *   K  IPO release time   O  direct listing      h  operational halt       t  its end
 *   N  retail interest    n  its end             .  nothing, later
 */
#include "dp_generate_state.h"

enum {
    IPO,
    DIRECT_LISTING,
    LULD_PAUSE,
    NEWS_HALT,
    OPERATIONAL_HALT,
    RETAIL_INTEREST,
    BREAK,
    SCENARIO_COUNT
};

static const char *const scripts[SCENARIO_COUNT] = {
    [IPO] = "KYIIIXT",
    [DIRECT_LISTING] = "WYOIOIOXT",
    [LULD_PAUSE] = "PJILIIIXT",
    [NEWS_HALT] = "H..DRIIIXT",
    [OPERATIONAL_HALT] = "h...t",
    [RETAIL_INTEREST] = "N.n",
    [BREAK] = "B",
};

/* A day holds each scenario once; a long one repeats all but the first two. */
void dp_generate_scenario_init(struct dp_generate *generate)
{
    uint64_t rounds = generate->flow_total / 500000;
    generate->scenario_total = (uint32_t)(SCENARIO_COUNT + rounds * (SCENARIO_COUNT - 2));
    generate->scenario_gap = generate->flow_total / 400 + 1;
    generate->scenario_spacing = generate->flow_total / (generate->scenario_total + 2) + 1;
    generate->scenario_start_due = generate->scenario_gap;
    generate->scenario_due = generate->scenario_start_due;
}

static uint32_t collar(struct dp_generate *generate, uint8_t *message, uint32_t symbol_index)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    uint32_t width4 = symbol->anchor4 / 20 / symbol->tick4 * symbol->tick4;
    dp_generate_header(generate, message, 'J', symbol_index);
    memcpy(message + 11, symbol->stock, 8);
    dp_store_be32(message + 19, symbol->anchor4);
    dp_store_be32(message + 23, symbol->anchor4 + width4);
    dp_store_be32(message + 27, symbol->anchor4 - width4);
    dp_store_be32(message + 31, 0);
    return 35;
}

/* The release time in whole seconds; stock locate 0, as the specification says. */
static uint32_t ipo_quoting(struct dp_generate *generate, uint8_t *message, uint32_t symbol_index)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    dp_generate_header(generate, message, 'K', DP_GENERATE_NONE);
    memcpy(message + 11, symbol->stock, 8);
    dp_store_be32(message + 19, (uint32_t)(generate->time_ns / 1000000000) + 600);
    message[23] = 'A';
    dp_store_be32(message + 24, symbol->anchor4);
    return 28;
}

static uint32_t direct_listing(
    struct dp_generate *generate, uint8_t *message, uint32_t symbol_index)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    uint32_t tenth4 = symbol->anchor4 / 10;
    dp_generate_header(generate, message, 'O', symbol_index);
    memcpy(message + 11, symbol->stock, 8);
    message[19] = 'Y';
    dp_store_be32(message + 20, symbol->anchor4 - 2 * tenth4);
    dp_store_be32(message + 24, symbol->anchor4 + 8 * tenth4);
    dp_store_be32(message + 28, symbol->anchor4);
    dp_store_be64(message + 32, generate->time_ns);
    dp_store_be32(message + 40, symbol->anchor4 - tenth4);
    dp_store_be32(message + 44, symbol->anchor4 + tenth4);
    return 48;
}

static uint32_t operational_halt(
    struct dp_generate *generate, uint8_t *message, uint32_t symbol_index, char action)
{
    struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    symbol->halted_here = action == 'H';
    dp_generate_header(generate, message, 'h', symbol_index);
    memcpy(message + 11, symbol->stock, 8);
    message[19] = 'Q';
    message[20] = (uint8_t)action;
    return 21;
}

static uint32_t retail_interest(
    struct dp_generate *generate, uint8_t *message, uint32_t symbol_index, char interest)
{
    dp_generate_header(generate, message, 'N', symbol_index);
    memcpy(message + 11, generate->symbols[symbol_index].stock, 8);
    message[19] = (uint8_t)interest;
    return 20;
}

/* Breaks one of the last trades, each at most once; 0 when none is remembered. */
static uint32_t broken_trade(struct dp_generate *generate, uint8_t *message)
{
    uint32_t start = dp_generate_random_below(&generate->random, DP_GENERATE_MATCH_COUNT);
    for (uint32_t step = 0; step < DP_GENERATE_MATCH_COUNT; step++) {
        struct dp_generate_match *match =
            &generate->matches[(start + step) % DP_GENERATE_MATCH_COUNT];
        if (match->match_number == 0)
            continue;
        dp_generate_header(generate, message, 'B', match->symbol);
        dp_store_be64(message + 11, match->match_number);
        match->match_number = 0;
        return 19;
    }
    return 0;
}

static uint32_t play(struct dp_generate *generate, uint8_t *message, uint32_t symbol, char step)
{
    uint32_t shares = 100 * dp_generate_random_between(&generate->random, 1, 900);
    switch (step) {
    case 'P': return dp_generate_trading_action(generate, message, symbol, 'P', "LUDP");
    case 'L': return dp_generate_trading_action(generate, message, symbol, 'Q', "LUDP");
    case 'H': return dp_generate_trading_action(generate, message, symbol, 'H', "T1");
    case 'D': return dp_generate_trading_action(generate, message, symbol, 'H', "T2");
    case 'R': return dp_generate_trading_action(generate, message, symbol, 'Q', "T3");
    case 'W': return dp_generate_trading_action(generate, message, symbol, 'H', "IPO1");
    case 'Y': return dp_generate_trading_action(generate, message, symbol, 'Q', "IPOQ");
    case 'T': return dp_generate_trading_action(generate, message, symbol, 'T', "");
    case 'J': return collar(generate, message, symbol);
    case 'I': return dp_generate_imbalance(generate, message, symbol, 'H');
    case 'X':
        return dp_generate_cross_trade(
            generate, message, symbol, 'H', shares, generate->symbols[symbol].anchor4);
    case 'K': return ipo_quoting(generate, message, symbol);
    case 'O': return direct_listing(generate, message, symbol);
    case 'h': return operational_halt(generate, message, symbol, 'H');
    case 't': return operational_halt(generate, message, symbol, 'T');
    case 'N': return retail_interest(generate, message, symbol, 'A');
    case 'n': return retail_interest(generate, message, symbol, 'N');
    case 'B': return broken_trade(generate, message);
    default: return 0;
    }
}

/* Who it befalls; DP_GENERATE_NONE when no fit stock was drawn this time. */
static uint32_t choose_symbol(struct dp_generate *generate, uint32_t kind)
{
    uint32_t symbol = generate->ipo_symbol;
    if (kind == DIRECT_LISTING)
        symbol = generate->direct_symbol;
    else if (kind != IPO)
        symbol = generate->zipf[dp_generate_random_below(&generate->random, DP_GENERATE_ZIPF_SIZE)];
    if (generate->symbols[symbol].in_scenario)
        return DP_GENERATE_NONE;
    bool is_listed = generate->symbols[symbol].trading_state == 'T';
    return is_listed || kind <= DIRECT_LISTING ? symbol : DP_GENERATE_NONE;
}

static uint32_t kind_of(uint32_t started)
{
    if (started < SCENARIO_COUNT)
        return started;
    return LULD_PAUSE + (started - SCENARIO_COUNT) % (SCENARIO_COUNT - LULD_PAUSE);
}

static void start_scenario(struct dp_generate *generate)
{
    uint32_t kind = kind_of(generate->scenario_started);
    uint32_t symbol = choose_symbol(generate, kind);
    generate->scenario_start_due = generate->flow_index + generate->scenario_gap;
    for (uint32_t slot = 0; slot < DP_GENERATE_SCENARIO_COUNT; slot++) {
        struct dp_generate_scenario *scenario = &generate->scenarios[slot];
        if (scenario->steps != NULL || symbol == DP_GENERATE_NONE)
            continue;
        *scenario = (struct dp_generate_scenario){scripts[kind], generate->flow_index, symbol};
        generate->symbols[symbol].in_scenario = true;
        generate->scenario_start_due = ++generate->scenario_started < generate->scenario_total
            ? generate->flow_index + generate->scenario_spacing
            : UINT64_MAX;
        return;
    }
}

/* When is the next time that anything is to be done. */
static void plan_due(struct dp_generate *generate)
{
    generate->scenario_due = generate->scenario_start_due;
    for (uint32_t slot = 0; slot < DP_GENERATE_SCENARIO_COUNT; slot++) {
        const struct dp_generate_scenario *scenario = &generate->scenarios[slot];
        if (scenario->steps != NULL && scenario->due < generate->scenario_due)
            generate->scenario_due = scenario->due;
    }
}

static uint32_t play_next(
    struct dp_generate *generate, uint8_t *message, struct dp_generate_scenario *scenario)
{
    char step = *scenario->steps;
    uint32_t size = play(generate, message, scenario->symbol, step);
    scenario->due = generate->flow_index + generate->scenario_gap;
    if (size == 0 && step == 'B')
        return 0; /* No trade to break yet: ask again later. */
    if (*++scenario->steps == '\0') {
        scenario->steps = NULL;
        generate->symbols[scenario->symbol].in_scenario = false;
    }
    return size;
}

uint32_t dp_generate_scenario_step(struct dp_generate *generate, uint8_t *message, bool may_start)
{
    if (generate->flow_index < generate->scenario_due)
        return 0;
    if (may_start && generate->flow_index >= generate->scenario_start_due)
        start_scenario(generate);
    uint32_t size = 0;
    for (uint32_t slot = 0; slot < DP_GENERATE_SCENARIO_COUNT && size == 0; slot++) {
        struct dp_generate_scenario *scenario = &generate->scenarios[slot];
        if (scenario->steps != NULL && generate->flow_index >= scenario->due)
            size = play_next(generate, message, scenario);
    }
    plan_due(generate);
    return size;
}

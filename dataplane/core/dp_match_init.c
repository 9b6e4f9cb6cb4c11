#include <errno.h>

#include "dp_match_account.h"
#include "dp_match_band.h"
#include "dp_match_book.h"

#define COUNT_MAX (1u << 30)
#define FEE_PER_UNIT_MAX (INT64_C(1) << 30) /* times DP_MATCH_QTY_MAX it stays in 63 bits */
#define PPM 1000000
#define KEY_MAX ((1u << (DP_MATCH_LADDER_BITS * DP_MATCH_LADDER_HEIGHT_MAX)) - 1)

/* ---- the layout ---- */

static uint64_t place(uint64_t *size, uint64_t bytes)
{
    uint64_t at = *size;
    *size = dp_round_up(at + bytes, DP_CACHE_LINE);
    return at;
}

static struct dp_match_table place_table(uint64_t *size, uint32_t capacity, size_t record_size)
{
    return (struct dp_match_table){
        .at = place(size, ((uint64_t)capacity + 1) * record_size), .capacity = capacity};
}

static uint32_t power_of_two_from(uint32_t least)
{
    uint32_t power = 64;
    while (power < least)
        power *= 2;
    return power;
}

/* One level of each book's own holds what has no price. */
static uint32_t level_capacity(const struct dp_match_config *config)
{
    return config->level_count_max + config->instrument_count_max;
}

/* Each book has one path of its own beyond what the configuration gives. */
static uint32_t node_capacity(const struct dp_match_config *config)
{
    uint32_t shared =
        config->node_count_max != 0 ? config->node_count_max : config->level_count_max / 2;
    return shared +
        config->instrument_count_max * DP_MATCH_LADDER_COUNT * DP_MATCH_LADDER_HEIGHT_MAX;
}

/* Everything in the header that follows from the configuration alone. */
static struct dp_match layout(const struct dp_match_config *config)
{
    struct dp_match match;
    memset(&match, 0, sizeof(match)); /* padding too: a snapshot has it */
    match.magic = DP_MATCH_MAGIC;
    match.config = *config;
    uint64_t size = dp_round_up(sizeof(match), DP_CACHE_LINE);
    match.bucket_mask = power_of_two_from(config->order_count_max) - 1;
    match.books_at = place(&size, config->instrument_count_max * sizeof(struct dp_match_book));
    match.accounts_at =
        place(&size, config->participant_count_max * sizeof(struct dp_match_account));
    match.positions_at = place(&size,
        (uint64_t)config->instrument_count_max * config->participant_count_max * sizeof(int64_t));
    match.nodes_at = place(&size, dp_match_nodes_size(node_capacity(config)));
    match.levels = place_table(&size, level_capacity(config), sizeof(struct dp_match_level));
    match.extras = place_table(&size, config->terms_count_max, sizeof(struct dp_match_extra));
    match.buckets_at = place(&size, ((uint64_t)match.bucket_mask + 1) * sizeof(uint32_t));
    match.orders = place_table(&size, config->order_count_max, sizeof(struct dp_match_slot));
    match.size = size;
    return match;
}

static int check_count(const char *name, uint32_t value, uint32_t least, struct dp_err *err)
{
    if (value >= least && value <= COUNT_MAX)
        return 0;
    return dp_err_set(
        err, EINVAL, "match: %s is %u; it must be %u to %u", name, value, least, COUNT_MAX);
}

static int check_config(const struct dp_match_config *config, struct dp_err *err)
{
    int result = check_count("instrument_count_max", config->instrument_count_max, 1, err);
    if (result == 0)
        result = check_count("participant_count_max", config->participant_count_max, 1, err);
    if (result == 0)
        result = check_count("order_count_max", config->order_count_max, 1, err);
    if (result == 0)
        result = check_count("terms_count_max", config->terms_count_max, 0, err);
    if (result == 0)
        result = check_count("level_count_max", config->level_count_max, 1, err);
    if (result == 0)
        result = check_count("node_count_max", config->node_count_max, 0, err);
    if (result == 0 && config->instrument_count_max > COUNT_MAX / 32)
        result = dp_err_set(err, EINVAL, "match: instrument_count_max is %u; it must be 1 to %u",
            config->instrument_count_max, COUNT_MAX / 32);
    return result;
}

size_t dp_match_size(const struct dp_match_config *config)
{
    return check_config(config, NULL) < 0 ? 0 : layout(config).size;
}

int dp_match_init(struct dp_match *match, const struct dp_match_config *config, struct dp_err *err)
{
    DP_ASSERT((uintptr_t)match % DP_CACHE_LINE == 0);
    int result = check_config(config, err);
    if (result < 0)
        return result;
    *match = layout(config);
    match->timer_next_ns = INT64_MAX;
    match->random = config->seed;
    memset(dp_match_bucket(match, 0), 0, ((size_t)match->bucket_mask + 1) * sizeof(uint32_t));
    dp_match_nodes_init(dp_match_nodes(match), node_capacity(config));
    memset(dp_match_slot(match, 0), 0, sizeof(struct dp_match_slot));
    memset(dp_match_level(match, 0), 0, sizeof(struct dp_match_level));
    memset(dp_match_extra(match, 0), 0, sizeof(struct dp_match_extra));
    return 0;
}

/* ---- instruments ---- */

static int check_prices(const struct dp_match_instrument *terms, struct dp_err *err)
{
    if (terms->tick_nanos <= 0 || terms->tick_nanos % 2 != 0)
        return dp_err_set(err, EINVAL, "match: tick_nanos is %lld; it must be even and above 0",
            (long long)terms->tick_nanos);
    int64_t price_max = terms->tick_nanos > INT64_MAX / (KEY_MAX / 2 - 1)
        ? INT64_MAX - 1
        : terms->tick_nanos * (KEY_MAX / 2 - 1);
    if (terms->price_nanos_max < terms->tick_nanos || terms->price_nanos_max > price_max)
        return dp_err_set(err, EINVAL, "match: price_nanos_max is %lld; it must be %lld to %lld",
            (long long)terms->price_nanos_max, (long long)terms->tick_nanos, (long long)price_max);
    if (terms->reference_price_nanos != DP_PRICE_NONE &&
        (terms->reference_price_nanos <= 0 ||
            terms->reference_price_nanos > terms->price_nanos_max ||
            terms->reference_price_nanos % terms->tick_nanos != 0))
        return dp_err_set(err, EINVAL,
            "match: reference_price_nanos is %lld; it must be a multiple of the tick, up to "
            "price_nanos_max",
            (long long)terms->reference_price_nanos);
    return 0;
}

static int check_lmms(
    const struct dp_match *match, const struct dp_match_instrument *terms, struct dp_err *err)
{
    uint64_t total = 0;
    for (uint32_t index = 0; index < DP_MATCH_LMM_MAX && terms->lmms[index].share_ppm != 0;
         index++) {
        total += terms->lmms[index].share_ppm;
        if (terms->lmms[index].participant >= match->participant_count)
            return dp_err_set(err, EINVAL,
                "match: lmms[%u].participant is %u; there are %u participants", index,
                terms->lmms[index].participant, match->participant_count);
    }
    if (total > PPM)
        return dp_err_set(err, EINVAL,
            "match: the shares of lead market makers are %llu ppm together; at most %d",
            (unsigned long long)total, PPM);
    return 0;
}

static int check_instrument(
    const struct dp_match *match, const struct dp_match_instrument *terms, struct dp_err *err)
{
    if (match->instrument_count == match->config.instrument_count_max)
        return dp_err_set(err, ENOSPC,
            "match: there are %u instruments already; raise instrument_count_max",
            match->instrument_count);
    if (terms->lot_qty == 0 || terms->lot_qty > DP_MATCH_QTY_MAX)
        return dp_err_set(err, EINVAL, "match: lot_qty is %llu; it must be 1 to %u",
            (unsigned long long)terms->lot_qty, DP_MATCH_QTY_MAX);
    if ((unsigned)terms->policy >= DP_MATCH_POLICY_COUNT)
        return dp_err_set(err, EINVAL, "match: policy is %d; it must be 0 to %d",
            (int)terms->policy, DP_MATCH_POLICY_COUNT - 1);
    if ((unsigned)terms->session > DP_MATCH_HALTED)
        return dp_err_set(err, EINVAL, "match: session is %d; it must be 0 to %d",
            (int)terms->session, DP_MATCH_HALTED);
    if (terms->band_ppm >= PPM || (terms->band_ppm != 0 && terms->pause_ns <= 0))
        return dp_err_set(err, EINVAL,
            "match: band_ppm is %u with pause_ns %lld; below %d, and with a pause above 0",
            terms->band_ppm, (long long)terms->pause_ns, PPM);
    int result = check_prices(terms, err);
    return result < 0 ? result : check_lmms(match, terms, err);
}

/* Newton's iteration: each step doubles the bits that are right; 3 are to begin with. */
static uint64_t inverse_of_odd(uint64_t odd)
{
    uint64_t inverse = odd;
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - odd * inverse;
    return inverse;
}

static void init_book(
    struct dp_match *match, struct dp_match_book *book, const struct dp_match_instrument *terms)
{
    uint64_t tick = (uint64_t)terms->tick_nanos;
    memset(book, 0, sizeof(*book));
    book->index = match->instrument_count;
    book->terms = *terms;
    book->tick_shift = (uint32_t)__builtin_ctzll(tick);
    book->tick_inverse = inverse_of_odd(tick >> book->tick_shift);
    book->tick_count_max = (uint32_t)((uint64_t)terms->price_nanos_max / tick);
    book->half_tick_nanos = terms->tick_nanos / 2;
    book->lot_qty = terms->lot_qty;
    book->slot_max = book->tick_count_max * 2 + 1;
    book->session = (uint8_t)terms->session;
    book->policy = (uint8_t)terms->policy;
    book->dark = terms->dark != 0;
    book->quoted = terms->quoted != 0;
    book->reference_price_nanos = terms->reference_price_nanos;
    book->last_price_nanos = book->trigger_price_nanos = DP_PRICE_NONE;
    book->bid_nanos = book->ask_nanos = DP_PRICE_NONE;
    book->quote_bid_nanos = book->quote_ask_nanos = DP_PRICE_NONE;
    book->pause_end_ns = INT64_MAX;
    for (uint32_t name = 0; name < DP_MATCH_LADDER_COUNT; name++)
        dp_match_ladder_init(&book->ladders[name], book->slot_max,
            name == DP_MATCH_BIDS || name == DP_MATCH_TRIGGERS_DOWN);
    book->held_level = dp_match_level_take(match);
    struct dp_match_level *held = dp_match_level(match, book->held_level);
    held->ladder = DP_MATCH_HELD;
    held->instrument_index = book->index;
    held->price_nanos = DP_PRICE_NONE;
}

int64_t dp_match_add_instrument(
    struct dp_match *match, const struct dp_match_instrument *instrument, struct dp_err *err)
{
    int result = check_instrument(match, instrument, err);
    if (result < 0)
        return result;
    struct dp_match_book *book = dp_match_book(match, match->instrument_count);
    init_book(match, book, instrument);
    memset(dp_match_position(match, 0, match->instrument_count), 0,
        match->config.participant_count_max * sizeof(int64_t));
    dp_match_book_bands(book);
    return match->instrument_count++;
}

/* ---- participants ---- */

static int check_fee_class(uint32_t fee_class, struct dp_err *err)
{
    if (fee_class < DP_MATCH_FEE_CLASSES_MAX)
        return 0;
    return dp_err_set(err, EINVAL, "match: fee class %u; it must be 0 to %d", fee_class,
        DP_MATCH_FEE_CLASSES_MAX - 1);
}

int64_t dp_match_add_participant(struct dp_match *match, uint32_t fee_class, struct dp_err *err)
{
    if (match->participant_count == match->config.participant_count_max)
        return dp_err_set(err, ENOSPC,
            "match: there are %u participants already; raise participant_count_max",
            match->participant_count);
    int result = check_fee_class(fee_class, err);
    if (result < 0)
        return result;
    struct dp_match_account *account = dp_match_account(match, match->participant_count);
    memset(account, 0, sizeof(*account));
    account->fee_class = fee_class;
    dp_match_account_tier(match, account);
    return match->participant_count++;
}

static bool is_rate(int64_t nanos_per_unit, int32_t ppm)
{
    return nanos_per_unit >= -FEE_PER_UNIT_MAX && nanos_per_unit <= FEE_PER_UNIT_MAX &&
        ppm >= -PPM && ppm <= PPM;
}

static int check_tiers(const struct dp_match_fee_tier *tiers, uint32_t count, struct dp_err *err)
{
    if (count > DP_MATCH_FEE_TIERS_MAX)
        return dp_err_set(
            err, EINVAL, "match: %u fee tiers; at most %d", count, DP_MATCH_FEE_TIERS_MAX);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_match_fee_tier *tier = &tiers[index];
        if (index == 0 ? tier->from_qty != 0 : tier->from_qty <= tiers[index - 1].from_qty)
            return dp_err_set(err, EINVAL,
                "match: fee tier %u is from quantity %llu; the first is from 0, each later one "
                "from more than the one before",
                index, (unsigned long long)tier->from_qty);
        if (!is_rate(tier->maker_nanos_per_unit, tier->maker_ppm) ||
            !is_rate(tier->taker_nanos_per_unit, tier->taker_ppm))
            return dp_err_set(err, EINVAL,
                "match: fee tier %u has a rate out of range; at most %lld nanos per unit and %d "
                "ppm, either way",
                index, (long long)FEE_PER_UNIT_MAX, PPM);
    }
    return 0;
}

int dp_match_set_fees(struct dp_match *match, uint32_t fee_class,
    const struct dp_match_fee_tier *tiers, uint32_t tier_count, struct dp_err *err)
{
    int result = check_fee_class(fee_class, err);
    if (result == 0)
        result = check_tiers(tiers, tier_count, err);
    if (result < 0)
        return result;
    struct dp_match_fee_class *of = &match->fee_classes[fee_class];
    memset(of, 0, sizeof(*of));
    of->tier_count = tier_count;
    if (tier_count > 0)
        memcpy(of->tiers, tiers, tier_count * sizeof(*tiers));
    for (uint32_t participant = 0; participant < match->participant_count; participant++)
        dp_match_account_tier(match, dp_match_account(match, participant));
    return 0;
}

#include "dp_risk.h"

#include <errno.h>

#include "dp_risk_layout.h"

#define INSTRUMENTS_MAX 65536u

/* ---- layout ---- */

static struct dp_risk_config whole(const struct dp_risk_config *config)
{
    struct dp_risk_config copy = *config;
    if (copy.lane_count_max == 0)
        copy.lane_count_max = 1;
    return copy;
}

/* The firm, and one account where none is asked for. */
static uint32_t group_count(const struct dp_risk_config *config)
{
    return 1 + (config->account_count_max > 0 ? config->account_count_max : 1);
}

static uint32_t advance(uint64_t *line_count, uint64_t count, size_t size)
{
    uint64_t at = *line_count;
    *line_count += dp_round_up(count * size, DP_CACHE_LINE) / DP_CACHE_LINE;
    return (uint32_t)at;
}

/* 2^32 cache lines are 256 GiB: the largest configuration takes about 700 MiB. */
static void lay_out(struct dp_risk *risk, const struct dp_risk_config *config)
{
    uint64_t strategies = config->strategy_count_max;
    uint64_t lanes = config->lane_count_max;
    uint64_t at = 0;
    advance(&at, 1, sizeof(struct dp_risk) + strategies * sizeof(struct risk_strategy));
    risk->groups_at = advance(&at, group_count(config), sizeof(struct risk_group));
    risk->instruments_at =
        advance(&at, config->instrument_count_max, sizeof(struct risk_instrument));
    risk->seats_at = DP_CACHE_LINE * (uint64_t)advance(&at, strategies, sizeof(struct risk_seat));
    risk->shares_at = advance(&at, group_count(config) * lanes, sizeof(struct risk_share));
    risk->lines_at = advance(&at, config->instrument_count_max * lanes, sizeof(struct risk_line));
    risk->holdings_at = advance(&at, strategies * RISK_HOLDINGS, sizeof(struct risk_holding));
    risk->size = at * DP_CACHE_LINE;
    risk->config = *config;
}

size_t dp_risk_size(const struct dp_risk_config *config)
{
    struct dp_risk_config copy = whole(config);
    struct dp_risk header;
    lay_out(&header, &copy);
    return header.size;
}

static int check_count(
    const char *name, uint32_t value, uint32_t least, uint32_t most, struct dp_err *err)
{
    if (value >= least && value <= most)
        return 0;
    return dp_err_set(err, EINVAL, "risk: %s: %u; give %u to %u", name, value, least, most);
}

static int check_config(const struct dp_risk_config *config, struct dp_err *err)
{
    int status = check_count(
        "strategy_count_max", config->strategy_count_max, 1, DP_RISK_STRATEGIES_MAX, err);
    if (status == 0)
        status = check_count(
            "instrument_count_max", config->instrument_count_max, 1, INSTRUMENTS_MAX, err);
    if (status == 0)
        status = check_count(
            "account_count_max", config->account_count_max, 0, DP_RISK_ACCOUNTS_MAX, err);
    if (status == 0)
        status = check_count("lane_count_max", config->lane_count_max, 1, DP_CREDIT_LANES_MAX, err);
    return status;
}

int dp_risk_init(struct dp_risk *risk, const struct dp_risk_config *config, struct dp_err *err)
{
    struct dp_risk_config copy = whole(config);
    int status = check_config(&copy, err);
    if (status < 0)
        return status;
    memset(risk, 0, dp_risk_size(&copy));
    lay_out(risk, &copy);
    dp_store_relaxed(&risk->gate, 1); /* 0 stands for never looked */
    if (config->starts_uncertain)
        dp_risk_kill(risk, (struct dp_risk_scope){DP_RISK_SCOPE_FIRM, 0}, DP_SWITCH_UNCERTAIN,
            DP_SWITCH_BY_RESTART);
    return 0;
}

const struct dp_risk_config *dp_risk_config(const struct dp_risk *risk)
{
    return &risk->config;
}

/* ---- the kill switch ---- */

const char *dp_risk_scope_word(enum dp_risk_scope_kind kind)
{
    switch (kind) {
#define X(number, name, word) \
    case DP_RISK_SCOPE_##name: return word;
        DP_RISK_SCOPES(X)
#undef X
    default: return "unknown";
    }
}

static dp_switch_mark *mark_at(const struct dp_risk *risk, struct dp_risk_scope scope)
{
    const struct dp_risk_config *config = &risk->config;
    uint32_t index = scope.index;
    switch (scope.kind) {
    case DP_RISK_SCOPE_FIRM: return index == 0 ? &dp_risk_group(risk, DP_RISK_FIRM)->mark : NULL;
    case DP_RISK_SCOPE_ACCOUNT:
        return index + 1 < group_count(config) ? &dp_risk_group(risk, index + 1)->mark : NULL;
    case DP_RISK_SCOPE_STRATEGY:
        return index < config->strategy_count_max
            ? (dp_switch_mark *)(uintptr_t)&risk->strategies[index].mark
            : NULL;
    case DP_RISK_SCOPE_SESSION:
        return index < DP_RISK_SESSIONS_MAX
            ? (dp_switch_mark *)(uintptr_t)&risk->session_marks[index]
            : NULL;
    case DP_RISK_SCOPE_INSTRUMENT:
        return index < config->instrument_count_max ? &dp_risk_instrument(risk, index)->mark : NULL;
    default: return NULL;
    }
}

bool dp_risk_kill(struct dp_risk *risk, struct dp_risk_scope scope, enum dp_switch_mode mode,
    enum dp_switch_source source)
{
    dp_switch_mark *mark = mark_at(risk, scope);
    if (mark == NULL)
        return false;
    dp_switch_set(&risk->gate, mark, mode, source);
    return true;
}

bool dp_risk_arm(struct dp_risk *risk, struct dp_risk_scope scope, uint64_t mark_seen)
{
    dp_switch_mark *mark = mark_at(risk, scope);
    return mark != NULL && dp_switch_clear(&risk->gate, mark, mark_seen);
}

uint64_t dp_risk_mark_of(const struct dp_risk *risk, struct dp_risk_scope scope)
{
    const dp_switch_mark *mark = mark_at(risk, scope);
    return mark != NULL ? dp_switch_look(mark) : 0;
}

enum dp_switch_mode dp_risk_mode_of(const struct dp_risk *risk, uint16_t strategy_index,
    uint8_t session_index, uint32_t instrument_index)
{
    const struct risk_seat *seat = dp_risk_seat(risk, strategy_index);
    const struct dp_risk_scope scopes[] = {
        {DP_RISK_SCOPE_FIRM, 0},
        {DP_RISK_SCOPE_ACCOUNT, seat->account_index},
        {DP_RISK_SCOPE_STRATEGY, strategy_index},
        {DP_RISK_SCOPE_SESSION, session_index},
        {DP_RISK_SCOPE_INSTRUMENT, instrument_index},
    };
    enum dp_switch_mode strongest = DP_SWITCH_CLEAR;
    for (size_t index = 0; index < sizeof(scopes) / sizeof(scopes[0]); index++) {
        enum dp_switch_mode mode = dp_switch_mode_of(dp_risk_mark_of(risk, scopes[index]));
        strongest = mode > strongest ? mode : strongest;
    }
    return strongest;
}

bool dp_risk_are_sessions_clear(const struct dp_risk *risk)
{
    uint64_t marks = 0;
    for (uint32_t index = 0; index < DP_RISK_SESSIONS_MAX; index++)
        marks |= dp_switch_mode_of(
            dp_risk_mark_of(risk, (struct dp_risk_scope){DP_RISK_SCOPE_SESSION, index}));
    return marks == DP_SWITCH_CLEAR && dp_load_relaxed(&risk->sessions_out) == 0;
}

uint64_t dp_risk_gate(const struct dp_risk *risk)
{
    return dp_load_acquire(&risk->gate);
}

/* ---- what the node is ---- */

/* The one writer of each bit is the engine; others' bits are kept. */
static void set_bits(struct dp_risk *risk, _Atomic uint64_t *word, uint64_t bits, bool set)
{
    uint64_t before = dp_load_relaxed(word);
    while (!dp_cas_acq_rel(word, &before, set ? before | bits : before & ~bits))
        ;
    dp_switch_tell(&risk->gate);
}

void dp_risk_set_degraded(struct dp_risk *risk, enum dp_risk_degraded what, bool degraded)
{
    set_bits(risk, &risk->degraded, what, degraded);
}

void dp_risk_set_session(struct dp_risk *risk, uint16_t session_index, bool authenticated)
{
    DP_ASSERT(session_index < DP_RISK_SESSIONS_MAX);
    set_bits(risk, &risk->sessions_out, UINT64_C(1) << session_index, !authenticated);
}

void dp_risk_set_trip(struct dp_risk *risk, enum dp_reason reason, bool trips)
{
    DP_ASSERT(reason < DP_REASON_COUNT);
    set_bits(risk, &risk->trip_on, UINT64_C(1) << reason, trips);
}

void dp_risk_heard(struct dp_risk *risk, int64_t now_ns)
{
    dp_store_relaxed(&risk->heard_ns, now_ns);
}

/* ---- looking in ---- */

void dp_risk_name_group(struct dp_risk *risk, uint32_t group, const char *name)
{
    DP_ASSERT(group < group_count(&risk->config));
    snprintf(dp_risk_group(risk, group)->name, DP_RISK_NAME_SIZE, "%s", name);
}

void dp_risk_name_strategy(struct dp_risk *risk, uint16_t strategy_index, const char *name)
{
    DP_ASSERT(strategy_index < risk->config.strategy_count_max);
    snprintf(risk->strategies[strategy_index].name, DP_RISK_NAME_SIZE, "%s", name);
}

const char *dp_risk_group_name(const struct dp_risk *risk, uint32_t group)
{
    return group < group_count(&risk->config) ? dp_risk_group(risk, group)->name : "";
}

const char *dp_risk_strategy_name(const struct dp_risk *risk, uint16_t strategy_index)
{
    return strategy_index < risk->config.strategy_count_max ? risk->strategies[strategy_index].name
                                                            : "";
}

static dp_money_nanos nanos(int64_t ticks)
{
    return (dp_money_nanos)ticks * DP_RISK_TICK_NANOS;
}

struct dp_risk_exposure dp_risk_exposure(const struct dp_risk *risk, uint16_t strategy_index)
{
    if (strategy_index >= risk->config.strategy_count_max)
        return (struct dp_risk_exposure){0};
    const struct risk_seat *seat = dp_risk_seat(risk, strategy_index);
    int64_t buy_net = seat->base[RISK_NET_BUY] - seat->credit.free[RISK_NET_BUY];
    int64_t sell_net = seat->base[RISK_NET_SELL] - seat->credit.free[RISK_NET_SELL];
    return (struct dp_risk_exposure){
        .buy_open = nanos(buy_net - seat->bought + seat->sold),
        .sell_open = nanos(sell_net - seat->sold + seat->bought),
        .buy_executed = nanos(seat->bought),
        .sell_executed = nanos(seat->sold),
        .open_order_count = (uint64_t)(seat->base[RISK_COUNT] - seat->credit.free[RISK_COUNT]),
        .alerts = seat->alerts,
        .profit = nanos(seat->profit),
    };
}

struct dp_risk_position dp_risk_position(const struct dp_risk *risk, uint32_t instrument_index)
{
    struct dp_risk_position sum = {0};
    if (instrument_index >= risk->config.instrument_count_max)
        return sum;
    for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++) {
        const struct risk_line *line = dp_risk_line(risk, lane, instrument_index);
        sum.position += line->position;
        sum.buy_leaves += (uint64_t)(dp_risk_side_used(line, RISK_LONG) - line->position);
        sum.sell_leaves += (uint64_t)(dp_risk_side_used(line, RISK_SHORT) + line->position);
        sum.cash += line->cash;
        sum.bought_qty += (uint64_t)line->bought_qty;
        sum.sold_qty += (uint64_t)line->sold_qty;
    }
    return sum;
}

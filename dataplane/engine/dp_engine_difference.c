#include "dp_engine_internal.h"
#include "dp_engine_session.h"

static void count_difference(struct dp_engine *engine, enum dp_difference difference)
{
    /* The others are counted where they are found. */
    static const enum dp_counter counters[DP_DIFFERENCE_COUNT] = {
        [DP_DIFFERENCE_QUANTITY] = DP_COUNTER_REPORTS_QUANTITY,
        [DP_DIFFERENCE_PRICE] = DP_COUNTER_REPORTS_PRICE,
        [DP_DIFFERENCE_EXECUTION] = DP_COUNTER_REPORTS_EXECUTION,
        [DP_DIFFERENCE_INSTRUMENT] = DP_COUNTER_REPORTS_INSTRUMENT,
    };
    if (counters[difference] != 0)
        dp_counter_add(engine->counters, counters[difference], 1);
}

void dp_engine_contradicted(
    struct dp_engine *engine, enum dp_difference difference, uint32_t user_ref_num)
{
    struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
    struct dp_journal_control control = {.scope_kind = DP_RISK_SCOPE_FIRM};
    enum dp_switch_mode mode = engine->live->config.differences[difference];
    count_difference(engine, difference);
    if (mode == DP_SWITCH_CLEAR)
        return;
    snprintf(control.cause, sizeof(control.cause), "venue: %s: number %u",
        dp_difference_name(difference), user_ref_num);
    dp_risk_kill(engine->risk, firm, mode, DP_SWITCH_BY_VENUE);
    dp_engine_note_mark(engine, firm, &control);
}

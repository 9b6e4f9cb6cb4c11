/* What persons and breakers change while the engine runs: taken, done, journalled, answered. */
#include <errno.h>

#include "dp_engine_internal.h"
#include "dp_risk_field.h"

#define WATCH_NS 1000000000 /* profit and loss, soft limits, silence: once a second */

/* ---- the record ---- */

void dp_engine_record(struct dp_engine *engine, struct dp_journal_control *control)
{
    control->time_ns = engine->now_ns;
    control->policy_version = dp_risk_gate(engine->risk) - 1;
    if (!engine->has_wal)
        return;
    if (!dp_submit_can_record(&engine->submit) ||
        !dp_journal_append_control(engine->submit.segment, control))
        dp_counter_add(engine->counters, DP_COUNTER_JOURNAL_LOST, 1);
    else
        dp_counter_add(engine->counters, DP_COUNTER_JOURNAL_RECORDS, 1);
}

static struct dp_journal_control control_of(const struct dp_command *command)
{
    struct dp_journal_control control = {
        .scope_kind = command->scope_kind,
        .scope_index = command->scope_index,
        .field = command->field,
        .source = DP_SWITCH_BY_PERSON,
    };
    static_assert(sizeof(control.author) == sizeof(command->author) &&
            sizeof(control.cause) == sizeof(command->cause),
        "both keep the same text");
    memcpy(control.author, command->author, sizeof(control.author) - 1);
    memcpy(control.cause, command->cause, sizeof(control.cause) - 1);
    return control;
}

/* ---- what a mark asks for beyond refusing ---- */

static bool is_killed(const struct dp_engine *engine, const struct dp_order *order)
{
    return dp_risk_mode_of(engine->risk, order->strategy_index, order->session_index,
               order->instrument_index) >= DP_SWITCH_CANCEL_ALL;
}

/* False: the ring is full, also after what it held was given to the link. */
static bool ask_cancel(struct dp_engine *engine, const struct dp_order *order)
{
    uint32_t number = order->user_ref_num;
    if (dp_submit_cancel(&engine->submit, order->strategy_index, number) != DP_REASON_TX_FULL)
        return true;
    dp_engine_drain(engine);
    return dp_submit_cancel(&engine->submit, order->strategy_index, number) != DP_REASON_TX_FULL;
}

void dp_engine_cancel_killed(struct dp_engine *engine)
{
    uint32_t count = dp_orders_count(engine->orders);
    engine->is_cancelling = false;
    for (uint32_t index = 0; index < count && !engine->is_cancelling; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (dp_order_is_live(order) && is_killed(engine, order))
            engine->is_cancelling = !ask_cancel(engine, order);
    }
    dp_engine_drain(engine);
}

static uint64_t *seen_of(struct dp_engine *engine, struct dp_risk_scope scope)
{
    switch (scope.kind) {
    case DP_RISK_SCOPE_FIRM: return &engine->marks_seen.firm;
    case DP_RISK_SCOPE_ACCOUNT: return &engine->marks_seen.accounts[scope.index];
    case DP_RISK_SCOPE_STRATEGY: return &engine->marks_seen.strategies[scope.index];
    case DP_RISK_SCOPE_SESSION: return &engine->marks_seen.sessions[scope.index];
    default: return &engine->marks_seen.instrument; /* told by its command alone */
    }
}

void dp_engine_note_mark(
    struct dp_engine *engine, struct dp_risk_scope scope, struct dp_journal_control *control)
{
    uint64_t *seen = seen_of(engine, scope);
    uint64_t mark = dp_risk_mark_of(engine->risk, scope);
    if (mark == *seen && scope.kind != DP_RISK_SCOPE_INSTRUMENT)
        return;
    enum dp_switch_mode mode = dp_switch_mode_of(mark);
    bool is_clear = mode == DP_SWITCH_CLEAR;
    control->before = dp_switch_mode_of(*seen);
    control->after = mode;
    control->action = is_clear ? DP_JOURNAL_KILL_CLEARED : DP_JOURNAL_KILL_SET;
    control->source = (uint8_t)dp_switch_source_of(mark);
    *seen = mark;
    if (scope.kind == DP_RISK_SCOPE_FIRM)
        dp_engine_halt_card(engine);
    dp_engine_record(engine, control);
    if (mode >= DP_SWITCH_REJECT_NEW && engine->live != NULL)
        dp_engine_live_kill(engine);
    if (mode >= DP_SWITCH_CANCEL_ALL)
        dp_engine_cancel_killed(engine);
    if (mode == DP_SWITCH_HARD_STOP)
        dp_engine_stop(engine);
}

/* Marks of breakers, and of a person whose command did not arrive. */
static void note_marks(struct dp_engine *engine)
{
    static const struct {
        enum dp_risk_scope_kind kind;
        uint32_t count;
    } rows[] = {{DP_RISK_SCOPE_FIRM, 1}, {DP_RISK_SCOPE_ACCOUNT, DP_RISK_ACCOUNTS_MAX},
        {DP_RISK_SCOPE_STRATEGY, DP_ENGINE_STRATEGIES_MAX},
        {DP_RISK_SCOPE_SESSION, DP_RISK_SESSIONS_MAX}};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        for (uint32_t index = 0; index < rows[row].count; index++) {
            struct dp_risk_scope scope = {rows[row].kind, index};
            struct dp_journal_control control = {
                .scope_kind = (uint8_t)scope.kind, .scope_index = index};
            dp_engine_note_mark(engine, scope, &control);
        }
}

void dp_engine_clock_stepped(struct dp_engine *engine, int64_t step_ns)
{
    struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
    struct dp_journal_control control = {.scope_kind = DP_RISK_SCOPE_FIRM};
    snprintf(
        control.cause, sizeof(control.cause), "clock set by %+lld us", (long long)(step_ns / 1000));
    dp_risk_kill(engine->risk, firm, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_CLOCK);
    dp_engine_note_mark(engine, firm, &control);
}

/* ---- commands ---- */

static int do_limit(struct dp_engine *engine, const struct dp_command *command, struct dp_err *err)
{
    struct dp_risk_scope scope = {command->scope_kind, command->scope_index};
    struct dp_journal_control control = control_of(command);
    control.action = DP_JOURNAL_LIMIT_CHANGED;
    control.after = command->value;
    dp_risk_field_get(engine->risk, scope, command->field, &control.before);
    int status = dp_risk_field_set(engine->risk, scope, command->field, command->value, err);
    if (status == 0)
        dp_engine_record(engine, &control);
    return status;
}

static int do_arm(struct dp_engine *engine, const struct dp_command *command, struct dp_err *err)
{
    struct dp_risk_scope scope = {command->scope_kind, command->scope_index};
    struct dp_journal_control control = control_of(command);
    if (command->cause[0] == 0 || command->author[0] == 0)
        return dp_err_set(err, EINVAL, "arm: a cause and an author must be named");
    if (scope.kind == DP_RISK_SCOPE_INSTRUMENT)
        engine->marks_seen.instrument = command->mark_seen;
    if (!dp_risk_arm(engine->risk, scope, command->mark_seen))
        return dp_err_set(err, EAGAIN, "arm: the switch has changed since you looked; look again");
    dp_engine_note_mark(engine, scope, &control);
    return 0;
}

/* Who gives the command also sets the mark, behind it: whichever comes first. */
static int do_kill(struct dp_engine *engine, const struct dp_command *command)
{
    struct dp_risk_scope scope = {command->scope_kind, command->scope_index};
    struct dp_journal_control control = control_of(command);
    if (scope.kind == DP_RISK_SCOPE_INSTRUMENT)
        engine->marks_seen.instrument = 0;
    dp_risk_kill(engine->risk, scope, command->mode, DP_SWITCH_BY_PERSON);
    dp_engine_note_mark(engine, scope, &control);
    return 0;
}

static void do_command(struct dp_engine *engine, struct dp_command *command)
{
    struct dp_err err = {0};
    int status = 0;
    switch (command->kind) {
    case DP_COMMAND_KILL: status = do_kill(engine, command); break;
    case DP_COMMAND_ARM: status = do_arm(engine, command, &err); break;
    case DP_COMMAND_LIMIT: status = do_limit(engine, command, &err); break;
    default: status = dp_err_set(&err, EINVAL, "command: no such kind: %u", command->kind);
    }
    dp_command_answer(command, status, status < 0 ? err.text : "");
}

static void take_commands(struct dp_engine *engine)
{
    struct dp_command *command;
    for (uint32_t at = 0; (command = dp_command_take(engine->commands, &at)) != NULL; at++)
        do_command(engine, command);
}

/* ---- now and then ---- */

static int64_t mark_of(void *context, uint32_t instrument_index)
{
    return dp_engine_mark(context, instrument_index);
}

void dp_engine_watch_risk(struct dp_engine *engine)
{
    dp_risk_heard(engine->risk, engine->now_ns);
    if (DP_LIKELY(engine->now_ns - engine->watched_ns < WATCH_NS))
        return;
    engine->watched_ns = engine->now_ns;
    dp_risk_watch(engine->risk, 0, engine->now_ns, mark_of, engine);
}

void dp_engine_control(struct dp_engine *engine)
{
    /* The gate first: who sees a switch that was set behind its command sees the command too. */
    uint64_t gate = dp_risk_gate(engine->risk);
    uint64_t posted = dp_load_acquire(&engine->commands->posted);
    if (DP_UNLIKELY(engine->is_cancelling))
        dp_engine_cancel_killed(engine);
    if (DP_LIKELY(posted == engine->posted_seen && gate == engine->gate_seen))
        return;
    engine->posted_seen = posted;
    take_commands(engine);
    note_marks(engine);
    engine->gate_seen = gate; /* of before: what came meanwhile is looked at next time */
}

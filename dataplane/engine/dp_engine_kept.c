/* Switches that a run before this one left: set again before any order, and journalled. */
#include <errno.h>

#include "dp_engine_internal.h"

int dp_engine_keep_switches(
    struct dp_engine *engine, const struct dp_engine_kept *kept, uint32_t count, struct dp_err *err)
{
    DP_ASSERT(!engine->started && engine->kept == NULL);
    if (count == 0)
        return 0;
    engine->kept = calloc(count, sizeof(*kept));
    if (engine->kept == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for %u switches", count);
    memcpy(engine->kept, kept, count * sizeof(*kept));
    engine->kept_count = count;
    return 0;
}

/* Once: who clears it later is not overruled when a day begins anew. */
static void set(struct dp_engine *engine, struct dp_engine_kept *kept)
{
    struct dp_journal_control control = {
        .scope_kind = (uint8_t)kept->scope.kind,
        .scope_index = kept->scope.index,
    };
    memcpy(control.author, kept->author, sizeof(control.author) - 1);
    memcpy(control.cause, kept->cause, sizeof(control.cause) - 1);
    dp_risk_kill(engine->risk, kept->scope, kept->mode, kept->source);
    dp_engine_note_mark(engine, kept->scope, &control);
    kept->mode = DP_SWITCH_CLEAR;
}

static struct dp_engine_kept *free_place(struct dp_engine *engine)
{
    for (uint32_t index = 0; index < engine->kept_count; index++)
        if (engine->kept[index].mode == DP_SWITCH_CLEAR)
            return &engine->kept[index];
    struct dp_engine_kept *more =
        realloc(engine->kept, (engine->kept_count + 1u) * sizeof(*engine->kept));
    if (more == NULL)
        return NULL;
    engine->kept = more;
    return &more[engine->kept_count++];
}

/* Without memory to remember it by, nothing may be traded at all. */
static void carry(struct dp_engine *engine, struct dp_risk_scope scope, uint64_t mark)
{
    struct dp_engine_kept *kept = free_place(engine);
    char symbol[9];
    if (kept == NULL) {
        dp_risk_kill(engine->risk, (struct dp_risk_scope){DP_RISK_SCOPE_FIRM, 0},
            dp_switch_mode_of(mark), dp_switch_source_of(mark));
        return;
    }
    *kept = (struct dp_engine_kept){
        .scope = scope, .mode = dp_switch_mode_of(mark), .source = dp_switch_source_of(mark)};
    dp_book_symbol(engine->books, scope.index, symbol);
    memset(kept->symbol, ' ', sizeof(kept->symbol));
    memcpy(kept->symbol, symbol, strlen(symbol));
    snprintf(kept->cause, sizeof(kept->cause), "instruments were named anew");
}

void dp_engine_carry_switches(struct dp_engine *engine, uint32_t first, uint32_t end)
{
    for (uint32_t index = first; index < end; index++) {
        struct dp_risk_scope scope = {DP_RISK_SCOPE_INSTRUMENT, index};
        uint64_t mark = dp_risk_mark_of(engine->risk, scope);
        if (dp_switch_mode_of(mark) != DP_SWITCH_CLEAR && dp_book_is_open(engine->books, index))
            carry(engine, scope, mark);
    }
}

void dp_engine_set_kept(struct dp_engine *engine)
{
    for (uint32_t index = 0; index < engine->kept_count; index++)
        if (engine->kept[index].scope.kind != DP_RISK_SCOPE_INSTRUMENT)
            set(engine, &engine->kept[index]);
}

void dp_engine_set_kept_instrument(
    struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol)
{
    for (uint32_t index = 0; index < engine->kept_count; index++) {
        struct dp_engine_kept *kept = &engine->kept[index];
        if (kept->scope.kind != DP_RISK_SCOPE_INSTRUMENT || kept->mode == DP_SWITCH_CLEAR ||
            memcmp(kept->symbol, symbol, sizeof(kept->symbol)) != 0)
            continue;
        kept->scope.index = instrument_index;
        engine->marks_seen.instrument = 0;
        set(engine, kept);
    }
}

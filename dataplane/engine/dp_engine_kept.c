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

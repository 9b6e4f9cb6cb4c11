#include "dp_switch.h"

static uint64_t changed(uint64_t mark, enum dp_switch_mode mode, enum dp_switch_source source)
{
    return ((mark >> 16) + 1) << 16 | (uint64_t)source << 8 | (uint64_t)mode;
}

bool dp_switch_set(_Atomic uint64_t *gate, dp_switch_mark *mark, enum dp_switch_mode mode,
    enum dp_switch_source source)
{
    uint64_t before = dp_load_relaxed(mark);
    bool stronger = dp_switch_mode_of(before) < mode;
    while (stronger && !dp_cas_relaxed(mark, &before, changed(before, mode, source)))
        stronger = dp_switch_mode_of(before) < mode;
    /* Also when it was set already: whoever set it may have died before telling. */
    dp_switch_tell(gate);
    return stronger;
}

bool dp_switch_clear(_Atomic uint64_t *gate, dp_switch_mark *mark, uint64_t seen)
{
    uint64_t clear = changed(seen, DP_SWITCH_CLEAR, DP_SWITCH_BY_PERSON);
    if (!dp_cas_relaxed(mark, &seen, clear))
        return false;
    dp_switch_tell(gate);
    return true;
}

const char *dp_switch_mode_word(enum dp_switch_mode mode)
{
    switch (mode) {
#define X(number, name, word, words) \
    case DP_SWITCH_##name: return word;
        DP_SWITCH_MODES(X)
#undef X
    default: return "unknown";
    }
}

const char *dp_switch_source_word(enum dp_switch_source source)
{
    switch (source) {
#define X(number, name, word) \
    case DP_SWITCH_BY_##name: return word;
        DP_SWITCH_SOURCES(X)
#undef X
    default: return "unknown";
    }
}

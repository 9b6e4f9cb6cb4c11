/* Whose a record is: from free to spare, from limbo to spare or free, and after a death. */
#include "dp_skiplist_multi_layout.h"

#include <errno.h>

/* What a writer keeps for its next insertions; of more, all but half of it goes back to all. */
#define SPARES_MAX 64u
/* Removals between two attempts to move the epoch on. */
#define RETIRED_BETWEEN 16u

static uint64_t place(uint64_t *used, uint64_t size)
{
    uint64_t offset = *used;
    *used = dp_round_up(offset + size, DP_CACHE_LINE);
    return offset;
}

static uint32_t word_count(uint32_t capacity)
{
    return capacity / 64 + 1;
}

static uint64_t lay_out(struct dp_skiplist_multi *multi, uint32_t list_count, uint32_t capacity)
{
    uint64_t used = 0;
    multi->capacity = capacity;
    multi->list_count = list_count;
    place(&used, sizeof(*multi) + list_count * sizeof(struct dp_skiplist_multi_list));
    multi->records_offset =
        place(&used, (capacity + 1ull) * sizeof(struct dp_skiplist_multi_record));
    multi->towers_offset = place(&used, (capacity + 1ull) * sizeof(struct dp_skiplist_multi_tower));
    multi->hints_offset = place(&used, word_count(capacity) * sizeof(uint64_t));
    return used;
}

size_t dp_skiplist_multi_size(uint32_t list_count, uint32_t capacity)
{
    struct dp_skiplist_multi scratch;
    return lay_out(&scratch, list_count, capacity);
}

static _Atomic uint64_t *hint_of(const struct dp_skiplist_multi *multi, uint32_t word)
{
    return (_Atomic uint64_t *)dp_skiplist_multi_at(multi, multi->hints_offset) + word;
}

int dp_skiplist_multi_init(
    struct dp_skiplist_multi *multi, uint32_t list_count, uint32_t capacity, struct dp_err *err)
{
    DP_ASSERT((uintptr_t)multi % DP_CACHE_LINE == 0);
    if (list_count == 0 || list_count > DP_SKIPLIST_MULTI_LISTS_MAX)
        return dp_err_set(err, EINVAL, "skiplist: list_count: %u; give 1 to %u", list_count,
            DP_SKIPLIST_MULTI_LISTS_MAX);
    if (capacity == 0 || capacity > DP_SKIPLIST_MULTI_LEVELS_MAX)
        return dp_err_set(err, EINVAL, "skiplist: capacity: %u; give 1 to %u", capacity,
            DP_SKIPLIST_MULTI_LEVELS_MAX);
    lay_out(multi, list_count, capacity);
    for (uint32_t number = 1; number <= capacity; number++)
        dp_skiplist_multi_hint(multi, number);
    return 0;
}

void dp_skiplist_multi_hint(const struct dp_skiplist_multi *multi, uint32_t number)
{
    dp_fetch_or_relaxed(hint_of(multi, number / 64), 1ull << number % 64);
}

/* ---- a writer's own ---- */

static struct dp_skiplist_multi_record *own(
    const struct dp_skiplist_multi_writer *writer, uint32_t number)
{
    return dp_skiplist_multi_record(writer->multi, number);
}

static void push_spare(struct dp_skiplist_multi_writer *writer, uint32_t number)
{
    own(writer, number)->chain = writer->spare_first;
    writer->spare_first = number;
    writer->spare_count++;
}

uint32_t dp_skiplist_multi_take(struct dp_skiplist_multi_writer *writer)
{
    uint32_t number = writer->spare_first;
    DP_ASSERT(number != 0);
    writer->spare_first = own(writer, number)->chain;
    writer->spare_count--;
    if (writer->spare_first != 0)
        DP_PREFETCH_WRITE(own(writer, writer->spare_first));
    return number;
}

void dp_skiplist_multi_give(struct dp_skiplist_multi_writer *writer, uint32_t number)
{
    dp_store_relaxed(&own(writer, number)->claim,
        dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_SPARE, writer->slot));
    push_spare(writer, number);
}

void dp_skiplist_multi_free(const struct dp_skiplist_multi *multi, uint32_t number)
{
    /* Release: pairs with claim_free(); all that this life did is over. */
    dp_store_release(&dp_skiplist_multi_record(multi, number)->claim, 0);
    dp_skiplist_multi_hint(multi, number);
}

void dp_skiplist_multi_retire(struct dp_skiplist_multi_writer *writer, uint32_t number)
{
    uint64_t tag = dp_epoch_now(writer->epoch);
    uint32_t at = tag % DP_SKIPLIST_MULTI_LIMBO_COUNT;
    if (writer->limbo[at].count != 0 && writer->limbo[at].tag != tag) {
        /* Four or more epochs ago: long past. */
        own(writer, writer->limbo[at].last)->chain = writer->spare_first;
        writer->spare_first = writer->limbo[at].first;
        writer->spare_count += writer->limbo[at].count;
        writer->limbo[at].count = 0;
    }
    own(writer, number)->chain = writer->limbo[at].first;
    if (writer->limbo[at].count++ == 0)
        writer->limbo[at].last = number;
    writer->limbo[at].first = number;
    writer->limbo[at].tag = tag;
    writer->retired_count++;
}

/* Removed records whose epoch is past become spares. Their claims stay LIMBO until they are taken:
 * after a death that only makes somebody wait once more. */
static void reclaim(struct dp_skiplist_multi_writer *writer)
{
    for (uint32_t at = 0; at < DP_SKIPLIST_MULTI_LIMBO_COUNT; at++) {
        if (writer->limbo[at].count == 0 || !dp_epoch_is_past(writer->epoch, writer->limbo[at].tag))
            continue;
        own(writer, writer->limbo[at].last)->chain = writer->spare_first;
        writer->spare_first = writer->limbo[at].first;
        writer->spare_count += writer->limbo[at].count;
        writer->limbo[at].count = 0;
    }
}

/* One record that was nobody's. Begins where the last search ended. */
static bool claim_free(struct dp_skiplist_multi_writer *writer)
{
    uint32_t spare = dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_SPARE, writer->slot);
    uint32_t count = word_count(writer->multi->capacity);
    for (uint32_t tries = 0; tries < count; tries++) {
        _Atomic uint64_t *hint = hint_of(writer->multi, writer->word_next);
        uint64_t bits;
        while ((bits = dp_load_relaxed(hint)) != 0) {
            uint64_t bit = bits & -bits;
            uint32_t number = writer->word_next * 64 + (uint32_t)__builtin_ctzll(bits);
            uint32_t nobody = 0;
            /* Acquire: pairs with the release in free. */
            bool is_ours = dp_cas_acquire(&own(writer, number)->claim, &nobody, spare);
            dp_fetch_and_relaxed(hint, ~bit);
            if (is_ours) {
                push_spare(writer, number);
                return true;
            }
        }
        writer->word_next = writer->word_next + 1 == count ? 0 : writer->word_next + 1;
    }
    return false;
}

static void give_back_half(struct dp_skiplist_multi_writer *writer)
{
    while (writer->spare_count > SPARES_MAX / 2)
        dp_skiplist_multi_free(writer->multi, dp_skiplist_multi_take(writer));
}

void dp_skiplist_multi_tidy(struct dp_skiplist_multi_writer *writer)
{
    if (DP_LIKELY(writer->retired_count < RETIRED_BETWEEN))
        return;
    writer->retired_count = 0;
    dp_epoch_advance(writer->epoch);
    reclaim(writer);
    if (writer->spare_count > SPARES_MAX)
        give_back_half(writer);
}

bool dp_skiplist_multi_stock(struct dp_skiplist_multi_writer *writer)
{
    if (DP_LIKELY(writer->spare_first != 0) || claim_free(writer))
        return true;
    /* What was removed in this epoch is past after three steps. */
    for (uint32_t steps = 0; steps < 3; steps++)
        if (dp_epoch_advance(writer->epoch) != DP_EPOCH_NONE)
            break;
    reclaim(writer);
    return writer->spare_first != 0 || claim_free(writer);
}

/* ---- coming and going ---- */

bool dp_skiplist_multi_join(struct dp_skiplist_multi_writer *writer,
    struct dp_skiplist_multi *multi, struct dp_epoch *epoch, uint64_t owner)
{
    uint32_t slot = dp_epoch_join(epoch, owner);
    *writer = (struct dp_skiplist_multi_writer){
        .multi = multi,
        .epoch = epoch,
        .slot = slot,
        .random = slot + 1,
        /* Each its own corner of the pool. */
        .word_next = (uint32_t)((uint64_t)word_count(multi->capacity) * slot / epoch->slot_count),
    };
    return slot != DP_EPOCH_NONE;
}

bool dp_skiplist_multi_leave(struct dp_skiplist_multi_writer *writer)
{
    bool is_clean = true;
    for (uint32_t steps = 0; steps < 3; steps++)
        if (dp_epoch_advance(writer->epoch) != DP_EPOCH_NONE)
            break;
    reclaim(writer);
    while (writer->spare_first != 0)
        dp_skiplist_multi_free(writer->multi, dp_skiplist_multi_take(writer));
    for (uint32_t at = 0; at < DP_SKIPLIST_MULTI_LIMBO_COUNT; at++)
        is_clean = is_clean && writer->limbo[at].count == 0;
    if (is_clean)
        dp_epoch_leave(writer->epoch, writer->slot);
    return is_clean;
}

/* ---- after a death ---- */

/* Whether the dead one had linked it: then a search finds it, or it was closed before that. */
static bool settle_taken(struct dp_skiplist_multi_writer *writer, uint32_t number, uint32_t claim)
{
    const struct dp_skiplist_multi *multi = writer->multi;
    struct dp_skiplist_multi_record *record = own(writer, number);
    int64_t rank = dp_skiplist_multi_rank(record->list, dp_load_relaxed(&record->price_nanos));
    bool is_linked = dp_skiplist_multi_search(multi, record->list, rank) == number;
    if (dp_load_relaxed(&record->amount) & DP_SKIPLIST_MULTI_CLOSED) {
        dp_skiplist_multi_mark(multi, number);
        dp_skiplist_multi_search(multi, record->list, rank);
        if (!dp_cas_relaxed(&record->claim, &claim,
                dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_LIMBO, writer->slot)))
            return false;
        dp_skiplist_multi_retire(writer, number);
        return true;
    }
    uint32_t next =
        dp_skiplist_multi_claim(is_linked ? DP_SKIPLIST_MULTI_LIVE : DP_SKIPLIST_MULTI_FREE, 0);
    /* Release: as in link_above() and in free. */
    if (!dp_cas_release(&record->claim, &claim, next))
        return false;
    if (!is_linked)
        dp_skiplist_multi_hint(multi, number);
    return true;
}

/* False when its claim moved: look again. */
static bool settle(struct dp_skiplist_multi_writer *writer, uint32_t number, uint32_t dead)
{
    struct dp_skiplist_multi_record *record = own(writer, number);
    uint32_t claim = dp_load_acquire(&record->claim);
    bool was_dead = dp_skiplist_multi_slot(claim) == dead;
    switch (dp_skiplist_multi_state(claim)) {
    case DP_SKIPLIST_MULTI_FREE: dp_skiplist_multi_hint(writer->multi, number); return true;
    case DP_SKIPLIST_MULTI_SPARE:
        if (was_dead)
            dp_skiplist_multi_free(writer->multi, number);
        return true;
    case DP_SKIPLIST_MULTI_LIVE:
        if (dp_load_relaxed(&record->amount) & DP_SKIPLIST_MULTI_CLOSED)
            dp_skiplist_multi_finish(writer, number);
        return true;
    case DP_SKIPLIST_MULTI_TAKEN:
    case DP_SKIPLIST_MULTI_DOOMED: return !was_dead || settle_taken(writer, number, claim);
    case DP_SKIPLIST_MULTI_LIMBO:
        if (was_dead) {
            dp_store_relaxed(
                &record->claim, dp_skiplist_multi_claim(DP_SKIPLIST_MULTI_LIMBO, writer->slot));
            dp_skiplist_multi_retire(writer, number);
        }
        return true;
    }
    return true;
}

bool dp_skiplist_multi_recover(
    struct dp_skiplist_multi_writer *writer, uint32_t slot, dp_epoch_is_dead is_dead, void *context)
{
    struct dp_epoch *epoch = writer->epoch;
    uint64_t heir = dp_load_relaxed(&epoch->slots[writer->slot].owner);
    if (!dp_epoch_inherit(epoch, slot, heir, is_dead, context))
        return false;
    dp_epoch_enter(epoch, writer->slot);
    for (uint32_t number = 1; number <= writer->multi->capacity; number++)
        while (!settle(writer, number, slot))
            ;
    dp_epoch_exit(epoch, writer->slot);
    dp_epoch_bury(epoch, slot);
    return true;
}

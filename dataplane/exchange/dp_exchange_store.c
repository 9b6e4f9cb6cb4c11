#include "dp_exchange_store.h"

#define CHUNK_BYTES (256u * 1024)
#define CHUNKS_MIN 2u

struct chunk {
    uint64_t first; /* number of its first message */
    uint32_t used;
    uint8_t bytes[CHUNK_BYTES];
};

/* Chunk number n lies in chunks[n % chunk_count]; kept are oldest .. newest. */
struct dp_exchange_store {
    uint64_t next;
    uint64_t oldest;
    uint64_t newest;
    uint32_t chunk_count;
    struct chunk *chunks[];
};

static struct chunk *chunk_at(const struct dp_exchange_store *store, uint64_t number)
{
    return store->chunks[number % store->chunk_count];
}

static void begin_chunk(struct dp_exchange_store *store, uint64_t number)
{
    struct chunk **slot = &store->chunks[number % store->chunk_count];
    if (*slot == NULL)
        *slot = malloc(sizeof(**slot));
    /* What was reported may not be lost, and nobody could do anything about it here. */
    DP_ASSERT(*slot != NULL);
    (*slot)->first = store->next;
    (*slot)->used = 0;
    store->newest = number;
    if (store->newest - store->oldest >= store->chunk_count)
        store->oldest++;
}

struct dp_exchange_store *dp_exchange_store_open(uint64_t bytes_max)
{
    uint64_t chunk_count = bytes_max / CHUNK_BYTES;
    if (chunk_count < CHUNKS_MIN)
        chunk_count = CHUNKS_MIN;
    struct dp_exchange_store *store =
        calloc(1, sizeof(*store) + chunk_count * sizeof(store->chunks[0]));
    if (store == NULL)
        return NULL;
    store->chunk_count = (uint32_t)chunk_count;
    dp_exchange_store_clear(store);
    return store;
}

void dp_exchange_store_close(struct dp_exchange_store *store)
{
    if (store == NULL)
        return;
    for (uint32_t index = 0; index < store->chunk_count; index++)
        free(store->chunks[index]);
    free(store);
}

void dp_exchange_store_clear(struct dp_exchange_store *store)
{
    store->next = 1;
    /* A serial number is never used twice: a cursor of before is behind, not somewhere else. */
    uint64_t number = store->newest + 1;
    store->oldest = number;
    begin_chunk(store, number);
}

uint8_t *dp_exchange_store_room(struct dp_exchange_store *store)
{
    if (chunk_at(store, store->newest)->used + DP_EXCHANGE_MESSAGE_MAX > CHUNK_BYTES)
        begin_chunk(store, store->newest + 1);
    struct chunk *chunk = chunk_at(store, store->newest);
    return chunk->bytes + chunk->used + 2;
}

uint64_t dp_exchange_store_commit(struct dp_exchange_store *store, uint32_t size)
{
    struct chunk *chunk = chunk_at(store, store->newest);
    DP_ASSERT(size + 2 <= DP_EXCHANGE_MESSAGE_MAX && chunk->used + 2 + size <= CHUNK_BYTES);
    dp_store_be16(chunk->bytes + chunk->used, (uint16_t)size);
    chunk->used += 2 + size;
    return store->next++;
}

uint64_t dp_exchange_store_next(const struct dp_exchange_store *store)
{
    return store->next;
}

uint64_t dp_exchange_store_first(const struct dp_exchange_store *store)
{
    return chunk_at(store, store->oldest)->first;
}

/* The chunk that holds the message, or would hold the next one. */
static uint64_t chunk_of(const struct dp_exchange_store *store, uint64_t number)
{
    uint64_t low = store->oldest;
    uint64_t high = store->newest;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (chunk_at(store, middle)->first <= number)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void dp_exchange_store_seek(
    const struct dp_exchange_store *store, uint64_t number, struct dp_exchange_cursor *cursor)
{
    DP_ASSERT(number >= dp_exchange_store_first(store) && number <= store->next);
    cursor->chunk = chunk_of(store, number);
    cursor->offset = 0;
    const struct chunk *chunk = chunk_at(store, cursor->chunk);
    for (uint64_t at = chunk->first; at < number; at++)
        cursor->offset += 2u + dp_load_be16(chunk->bytes + cursor->offset);
}

int64_t dp_exchange_store_span(
    const struct dp_exchange_store *store, struct dp_exchange_cursor *cursor, const uint8_t **data)
{
    if (cursor->chunk < store->oldest)
        return -1;
    if (cursor->offset == chunk_at(store, cursor->chunk)->used && cursor->chunk < store->newest)
        *cursor = (struct dp_exchange_cursor){.chunk = cursor->chunk + 1};
    const struct chunk *chunk = chunk_at(store, cursor->chunk);
    *data = chunk->bytes + cursor->offset;
    return chunk->used - cursor->offset;
}

uint64_t dp_exchange_store_behind(
    const struct dp_exchange_store *store, const struct dp_exchange_cursor *cursor)
{
    uint64_t chunks = store->newest - cursor->chunk;
    return chunks * CHUNK_BYTES + chunk_at(store, store->newest)->used - cursor->offset;
}

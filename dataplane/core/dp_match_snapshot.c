#include "dp_match_snapshot.h"

#include <errno.h>

#include "dp_digest.h"
#include "dp_match_state.h"

/* What stands before the bytes of the tables. */
struct head {
    uint64_t magic;
    uint64_t size;           /* of the whole snapshot */
    struct dp_digest digest; /* of all bytes behind this head */
    uint64_t node_count;     /* ever used */
};

#define PART_COUNT 9

struct part {
    uint64_t at; /* in the block */
    uint64_t size;
};

static struct part used_of(const struct dp_match_table *table, size_t record_size)
{
    return (struct part){table->at, ((uint64_t)table->used + 1) * record_size};
}

/* `match` may be a copy of a block's header alone. Returns the size of all parts together. */
static uint64_t parts_of(
    const struct dp_match *match, uint32_t node_count, struct part parts[PART_COUNT])
{
    const struct dp_match_config *config = &match->config;
    uint64_t books = match->instrument_count;
    parts[0] = (struct part){0, sizeof(*match)};
    parts[1] = (struct part){match->books_at, books * sizeof(struct dp_match_book)};
    parts[2] = (struct part){
        match->accounts_at, (uint64_t)match->participant_count * sizeof(struct dp_match_account)};
    parts[3] =
        (struct part){match->positions_at, books * config->participant_count_max * sizeof(int64_t)};
    parts[4] = (struct part){match->nodes_at, dp_match_nodes_size(node_count)};
    parts[5] = used_of(&match->levels, sizeof(struct dp_match_level));
    parts[6] = used_of(&match->extras, sizeof(struct dp_match_extra));
    parts[7] = used_of(&match->orders, sizeof(struct dp_match_slot));
    parts[8] =
        (struct part){match->buckets_at, ((uint64_t)match->bucket_mask + 1) * sizeof(uint32_t)};
    uint64_t size = 0;
    for (uint32_t index = 0; index < PART_COUNT; index++)
        size += parts[index].size;
    return size;
}

size_t dp_match_snapshot_size(const struct dp_match *match)
{
    struct part parts[PART_COUNT];
    return sizeof(struct head) + parts_of(match, dp_match_nodes(match)->used, parts);
}

static struct dp_digest digest_of(const uint8_t *bytes, size_t size)
{
    struct dp_digest digest;
    dp_digest_init(&digest);
    dp_digest_update(&digest, bytes, size);
    return digest;
}

void dp_match_snapshot(const struct dp_match *match, uint8_t *bytes)
{
    struct part parts[PART_COUNT];
    struct head head = {.magic = DP_MATCH_MAGIC, .node_count = dp_match_nodes(match)->used};
    head.size = sizeof(head) + parts_of(match, dp_match_nodes(match)->used, parts);
    uint8_t *to = bytes + sizeof(head);
    for (uint32_t index = 0; index < PART_COUNT; index++) {
        memcpy(to, dp_match_at(match, parts[index].at), parts[index].size);
        to += parts[index].size;
    }
    head.digest = digest_of(bytes + sizeof(head), head.size - sizeof(head));
    memcpy(bytes, &head, sizeof(head));
}

static int check_whole(const uint8_t *bytes, size_t size, struct head *head, struct dp_err *err)
{
    if (size < sizeof(*head) + sizeof(struct dp_match))
        return dp_err_set(err, EINVAL, "match: a snapshot of %zu bytes is cut short", size);
    memcpy(head, bytes, sizeof(*head));
    if (head->magic != DP_MATCH_MAGIC)
        return dp_err_set(err, EINVAL, "match: this is no snapshot of a matching engine");
    if (head->size != size)
        return dp_err_set(err, EINVAL,
            "match: the snapshot has %zu bytes; it was written with %llu", size,
            (unsigned long long)head->size);
    struct dp_digest digest = digest_of(bytes + sizeof(*head), size - sizeof(*head));
    if (memcmp(&digest, &head->digest, sizeof(digest)) != 0)
        return dp_err_set(err, EINVAL, "match: the snapshot was changed after it was written");
    return 0;
}

/* The tables must lie where ours lie and be no longer. */
static int check_layout(const struct dp_match *match, const struct dp_match *saved,
    const struct head *head, struct dp_err *err)
{
    struct part parts[PART_COUNT];
    if (memcmp(&match->config, &saved->config, sizeof(match->config)) != 0 ||
        saved->size != match->size || head->node_count > dp_match_nodes(match)->capacity ||
        saved->orders.used > match->orders.capacity ||
        saved->levels.used > match->levels.capacity ||
        saved->extras.used > match->extras.capacity ||
        head->size != sizeof(*head) + parts_of(saved, (uint32_t)head->node_count, parts))
        return dp_err_set(err, EINVAL,
            "match: the snapshot was taken with another configuration; restore it into the same");
    return 0;
}

int dp_match_restore(struct dp_match *match, const uint8_t *bytes, size_t size, struct dp_err *err)
{
    struct head head;
    struct dp_match saved;
    struct part parts[PART_COUNT];
    int result = check_whole(bytes, size, &head, err);
    if (result < 0)
        return result;
    memcpy(&saved, bytes + sizeof(head), sizeof(saved));
    result = check_layout(match, &saved, &head, err);
    if (result < 0)
        return result;
    parts_of(&saved, (uint32_t)head.node_count, parts);
    const uint8_t *from = bytes + sizeof(head);
    for (uint32_t index = 0; index < PART_COUNT; index++) {
        memcpy(dp_match_at(match, parts[index].at), from, parts[index].size);
        from += parts[index].size;
    }
    return 0;
}

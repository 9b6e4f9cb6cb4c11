#include "dp_match_ladder.h"

#define DIGIT_MASK 63u

void dp_match_nodes_init(struct dp_match_nodes *nodes, uint32_t capacity)
{
    nodes->capacity = capacity;
    nodes->used = 0;
    nodes->free_first = 0;
    nodes->live_count = 0;
    memset(&nodes->nodes[0], 0, sizeof(nodes->nodes[0]));
}

static uint32_t take_node(struct dp_match_nodes *nodes)
{
    uint32_t node = nodes->free_first;
    if (node != 0) {
        nodes->free_first = nodes->nodes[node].children[0];
    } else {
        /* Whole, so that a snapshot has no bytes of whatever was here before. */
        node = ++nodes->used;
        memset(&nodes->nodes[node], 0, sizeof(nodes->nodes[node]));
    }
    nodes->live_count++;
    return node;
}

static void give_node(struct dp_match_nodes *nodes, uint32_t node)
{
    nodes->nodes[node].children[0] = nodes->free_first;
    nodes->free_first = node;
    nodes->live_count--;
}

void dp_match_ladder_init(struct dp_match_ladder *ladder, uint32_t key_max, bool is_bid)
{
    memset(ladder, 0, sizeof(*ladder));
    ladder->best_key = DP_MATCH_KEY_NONE;
    ladder->height = 1;
    while (key_max >> (DP_MATCH_LADDER_BITS * ladder->height) != 0)
        ladder->height++;
    DP_ASSERT(ladder->height <= DP_MATCH_LADDER_HEIGHT_MAX);
    if (is_bid)
        ladder->flip = (1u << (DP_MATCH_LADDER_BITS * ladder->height)) - 1;
}

/* The six bits of the key that choose a child, `above` nodes above the leaf. */
static uint32_t digit(uint32_t key, uint32_t above)
{
    return key >> (DP_MATCH_LADDER_BITS * above) & DIGIT_MASK;
}

static struct dp_match_leaf *remembered(struct dp_match_ladder *ladder, uint32_t key)
{
    return &ladder->leaves[key >> DP_MATCH_LADDER_BITS & (DP_MATCH_LADDER_LEAVES - 1)];
}

/* The leaf that has or would have the key; 0 when there is none. */
static uint32_t descend(
    const struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes, uint32_t key)
{
    uint32_t node = ladder->root;
    for (uint32_t above = ladder->height - 1; node != 0 && above > 0; above--) {
        const struct dp_match_node *inner = &nodes->nodes[node];
        uint32_t child = digit(key, above);
        node = inner->bits >> child & 1 ? inner->children[child] : 0;
    }
    return node;
}

static uint32_t leaf_of(
    struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes, uint32_t key)
{
    struct dp_match_leaf *leaf = remembered(ladder, key);
    if (DP_LIKELY(leaf->node != 0 && leaf->name == key >> DP_MATCH_LADDER_BITS))
        return leaf->node;
    uint32_t node = descend(ladder, nodes, key);
    if (node != 0)
        *leaf = (struct dp_match_leaf){key >> DP_MATCH_LADDER_BITS, node};
    return node;
}

uint32_t dp_match_ladder_find(
    struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes, uint32_t key)
{
    if (key == ladder->best_key)
        return ladder->best_level;
    uint32_t leaf = leaf_of(ladder, nodes, key);
    if (leaf == 0)
        return 0;
    const struct dp_match_node *node = &nodes->nodes[leaf];
    return node->bits >> (key & DIGIT_MASK) & 1 ? node->children[key & DIGIT_MASK] : 0;
}

/* Makes the nodes that lead to the key; there must be enough. Returns the leaf. */
static uint32_t grow(struct dp_match_ladder *ladder, struct dp_match_nodes *nodes, uint32_t key)
{
    if (ladder->root == 0)
        ladder->root = take_node(nodes);
    uint32_t node = ladder->root;
    for (uint32_t above = ladder->height - 1; above > 0; above--) {
        struct dp_match_node *inner = &nodes->nodes[node];
        uint32_t child = digit(key, above);
        if ((inner->bits >> child & 1) == 0) {
            inner->bits |= UINT64_C(1) << child;
            inner->children[child] = take_node(nodes);
        }
        node = inner->children[child];
    }
    *remembered(ladder, key) = (struct dp_match_leaf){key >> DP_MATCH_LADDER_BITS, node};
    return node;
}

bool dp_match_ladder_insert(
    struct dp_match_ladder *ladder, struct dp_match_nodes *nodes, uint32_t key, uint32_t level)
{
    uint32_t leaf = leaf_of(ladder, nodes, key);
    if (leaf == 0) {
        if (nodes->capacity - nodes->live_count < ladder->height)
            return false;
        leaf = grow(ladder, nodes, key);
    }
    struct dp_match_node *node = &nodes->nodes[leaf];
    node->bits |= UINT64_C(1) << (key & DIGIT_MASK);
    node->children[key & DIGIT_MASK] = level;
    ladder->level_count++;
    if (key < ladder->best_key) {
        ladder->best_key = key;
        ladder->best_level = level;
    }
    return true;
}

/* Gives back the leaf of the key, which is empty, and every node that is empty without it. */
static void prune(struct dp_match_ladder *ladder, struct dp_match_nodes *nodes, uint32_t key)
{
    uint32_t path[DP_MATCH_LADDER_HEIGHT_MAX];
    uint32_t node = ladder->root;
    for (uint32_t above = ladder->height - 1; above > 0; above--) {
        path[above] = node;
        node = nodes->nodes[node].children[digit(key, above)];
    }
    remembered(ladder, key)->node = 0;
    give_node(nodes, node);
    for (uint32_t above = 1; above < ladder->height; above++) {
        struct dp_match_node *inner = &nodes->nodes[path[above]];
        inner->bits &= ~(UINT64_C(1) << digit(key, above));
        if (inner->bits != 0)
            return;
        give_node(nodes, path[above]);
    }
    ladder->root = 0;
}

void dp_match_ladder_remove(
    struct dp_match_ladder *ladder, struct dp_match_nodes *nodes, uint32_t key)
{
    struct dp_match_node *node = &nodes->nodes[leaf_of(ladder, nodes, key)];
    DP_CHECK(node->bits >> (key & DIGIT_MASK) & 1);
    node->bits &= ~(UINT64_C(1) << (key & DIGIT_MASK));
    ladder->level_count--;
    if (key == ladder->best_key) {
        uint64_t worse = node->bits; /* nothing is better than the best */
        if (DP_LIKELY(worse != 0)) {
            uint32_t bit = (uint32_t)__builtin_ctzll(worse);
            ladder->best_key = (key & ~DIGIT_MASK) | bit;
            ladder->best_level = node->children[bit];
            return;
        }
        ladder->best_level = dp_match_ladder_at_or_after(ladder, nodes, key, &ladder->best_key);
    }
    if (node->bits == 0)
        prune(ladder, nodes, key);
}

/* Below the node, which is `above` nodes above the leaves, the smallest key or the largest. */
static uint32_t outermost(const struct dp_match_nodes *nodes, uint32_t node, uint32_t above,
    uint32_t key, bool is_smallest, uint32_t *found)
{
    for (;; above--) {
        const struct dp_match_node *inner = &nodes->nodes[node];
        uint32_t bit = (uint32_t)(is_smallest ? __builtin_ctzll(inner->bits)
                                              : 63 - __builtin_clzll(inner->bits));
        uint32_t shift = DP_MATCH_LADDER_BITS * above;
        key = (key & ~(DIGIT_MASK << shift)) | bit << shift;
        node = inner->children[bit];
        if (above == 0)
            break;
    }
    *found = key;
    return node;
}

/* Children of the node on the wanted side of the key's digit; is_strict: without that digit. */
static uint64_t beyond(uint64_t bits, uint32_t at, bool is_strict, bool is_after)
{
    uint64_t rest = is_after ? bits >> at << at : bits << (DIGIT_MASK - at) >> (DIGIT_MASK - at);
    return is_strict ? rest & ~(UINT64_C(1) << at) : rest;
}

/* From the root as far down as the key leads, then up again until something lies beyond it. */
static uint32_t seek(const struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes,
    uint32_t key, bool is_after, uint32_t *found)
{
    uint32_t path[DP_MATCH_LADDER_HEIGHT_MAX];
    uint32_t above = ladder->height;
    uint32_t node = ladder->root;
    while (node != 0 && above > 0) {
        path[--above] = node;
        const struct dp_match_node *inner = &nodes->nodes[node];
        node = above > 0 && (inner->bits >> digit(key, above) & 1)
            ? inner->children[digit(key, above)]
            : 0;
    }
    for (; above < ladder->height; above++) {
        const struct dp_match_node *inner = &nodes->nodes[path[above]];
        uint64_t rest = beyond(inner->bits, digit(key, above), above > 0, is_after);
        if (rest == 0)
            continue;
        uint32_t bit = (uint32_t)(is_after ? __builtin_ctzll(rest) : 63 - __builtin_clzll(rest));
        uint32_t shift = DP_MATCH_LADDER_BITS * above;
        uint32_t upper = (uint32_t)((uint64_t)key >> (shift + DP_MATCH_LADDER_BITS)
                << (shift + DP_MATCH_LADDER_BITS));
        *found = upper | bit << shift;
        return above == 0
            ? inner->children[bit]
            : outermost(nodes, inner->children[bit], above - 1, *found, is_after, found);
    }
    *found = DP_MATCH_KEY_NONE;
    return 0;
}

uint32_t dp_match_ladder_at_or_after(const struct dp_match_ladder *ladder,
    const struct dp_match_nodes *nodes, uint32_t key_least, uint32_t *found)
{
    return seek(ladder, nodes, key_least, true, found);
}

uint32_t dp_match_ladder_at_or_before(const struct dp_match_ladder *ladder,
    const struct dp_match_nodes *nodes, uint32_t key_most, uint32_t *found)
{
    return seek(ladder, nodes, key_most, false, found);
}

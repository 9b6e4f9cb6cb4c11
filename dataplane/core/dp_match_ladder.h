/*
 * dp_match_ladder - the price levels of one side of a book, best first, in a tree of bitmaps.
 *
 *   root  [ .1.......1.. ]          each node: 64 bits, and a child for each bit that is set
 *           |       |
 *   leaf  [ 11.1 ] [ ..1 ]          a leaf's child is a level, an inner node's a node
 *
 * A level is found by its key, six bits a step. The smallest key is the best: keys of asks grow
 * with the price, keys of bids are the price's slot with all bits turned round (`flip`). So nothing
 * here knows of sides. All steps are bit operations on at most five nodes, however the prices lie
 * and wherever they go; the leaves used last are remembered, so that most steps touch one node.
 *
 * Nodes live in a pool of the caller's (dp_match_state.h) and are named by number; 0 means none.
 * One thread. Offsets only.
 */
#ifndef DP_MATCH_LADDER_H
#define DP_MATCH_LADDER_H

#include "dp_base.h"

#define DP_MATCH_LADDER_BITS 6
#define DP_MATCH_LADDER_HEIGHT_MAX 5 /* 30 bits of key */
#define DP_MATCH_LADDER_LEAVES 8     /* remembered */
#define DP_MATCH_KEY_NONE UINT32_MAX /* of an empty ladder; larger than every key */

struct dp_match_node {
    uint64_t bits;
    uint32_t children[64];
};

struct dp_match_nodes {
    uint32_t capacity;   /* nodes behind number 0 */
    uint32_t used;       /* highest number ever handed out */
    uint32_t free_first; /* chained through children[0] */
    uint32_t live_count;
    struct dp_match_node nodes[]; /* capacity + 1 */
};

struct dp_match_ladder {
    uint32_t best_key; /* DP_MATCH_KEY_NONE: no level */
    uint32_t best_level;
    uint32_t flip;
    uint32_t height; /* nodes from the root to a leaf, both counted */
    uint32_t root;   /* 0 until the first level */
    uint32_t level_count;
    struct dp_match_leaf {
        uint32_t name; /* key >> 6 */
        uint32_t node; /* 0: none remembered */
    } leaves[DP_MATCH_LADDER_LEAVES];
};

static inline size_t dp_match_nodes_size(uint32_t capacity)
{
    return sizeof(struct dp_match_nodes) + ((size_t)capacity + 1) * sizeof(struct dp_match_node);
}

void dp_match_nodes_init(struct dp_match_nodes *nodes, uint32_t capacity);
/* key_max: largest key; below 2^30. is_bid: larger slots are better. */
void dp_match_ladder_init(struct dp_match_ladder *ladder, uint32_t key_max, bool is_bid);

/* The same as dp_match_ladder_find(), but 0 also when the key's leaf is not remembered. */
static inline uint32_t dp_match_ladder_glance(
    const struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes, uint32_t key)
{
    const struct dp_match_leaf *leaf =
        &ladder->leaves[key >> DP_MATCH_LADDER_BITS & (DP_MATCH_LADDER_LEAVES - 1)];
    const struct dp_match_node *node = &nodes->nodes[leaf->node];
    bool is_there = leaf->name == key >> DP_MATCH_LADDER_BITS && (node->bits >> (key & 63) & 1);
    return is_there ? node->children[key & 63] : 0; /* node 0 has no bits */
}

/* The level with this key, or 0. */
uint32_t dp_match_ladder_find(
    struct dp_match_ladder *ladder, const struct dp_match_nodes *nodes, uint32_t key);
/* Adds a level whose key is not there. False when nodes run out; nothing has changed then. */
bool dp_match_ladder_insert(
    struct dp_match_ladder *ladder, struct dp_match_nodes *nodes, uint32_t key, uint32_t level);
/* Takes out the level with this key, which must be there. */
void dp_match_ladder_remove(
    struct dp_match_ladder *ladder, struct dp_match_nodes *nodes, uint32_t key);
/* The level with the smallest key from key_least on, or 0; *found: its key. */
uint32_t dp_match_ladder_at_or_after(const struct dp_match_ladder *ladder,
    const struct dp_match_nodes *nodes, uint32_t key_least, uint32_t *found);
/* The level with the largest key up to key_most, or 0. */
uint32_t dp_match_ladder_at_or_before(const struct dp_match_ladder *ladder,
    const struct dp_match_nodes *nodes, uint32_t key_most, uint32_t *found);

/* Key and price slot are each other's image. */
static inline uint32_t dp_match_ladder_key(const struct dp_match_ladder *ladder, uint32_t slot)
{
    return slot ^ ladder->flip;
}

#endif

/*
 * dp_seal_tree - SHA-256 over a segment's records as a tree, so that one record can be shown to
 * belong to it with a few hashes.
 *
 * A leaf is SHA-256(00, record), a node SHA-256(01, left, right); a node without a neighbour is
 * handed up as it is. A block has a power of two of records, so the tree of all of them is the tree
 * of the blocks' roots. libcrypto does the sums (with the processor's instructions where it has
 * them).
 *
 * Pure functions; any thread.
 */
#ifndef DP_SEAL_TREE_H
#define DP_SEAL_TREE_H

#include "dp_base.h"
#include "dp_journal.h"

#define DP_SEAL_HASH_SIZE 32

/* Of count records, at least 1. */
void dp_seal_tree_records(
    const struct dp_journal_record *records, uint32_t count, uint8_t root[DP_SEAL_HASH_SIZE]);
/* Of count nodes, at least 1; hashes are used up. */
void dp_seal_tree_nodes(
    uint8_t (*hashes)[DP_SEAL_HASH_SIZE], uint32_t count, uint8_t root[DP_SEAL_HASH_SIZE]);
/* Of a segment: SHA-256(02, header page, record_count as u64, tree of the records). */
void dp_seal_tree_segment(const uint8_t *header, uint64_t record_count,
    const uint8_t tree[DP_SEAL_HASH_SIZE], uint8_t root[DP_SEAL_HASH_SIZE]);
/* Of a journal up to a segment: SHA-256(03, that of the segment before, root of this one). */
void dp_seal_tree_chain(const uint8_t previous[DP_SEAL_HASH_SIZE],
    const uint8_t root[DP_SEAL_HASH_SIZE], uint8_t chained[DP_SEAL_HASH_SIZE]);

#endif

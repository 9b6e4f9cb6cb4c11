/* The calls without a context made for each sum: two sums a record want no allocation. */
#define OPENSSL_API_COMPAT 10100
#include "dp_seal_tree.h"

#include <openssl/sha.h>

enum { LEAF, NODE, SEGMENT, CHAIN };

#define DEPTH_MAX 32 /* of a tree whose leaves a u32 counts */

static void begin(SHA256_CTX *sum, uint8_t what)
{
    SHA256_Init(sum);
    SHA256_Update(sum, &what, 1);
}

static void hash_node(const uint8_t *left, const uint8_t *right, uint8_t *out)
{
    SHA256_CTX sum;
    begin(&sum, NODE);
    SHA256_Update(&sum, left, DP_SEAL_HASH_SIZE);
    SHA256_Update(&sum, right, DP_SEAL_HASH_SIZE);
    SHA256_Final(out, &sum);
}

static void hash_leaf(const struct dp_journal_record *record, uint8_t *out)
{
    SHA256_CTX sum;
    begin(&sum, LEAF);
    SHA256_Update(&sum, record, sizeof(*record));
    SHA256_Final(out, &sum);
}

/* A leaf completes one node for every 1 that its number ends in: the open nodes are a stack. */
void dp_seal_tree_records(
    const struct dp_journal_record *records, uint32_t count, uint8_t root[DP_SEAL_HASH_SIZE])
{
    uint8_t open[DEPTH_MAX + 1][DP_SEAL_HASH_SIZE];
    uint32_t depth = 0;
    DP_ASSERT(count > 0);
    for (uint32_t index = 0; index < count; index++) {
        hash_leaf(&records[index], open[depth++]);
        for (uint32_t ones = index; ones & 1; ones >>= 1, depth--)
            hash_node(open[depth - 2], open[depth - 1], open[depth - 2]);
    }
    for (; depth > 1; depth--)
        hash_node(open[depth - 2], open[depth - 1], open[depth - 2]);
    memcpy(root, open[0], DP_SEAL_HASH_SIZE);
}

void dp_seal_tree_nodes(
    uint8_t (*hashes)[DP_SEAL_HASH_SIZE], uint32_t count, uint8_t root[DP_SEAL_HASH_SIZE])
{
    DP_ASSERT(count > 0);
    for (; count > 1; count = (count + 1) / 2) {
        for (uint32_t pair = 0; pair < count / 2; pair++)
            hash_node(hashes[2 * pair], hashes[2 * pair + 1], hashes[pair]);
        if (count % 2 == 1)
            memmove(hashes[count / 2], hashes[count - 1], DP_SEAL_HASH_SIZE);
    }
    memcpy(root, hashes[0], DP_SEAL_HASH_SIZE);
}

void dp_seal_tree_segment(const uint8_t *header, uint64_t record_count,
    const uint8_t tree[DP_SEAL_HASH_SIZE], uint8_t root[DP_SEAL_HASH_SIZE])
{
    SHA256_CTX sum;
    begin(&sum, SEGMENT);
    SHA256_Update(&sum, header, DP_JOURNAL_HEADER_SIZE);
    SHA256_Update(&sum, &record_count, sizeof(record_count));
    SHA256_Update(&sum, tree, DP_SEAL_HASH_SIZE);
    SHA256_Final(root, &sum);
}

void dp_seal_tree_chain(const uint8_t previous[DP_SEAL_HASH_SIZE],
    const uint8_t root[DP_SEAL_HASH_SIZE], uint8_t chained[DP_SEAL_HASH_SIZE])
{
    SHA256_CTX sum;
    begin(&sum, CHAIN);
    SHA256_Update(&sum, previous, DP_SEAL_HASH_SIZE);
    SHA256_Update(&sum, root, DP_SEAL_HASH_SIZE);
    SHA256_Final(chained, &sum);
}

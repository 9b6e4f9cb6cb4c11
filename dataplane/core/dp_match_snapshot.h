/*
 * dp_match_snapshot - the whole state of a matching engine as bytes, and back.
 *
 * A snapshot taken between two calls and restored anywhere continues exactly as the original would
 * have: same reports, same next snapshot, to the byte. It holds what was ever used of each table,
 * not the capacity, and its own size and digest. Snapshots of another layout or another
 * configuration are refused.
 */
#ifndef DP_MATCH_SNAPSHOT_H
#define DP_MATCH_SNAPSHOT_H

#include "dp_match.h"

size_t dp_match_snapshot_size(const struct dp_match *match);
/* Fills exactly dp_match_snapshot_size() bytes. */
void dp_match_snapshot(const struct dp_match *match, uint8_t *bytes);
/* match: initialized with the same configuration; untouched when -errno is returned. */
int dp_match_restore(struct dp_match *match, const uint8_t *bytes, size_t size, struct dp_err *err);

#endif

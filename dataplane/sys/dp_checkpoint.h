/*
 * dp_checkpoint - the state after some record, in a file beside the journal, so that recovery need
 * not begin at the first one.
 *
 * A checkpoint is a help, never evidence: it is made from the journal alone, by a process that
 * reads it (so it costs the trading thread nothing), and one that is missing, cut, changed, or of
 * another build is passed over; the journal itself is then read from further back. It holds the
 * bytes of the state's memory, pages of zeros left out, under a CRC-32C.
 *
 * The file appears under its name (`checkpoint-SEQUENCE.tpc`) only when it is whole and on disk.
 * One call at a time; any thread.
 */
#ifndef DP_CHECKPOINT_H
#define DP_CHECKPOINT_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_CHECKPOINT_MAGIC 0x004b48434b504354ull /* "TCPKCHK\0" as bytes */
#define DP_CHECKPOINT_FORMAT_VERSION 1
#define DP_CHECKPOINT_PAGE 4096u
#define DP_CHECKPOINT_SHAPES 4

/* Memory that is saved and loaded as it is. No pointers inside. */
struct dp_checkpoint_image {
    uint8_t *memory;
    uint64_t size;                        /* a multiple of DP_CHECKPOINT_PAGE */
    uint64_t shape[DP_CHECKPOINT_SHAPES]; /* how it is divided: another shape is not loaded */
};

/* Where in the journal the state stands: everything before the next record. */
struct dp_checkpoint_place {
    uint64_t sequence; /* of the last record applied */
    uint64_t segment_index;
    uint64_t offset;       /* of the next record in that segment's file */
    uint64_t record_count; /* of that segment so far */
    int64_t time_ns;       /* of the last record */
    uint32_t chain;        /* that the next record must continue */
    uint32_t header_crc;   /* of that segment: tells a journal from another */
};

/* Writes the file into the directory; 0 or -errno. */
int dp_checkpoint_save(const char *directory, const struct dp_checkpoint_place *place,
    const struct dp_checkpoint_image *image, struct dp_err *err);
/* Fills the image (zeroed memory) and *place from the file. -EPROTO: of another build or shape;
 * -EBADMSG: cut or changed. The memory then holds rubbish and must be made anew. */
int dp_checkpoint_load(const char *path, struct dp_checkpoint_place *place,
    const struct dp_checkpoint_image *image, struct dp_err *err);

#endif

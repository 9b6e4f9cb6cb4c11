"""Mirror of core/dp_digest.h."""

from libc.stdint cimport uint64_t


cdef extern from "dp_digest.h" nogil:
    enum:
        DP_DIGEST_TEXT_SIZE

    struct dp_digest:
        uint64_t lanes[2]

    void dp_digest_init(dp_digest *digest)
    void dp_digest_update(dp_digest *digest, const void *data, size_t size)
    void dp_digest_text(const dp_digest *digest, char *text)

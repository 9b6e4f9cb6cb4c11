"""Mirror of hooks/dp_card.h."""

from libc.stdint cimport uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_card.h" nogil:
    enum:
        DP_CARD_CAN_FILTER
        DP_CARD_CAN_ARBITRATE
        DP_CARD_CAN_TEMPLATE
        DP_CARD_CAN_GATE
        DP_CARD_CAN_STAMP
        DP_CARD_CAN_DELTA
        DP_CARD_REG_VERSION
        DP_CARD_REG_IDENTITY
        DP_CARD_IDENTITY_SIZE
        DP_CARD_COUNT_END

    ctypedef enum dp_card_count_id "enum dp_card_count":
        pass

    struct dp_card:
        uint32_t capabilities

    struct dp_card_kind:
        const char *name
        const char *words

    const dp_card_kind *dp_card_kind_at(size_t index)
    dp_card *dp_card_open(const char *name, dp_err *err)
    void dp_card_close(dp_card *card)
    uint32_t dp_card_read(dp_card *card, uint32_t offset)
    uint64_t dp_card_count(dp_card *card, dp_card_count_id count)
    const char *dp_card_count_words(dp_card_count_id count)

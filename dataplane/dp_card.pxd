"""Mirror of hooks/dp_card.h."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_card.h" nogil:
    enum:
        DP_CARD_CAN_FILTER
        DP_CARD_CAN_ARBITRATE
        DP_CARD_CAN_TEMPLATE
        DP_CARD_CAN_GATE
        DP_CARD_CAN_STAMP
        DP_CARD_CAN_DELTA
        DP_CARD_CAN_TRIGGER
        DP_CARD_FILTER
        DP_CARD_ARBITRATE
        DP_CARD_GATE
        DP_CARD_HALT
        DP_CARD_FRAME_MAX
        DP_CARD_SESSION_SIZE
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
        const char *where

    const dp_card_kind *dp_card_kind_at(size_t index)
    dp_card *dp_card_open(const char *name, const uint8_t *identity, dp_err *err)
    void dp_card_close(dp_card *card)
    uint32_t dp_card_read(dp_card *card, uint32_t offset)
    uint64_t dp_card_count(dp_card *card, dp_card_count_id count)
    const char *dp_card_count_words(dp_card_count_id count)
    void dp_card_write(dp_card *card, uint32_t offset, uint32_t value)
    int dp_card_control(dp_card *card, uint32_t bits, bint on, dp_err *err)
    void dp_card_arm(dp_card *card, uint16_t stock_locate, bint armed)
    void dp_card_expect(dp_card *card, const uint8_t *session, uint64_t sequence)
    uint32_t dp_card_ingress(
        dp_card *card, const uint8_t *frame, uint32_t size, uint8_t *out)
    bint dp_card_egress(dp_card *card, const uint8_t *frame, uint32_t size)
    int dp_card_set_time(dp_card *card, int64_t time_ns, dp_err *err)
    int64_t dp_card_time(dp_card *card)
    int64_t dp_card_stamp(dp_card *card)

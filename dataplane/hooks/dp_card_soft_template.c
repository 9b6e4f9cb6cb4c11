/*
 * Templates of the reference model: registers that hold them, and a frame built of one by the
 * program's own dp_template_build(). A layout whose fields lie behind its frame has no meaning; it
 * is built in a buffer that holds every offset there is, so it can do no harm.
 */
#include "dp_card_soft.h"

#define OFFSETS_END (UINT8_MAX + 1u + sizeof(uint64_t))

static bool is_in(uint32_t offset, uint32_t first, uint32_t register_count)
{
    return offset >= first && offset < first + 4 * register_count;
}

bool dp_card_soft_is_template(uint32_t offset)
{
    return offset == DP_CARD_REG_SLOT || offset == DP_CARD_REG_BUILD ||
        (offset >= DP_CARD_REG_FRAME && offset < DP_CARD_REG_ARMED);
}

uint32_t dp_card_soft_read_template(const struct dp_card_soft *soft, uint32_t offset)
{
    if (offset == DP_CARD_REG_SLOT)
        return soft->slot;
    if (offset == DP_CARD_REG_BUILD)
        return soft->built_size;
    if (is_in(offset, DP_CARD_REG_FRAME, DP_CARD_FRAME_REGISTERS))
        return soft->frames[soft->slot][(offset - DP_CARD_REG_FRAME) / 4];
    if (is_in(offset, DP_CARD_REG_LAYOUT, DP_CARD_LAYOUT_REGISTERS))
        return soft->layouts[soft->slot][(offset - DP_CARD_REG_LAYOUT) / 4];
    if (is_in(offset, DP_CARD_REG_FIELDS, DP_CARD_FIELD_REGISTERS))
        return soft->fields[(offset - DP_CARD_REG_FIELDS) / 4];
    if (is_in(offset, DP_CARD_REG_BUILT, DP_CARD_FRAME_REGISTERS))
        return dp_load_be32(soft->built + (offset - DP_CARD_REG_BUILT));
    return 0;
}

uint32_t dp_card_soft_build(const struct dp_card_soft *soft, uint8_t frame[DP_TEMPLATE_FRAME_MAX])
{
    uint8_t whole[OFFSETS_END];
    struct dp_template template_ = {0};
    struct dp_template_fields fields;
    for (uint32_t index = 0; index < DP_CARD_FRAME_REGISTERS; index++)
        dp_store_be32(template_.frame + 4 * index, soft->frames[soft->slot][index]);
    dp_card_unpack_layout(soft->layouts[soft->slot], &template_);
    dp_card_unpack_fields(soft->fields, &fields);
    if (template_.frame_size == 0 || template_.frame_size > DP_TEMPLATE_FRAME_MAX)
        return 0;
    uint32_t size = dp_template_build(&template_, &fields, whole);
    memcpy(frame, whole, DP_TEMPLATE_FRAME_MAX);
    return size;
}

void dp_card_soft_write_template(struct dp_card_soft *soft, uint32_t offset, uint32_t value)
{
    if (offset == DP_CARD_REG_SLOT)
        soft->slot = value % DP_CARD_SLOTS;
    else if (offset == DP_CARD_REG_BUILD && value == 1)
        soft->built_size = dp_card_soft_build(soft, soft->built);
    else if (is_in(offset, DP_CARD_REG_FRAME, DP_CARD_FRAME_REGISTERS))
        soft->frames[soft->slot][(offset - DP_CARD_REG_FRAME) / 4] = value;
    else if (is_in(offset, DP_CARD_REG_LAYOUT, DP_CARD_LAYOUT_REGISTERS))
        soft->layouts[soft->slot][(offset - DP_CARD_REG_LAYOUT) / 4] = value;
    else if (is_in(offset, DP_CARD_REG_FIELDS, DP_CARD_FIELD_REGISTERS))
        soft->fields[(offset - DP_CARD_REG_FIELDS) / 4] = value;
}

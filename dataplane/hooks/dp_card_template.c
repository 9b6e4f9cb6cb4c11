/*
 * Order templates over registers: the same words to every card that can build.
 */
#include <errno.h>

#include "dp_card_backend.h"

#define STEP 4u
#define BUILD_PATIENCE 100000u /* reads of DP_CARD_REG_BUILD; a frame takes a card 132 cycles */

static uint32_t four(uint8_t first, uint8_t second, uint8_t third, uint8_t fourth)
{
    return (uint32_t)first << 24 | (uint32_t)second << 16 | (uint32_t)third << 8 | fourth;
}

void dp_card_pack_layout(
    const struct dp_template *template_, uint32_t words[DP_CARD_LAYOUT_REGISTERS])
{
    words[0] = (uint32_t)template_->frame_size << 16 | template_->payload_size;
    words[1] = four(template_->ip_id_offset, template_->tcp_seq_offset, template_->tcp_ack_offset,
        template_->user_ref_num_offset);
    words[2] = four(template_->orig_user_ref_num_offset, template_->side_offset,
        template_->qty_offset, template_->price_offset);
    words[3] = four(template_->time_in_force_offset, template_->cl_ord_id_offset, 0, 0);
    words[4] = template_->constant_sum;
    words[5] = template_->ip_constant_sum;
    words[6] = 0;
    words[7] = 0;
}

void dp_card_unpack_layout(
    const uint32_t words[DP_CARD_LAYOUT_REGISTERS], struct dp_template *template_)
{
    template_->frame_size = (uint16_t)(words[0] >> 16);
    template_->payload_size = (uint16_t)words[0];
    template_->ip_id_offset = (uint8_t)(words[1] >> 24);
    template_->tcp_seq_offset = (uint8_t)(words[1] >> 16);
    template_->tcp_ack_offset = (uint8_t)(words[1] >> 8);
    template_->user_ref_num_offset = (uint8_t)words[1];
    template_->orig_user_ref_num_offset = (uint8_t)(words[2] >> 24);
    template_->side_offset = (uint8_t)(words[2] >> 16);
    template_->qty_offset = (uint8_t)(words[2] >> 8);
    template_->price_offset = (uint8_t)words[2];
    template_->time_in_force_offset = (uint8_t)(words[3] >> 24);
    template_->cl_ord_id_offset = (uint8_t)(words[3] >> 16);
    template_->constant_sum = words[4];
    template_->ip_constant_sum = (uint16_t)words[5];
}

void dp_card_pack_fields(
    const struct dp_template_fields *fields, uint32_t words[DP_CARD_FIELD_REGISTERS])
{
    words[0] = fields->user_ref_num;
    words[1] = fields->orig_user_ref_num;
    words[2] = fields->qty;
    words[3] = (uint32_t)(fields->price_wire >> 32);
    words[4] = (uint32_t)fields->price_wire;
    words[5] = fields->tcp_seq;
    words[6] = fields->tcp_ack;
    words[7] = fields->ip_id;
    words[8] = four(0, 0, (uint8_t)fields->side_wire, (uint8_t)fields->time_in_force_wire);
}

void dp_card_unpack_fields(
    const uint32_t words[DP_CARD_FIELD_REGISTERS], struct dp_template_fields *fields)
{
    fields->user_ref_num = words[0];
    fields->orig_user_ref_num = words[1];
    fields->qty = words[2];
    fields->price_wire = (uint64_t)words[3] << 32 | words[4];
    fields->tcp_seq = words[5];
    fields->tcp_ack = words[6];
    fields->ip_id = (uint16_t)words[7];
    fields->side_wire = (char)(words[8] >> 8);
    fields->time_in_force_wire = (char)words[8];
}

static void write_words(
    struct dp_card *card, uint32_t offset, const uint32_t *words, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++)
        dp_card_write(card, offset + STEP * index, words[index]);
}

int dp_card_load(
    struct dp_card *card, uint32_t slot, const struct dp_template *template_, struct dp_err *err)
{
    uint32_t layout[DP_CARD_LAYOUT_REGISTERS];
    if (!(card->capabilities & DP_CARD_CAN_TEMPLATE))
        return dp_err_set(
            err, ENOTSUP, "card %s: it builds no frames; use dp_template_build()", card->ops->name);
    if (slot >= DP_CARD_SLOTS)
        return dp_err_set(err, EINVAL, "card %s: template slot %u; it has 0 to %u", card->ops->name,
            slot, DP_CARD_SLOTS - 1);
    dp_card_write(card, DP_CARD_REG_SLOT, slot);
    for (uint32_t at = 0; at < DP_TEMPLATE_FRAME_MAX; at += STEP)
        dp_card_write(card, DP_CARD_REG_FRAME + at, dp_load_be32(template_->frame + at));
    dp_card_pack_layout(template_, layout);
    write_words(card, DP_CARD_REG_LAYOUT, layout, DP_CARD_LAYOUT_REGISTERS);
    return 0;
}

void dp_card_write_fields(
    struct dp_card *card, uint32_t slot, const struct dp_template_fields *fields)
{
    uint32_t words[DP_CARD_FIELD_REGISTERS];
    dp_card_pack_fields(fields, words);
    dp_card_write(card, DP_CARD_REG_SLOT, slot);
    write_words(card, DP_CARD_REG_FIELDS, words, DP_CARD_FIELD_REGISTERS);
}

/* The size of what was built; 0 when the card never says that it is done. */
static uint32_t wait_built(struct dp_card *card)
{
    for (uint32_t tries = 0; tries < BUILD_PATIENCE; tries++) {
        uint32_t said = dp_card_read(card, DP_CARD_REG_BUILD);
        if (!(said & DP_CARD_BUILDING))
            return said;
    }
    return 0;
}

uint32_t dp_card_build(
    struct dp_card *card, uint32_t slot, const struct dp_template_fields *fields, uint8_t *frame)
{
    if (!(card->capabilities & DP_CARD_CAN_TEMPLATE) || slot >= DP_CARD_SLOTS)
        return 0;
    dp_card_write_fields(card, slot, fields);
    dp_card_write(card, DP_CARD_REG_BUILD, 1);
    uint32_t size = wait_built(card);
    if (size > DP_TEMPLATE_FRAME_MAX)
        return 0;
    for (uint32_t at = 0; at < size; at += STEP)
        dp_store_be32(frame + at, dp_card_read(card, DP_CARD_REG_BUILT + at));
    return size;
}

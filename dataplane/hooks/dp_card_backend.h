/*
 * dp_card_backend - the backends that dp_card_open() chooses from. Private to this folder.
 */
#ifndef DP_CARD_BACKEND_H
#define DP_CARD_BACKEND_H

#include "dp_card.h"

/* NULL with err filled: there is no memory, or no card there. Nobody has asked yet whether it is of
 * this register map. */
struct dp_card *dp_card_none_open(const char *where, struct dp_err *err);
struct dp_card *dp_card_soft_open(const char *where, struct dp_err *err);
struct dp_card *dp_card_pci_open(const char *where, struct dp_err *err);
struct dp_card *dp_card_rtl_open(const char *where, struct dp_err *err);

/* Chooses the slot and writes the fields of the frame that comes next. */
void dp_card_write_fields(
    struct dp_card *card, uint32_t slot, const struct dp_template_fields *fields);

/* A template's numbers in the registers at DP_CARD_REG_LAYOUT, and fields in those at
 * DP_CARD_REG_FIELDS. */
#define DP_CARD_FRAME_REGISTERS (DP_TEMPLATE_FRAME_MAX / 4u)
#define DP_CARD_LAYOUT_REGISTERS 8u
#define DP_CARD_FIELD_REGISTERS 9u
#define DP_CARD_BUILDING (1u << 31) /* bit of DP_CARD_REG_BUILD */
void dp_card_pack_layout(
    const struct dp_template *template_, uint32_t words[DP_CARD_LAYOUT_REGISTERS]);
void dp_card_unpack_layout(
    const uint32_t words[DP_CARD_LAYOUT_REGISTERS], struct dp_template *template_);
void dp_card_pack_fields(
    const struct dp_template_fields *fields, uint32_t words[DP_CARD_FIELD_REGISTERS]);
void dp_card_unpack_fields(
    const uint32_t words[DP_CARD_FIELD_REGISTERS], struct dp_template_fields *fields);

#endif

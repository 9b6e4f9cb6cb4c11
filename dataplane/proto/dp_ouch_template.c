#include "dp_ouch.h"
#include "dp_soup.h"

enum {
    IP_ID_OFFSET = 18,
    TCP_SEQ_OFFSET = 38,
    TCP_ACK_OFFSET = 42,
    OUCH_OFFSET = DP_NET_TCP_HEADERS_SIZE + DP_SOUP_HEADER_SIZE,
};

/* Where a field of the message stands in the frame; 0 when the message has no such field. */
static uint8_t frame_offset(const struct dp_ouch_type *type, const char *name)
{
    for (uint32_t index = 0; index < type->field_count; index++)
        if (strcmp(type->fields[index].name, name) == 0)
            return (uint8_t)(OUCH_OFFSET + type->fields[index].offset);
    return 0;
}

static void set_offsets(struct dp_template *template_, const struct dp_ouch_type *type)
{
    template_->ip_id_offset = IP_ID_OFFSET;
    template_->tcp_seq_offset = TCP_SEQ_OFFSET;
    template_->tcp_ack_offset = TCP_ACK_OFFSET;
    template_->user_ref_num_offset = frame_offset(type, "user_ref_num");
    template_->orig_user_ref_num_offset = frame_offset(type, "orig_user_ref_num");
    template_->side_offset = frame_offset(type, "side");
    template_->qty_offset = frame_offset(type, "quantity");
    template_->price_offset = frame_offset(type, "price");
    template_->time_in_force_offset = frame_offset(type, "time_in_force");
}

/* The variable fields of *message are 0. */
static void make(struct dp_template *template_, const struct dp_ouch_session *session,
    const struct dp_ouch_message *message)
{
    memset(template_, 0, sizeof(*template_));
    set_offsets(template_, dp_ouch_type(message->type, DP_OUCH_INBOUND));
    size_t size = dp_ouch_encode(message, DP_OUCH_INBOUND, template_->frame + OUCH_OFFSET,
        DP_TEMPLATE_FRAME_MAX - OUCH_OFFSET);
    DP_ASSERT(size > 0);
    template_->payload_size = (uint16_t)(size +
        dp_soup_build(template_->frame + DP_NET_TCP_HEADERS_SIZE, 'U', (uint32_t)size));
    template_->frame_size = (uint16_t)dp_net_build_tcp(
        template_->frame, &session->us, &session->venue, template_->payload_size, 0, 0, 0);
}

/* The prefix, eight bytes that each order writes, spaces. */
static size_t set_cl_ord_id(struct dp_ouch_message *message, const struct dp_ouch_session *session)
{
    size_t prefix_size = strnlen(session->cl_ord_id_prefix, DP_CL_ORD_ID_PREFIX_MAX);
    memset(message->cl_ord_id, ' ', sizeof(message->cl_ord_id));
    memcpy(message->cl_ord_id, session->cl_ord_id_prefix, prefix_size);
    memset(message->cl_ord_id + prefix_size, 0, 8);
    return prefix_size;
}

static void make_with_cl_ord_id(struct dp_template *template_,
    const struct dp_ouch_session *session, struct dp_ouch_message *message)
{
    size_t prefix_size = set_cl_ord_id(message, session);
    make(template_, session, message);
    const struct dp_ouch_type *type = dp_ouch_type(message->type, DP_OUCH_INBOUND);
    template_->cl_ord_id_offset = (uint8_t)(frame_offset(type, "cl_ord_id") + prefix_size);
    dp_template_seal(template_);
}

void dp_ouch_enter_template(
    struct dp_template *template_, const struct dp_ouch_session *session, const char symbol[8])
{
    struct dp_ouch_message message = {
        .type = 'O',
        .display = session->display,
        .capacity = session->capacity,
        .intermarket_sweep = 'N',
        .cross_type = 'N',
    };
    memcpy(message.symbol, symbol, sizeof(message.symbol));
    make_with_cl_ord_id(template_, session, &message);
}

void dp_ouch_replace_template(struct dp_template *template_, const struct dp_ouch_session *session)
{
    struct dp_ouch_message message = {
        .type = 'U',
        .display = session->display,
        .intermarket_sweep = 'N',
    };
    make_with_cl_ord_id(template_, session, &message);
}

void dp_ouch_cancel_template(struct dp_template *template_, const struct dp_ouch_session *session)
{
    const struct dp_ouch_message message = {.type = 'X'};
    make(template_, session, &message);
    dp_template_seal(template_);
}

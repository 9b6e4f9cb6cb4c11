#include "dp_card_model.h"

#include <new>

#include "Vdp_card_filter.h"
#include "verilated.h"

namespace
{

struct Model {
    VerilatedContext context;
    Vdp_card_filter card{&context};
};

void tick(Vdp_card_filter &card)
{
    card.clk = 0;
    card.eval();
    card.clk = 1;
    card.eval();
}

Vdp_card_filter &card_of(void *model)
{
    return static_cast<Model *>(model)->card;
}

} // namespace

void *dp_card_model_open(void)
{
    Model *model = new (std::nothrow) Model;
    if (model == nullptr)
        return nullptr;
    model->card.reset = 1;
    tick(model->card);
    model->card.reset = 0;
    return model;
}

void dp_card_model_close(void *model)
{
    delete static_cast<Model *>(model);
}

uint32_t dp_card_model_read(void *model, uint32_t offset)
{
    Vdp_card_filter &card = card_of(model);
    card.register_at = static_cast<uint16_t>(offset);
    card.eval();
    return card.register_out;
}

void dp_card_model_write(void *model, uint32_t offset, uint32_t value)
{
    Vdp_card_filter &card = card_of(model);
    card.register_at = static_cast<uint16_t>(offset);
    card.register_in = value;
    card.register_write = 1;
    tick(card);
    card.register_write = 0;
}

uint32_t dp_card_model_push(void *model, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    Vdp_card_filter &card = card_of(model);
    for (uint32_t at = 0; at < size; at++) {
        card.in_valid = 1;
        card.in_last = at + 1 == size;
        card.in_byte = frame[at];
        tick(card);
    }
    card.in_valid = 0;
    uint32_t written = 0;
    for (; !card.out_end; tick(card))
        if (card.out_valid)
            out[written++] = card.out_byte;
    tick(card);
    return written;
}

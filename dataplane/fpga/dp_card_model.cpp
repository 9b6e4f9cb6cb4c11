#include "dp_card_model.h"

#include <new>

#include "Vdp_card.h"
#include "verilated.h"

namespace
{

struct Model {
    VerilatedContext context;
    Vdp_card card{&context};
};

/* One of the card's two ways: the pins a frame goes in by, and those it comes out of. */
struct Way {
    CData &valid, &last, &byte;
    CData &passed_valid, &passed_end, &passed_byte;
};

Vdp_card &card_of(void *model)
{
    return static_cast<Model *>(model)->card;
}

void tick(Vdp_card &card)
{
    card.clk = 0;
    card.eval();
    card.clk = 1;
    card.eval();
}

uint32_t push(Vdp_card &card, Way way, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    for (uint32_t at = 0; at < size; at++) {
        way.valid = 1;
        way.last = at + 1 == size;
        way.byte = frame[at];
        tick(card);
    }
    way.valid = 0;
    uint32_t written = 0;
    for (; !way.passed_end; tick(card))
        if (way.passed_valid)
            out[written++] = way.passed_byte;
    tick(card);
    return written;
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
    Vdp_card &card = card_of(model);
    card.register_at = static_cast<uint16_t>(offset);
    card.eval();
    uint32_t value = card.register_out;
    tick(card);
    return value;
}

void dp_card_model_write(void *model, uint32_t offset, uint32_t value)
{
    Vdp_card &card = card_of(model);
    card.register_at = static_cast<uint16_t>(offset);
    card.register_in = value;
    card.register_write = 1;
    tick(card);
    card.register_write = 0;
}

uint32_t dp_card_model_ingress(void *model, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    Vdp_card &card = card_of(model);
    Way way{card.in_valid, card.in_last, card.in_byte, card.in_passed_valid, card.in_passed_end,
        card.in_passed_byte};
    return push(card, way, frame, size, out);
}

uint32_t dp_card_model_egress(void *model, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    Vdp_card &card = card_of(model);
    Way way{card.out_valid, card.out_last, card.out_byte, card.out_passed_valid,
        card.out_passed_end, card.out_passed_byte};
    return push(card, way, frame, size, out);
}

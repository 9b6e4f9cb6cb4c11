#include "dp_crc32c.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

/* The reflected polynomial of CRC-32C (Castagnoli), applied to each value of four bits. */
static const uint32_t nibble_table[16] = {
    0x00000000,
    0x105ec76f,
    0x20bd8ede,
    0x30e349b1,
    0x417b1dbc,
    0x5125dad3,
    0x61c69362,
    0x7198540d,
    0x82f63b78,
    0x92a8fc17,
    0xa24bb5a6,
    0xb21572c9,
    0xc38d26c4,
    0xd3d3e1ab,
    0xe330a81a,
    0xf36e6f75,
};

uint32_t dp_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    crc = ~crc;
    for (size_t index = 0; index < size; index++) {
        crc ^= bytes[index];
        crc = crc >> 4 ^ nibble_table[crc & 15];
        crc = crc >> 4 ^ nibble_table[crc & 15];
    }
    return ~crc;
}

#ifdef __SSE4_2__

uint32_t dp_crc32c(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t running = ~crc;
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        running = _mm_crc32_u64(running, word);
    }
    uint32_t rest = (uint32_t)running;
    for (; size > 0; size--, bytes++)
        rest = _mm_crc32_u8(rest, *bytes);
    return ~rest;
}

#else

uint32_t dp_crc32c(uint32_t crc, const void *data, size_t size)
{
    return dp_crc32c_portable(crc, data, size);
}

#endif

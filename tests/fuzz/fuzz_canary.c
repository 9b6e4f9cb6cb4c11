/* Faulty on purpose. A fuzzer that does not find this within its time finds nothing else either. */
#include "dp_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DP_ASSERT(!(size > 2 && data[0] == 'b' && data[1] == 'u' && data[2] == 'g'));
    return 0;
}

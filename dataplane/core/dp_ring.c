#include "dp_ring.h"

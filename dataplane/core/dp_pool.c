#include "dp_pool.h"

#include "dp_counter.h"

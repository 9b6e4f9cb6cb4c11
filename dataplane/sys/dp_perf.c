#include "dp_perf.h"

#include "dp_clock.h"

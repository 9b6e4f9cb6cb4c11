#include "dp_region.h"

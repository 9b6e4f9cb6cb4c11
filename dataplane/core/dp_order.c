#include "dp_order.h"

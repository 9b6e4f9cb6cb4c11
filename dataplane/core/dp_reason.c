#include "dp_reason.h"

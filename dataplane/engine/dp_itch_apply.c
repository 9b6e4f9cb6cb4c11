#include "dp_itch_apply.h"

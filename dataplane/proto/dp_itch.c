#include "dp_itch.h"

#include "dp_base.h"

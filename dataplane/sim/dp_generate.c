#include "dp_generate.h"

#include "dp_ouch.h"

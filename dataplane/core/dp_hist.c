#include "dp_hist.h"

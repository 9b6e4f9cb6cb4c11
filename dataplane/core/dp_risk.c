#include "dp_risk.h"

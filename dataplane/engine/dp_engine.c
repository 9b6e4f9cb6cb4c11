#include "dp_engine.h"

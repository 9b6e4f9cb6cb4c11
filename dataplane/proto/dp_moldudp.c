#include "dp_moldudp.h"

#include "dp_net.h"

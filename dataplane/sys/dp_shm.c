#include "dp_shm.h"

#include "dp_wal.h"

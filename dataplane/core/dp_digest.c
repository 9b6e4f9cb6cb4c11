#include "dp_digest.h"

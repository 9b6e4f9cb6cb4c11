#include "dp_submit.h"

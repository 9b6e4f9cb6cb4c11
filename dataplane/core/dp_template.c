#include "dp_template.h"

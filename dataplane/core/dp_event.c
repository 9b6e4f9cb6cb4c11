#include "dp_event.h"

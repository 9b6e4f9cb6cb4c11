#include "dp_venue.h"

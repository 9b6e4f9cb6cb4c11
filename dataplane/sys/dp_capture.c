#include "dp_capture.h"

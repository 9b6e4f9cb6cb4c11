#include "dp_soup.h"

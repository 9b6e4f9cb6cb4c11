#include "dp_book.h"

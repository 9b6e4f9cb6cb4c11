#include "dp_journal.h"

#include "control/format.h"

const uint32_t format_newest = 1;

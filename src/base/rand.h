/* Random bytes from the kernel, good enough for keys.  There is no other source. */
#pragma once

#include "base/base.h"

/* Stops the process if the kernel has none to give. */
void rand_bytes(void *bytes, size_t len);
uint64_t rand_u64(void);
/* Evenly 0 to bound - 1; bound is at least 1. */
uint64_t rand_below(uint64_t bound);

/* Tests only: from now the same numbers follow from the same seed; 0 ends that. */
void rand_test_seed(uint64_t seed);

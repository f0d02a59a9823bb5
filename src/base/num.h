/* Arithmetic and decimal text for numbers that come from outside: every function says
 * whether the result fits, and leaves it untouched if not. */
#pragma once

#include "base/str.h"

[[nodiscard]] static inline bool num_add(size_t a, size_t b, size_t *sum)
{
	size_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*sum = r;
	return true;
}

[[nodiscard]] static inline bool num_mul(size_t a, size_t b, size_t *product)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*product = r;
	return true;
}

static inline uint64_t num_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static inline uint64_t num_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The whole of text as a decimal number without sign; false if empty, not all digits, or
 * more than max. */
[[nodiscard]] bool num_parse(struct str text, uint64_t max, uint64_t *number);
/* The value of a hexadecimal digit, or -1. */
int num_hex(char digit);

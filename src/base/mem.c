#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>

void *mem_zeroed(size_t count, size_t size)
{
	void *ptr = calloc(count ? count : 1, size ? size : 1);

	ASSERT(ptr);
	return ptr;
}

void *mem_grown(void *ptr, size_t count, size_t size)
{
	ptr = reallocarray(ptr, count ? count : 1, size ? size : 1);
	ASSERT(ptr);
	return ptr;
}

void mem_free(void *ptr)
{
	free(ptr);
}

void mem_give_back(void)
{
	(void)malloc_trim(0); /* there may be nothing to give */
}

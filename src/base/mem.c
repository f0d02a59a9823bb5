#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>

/* By default both grow with the largest piece that was ever freed, up to 64 MB a
 * thread. */
enum { BIG_BYTES = 1024 * 1024, SPARE_BYTES_MAX = 1024 * 1024 };

void mem_begin(void)
{
	int is_done = mallopt(M_MMAP_THRESHOLD, BIG_BYTES) &
		      mallopt(M_TRIM_THRESHOLD, SPARE_BYTES_MAX);

	ASSERT(is_done == 1);
}

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

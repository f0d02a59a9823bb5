#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"

enum {
	BLOCK_BYTES = 512 - 64, /* the first: an idle session has some of them */
	KEPT_BYTES_MAX = 4096,
	BLOCK_BYTES_MAX = 1 << 20
};

struct arena_block {
	struct arena_block *older;
	size_t used, room;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
	*arena = (struct arena){.max = max_bytes};
}

static void blocks_free(struct arena_block *block)
{
	while (block) {
		struct arena_block *older = block->older;

		mem_free(block);
		block = older;
	}
}

void arena_fini(struct arena *arena)
{
	blocks_free(arena->block);
	arena->block = NULL;
	arena->used = 0;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *block = arena->block;

	arena->used = 0;
	if (!block)
		return;
	blocks_free(block->older);
	block->older = NULL;
	if (block->room > KEPT_BYTES_MAX) {
		mem_free(block);
		arena->block = NULL;
		return;
	}
	memset(block->bytes, 0, block->used);
	block->used = 0;
}

static struct arena_block *block_new(struct arena_block *older, size_t need)
{
	size_t room = older ? older->room * 2 : BLOCK_BYTES;

	if (room > BLOCK_BYTES_MAX)
		room = BLOCK_BYTES_MAX;
	if (room < need)
		room = need;
	struct arena_block *block = mem_zeroed(1, sizeof *block + room);

	block->older = older;
	block->room = room;
	return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (!num_mul(count, size, &bytes) || bytes > arena->max - arena->used)
		return NULL;
	bytes = (bytes + alignof(max_align_t) - 1) / alignof(max_align_t) *
		alignof(max_align_t);
	if (bytes > arena->max - arena->used)
		bytes = arena->max - arena->used;
	arena->used += bytes;
	struct arena_block *block = arena->block;
	size_t aligned = (bytes + 15) / 16 * 16;

	if (!block || block->room - block->used < aligned)
		block = arena->block = block_new(block, aligned);
	void *found = block->bytes + block->used;

	block->used += aligned;
	return found;
}

bool arena_copy(struct arena *arena, struct str from, struct str *copy)
{
	char *bytes = arena_alloc(arena, from.len, 1);

	*copy = STR("");
	if (!bytes)
		return false;
	if (from.len > 0)
		memcpy(bytes, from.ptr, from.len);
	*copy = (struct str){bytes, from.len};
	return true;
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	char *bytes = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1, 1);

	if (bytes)
		(void)vsnprintf(bytes, (size_t)len + 1, format, again); /* it fits */
	va_end(again);
	va_end(args);
	return bytes ? (struct str){bytes, (size_t)len} : STR("");
}

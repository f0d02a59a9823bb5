/* Memory that is freed as a whole: one arena a session, a command or a message.
 *
 * It has a bound in octets.  arena_alloc() returns NULL when the bound is reached, which
 * callers answer politely (ERR_LIMIT); running out of the machine's memory stops the
 * process.  Blocks are kept over a reset, up to one, so that an idle session is small.
 */
#pragma once

#include "base/str.h"

struct arena {
	struct arena_block *block; /* newest */
	size_t used, max;          /* octets handed out, and their bound */
};

void arena_init(struct arena *arena, size_t max_bytes);
void arena_fini(struct arena *arena);
/* Forgets all that was handed out; keeps at most one small block. */
void arena_reset(struct arena *arena);
/* Zeroed and aligned for anything; NULL when the bound is reached. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* A copy that lives as long as the arena; false (and "") at the bound. */
[[nodiscard]] bool arena_copy(struct arena *arena, struct str from, struct str *copy);
/* printf into the arena; the empty string at the bound. */
struct str arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), 1, sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                                  \
	((type *)arena_alloc((arena), (count), sizeof(type)))

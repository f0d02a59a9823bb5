/* The only door to the heap outside base/: typed, zeroed, and never failing (running out
 * of memory stops the process).  What may grow without us wanting it belongs in a buf or
 * an arena, which have bounds. */
#pragma once

#include "base/base.h"

/* Zeroed memory for count things of size octets; freed with mem_free(). */
void *mem_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* Grows what mem_ gave; the added octets are not zeroed.  ptr may be NULL. */
void *mem_grown(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));
void mem_free(void *ptr); /* NULL is allowed */
/* Before the first thread: what is big is given back when it is freed, and what each
 * thread keeps for its next piece has a bound, whatever it once needed. */
void mem_begin(void);
/* Gives the system what was freed and lies between what is in use, of all threads.  It
 * looks at the whole heap: for moments of rest. */
void mem_give_back(void);

#define NEW(type)              ((type *)mem_zeroed(1, sizeof(type)))
#define NEW_ARRAY(type, count) ((type *)mem_zeroed((count), sizeof(type)))
/* Makes room for one more item in an array that doubles. */
#define MEM_ROOM(array, count, room)                                                     \
	do {                                                                             \
		if ((count) == (room)) {                                                 \
			(room) = (room) ? (room)*2 : 16;                                 \
			(array) = mem_grown((array), (room), sizeof *(array));           \
		}                                                                        \
	} while (0)

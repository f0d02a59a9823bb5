/* Text that grows, up to a bound that must be given.  Errors latch: append freely and
 * check buf_ok() once at the end.  It owns its memory. */
#pragma once

#include <stdarg.h>

#include "base/str.h"

struct buf {
	char *ptr;
	size_t len, room, max;
	bool failed; /* the bound was hit; what did not fit was dropped */
};

/* The value of an empty buffer of at most max_bytes. */
#define BUF(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_fini(struct buf *buf);
/* Empties it and forgets the failure; the memory is kept. */
void buf_reset(struct buf *buf);
/* Empties it and gives the memory back. */
void buf_release(struct buf *buf);
static inline bool buf_ok(const struct buf *buf)
{
	return !buf->failed;
}
/* Good until the next change. */
static inline struct str buf_str(const struct buf *buf)
{
	return (struct str){buf->ptr, buf->len};
}

/* For buf_room(): the same where there is no room yet. */
char *buf_grow(struct buf *buf, size_t n);
/* Room for n more octets at the end, to be written directly and then claimed with
 * buf_grew(); NULL (and failed) beyond the bound. */
static inline char *buf_room(struct buf *buf, size_t n)
{
	return buf->ptr && n <= buf->room - buf->len && n <= buf->max - buf->len
		       ? buf->ptr + buf->len
		       : buf_grow(buf, n);
}
static inline void buf_grew(struct buf *buf, size_t n)
{
	ASSERT(n <= buf->room - buf->len);
	buf->len += n;
}
static inline void buf_add(struct buf *buf, struct str more)
{
	if (more.len == 0)
		return;
	char *room = buf_room(buf, more.len);

	if (!room)
		return;
	memcpy(room, more.ptr, more.len);
	buf->len += more.len;
}
static inline void buf_add_byte(struct buf *buf, char byte)
{
	char *room = buf_room(buf, 1);

	if (!room)
		return;
	*room = byte;
	buf->len++;
}
void buf_add_c(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF_LIKE(2, 0);
void buf_add_u64(struct buf *buf, uint64_t number); /* decimal */

/* Removes the first n octets, or all but the first n. */
void buf_drop_front(struct buf *buf, size_t n);
void buf_cut(struct buf *buf, size_t n);

#include "base/buf.h"

#include <stdio.h>

#include "base/mem.h"

void buf_fini(struct buf *buf)
{
	mem_free(buf->ptr);
	*buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

void buf_release(struct buf *buf)
{
	buf_fini(buf);
}

char *buf_grow(struct buf *buf, size_t n)
{
	if (n > buf->max - buf->len) {
		buf->failed = true;
		return NULL;
	}
	size_t room = buf->room ? buf->room : 64;

	while (room - buf->len < n)
		room *= 2;
	if (room > buf->max)
		room = buf->max ? buf->max : 1; /* never NULL for success */
	buf->ptr = mem_grown(buf->ptr, room, 1);
	buf->room = room;
	return buf->ptr + buf->len;
}

void buf_add_c(struct buf *buf, const char *text)
{
	buf_add(buf, str_c(text));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	char small[256];
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(small, sizeof small, format, args);

	ASSERT(len >= 0);
	if ((size_t)len < sizeof small) {
		buf_add(buf, (struct str){small, (size_t)len});
	} else {
		char *whole = mem_zeroed((size_t)len + 1, 1);

		(void)vsnprintf(whole, (size_t)len + 1, format, again); /* it fits */
		buf_add(buf, (struct str){whole, (size_t)len});
		mem_free(whole);
	}
	va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void buf_add_u64(struct buf *buf, uint64_t number)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof digits;

	/* Two at a time: a division costs more than all else here. */
	for (; number >= 10; number /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + number % 100 * 2, 2);
	}
	if (number > 0 || at == sizeof digits)
		digits[--at] = (char)('0' + number);
	buf_add(buf, (struct str){digits + at, sizeof digits - at});
}

void buf_drop_front(struct buf *buf, size_t n)
{
	ASSERT(n <= buf->len);
	if (n > 0 && n < buf->len)
		memmove(buf->ptr, buf->ptr + n, buf->len - n);
	buf->len -= n;
}

void buf_cut(struct buf *buf, size_t n)
{
	if (n < buf->len)
		buf->len = n;
}

#include "sieve/fold.h"

#include "base/utf8.h"
#include "text/casemap.h"

static void add_lower(struct buf *out, struct str text)
{
	char *to = buf_room(out, text.len);

	if (!to)
		return;
	for (size_t i = 0; i < text.len; i++)
		to[i] = ascii_lower(text.ptr[i]);
	buf_grew(out, text.len);
}

/* The first character of *rest, which is not empty. */
static struct str take_character(struct str *rest)
{
	struct str before = *rest;
	uint32_t code;

	(void)utf8_take(rest, &code); /* octets that are none count as one */
	return str_first(before, before.len - rest->len);
}

static void add_origin(struct buf *origins, size_t at, size_t times)
{
	uint32_t place = (uint32_t)at;

	for (size_t i = 0; i < times && buf_ok(origins); i++)
		buf_add(origins, (struct str){(const char *)&place, sizeof place});
}

/* RFC 5051 §2 maps each character by itself. */
static void add_mapped(struct str text, struct buf *out, struct buf *origins)
{
	struct str rest = text;

	while (rest.len > 0 && buf_ok(out) && buf_ok(origins)) {
		size_t at = text.len - rest.len, before = out->len;

		casemap_add(out, take_character(&rest));
		add_origin(origins, at, out->len - before);
	}
	add_origin(origins, text.len, 1);
}

struct folded fold_value(enum sieve_comparator comparator, struct str text,
			 struct buf *out, struct buf *origins)
{
	buf_reset(out);
	switch (comparator) {
	case SIEVE_OCTET:
	case SIEVE_ASCII_NUMERIC:
		return (struct folded){text, NULL};
	case SIEVE_ASCII_CASEMAP:
		add_lower(out, text);
		return (struct folded){buf_str(out), NULL};
	case SIEVE_UNICODE_CASEMAP:
		break;
	}
	if (!origins) {
		casemap_add(out, text);
		return (struct folded){buf_str(out), NULL};
	}
	buf_reset(origins);
	add_mapped(text, out, origins);
	return (struct folded){buf_str(out),
			       (const uint32_t *)(const void *)origins->ptr};
}

/* A character may become one that is a wildcard, as the wide "＊" does: not here. */
static void add_pattern(struct str key, struct buf *out)
{
	SCOPED(buf_fini) struct buf mapped = BUF(1000);

	while (key.len > 0 && buf_ok(out)) {
		struct str character = take_character(&key);

		buf_reset(&mapped);
		casemap_add(&mapped, character);
		for (size_t i = 0; i < mapped.len; i++) {
			char c = mapped.ptr[i];

			if (character.len > 1 && (c == '*' || c == '?' || c == '\\'))
				buf_add_byte(out, '\\');
			buf_add_byte(out, c);
		}
	}
}

struct str fold_key(enum sieve_comparator comparator, bool is_pattern, struct str key,
		    struct buf *out)
{
	if (comparator != SIEVE_UNICODE_CASEMAP || !is_pattern)
		return fold_value(comparator, key, out, NULL).text;
	buf_reset(out);
	add_pattern(key, out);
	return buf_str(out);
}

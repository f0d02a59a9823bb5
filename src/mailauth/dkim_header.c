#include "mailauth/dkim_header.h"

#include <stdlib.h>

#include <openssl/evp.h>

struct dkim_place {
	struct str name;
	const struct mail_field *field;
};

static int name_cmp(struct str a, struct str b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		int less = ascii_lower(a.ptr[i]) - ascii_lower(b.ptr[i]);

		if (less != 0)
			return less;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int place_cmp(const void *a, const void *b)
{
	const struct dkim_place *one = a, *other = b;
	int less = name_cmp(one->name, other->name);

	return less != 0 ? less
			 : (one->field > other->field) - (one->field < other->field);
}

bool dkim_header_read(struct str text, struct arena *arena, struct dkim_header *header)
{
	*header = (struct dkim_header){.text = text};
	if (text.len > DKIM_HEADER_BYTES_MAX)
		return false;
	header->fields = mail_header_split(arena, text, DKIM_FIELDS_MAX);
	size_t count = header->fields.count;

	if (header->fields.is_cut)
		return false;
	header->places = ARENA_ARRAY(arena, struct dkim_place, count + 1);
	header->taken = ARENA_ARRAY(arena, size_t, count + 1);
	if (!header->places || !header->taken)
		return false;
	for (size_t i = 0; i < count; i++)
		header->places[i] = (struct dkim_place){header->fields.fields[i].name,
							&header->fields.fields[i]};
	if (count > 0)
		qsort(header->places, count, sizeof header->places[0], place_cmp);
	return true;
}

/* The first place whose name is not before (or, if is_after, is behind) that. */
static size_t bound(const struct dkim_header *header, struct str name, bool is_after)
{
	size_t low = 0, high = header->fields.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int less = name_cmp(header->places[middle].name, name);

		if (less < 0 || (is_after && less == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t dkim_header_count(const struct dkim_header *header, struct str name)
{
	return bound(header, name, true) - bound(header, name, false);
}

struct str dkim_header_name(const struct dkim_header *header,
			    const struct mail_field *field)
{
	const char *begin = header->text.ptr + field->at;

	return (struct str){begin, (size_t)(field->value.ptr - begin)};
}

/* The next field of that name from below, or NULL. */
static const struct mail_field *take_field(struct dkim_header *header, struct str name)
{
	size_t first = bound(header, name, false), after = bound(header, name, true);

	if (first == after || header->taken[first] == after - first)
		return NULL;
	header->taken[first]++;
	return header->places[after - header->taken[first]].field;
}

void dkim_header_hash(struct dkim_header *header, enum dkim_canon canon,
		      const struct str *names, size_t name_count,
		      const struct dkim_own *own, unsigned char hash[DKIM_HASH_BYTES])
{
	/* Canonical fields are no longer than fields but for a CRLF. */
	SCOPED(buf_fini) struct buf text = BUF(2 * DKIM_HEADER_BYTES_MAX);
	SCOPED(buf_fini) struct buf last = BUF(2 * DKIM_HEADER_BYTES_MAX);

	memset(header->taken, 0, (header->fields.count + 1) * sizeof header->taken[0]);
	for (size_t i = 0; i < name_count; i++) {
		const struct mail_field *field = take_field(header, names[i]);

		if (!field) /* RFC 6376 §5.4: what is not there adds nothing */
			continue;
		dkim_canon_field(canon,
				 (struct str){header->text.ptr + field->at, field->len},
				 &text);
		buf_add(&text, STR("\r\n"));
	}
	buf_add(&last, own->own);
	buf_add(&last, own->value);
	dkim_canon_field(canon, buf_str(&last), &text);
	ASSERT(buf_ok(&text) && buf_ok(&last));
	ASSERT(EVP_Digest(text.ptr, text.len, hash, NULL, EVP_sha256(), NULL) == 1);
}

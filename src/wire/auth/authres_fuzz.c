#include "wire/auth/authres.h"

static bool is_keyword(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_ascii_digit((unsigned char)text.ptr[i]) && text.ptr[i] != '-' &&
		    (ascii_lower(text.ptr[i]) < 'a' || ascii_lower(text.ptr[i]) > 'z'))
			return false;
	return text.len > 0 && text.len < 64;
}

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	return text.len > 0 && text.len <= AUTHRES_VALUE_MAX;
}

/* No line is too long, none is empty, and nothing but our own line ends is in it. */
static void check_field(struct str field)
{
	ASSERT(str_ends(field, STR("\r\n")));
	while (field.len > 0) {
		struct str line = str_first(field, str_find(field, STR("\r\n")));

		ASSERT(line.len > 0 && line.len <= 998);
		ASSERT(str_find_byte(line, '\r') == line.len &&
		       str_find_byte(line, '\n') == line.len &&
		       str_find_byte(line, '\0') == line.len);
		field = str_skip(field, line.len + 2);
		ASSERT(field.len == 0 || field.ptr[0] == '\t');
	}
}

static void write(const struct authres *from, struct buf *buf)
{
	struct authres_writer writer;

	authres_begin(&writer, buf, from->id);
	for (size_t i = 0; i < from->count; i++) {
		char method[64], result[64];

		if (!is_keyword(from->results[i].method) ||
		    !is_keyword(from->results[i].result))
			continue;
		ASSERT(str_to_c(from->results[i].method, method, sizeof method) &&
		       str_to_c(from->results[i].result, result, sizeof result));
		authres_add(&writer, method, result);
		authres_add_comment(&writer, from->results[i].reason);
		authres_add_reason(&writer, from->results[i].reason);
		for (size_t j = 0; j < from->results[i].count; j++)
			authres_add_property(&writer, "header", "x",
					     from->results[i].properties[j].value);
	}
	authres_end(&writer);
}

/* What was read and written again is read as the same: every result, and every value
 * that the writer need not change. */
static void check_same(const struct authres *from, const struct authres *again)
{
	size_t at = 0;

	if (is_plain(from->id))
		ASSERT(str_same(from->id, again->id));
	ASSERT(!again->is_partial);
	for (size_t i = 0; i < from->count; i++) {
		const struct authres_result *one = &from->results[i];

		if (!is_keyword(one->method) || !is_keyword(one->result))
			continue;
		ASSERT(at < again->count);
		const struct authres_result *other = &again->results[at++];
		size_t property = 0;

		ASSERT(str_same(one->method, other->method) &&
		       str_same(one->result, other->result));
		if (is_plain(one->reason))
			ASSERT(str_same(one->reason, other->reason));
		for (size_t j = 0; j < one->count; j++) {
			struct str value = one->properties[j].value;

			if (value.len == 0)
				continue;
			ASSERT(property < other->count);
			if (is_plain(value))
				ASSERT(str_same(value,
						other->properties[property].value));
			property++;
		}
		ASSERT(property == other->count);
	}
	ASSERT(at == again->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf buf = BUF(4 * 1024 * 1024);
	struct str text = {(const char *)data, len};
	struct authres authres, again;

	arena_init(&arena, 4 * 1024 * 1024);
	if (!authres_parse(text, &arena, &authres))
		return 0;
	ASSERT(authres.count <= AUTHRES_RESULTS_MAX);
	ASSERT(authres.version != 1 || authres_claims(text, authres.id, &arena));
	write(&authres, &buf);
	ASSERT(buf_ok(&buf));
	check_field(buf_str(&buf));
	struct str value = str_skip(buf_str(&buf), sizeof "Authentication-Results:" - 1);

	if (value.len > AUTHRES_BYTES_MAX)
		return 0;
	ASSERT(authres_parse(value, &arena, &again));
	check_same(&authres, &again);
	return 0;
}

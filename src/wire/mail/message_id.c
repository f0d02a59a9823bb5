#include "wire/mail/message_id.h"

static bool is_space(char c)
{
	return (unsigned char)c <= 32;
}

/* The identifier whose "<" is at from: *inner is what is between the angles, the result
 * the place after ">", or from if it has no end before the next "<". */
static size_t id_end(struct str text, size_t from, struct str *inner)
{
	bool in_quotes = false;

	for (size_t at = from + 1; at < text.len; at++) {
		char c = text.ptr[at];

		if (c == '<')
			return from;
		if (c == '\\' && in_quotes)
			at++;
		else if (c == '"')
			in_quotes = !in_quotes;
		else if (c == '>' && !in_quotes) {
			*inner = (struct str){text.ptr + from + 1, at - from - 1};
			return at + 1;
		}
	}
	return from;
}

/* True if the quoted text between the quotes at from and to may stand without them. */
static bool quotes_unneeded(struct str id, size_t from, size_t to)
{
	if (to == from + 1 || id.ptr[from + 1] == '.' || id.ptr[to - 1] == '.')
		return false;
	for (size_t i = from + 1; i < to; i++)
		if (is_space(id.ptr[i]) || strchr("()<>[]:;@\\,\"", id.ptr[i]) ||
		    (id.ptr[i] == '.' && id.ptr[i + 1] == '.'))
			return false;
	return true;
}

/* SPACE_INSIDE, and the quotes of a left side that needs none. */
static struct str normal(struct arena *arena, struct str id)
{
	size_t quote_end = 0, len = 0, i = 0;

	while (i < id.len && !is_space(id.ptr[i]) && id.ptr[i] != '"')
		i++;
	if (i == id.len)
		return id;
	char *to = arena_alloc(arena, id.len, 1);

	if (!to)
		return STR("");
	if (id.ptr[0] == '"')
		quote_end = 1 + str_find_byte(str_skip(id, 1), '"');
	bool unquote =
		quote_end > 0 && quote_end < id.len && quotes_unneeded(id, 0, quote_end);

	for (i = 0; i < id.len; i++) {
		if (is_space(id.ptr[i]) || (unquote && (i == 0 || i == quote_end)))
			continue;
		to[len++] = id.ptr[i];
	}
	return (struct str){to, len};
}

/* Stores each identifier but the first skip ones; only counts them if items is NULL. */
static size_t walk(struct arena *arena, struct str value, size_t skip, struct str *items)
{
	size_t count = 0, at = 0;

	while ((at += str_find_byte(str_skip(value, at), '<')) < value.len) {
		struct str inner = {0};
		size_t end = id_end(value, at, &inner);

		at = end > at ? end : at + 1;
		if (str_trim(inner).len == 0)
			continue;
		if (items && count >= skip)
			items[count - skip] = normal(arena, str_trim(inner));
		count++;
	}
	return count;
}

/* NO_ANGLES */
static bool bare_id(struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (is_space(value.ptr[i]) || value.ptr[i] == '<' || value.ptr[i] == '>')
			return false;
	return value.len > 0;
}

struct mail_ids mail_ids_parse(struct arena *arena, struct str value, size_t max)
{
	struct mail_ids ids = {0};
	size_t count = walk(arena, value, 0, NULL);
	bool is_bare = count == 0 && bare_id(str_trim(value));
	size_t skip = count > max ? count - max : 0;

	ids.is_cut = skip > 0;
	if (is_bare && max > 0)
		count = 1;
	if (count == 0 || max == 0)
		return ids;
	ids.items = ARENA_ARRAY(arena, struct str, count - skip);
	if (!ids.items) {
		ids.is_cut = true;
		return ids;
	}
	ids.count = count - skip;
	if (is_bare)
		ids.items[0] = str_trim(value);
	else
		walk(arena, value, skip, ids.items);
	return ids;
}

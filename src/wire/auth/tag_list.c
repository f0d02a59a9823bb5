#include "wire/auth/tag_list.h"

#include "base/utf8.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'; /* CONTROL_IN_FOLD */
}

static bool is_alpha(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* tag-name = ALPHA *ALNUMPUNC */
static bool is_tag_name(struct str name)
{
	if (name.len == 0 || !is_alpha(name.ptr[0]))
		return false;
	for (size_t i = 1; i < name.len; i++) {
		char c = name.ptr[i];

		if (!is_alpha(c) && !is_ascii_digit((unsigned char)c) && c != '_')
			return false;
	}
	return true;
}

/* tag-value: VALCHAR and white space between, and UTF-8 */
static bool is_tag_value(struct str value)
{
	bool is_ascii = true;

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		is_ascii = is_ascii && c < 0x80;
		if ((c <= ' ' && !is_space((char)c)) || c == 0x7f)
			return false;
	}
	return is_ascii || utf8_valid(value);
}

static enum tag_list_outcome add(struct tag_list *list, struct str spec)
{
	size_t equals = str_find_byte(spec, '=');
	struct tag tag = {
		.name = str_trim(str_first(spec, equals)),
		.whole = str_skip(spec, equals + 1),
	};

	tag.value = str_trim(tag.whole);
	if (equals == spec.len || !is_tag_name(tag.name) || !is_tag_value(tag.value))
		return TAG_LIST_SYNTAX;
	for (size_t i = 0; i < list->count; i++)
		if (str_same(list->tags[i].name, tag.name))
			return TAG_LIST_TWICE;
	if (list->count == TAG_LIST_TAGS_MAX)
		return TAG_LIST_TOO_MANY;
	list->tags[list->count++] = tag;
	return TAG_LIST_FINE;
}

enum tag_list_outcome tag_list_parse(struct str text, struct tag_list *list)
{
	enum tag_list_outcome outcome = TAG_LIST_FINE;

	list->count = 0;
	if (text.len > TAG_LIST_BYTES_MAX)
		return TAG_LIST_TOO_LONG;
	while (text.len > 0 && outcome == TAG_LIST_FINE) {
		struct str spec = str_cut(&text, ';');

		if (str_trim(spec).len > 0) /* EMPTY_SPEC */
			outcome = add(list, spec);
	}
	return outcome;
}

const struct tag *tag_list_find(const struct tag_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_same(list->tags[i].name, str_c(name)))
			return &list->tags[i];
	return NULL;
}

bool tag_item_next(struct str *rest, struct str *item)
{
	if (rest->len == 0)
		return false;
	*item = str_trim(str_cut(rest, ':'));
	return true;
}

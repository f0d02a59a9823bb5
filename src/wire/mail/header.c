#include "wire/mail/header.h"

/* ftext: printable ASCII except ":".  RFC 5322 §3.6.8. */
static bool is_ftext(char c)
{
	return c > 32 && c < 127 && c != ':';
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the line at from ends, its LF included; the end of text if it has none. */
static size_t line_end(struct str text, size_t from)
{
	const char *lf =
		from < text.len ? memchr(text.ptr + from, '\n', text.len - from) : NULL;

	return lf ? (size_t)(lf - text.ptr) + 1 : text.len;
}

struct mail_fields mail_fields_of_part(struct str text)
{
	return (struct mail_fields){.text = text};
}

struct mail_fields mail_fields_over(struct str text)
{
	struct mail_fields fields = {.text = text};

	if (str_starts(text, STR("From ")) || str_starts(text, STR(">From ")))
		fields.at = line_end(text, 0); /* MBOX_FROM_LINE */
	return fields;
}

/* The blank line's length, 0 if there is none here. */
static size_t blank_line(struct str text, size_t at)
{
	if (at < text.len && text.ptr[at] == '\n')
		return 1;
	if (text.len - at >= 2 && text.ptr[at] == '\r' && text.ptr[at + 1] == '\n')
		return 2;
	return 0;
}

/* The length of the field's name at from, 0 if the line is no field; *colon is the place
 * of the colon. */
static size_t field_name(struct str text, size_t from, size_t *colon)
{
	size_t at = from;

	while (at < text.len && is_ftext(text.ptr[at]))
		at++;
	size_t len = at - from;

	while (at < text.len && is_wsp(text.ptr[at])) /* SPACE_BEFORE_COLON */
		at++;
	*colon = at;
	return at < text.len && text.ptr[at] == ':' ? len : 0;
}

static struct str without_line_end(struct str value)
{
	if (value.len > 0 && value.ptr[value.len - 1] == '\n')
		value.len--;
	if (value.len > 0 && value.ptr[value.len - 1] == '\r')
		value.len--;
	return value;
}

bool mail_fields_next(struct mail_fields *fields, struct mail_field *field)
{
	struct str text = fields->text;
	size_t from = fields->at, colon;

	if (fields->ended)
		return false;
	size_t blank = blank_line(text, from);
	size_t name_len = blank ? 0 : field_name(text, from, &colon);

	if (name_len == 0) { /* the end, with or without NO_BLANK_LINE */
		fields->at += blank;
		fields->ended = true;
		return false;
	}
	size_t end = line_end(text, colon);

	while (end < text.len && is_wsp(text.ptr[end]) && text.ptr[end - 1] == '\n')
		end = line_end(text, end);
	*field = (struct mail_field){
		.name = {text.ptr + from, name_len},
		.value = without_line_end(
			(struct str){text.ptr + colon + 1, end - colon - 1}),
		.at = from,
		.len = end - from,
	};
	fields->at = end;
	return true;
}

struct mail_header mail_header_split(struct arena *arena, struct str text,
				     size_t fields_max)
{
	struct mail_header header = {0};
	struct mail_fields walk = mail_fields_over(text);
	struct mail_field field;
	size_t count = 0;

	while (mail_fields_next(&walk, &field))
		count++;
	header.len = walk.at;
	header.is_cut = count > fields_max;
	if (header.is_cut)
		count = fields_max;
	header.fields = ARENA_ARRAY(arena, struct mail_field, count);
	if (!header.fields) {
		header.is_cut = true;
		return header;
	}
	walk = mail_fields_over(text);
	while (header.count < count &&
	       mail_fields_next(&walk, &header.fields[header.count]))
		header.count++;
	return header;
}

const struct mail_field *mail_header_find(const struct mail_header *header,
					  struct str name)
{
	for (size_t i = 0; i < header->count; i++)
		if (str_same_nocase(header->fields[i].name, name))
			return &header->fields[i];
	return NULL;
}

bool mail_unfold(struct arena *arena, struct str value, struct str *line)
{
	value = str_trim(value);
	*line = value;
	if (value.len == 0 ||
	    (!memchr(value.ptr, '\n', value.len) && !memchr(value.ptr, '\r', value.len)))
		return true;
	char *to = arena_alloc(arena, value.len, 1);

	*line = STR("");
	if (!to)
		return false;
	size_t len = 0;

	for (size_t at = 0; at < value.len; at++) {
		char c = value.ptr[at];

		if (c != '\r' && c != '\n') {
			to[len++] = c;
			continue;
		}
		while (at + 1 < value.len &&
		       (value.ptr[at + 1] == '\r' || value.ptr[at + 1] == '\n'))
			at++;
		if (!is_wsp(value.ptr[at + 1])) /* the value does not end in CR or LF */
			to[len++] = ' ';
	}
	*line = (struct str){to, len};
	return true;
}

#include "wire/mail/params.h"

#include "base/num.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* token without tspecials.  RFC 2045 §5.1. */
static bool is_token(char c)
{
	return (unsigned char)c > 32 && c != 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

struct scan {
	struct str text;
	size_t at;
};

static char peek(const struct scan *s)
{
	return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static struct str since(const struct scan *s, size_t from)
{
	return (struct str){s->text.ptr + from, s->at - from};
}

/* Space and comments.  RFC 2045 §5.1 takes them from RFC 822. */
static void skip_cfws(struct scan *s)
{
	size_t depth = 0;

	for (; s->at < s->text.len; s->at++) {
		char c = s->text.ptr[s->at];

		if (c == '(')
			depth++;
		else if (depth > 0 && c == ')')
			depth--;
		else if (depth > 0 && c == '\\')
			s->at += s->at + 1 < s->text.len;
		else if (depth == 0 && !is_space(c))
			return;
	}
}

static struct str token(struct scan *s)
{
	size_t from = s->at;

	while (s->at < s->text.len && is_token(s->text.ptr[s->at]))
		s->at++;
	return since(s, from);
}

/* The quoted value at the cursor, undone; borrowed if nothing is to undo. */
static bool quoted(struct arena *arena, struct scan *s, struct str *value)
{
	size_t from = ++s->at;
	bool is_plain = true;

	for (; s->at < s->text.len && peek(s) != '"'; s->at++) {
		if (peek(s) == '\\' && s->at + 1 < s->text.len)
			s->at++;
		else if (peek(s) != '\r' && peek(s) != '\n')
			continue;
		is_plain = false;
	}
	struct str raw = since(s, from);

	s->at += s->at < s->text.len;
	*value = raw;
	if (is_plain)
		return true;
	char *to = arena_alloc(arena, raw.len, 1);
	size_t len = 0;

	if (!to)
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] == '\\' && i + 1 < raw.len)
			i++;
		if (raw.ptr[i] != '\r' && raw.ptr[i] != '\n') /* also where quoted */
			to[len++] = raw.ptr[i];
	}
	*value = (struct str){to, len};
	return true;
}

/* True if a comment, or a parameter that lacks its semicolon, is at the cursor. */
static bool value_ends(struct scan s)
{
	return peek(&s) == '(' || (token(&s).len > 0 && peek(&s) == '=');
}

/* UNQUOTED_VALUE */
static struct str unquoted(struct scan *s)
{
	size_t from = s->at;

	while (s->at < s->text.len && peek(s) != ';') {
		size_t word_end = s->at;

		if (is_space(peek(s))) {
			while (is_space(peek(s)))
				s->at++;
			if (value_ends(*s)) {
				struct str value = since(s, from);

				value.len = word_end - from;
				return value;
			}
			continue;
		}
		s->at++;
	}
	return str_trim(since(s, from));
}

/* An upper bound of the parameters. */
static size_t params_room(struct str text)
{
	size_t room = 0;

	for (size_t i = 0; i < text.len && room < MAIL_PARAMS_MAX; i++)
		room += text.ptr[i] == '=';
	return room;
}

/* The parameters from the cursor to the end. */
static bool params(struct arena *arena, struct scan *s, struct mail_params *found)
{
	size_t room = params_room(str_skip(s->text, s->at));

	*found = (struct mail_params){0};
	if (room == 0)
		return true;
	found->items = ARENA_ARRAY(arena, struct mail_param, room);
	if (!found->items)
		return false;
	while (s->at < s->text.len && found->count < room) {
		struct mail_param param;

		skip_cfws(s);
		param.name = token(s);
		skip_cfws(s);
		if (param.name.len == 0 || peek(s) != '=') {
			s->at += param.name.len == 0; /* ";", or NO_VALUE */
			continue;
		}
		s->at++;
		skip_cfws(s);
		if (peek(s) != '"')
			param.value = unquoted(s);
		else if (!quoted(arena, s, &param.value))
			return false;
		found->items[found->count++] = param;
	}
	return true;
}

bool mail_content_type_parse(struct arena *arena, struct str value,
			     struct mail_content_type *found)
{
	struct scan s = {.text = value};
	struct mail_content_type at = {0};

	skip_cfws(&s);
	at.type = token(&s);
	skip_cfws(&s);
	if (at.type.len == 0 || peek(&s) != '/')
		return false;
	s.at++;
	skip_cfws(&s);
	at.subtype = token(&s);
	if (at.subtype.len == 0 || !params(arena, &s, &at.params))
		return false;
	*found = at;
	return true;
}

bool mail_disposition_parse(struct arena *arena, struct str value,
			    struct mail_disposition *found)
{
	struct scan s = {.text = value};
	struct mail_disposition at = {0};

	skip_cfws(&s);
	at.type = token(&s);
	if (at.type.len == 0 || peek(&s) == '=' || !params(arena, &s, &at.params))
		return false;
	*found = at;
	return true;
}

struct str mail_param_plain(const struct mail_params *params, struct str name)
{
	for (size_t i = 0; i < params->count; i++)
		if (str_same_nocase(params->items[i].name, name))
			return params->items[i].value;
	return STR("");
}

/* A parameter's name taken apart: base ["*" number] ["*"].  RFC 2231 §7. */
struct parts {
	struct str base;
	int number; /* -1 if none */
	bool is_extended;
};

static struct parts parts_of(struct str name)
{
	struct parts parts = {.number = -1};
	uint64_t number;

	if (name.len > 0 && name.ptr[name.len - 1] == '*') {
		parts.is_extended = true;
		name.len--;
	}
	size_t star = str_rfind_byte(name, '*');

	if (star < name.len &&
	    num_parse(str_skip(name, star + 1), MAIL_PARAMS_MAX, &number)) {
		parts.number = (int)number;
		name.len = star;
	}
	parts.base = name;
	return parts;
}

static const struct mail_param *piece(const struct mail_params *params, struct str name,
				      int number, bool *is_extended)
{
	for (size_t i = 0; i < params->count; i++) {
		struct parts parts = parts_of(params->items[i].name);

		*is_extended = parts.is_extended;
		if (parts.number == number && str_same_nocase(parts.base, name) &&
		    (number >= 0 || parts.is_extended))
			return &params->items[i];
	}
	return NULL;
}

/* Takes "charset'language'" from the front of the value.  RFC 2231 §4. */
static struct str cut_charset(struct str *value)
{
	size_t first = str_find_byte(*value, '\'');
	struct str rest = str_skip(*value, first + 1);
	size_t second = str_find_byte(rest, '\'');

	if (second == rest.len)
		return STR(""); /* without it: the value as it is */
	struct str charset = str_first(*value, first);

	*value = str_skip(rest, second + 1);
	return charset;
}

static size_t undo_percent(struct str value, char *to)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		int high = -1, low = -1;

		if (value.ptr[i] == '%' && value.len - i > 2) {
			high = num_hex(value.ptr[i + 1]);
			low = num_hex(value.ptr[i + 2]);
		}
		if (high < 0 || low < 0) {
			to[len++] = value.ptr[i];
			continue;
		}
		to[len++] = (char)(high << 4 | low);
		i += 2;
	}
	return len;
}

static size_t copy(struct str from, char *to)
{
	if (from.len > 0)
		memcpy(to, from.ptr, from.len);
	return from.len;
}

bool mail_param_find(struct arena *arena, const struct mail_params *params,
		     struct str name, struct str *value, struct str *charset)
{
	const struct mail_param *at;
	bool is_extended;
	size_t room = 0, len = 0;
	int from = -1;

	*charset = STR("");
	*value = mail_param_plain(params, name);
	at = piece(params, name, from, &is_extended);
	if (!at)
		at = piece(params, name, from = 0, &is_extended);
	if (!at) {
		for (size_t i = 0; i < params->count; i++)
			if (str_same_nocase(params->items[i].name, name))
				return true;
		return false;
	}
	for (size_t i = 0; i < params->count; i++)
		room += params->items[i].value.len;
	char *to = arena_alloc(arena, room, 1);

	if (!to)
		return false;
	for (int n = from; at;
	     at = n < 0 ? NULL : piece(params, name, ++n, &is_extended)) {
		struct str text = at->value;

		if (is_extended && n <= 0)
			*charset = cut_charset(&text);
		if (text.len > room - len)
			break; /* the same piece twice cannot be more than all */
		if (is_extended)
			len += undo_percent(text, to + len);
		else
			len += copy(text, to + len);
	}
	*value = (struct str){to, len};
	return true;
}

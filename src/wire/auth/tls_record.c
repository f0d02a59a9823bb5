#include "wire/auth/tls_record.h"

static bool is_alphanum(char c)
{
	return is_ascii_digit((unsigned char)c) ||
	       (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

struct str tls_trim_wsp(struct str s)
{
	while (s.len > 0 && is_wsp(s.ptr[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && is_wsp(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool tls_field_name_is_valid(struct str name)
{
	if (name.len == 0 || name.len > TLS_FIELD_NAME_MAX || !is_alphanum(name.ptr[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!is_alphanum(name.ptr[i]) && !memchr("_-.", name.ptr[i], 3))
			return false;
	return true;
}

bool tls_record_is(struct str text, struct str version)
{
	if (!str_starts(text, version))
		return false;
	text = tls_trim_wsp(str_skip(text, version.len));
	return text.len > 0 && text.ptr[0] == ';';
}

/* sts-ext-value, tlsrpt-ext-value */
static bool is_value(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c <= ' ' || c >= 127 || c == ';' || c == '=')
			return false;
	}
	return value.len > 0;
}

bool tls_record_find(struct str text, struct str version, struct str name,
		     struct str *value)
{
	struct str found = STR("");

	if (!tls_record_is(text, version))
		return false;
	(void)str_cut(&text, ';');
	text = tls_trim_wsp(text);
	if (str_ends(text, STR(";")))
		text = tls_trim_wsp(str_first(text, text.len - 1));
	if (str_ends(text, STR(";")))
		return false; /* one delimiter may be the last, not two */
	while (text.len > 0) {
		struct str field = tls_trim_wsp(str_cut(&text, ';'));
		size_t sign = str_find_byte(field, '=');

		if (sign == field.len || !tls_field_name_is_valid(str_first(field, sign)))
			return false;
		bool is_it = str_same(str_first(field, sign), name);

		if (is_it && found.len == 0)
			found = str_skip(field, sign + 1); /* others are ignored */
		if (!is_it && !is_value(str_skip(field, sign + 1)))
			return false;
	}
	if (found.len == 0)
		return false;
	*value = found;
	return true;
}

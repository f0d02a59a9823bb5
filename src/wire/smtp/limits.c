#include "wire/smtp/limits.h"

#include "base/num.h"

enum { VALUE_DIGITS_MAX = 6, BY_MIN_MAX = 999999999 };

/* 1*(ALPHA / DIGIT / "-" / "_"). */
static bool is_limit_name(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);

		if (!is_ascii_digit((unsigned char)c) && !(c >= 'a' && c <= 'z') &&
		    c != '-' && c != '_')
			return false;
	}
	return text.len > 0;
}

/* 1*(%x21-3A / %x3C-7E). */
static bool is_limit_value(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e || text.ptr[i] == ';')
			return false;
	return text.len > 0;
}

/* %x31-39 0*5DIGIT; anything else is as if the limit had not been said. */
static uint32_t number_of(struct str value)
{
	uint64_t number;

	if (value.len == 0 || value.len > VALUE_DIGITS_MAX || value.ptr[0] == '0' ||
	    !num_parse(value, UINT32_MAX, &number))
		return 0;
	return (uint32_t)number;
}

/* limit-name-value = limit-name ["=" limit-value]. */
static bool limit_parse(struct str text, struct smtp_limits *limits)
{
	size_t at = str_find_byte(text, '=');
	struct str name = str_first(text, at), value = str_skip(text, at + 1);

	if (!is_limit_name(name) || (at < text.len && !is_limit_value(value)))
		return false;
	if (str_same_nocase(name, STR("MAILMAX")))
		limits->mail_max = number_of(value);
	if (str_same_nocase(name, STR("RCPTMAX")))
		limits->rcpt_max = number_of(value);
	if (str_same_nocase(name, STR("RCPTDOMAINMAX")))
		limits->domain_max = number_of(value);
	return true;
}

void smtp_limits_parse(struct str text, struct smtp_limits *limits)
{
	struct smtp_limits read = {0};
	struct str rest = text;
	bool is_good = true;

	while (rest.len > 0 && is_good)
		is_good = limit_parse(str_cut(&rest, ' '), &read);
	/* A space at the end is the only fault that cutting does not see. */
	if (!is_good || str_ends(text, STR(" ")))
		read = (struct smtp_limits){0};
	*limits = read;
}

/* deliverby-param = min-by-time *( "," extension-token ); min-by-time = [1*9DIGIT]. */
uint32_t smtp_by_min_parse(struct str text)
{
	uint64_t number;

	if (!num_parse(str_cut(&text, ','), BY_MIN_MAX, &number))
		return 0;
	return (uint32_t)number;
}

#include "wire/imap/token.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/num.h"
#include "base/utf8.h"
#include "wire/imap/mailbox_name.h"

enum { REASON_BYTES = 160, SHOWN_BYTES = 40 };

struct imap_in imap_in_over(struct str text, struct arena *arena)
{
	return (struct imap_in){.at = cur_over(text), .arena = arena, .reason = STR("")};
}

bool imap_fail(struct imap_in *in, const char *format, ...)
{
	char text[REASON_BYTES];
	va_list args;

	if (in->reason.len > 0)
		return false;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut, and that is fine */
	va_end(args);
	if (!arena_copy(in->arena, str_c(text), &in->reason))
		in->reason = STR("too much in one command");
	return false;
}

bool imap_fail_here(struct imap_in *in, const char *what)
{
	struct cursor from = in->at, to = in->at;
	size_t left = SHOWN_BYTES;

	while (left-- > 0 && cur_one(&to, CSET_PRINT))
		continue;
	struct str shown = cur_since(from, to);

	if (shown.len == 0)
		return imap_fail(in, "%s at the end", what);
	return imap_fail(in, "%s at \"%.*s\"", what, STR_FMT(shown));
}

/* ATOM-CHAR: CHAR without atom-specials.  RFC 9051 §9. */
static bool is_atom_char(char c)
{
	return c > 32 && c < 127 && !memchr("(){%*\"\\]", c, 8);
}

static bool is_astring_char(char c)
{
	return is_atom_char(c) || c == ']';
}

static bool is_list_char(char c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

static bool is_tag_char(char c)
{
	return is_astring_char(c) && c != '+';
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
	       is_ascii_digit((unsigned char)c);
}

static bool run_of(struct imap_in *in, bool (*is_member)(char), struct str *run)
{
	struct cursor from = in->at;

	while (in->at.at < in->at.end && is_member(*in->at.at))
		in->at.at++;
	*run = cur_since(from, in->at);
	return run->len > 0;
}

bool imap_space(struct imap_in *in)
{
	bool has_any = false;

	while (cur_byte(&in->at, ' '))
		has_any = true;
	return has_any && !cur_sees(in->at, ')') && !cur_sees(in->at, '\r');
}

bool imap_label(struct imap_in *in, struct str *label)
{
	return run_of(in, is_label_char, label);
}

bool imap_tag(struct imap_in *in, struct str *tag)
{
	return run_of(in, is_tag_char, tag);
}

bool imap_atom(struct imap_in *in, struct str *atom)
{
	return run_of(in, is_atom_char, atom);
}

/* Drops the backslashes of the quoted specials. */
static bool unescape(struct imap_in *in, struct str *text)
{
	char *plain = arena_alloc(in->arena, text->len, 1);
	size_t len = 0;

	if (!plain)
		return imap_fail(in, "too much in one command");
	for (size_t i = 0; i < text->len; i++) {
		if (text->ptr[i] == '\\')
			i++;
		plain[len++] = text->ptr[i];
	}
	*text = (struct str){plain, len};
	return true;
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE.  Octets above 127 are taken from every client, not
 * only after ENABLE, when they have to be UTF-8: rev1 clients send passwords and search
 * words so. */
bool imap_quoted(struct imap_in *in, struct str *text)
{
	const char *at = in->at.at, *end = in->at.end;
	bool has_escapes = false;

	if (at == end || *at != '"')
		return false;
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\r' || *at == '\n' || *at == '\0')
			return imap_fail_here(in, "a quoted string that does not end");
		if (*at != '\\')
			continue;
		has_escapes = true;
		if (++at == end || (*at != '"' && *at != '\\'))
			return imap_fail_here(in, "a wrong escape in a quoted string");
	}
	if (at == end)
		return imap_fail_here(in, "a quoted string that does not end");
	*text = (struct str){in->at.at + 1, (size_t)(at - in->at.at) - 1};
	if (in->is_utf8 && !utf8_valid(*text)) /* RFC 6855 §3 */
		return imap_fail(in, "a quoted string is not UTF-8");
	if (has_escapes && !unescape(in, text))
		return false;
	in->at.at = at + 1;
	return true;
}

/* ["~"] "{" number64 ["+"] "}" CRLF */
static bool literal_head(struct cursor *c, struct imap_literal *literal)
{
	struct cursor at = *c;

	literal->is_binary = cur_byte(&at, '~');
	if (!cur_byte(&at, '{'))
		return false;
	struct cursor from = at;

	while (at.at < at.end && is_ascii_digit((unsigned char)*at.at))
		at.at++;
	if (!num_parse(cur_since(from, at), INT64_MAX, &literal->len))
		return false;
	literal->is_synchronising = !cur_byte(&at, '+');
	if (!cur_byte(&at, '}') || !cur_byte(&at, '\r') || !cur_byte(&at, '\n'))
		return false;
	*c = at;
	return true;
}

bool imap_literal_head(struct imap_in *in, struct imap_literal *literal)
{
	struct cursor at = in->at;

	if (!literal_head(&at, literal) || !cur_done(at))
		return imap_fail_here(in, "a literal is expected");
	in->at = at;
	return true;
}

static bool literal_whole(struct imap_in *in, struct str *text)
{
	struct cursor at = in->at;
	struct imap_literal head;

	if (!literal_head(&at, &head) || head.is_binary)
		return imap_fail_here(in, "a wrong literal");
	if (head.len > (size_t)(at.end - at.at))
		return imap_fail(in, "a literal that is cut short");
	*text = (struct str){at.at, (size_t)head.len};
	if (text->len > 0 && memchr(text->ptr, 0, text->len)) /* *CHAR8 */
		return imap_fail(in, "a NUL in a literal");
	at.at += head.len;
	in->at = at;
	return true;
}

bool imap_string(struct imap_in *in, struct str *text)
{
	if (cur_sees(in->at, '{'))
		return literal_whole(in, text);
	return imap_quoted(in, text);
}

bool imap_astring(struct imap_in *in, struct str *text)
{
	return run_of(in, is_astring_char, text) || imap_string(in, text);
}

bool imap_nstring(struct imap_in *in, struct str *text)
{
	struct imap_in at = *in;
	struct str word;

	if (imap_atom(&at, &word) && str_same_nocase(word, STR("NIL"))) {
		in->at = at.at;
		*text = (struct str){NULL, 0};
		return true;
	}
	return imap_string(in, text);
}

bool imap_list_mailbox(struct imap_in *in, struct str *text)
{
	return run_of(in, is_list_char, text) || imap_string(in, text);
}

bool imap_mailbox(struct imap_in *in, struct str *name)
{
	struct cursor from = in->at;
	struct str wire;

	if (!imap_astring(in, &wire))
		return imap_fail_here(in, "a mailbox name is expected");
	if (wire.len > 1 && wire.ptr[wire.len - 1] == '/')
		wire.len--;
	if (imap_mailbox_name_read(wire, in->is_utf8, in->arena, name))
		return true;
	in->at = from;
	return imap_fail(in, in->is_utf8 ? "the mailbox name is not UTF-8"
					 : "the mailbox name is not modified UTF-7");
}

bool imap_number(struct imap_in *in, uint64_t max, uint64_t *number)
{
	struct cursor at = in->at;

	while (at.at < at.end && is_ascii_digit((unsigned char)*at.at))
		at.at++;
	if (!num_parse(cur_since(in->at, at), max, number))
		return false;
	in->at = at;
	return true;
}

bool imap_nz_number(struct imap_in *in, uint32_t *number)
{
	uint64_t value;

	if (cur_sees(in->at, '0') || !imap_number(in, UINT32_MAX, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

unsigned imap_system_flag(struct str name)
{
	static const struct {
		struct str name;
		unsigned bit;
	} flags[] = {
		{STR("\\Seen"), IMAP_SEEN},       {STR("\\Answered"), IMAP_ANSWERED},
		{STR("\\Flagged"), IMAP_FLAGGED}, {STR("\\Deleted"), IMAP_DELETED},
		{STR("\\Draft"), IMAP_DRAFT},
	};

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if (str_same_nocase(name, flags[i].name))
			return flags[i].bit;
	}
	return 0;
}

/* flag = "\" atom / atom, added to the list. */
static bool flag(struct imap_in *in, struct imap_flags *flags)
{
	struct cursor from = in->at;
	bool is_system = cur_byte(&in->at, '\\');
	struct str name;

	if (!imap_atom(in, &name)) {
		in->at = from;
		return imap_fail_here(in, "a flag is expected");
	}
	if (is_system) {
		struct str whole = cur_since(from, in->at);
		unsigned bit = imap_system_flag(whole);

		flags->system |= bit;
		if (bit == 0 && !str_same_nocase(whole, STR("\\Recent")))
			return imap_fail(in, "unknown system flag \"%.*s\"",
					 STR_FMT(str_first(whole, SHOWN_BYTES)));
		return true;
	}
	if (flags->keyword_count == IMAP_KEYWORDS_MAX)
		return imap_fail(in, "more than %d keywords", IMAP_KEYWORDS_MAX);
	if (name.len > IMAP_KEYWORD_BYTES_MAX)
		return imap_fail(in, "a keyword is longer than %d octets",
				 IMAP_KEYWORD_BYTES_MAX);
	flags->keywords[flags->keyword_count++] = name;
	return true;
}

/* How many keywords the next list can hold, from its spaces; so that the common short
 * list takes little of the arena. */
static size_t keywords_at_most(struct cursor at)
{
	size_t count = 1;

	for (; at.at < at.end && *at.at != ')' && *at.at != '\r'; at.at++)
		count += *at.at == ' ';
	return count < IMAP_KEYWORDS_MAX ? count : IMAP_KEYWORDS_MAX;
}

bool imap_flag_run(struct imap_in *in, struct imap_flags *flags)
{
	struct cursor from = in->at;

	*flags = (struct imap_flags){
		.keywords = ARENA_ARRAY(in->arena, struct str, keywords_at_most(from))};
	if (!flags->keywords)
		return imap_fail(in, "too much in one command");
	do {
		if (flag(in, flags))
			continue;
		in->at = from;
		return false;
	} while (imap_space(in));
	return true;
}

bool imap_flag_list(struct imap_in *in, struct imap_flags *flags)
{
	struct cursor from = in->at;

	*flags = (struct imap_flags){0};
	if (!cur_byte(&in->at, '('))
		return false;
	if (cur_byte(&in->at, ')'))
		return true;
	if (imap_flag_run(in, flags) && cur_byte(&in->at, ')'))
		return true;
	(void)imap_fail_here(in, "the flag list does not end");
	in->at = from;
	return false;
}

static bool digits(struct cursor *c, size_t min, size_t max, int *value)
{
	struct cursor at = *c;
	uint64_t number;

	while (at.at < at.end && (size_t)(at.at - c->at) < max &&
	       is_ascii_digit((unsigned char)*at.at))
		at.at++;
	struct str text = cur_since(*c, at);

	if (text.len < min || !num_parse(text, 9999, &number))
		return false;
	*value = (int)number;
	*c = at;
	return true;
}

static bool month(struct cursor *c, int *value)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	if (c->end - c->at < 3)
		return false;
	for (int i = 0; i < 12; i++) {
		struct str name = {names + 3 * i, 3};

		if (!str_same_nocase((struct str){c->at, 3}, name))
			continue;
		*value = i + 1;
		c->at += 3;
		return true;
	}
	return false;
}

static bool month_and_year(struct cursor *c, struct civil *date)
{
	return cur_byte(c, '-') && month(c, &date->month) && cur_byte(c, '-') &&
	       digits(c, 4, 4, &date->year);
}

bool imap_date(struct imap_in *in, int64_t *day)
{
	struct cursor at = in->at;
	struct civil date = {0};
	bool is_quoted = cur_byte(&at, '"');

	if (!digits(&at, 1, 2, &date.day) || !month_and_year(&at, &date) ||
	    (is_quoted && !cur_byte(&at, '"')) || !civil_is_valid(date))
		return imap_fail_here(in, "a date like 1-Feb-1994 is expected");
	*day = civil_to_unix(date) / 86400;
	if (civil_to_unix(date) < 0)
		*day = -((-civil_to_unix(date) + 86399) / 86400);
	in->at = at;
	return true;
}

/* zone = ("+" / "-") 4DIGIT */
static bool zone(struct cursor *c, int *minutes)
{
	bool is_west = cur_sees(*c, '-');
	int hhmm;

	if ((!cur_byte(c, '+') && !cur_byte(c, '-')) || !digits(c, 4, 4, &hhmm) ||
	    hhmm % 100 > 59 || hhmm / 100 > 23)
		return false;
	*minutes = hhmm / 100 * 60 + hhmm % 100;
	if (is_west)
		*minutes = -*minutes;
	return true;
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 */
bool imap_date_time(struct imap_in *in, struct imap_date_time *when)
{
	struct cursor at = in->at;
	struct civil date = {0};

	if (!cur_byte(&at, '"'))
		return false;
	bool has_space = cur_byte(&at, ' ');

	if (!digits(&at, 1, has_space ? 1 : 2, &date.day) ||
	    !month_and_year(&at, &date) || !cur_byte(&at, ' ') ||
	    !digits(&at, 2, 2, &date.hour) || !cur_byte(&at, ':') ||
	    !digits(&at, 2, 2, &date.minute) || !cur_byte(&at, ':') ||
	    !digits(&at, 2, 2, &date.second) || !cur_byte(&at, ' ') ||
	    !zone(&at, &date.zone_minutes) || !cur_byte(&at, '"') ||
	    !civil_is_valid(date))
		return imap_fail_here(
			in, "a date and time like \" 7-Feb-1994 21:52:25 -0800\" "
			    "is expected");
	*when = (struct imap_date_time){civil_to_unix(date), date.zone_minutes};
	in->at = at;
	return true;
}

#include "wire/imap/url.h"

#include "base/num.h"
#include "wire/imap/mailbox_name.h"

/* bchar = uchar / "&" / "=" / ":" / "@" / "/".  Lenient: what mailbox names of other
 * servers hold unencoded, such as the brackets of "[Gmail]", is taken, too; not what ends
 * a component. */
static bool is_bchar(char c)
{
	return c > ' ' && c < 127 && c != ';' && c != '?' && c != '#' && c != '%';
}

/* 1*bchar, its percent-encoding undone (RFC 3986 §2.1). */
static bool decoded(struct cursor *at, struct arena *arena, struct str *text)
{
	struct cursor c = *at;
	char *out = arena_alloc(arena, (size_t)(c.end - c.at) + 1, 1);
	size_t len = 0;

	if (!out)
		return false;
	while (c.at < c.end) {
		if (*c.at != '%') {
			if (!is_bchar(*c.at))
				break;
			out[len++] = *c.at++;
			continue;
		}
		int high = c.end - c.at > 2 ? num_hex(c.at[1]) : -1;
		int low = high >= 0 ? num_hex(c.at[2]) : -1;

		if (low < 0)
			return false;
		out[len++] = (char)(high << 4 | low);
		c.at += 3;
	}
	if (len == 0)
		return false;
	*text = (struct str){out, len};
	*at = c;
	return true;
}

/* ";UID=" and its like, in any case. */
static bool keyword(struct cursor *at, struct str word)
{
	struct str rest = {at->at, (size_t)(at->end - at->at)};

	if (!str_starts_nocase(rest, word))
		return false;
	at->at += word.len;
	return true;
}

static bool number(struct cursor *at, uint64_t min, uint64_t max, uint64_t *n)
{
	struct cursor c = *at;

	while (c.at < c.end && is_ascii_digit((unsigned char)*c.at))
		c.at++;
	if (!num_parse(cur_since(*at, c), max, n) || *n < min)
		return false;
	*at = c;
	return true;
}

/* The "/" before ";" is a bchar as well, so that a component may have taken it. */
static bool leave_slash(struct str *text)
{
	if (text->len < 2 || text->ptr[text->len - 1] != '/')
		return false;
	text->len--;
	return true;
}

/* enc-mailbox [uidvalidity] iuid */
static bool message(struct cursor *at, struct arena *arena, struct imap_url *url)
{
	struct str wire;
	uint64_t n;

	if (!cur_byte(at, '/') || cur_sees(*at, '/') || !decoded(at, arena, &wire))
		return false;
	if (keyword(at, STR(";UIDVALIDITY="))) {
		if (!number(at, 1, UINT32_MAX, &n) || !cur_byte(at, '/'))
			return false;
		url->uid_validity = (uint32_t)n;
	} else if (!leave_slash(&wire)) {
		return false;
	}
	if (!imap_mailbox_name_read(wire, true, arena, &url->mailbox) ||
	    !keyword(at, STR(";UID=")) || !number(at, 1, UINT32_MAX, &n))
		return false;
	url->uid = (uint32_t)n;
	return true;
}

/* isection = "/;SECTION=" enc-section */
static bool section(struct cursor *at, struct arena *arena, struct imap_url *url)
{
	struct str text;

	if (!keyword(at, STR("/;SECTION=")))
		return true;
	if (!decoded(at, arena, &text))
		return false;
	if (cur_sees(*at, ';')) { /* a partial follows */
		if (!leave_slash(&text))
			return false;
		at->at--;
	}
	struct str spec = arena_printf(arena, "[%.*s]", STR_FMT(text));
	struct imap_in in = imap_in_over(spec, arena);

	return spec.len == text.len + 2 && imap_section(&in, &url->section) &&
	       cur_done(in.at);
}

/* ipartial = "/;PARTIAL=" number ["." nz-number] */
static bool partial(struct cursor *at, struct imap_url *url)
{
	struct imap_section *s = &url->section;

	if (!keyword(at, STR("/;PARTIAL=")))
		return true;
	s->is_partial = true;
	s->count = INT64_MAX;
	return number(at, 0, INT64_MAX, &s->offset) &&
	       (!cur_byte(at, '.') || number(at, 1, INT64_MAX, &s->count));
}

bool imap_url(struct str text, struct arena *arena, struct imap_url *url)
{
	struct cursor at = cur_over(text);

	*url = (struct imap_url){.section.is_peek = true};
	return text.len <= IMAP_URL_BYTES_MAX && message(&at, arena, url) &&
	       section(&at, arena, url) && partial(&at, url) && cur_done(at);
}

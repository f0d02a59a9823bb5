#include "directory/name.h"

#include "base/utf8.h"
#include "text/alabel.h"
#include "text/saslprep.h"

static bool arena_lower(struct arena *arena, struct str text, struct str *lower)
{
	char *copy = arena_alloc(arena, text.len + 1, 1);

	if (!copy)
		return false;
	for (size_t i = 0; i < text.len; i++)
		copy[i] = ascii_lower(text.ptr[i]);
	*lower = (struct str){copy, text.len};
	return true;
}

/* The one spelling of a local part: ASCII without case, the rest as SASLprep (RFC 4013)
 * maps it, so that names are the same however they were typed. */
static bool arena_prepared(struct arena *arena, struct str text, struct str *prepared)
{
	SCOPED(buf_fini) struct buf out = BUF(4 * NAME_LOCAL_MAX);

	if (utf8_ascii_len(text) == text.len)
		return arena_lower(arena, text, prepared);
	return saslprep_add(&out, text) && out.len <= NAME_LOCAL_MAX &&
	       arena_lower(arena, buf_str(&out), prepared);
}

static bool is_ldh(char c)
{
	char lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || is_ascii_digit((unsigned char)c) ||
	       c == '-';
}

/* RFC 5890 §2.3.1 (LDH labels), and "_" nowhere: mail lives at host names. */
static bool is_ascii_domain(struct str text)
{
	if (text.len == 0 || text.len > NAME_DOMAIN_MAX)
		return false;
	while (text.len > 0) {
		size_t dot = str_find_byte(text, '.');
		struct str label = str_first(text, dot);

		if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
		    label.ptr[label.len - 1] == '-' || dot + 1 == text.len)
			return false;
		for (size_t i = 0; i < label.len; i++) {
			if (!is_ldh(label.ptr[i]))
				return false;
		}
		text = str_skip(text, dot + 1);
	}
	return true;
}

bool name_domain(struct str text, struct arena *arena, struct str *domain)
{
	struct str found;

	return alabel_name(text, arena, &found) && is_ascii_domain(found) &&
	       arena_lower(arena, found, domain);
}

bool name_local(struct str text, struct arena *arena, struct str *local)
{
	size_t plus = str_find_byte(text, '+');

	/* "+" in front is no tag: nobody would be left */
	if (plus > 0)
		text = str_first(text, plus);
	return text.len > 0 && text.len <= NAME_LOCAL_MAX &&
	       !memchr(text.ptr, 0, text.len) && arena_prepared(arena, text, local);
}

bool name_new_local(struct str text, struct arena *arena, struct str *local)
{
	static const char atext[] = "!#$%&'*-/=?^_`{|}~"; /* RFC 5322 §3.2.3, but "+" */

	if (text.len == 0 || text.len > NAME_LOCAL_MAX ||
	    !arena_prepared(arena, text, &text) || text.ptr[0] == '.' ||
	    text.ptr[text.len - 1] == '.' || str_find(text, STR("..")) < text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!is_ldh(c) && c != '.' && (unsigned char)c < 0x80 &&
		    (c == 0 || !strchr(atext, c)))
			return false;
	}
	*local = text;
	return true;
}

void name_split(struct str address, struct str *local, struct str *domain)
{
	size_t at = str_rfind_byte(address, '@');

	*local = str_first(address, at);
	*domain = str_skip(address, at + 1);
}

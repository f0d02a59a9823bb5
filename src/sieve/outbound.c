#include "sieve/outbound.h"

#include "base/buf.h"
#include "wire/mail/address.h"
#include "wire/smtp/path.h"

enum { TEXT_BYTES_MAX = 2000 }; /* with a name */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool joins(char c)
{
	return c == '@' || c == '.' || c == '\0';
}

/* Appends without the space that RFC 5322 §3.4.1 and §4.4 allow: at the ends, and around
 * "@" and dots.  What is in quotes stays. */
static void squeeze(struct str text, struct buf *out)
{
	bool is_quoted = false;

	text = str_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i],
		     before = out->len > 0 ? out->ptr[out->len - 1] : '\0';
		size_t next = i;

		while (!is_quoted && next < text.len && is_space(text.ptr[next]))
			next++;
		if (next > i && (joins(before) || joins(text.ptr[next])))
			continue;
		if (c == '\\' && is_quoted && i + 1 < text.len) {
			buf_add_byte(out, c);
			c = text.ptr[++i];
		} else if (c == '"') {
			is_quoted = !is_quoted;
		}
		buf_add_byte(out, c);
	}
}

/* Of "name <address>" the address, else all of it. */
static bool addr_spec_of(struct str text, struct str *spec)
{
	size_t open = str_rfind_byte(text, '<');
	struct str name = str_trim(str_first(text, open));

	*spec = text;
	if (!str_ends(text, STR(">")))
		return true;
	*spec = str_skip(str_first(text, text.len - 1), open + 1);
	return open < text.len &&
	       (str_starts(name, STR("\"")) || str_find_byte(name, '<') == name.len);
}

/* The address that a lenient reader finds has to be the one that stands there. */
static bool is_meant(struct arena *arena, struct str text,
		     const struct mail_address *found)
{
	SCOPED(buf_fini) struct buf squeezed = BUF(2 * SMTP_PATH_MAX);
	struct smtp_path path;
	struct str spec, local;

	if (!addr_spec_of(text, &spec))
		return false;
	squeeze(spec, &squeezed);
	return buf_ok(&squeezed) &&
	       smtp_mailbox_parse(buf_str(&squeezed), SMTP_UTF8, &path) &&
	       smtp_local_plain(path.local, arena, &local) &&
	       str_same(local, found->local) && str_same(path.domain, found->domain);
}

bool outbound_parse(struct arena *arena, struct str text, struct str *address)
{
	SCOPED(buf_fini) struct buf out = BUF(SMTP_PATH_MAX);
	struct mail_addresses list;

	text = str_trim(text);
	if (text.len > TEXT_BYTES_MAX)
		return false;
	list = mail_addresses_parse(arena, text, 2);
	if (list.is_cut || list.count != 1 || list.items[0].kind != MAIL_MAILBOX ||
	    list.items[0].route.len > 0 || list.items[0].domain.len == 0 ||
	    !is_meant(arena, text, &list.items[0]))
		return false;
	mail_local_add(&out, list.items[0].local);
	buf_add_byte(&out, '@');
	buf_add(&out, list.items[0].domain);
	return buf_ok(&out) && arena_copy(arena, buf_str(&out), address);
}

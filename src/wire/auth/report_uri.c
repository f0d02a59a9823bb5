#include "wire/auth/report_uri.h"

#include "base/num.h"
#include "wire/smtp/path.h"

/* URI of RFC 3986, as far as it concerns us: printable, nothing that ends it. */
static bool is_uri(struct str uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if (uri.ptr[i] <= ' ' || uri.ptr[i] >= 127 ||
		    memchr("!,;\"<>\\^`{|}", uri.ptr[i], 12))
			return false;
	return uri.len > 0 && uri.len <= REPORT_URI_BYTES_MAX;
}

/* "%40" and the like (RFC 6068 §2). */
static bool decode(struct str text, struct arena *arena, struct str *decoded)
{
	char *room = arena_alloc(arena, text.len + 1, 1);
	size_t len = 0;

	if (!room)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			int high = i + 2 < text.len ? num_hex(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? num_hex(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		room[len++] = c;
	}
	*decoded = (struct str){room, len};
	return true;
}

/* One address; header fields behind it ("?subject=") are not ours to set. */
static bool take_mailto(struct str rest, struct arena *arena, struct str *address)
{
	struct smtp_path path;

	rest = str_first(rest, str_find_byte(rest, '?'));
	return decode(rest, arena, address) &&
	       smtp_mailbox_parse(*address, SMTP_ASCII, &path);
}

/* A host must follow. */
static bool is_https(struct str uri)
{
	return str_starts_nocase(uri, STR("https://")) && uri.len > 8 &&
	       uri.ptr[8] != '/' && uri.ptr[8] != ':';
}

bool report_uri_parse(struct str text, struct arena *arena, struct report_uri *uri)
{
	struct str address;

	if (!is_uri(text))
		return false;
	*uri = (struct report_uri){is_https(text) ? REPORT_URI_HTTPS : REPORT_URI_OTHER,
				   text};
	if (str_starts_nocase(text, STR("mailto:")) &&
	    take_mailto(str_skip(text, 7), arena, &address))
		*uri = (struct report_uri){REPORT_URI_MAILTO, address};
	return true;
}

struct str report_uri_cut_size(struct str text, uint64_t *bytes)
{
	static const char units[] = "kmgt";
	size_t at = str_rfind_byte(text, '!');
	struct str size = str_skip(text, at + 1);
	unsigned shift = 0;

	*bytes = UINT64_MAX;
	for (unsigned i = 0; i < 4 && size.len > 0; i++)
		if (ascii_lower(size.ptr[size.len - 1]) == units[i])
			shift = (i + 1) * 10;
	if (shift > 0)
		size.len--;
	uint64_t number;

	if (at < text.len && num_parse(size, UINT64_MAX >> shift, &number))
		*bytes = number << shift;
	return str_first(text, at);
}

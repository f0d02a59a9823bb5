#include "mailauth/dkim_write.h"

#include "base/base64.h"

enum { LINE_MAX_LEN = 76 };

/* What a reader sees or a mail program heeds: nobody may add one.  RFC 6376 §5.4.1 */
static const char *const sealed[] = {
	"From",
	"To",
	"Cc",
	"Subject",
	"Date",
	"Message-ID",
	"Reply-To",
	"Sender",
	"In-Reply-To",
	"References",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
};
/* Signed where they are; others may add theirs, as mailing lists do. */
static const char *const signed_too[] = {
	"Resent-From", "Resent-To",         "Resent-Cc",
	"Resent-Date", "Resent-Message-ID", "List-Id",
	"List-Help",   "List-Unsubscribe",  "List-Unsubscribe-Post",
	"List-Post",   "List-Owner",        "List-Archive",
	"Autocrypt",
};

/* False: there are too many. */
static bool add_name(struct dkim_names *names, const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (names->count == DKIM_NAMES_MAX)
			return false;
		names->names[names->count++] = str_c(name);
	}
	return true;
}

bool dkim_names_choose(const struct dkim_header *header, struct dkim_names *names)
{
	bool fits = true;

	names->count = 0;
	for (size_t i = 0; i < COUNT_OF(sealed); i++)
		fits = fits && add_name(names, sealed[i],
					dkim_header_count(header, str_c(sealed[i])) + 1);
	for (size_t i = 0; i < COUNT_OF(signed_too); i++)
		fits = fits && add_name(names, signed_too[i],
					dkim_header_count(header, str_c(signed_too[i])));
	return fits;
}

bool dkim_names_add_all(const struct dkim_header *header, const char *name,
			struct dkim_names *names)
{
	return add_name(names, name, dkim_header_count(header, str_c(name)));
}

void dkim_names_add(struct buf *field, const struct dkim_names *names)
{
	size_t line = 3; /* "\th=" */

	buf_add_c(field, "\r\n\th=");
	for (size_t i = 0; i < names->count; i++) {
		size_t len = names->names[i].len + 1;

		if (line + len > LINE_MAX_LEN) {
			buf_add_c(field, "\r\n\t ");
			line = 2;
		}
		if (i > 0)
			buf_add_byte(field, ':');
		buf_add(field, names->names[i]);
		line += len;
	}
}

void dkim_base64_add(struct buf *field, const char *tag, struct str octets)
{
	SCOPED(buf_fini) struct buf text = BUF(2 * DKIM_SIGNATURE_BYTES_MAX);

	base64_add(&text, octets);
	buf_printf(field, "\r\n\t%s=", tag);
	for (struct str rest = buf_str(&text); rest.len > 0;
	     rest = str_skip(rest, LINE_MAX_LEN - 6)) {
		if (rest.ptr != text.ptr)
			buf_add_c(field, "\r\n\t ");
		buf_add(field, str_first(rest, LINE_MAX_LEN - 6));
	}
}

#include "wire/mail/transfer.h"

#include "base/base64.h"
#include "base/num.h"

static const struct {
	enum mail_transfer transfer;
	struct str name;
} names[] = {
	{MAIL_TRANSFER_7BIT, STR("7bit")},
	{MAIL_TRANSFER_8BIT, STR("8bit")},
	{MAIL_TRANSFER_BINARY, STR("binary")},
	{MAIL_TRANSFER_QP, STR("quoted-printable")},
	{MAIL_TRANSFER_BASE64, STR("base64")},
};

enum mail_transfer mail_transfer_of(struct str value)
{
	value = str_trim(value);
	if (value.len == 0)
		return MAIL_TRANSFER_7BIT;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str name = names[i].name;

		if (!str_starts_nocase(value, name))
			continue;
		if (value.len == name.len || strchr(" \t\r\n;(", value.ptr[name.len]))
			return names[i].transfer;
	}
	return MAIL_TRANSFER_UNKNOWN;
}

struct str mail_transfer_name(enum mail_transfer transfer)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (names[i].transfer == transfer)
			return names[i].name;
	return STR("");
}

/* One line without its end; returns how many octets it gave. */
static size_t qp_line(struct str line, char *to)
{
	size_t len = 0;

	while (line.len > 0) {
		size_t run = str_find_byte(line, '=');

		memcpy(to + len, line.ptr, run);
		len += run;
		line = str_skip(line, run);
		if (line.len == 0)
			break;
		int high = line.len > 2 ? num_hex(line.ptr[1]) : -1;
		int low = line.len > 2 ? num_hex(line.ptr[2]) : -1;

		if (high >= 0 && low >= 0) {
			to[len++] = (char)(high << 4 | low);
			line = str_skip(line, 3);
		} else {
			to[len++] = '=';
			line = str_skip(line, 1);
		}
	}
	return len;
}

/* Lines, their trailing white space and soft ends.  RFC 2045 §6.7 rules 3 and 5. */
static size_t qp_decode(struct str body, char *to)
{
	size_t len = 0;

	while (body.len > 0) {
		size_t lf = str_find_byte(body, '\n');
		struct str line = str_first(body, lf), end;

		if (line.len > 0 && line.ptr[line.len - 1] == '\r' && lf < body.len)
			line.len--;
		end = str_first(str_skip(body, line.len), lf + 1 - line.len);
		body = str_skip(body, lf + 1);
		while (line.len > 0 &&
		       (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
			line.len--;
		if (line.len > 0 && line.ptr[line.len - 1] == '=') {
			line.len--;
			end.len = 0;
		}
		len += qp_line(line, to + len);
		if (end.len > 0)
			memcpy(to + len, end.ptr, end.len);
		len += end.len;
	}
	return len;
}

void mail_transfer_decode(enum mail_transfer transfer, struct str body, struct buf *out)
{
	struct base64_body base64 = {0};
	char *to;

	switch (transfer) {
	case MAIL_TRANSFER_7BIT:
	case MAIL_TRANSFER_8BIT:
	case MAIL_TRANSFER_BINARY:
	case MAIL_TRANSFER_UNKNOWN:
		buf_add(out, body);
		return;
	case MAIL_TRANSFER_QP:
		to = body.len > 0 ? buf_room(out, body.len) : NULL;
		if (to)
			buf_grew(out, qp_decode(body, to));
		return;
	case MAIL_TRANSFER_BASE64:
		base64_body_add(&base64, body, out);
		base64_body_end(&base64, out);
		return;
	}
}

/* True if the octet at i of the line must not stand as it is.  A line that goes out
 * begins at column 0, be it after a soft end. */
static bool must_encode(struct str line, size_t i, size_t column)
{
	unsigned char c = (unsigned char)line.ptr[i];

	if (c == ' ' || c == '\t')
		return i + 1 == line.len; /* RFC 2045 §6.7 rule 3 */
	if (column == 0 && (c == '.' || str_starts(str_skip(line, i), STR("From "))))
		return true;
	return c < 33 || c > 126 || c == '=';
}

static void qp_line_add(struct buf *buf, struct str line)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < line.len; i++) {
		bool encode = must_encode(line, i, column);
		size_t width = encode ? 3 : 1;

		if (column + width + (i + 1 < line.len) > 76) { /* rule 5 */
			buf_add(buf, STR("=\r\n"));
			column = 0;
			encode = must_encode(line, i, column);
		}
		column += encode ? 3 : 1;
		if (!encode) {
			buf_add_byte(buf, line.ptr[i]);
			continue;
		}
		unsigned char c = (unsigned char)line.ptr[i];

		buf_add(buf, (struct str){(char[]){'=', hex[c >> 4], hex[c & 15]}, 3});
	}
}

void mail_qp_add(struct buf *buf, struct str text)
{
	while (text.len > 0) {
		size_t lf = str_find_byte(text, '\n');
		struct str line = str_first(text, lf);
		bool has_end = lf < text.len;

		text = str_skip(text, lf + 1);
		if (has_end && line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		qp_line_add(buf, line);
		if (has_end)
			buf_add(buf, STR("\r\n"));
	}
}

void mail_base64_add(struct buf *buf, struct str bytes)
{
	while (bytes.len > 0) {
		base64_add(buf, str_first(bytes, 57));
		buf_add(buf, STR("\r\n"));
		bytes = str_skip(bytes, 57);
	}
}

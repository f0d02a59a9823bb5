#include "wire/mail/pasted.h"

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* The next line without its end. */
static struct str take_line(struct str *rest)
{
	size_t len = str_find_byte(*rest, '\n');
	struct str line = str_first(*rest, len);

	*rest = str_skip(*rest, len + 1);
	if (str_ends(line, STR("\r")))
		line.len--;
	return line;
}

static bool is_blank(struct str line)
{
	return str_trim(line).len == 0;
}

/* The marks of a quotation in front of it. */
static struct str quote_of(struct str line)
{
	size_t len = 0;

	if (str_starts(line, STR(">From ")))
		return str_first(line, 0);
	while (len < line.len && (is_wsp(line.ptr[len]) || line.ptr[len] == '>'))
		len++;
	return str_first(line, len);
}

static struct str without_quote(struct str line, struct str quote)
{
	if (str_starts(line, quote))
		return str_skip(line, quote.len);
	/* ">" alone is a quoted blank line. */
	return str_starts(str_trim(quote), str_trim(line)) ? str_first(line, 0) : line;
}

/* The end of its name is where a colon or the blanks before one begin.  RFC 5322 §3.6.8,
 * §4.5 */
static bool is_field(struct str line)
{
	size_t len = 0;
	bool is_word = false;

	while (len < line.len && line.ptr[len] > ' ' && line.ptr[len] < 127 &&
	       line.ptr[len] != ':') {
		is_word |= !is_ascii_digit((unsigned char)line.ptr[len]);
		len++;
	}
	struct str rest = str_skip(line, len);

	while (rest.len > 0 && is_wsp(rest.ptr[0]))
		rest = str_skip(rest, 1);
	return is_word && str_starts(rest, STR(":")) && !str_starts(rest, STR("://"));
}

static void add_line(struct buf *out, struct str line)
{
	buf_add(out, line);
	buf_add(out, STR("\r\n"));
}

/* Everything up to the blank line, without that. */
static void add_header(struct buf *out, struct str *rest, struct mail_pasted *pasted)
{
	struct str before = *rest, quote = quote_of(take_line(rest));
	bool is_first = true;

	*rest = before;
	while (rest->len > 0) {
		struct str whole = take_line(rest), line = without_quote(whole, quote);

		pasted->mended += line.len != whole.len;
		if (line.len == 0 || (quote.len > 0 && is_blank(line)))
			return;
		bool is_envelope = is_first && (str_starts(line, STR("From ")) ||
						str_starts(line, STR(">From ")));

		if (!is_first && !is_wsp(line.ptr[0]) && !is_field(line)) {
			buf_add_byte(out, '\t'); /* BROKEN_FOLD */
			pasted->mended++;
		}
		if (!is_envelope)
			add_line(out, line);
		is_first &= is_envelope;
	}
}

void mail_pasted_add(struct buf *out, struct str raw, struct mail_pasted *pasted)
{
	struct str rest = raw, before;
	size_t len = out->len;

	*pasted = (struct mail_pasted){0};
	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = str_skip(rest, 3);
	while (before = rest, rest.len > 0 && is_blank(take_line(&rest))) {
	}
	add_header(out, &before, pasted);
	add_line(out, STR(""));
	pasted->header_len = out->len - len;
	pasted->has_body = before.len > 0;
	while (before.len > 0)
		add_line(out, take_line(&before));
}

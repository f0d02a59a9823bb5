#include "wire/smtp/data.h"

/* Text is looked at in blocks of so many octets, all in vector code; then in smaller
 * ones, so that little is left to the loop over single octets. */
enum { BLOCK = 256, SMALL = 32 };

struct census {
	bool has_bare_end; /* a CR without LF or a LF without CR */
	bool has_dot;      /* a LF before a dot */
	bool has_nul, has_8bit;
};

/* Looks at len pairs of neighbours: a CR stands before each LF and nowhere else. */
static inline struct census census(const char *at, size_t len)
{
	unsigned char bare = 0, dot = 0, nul = 0, high = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char b = (unsigned char)at[i], next = (unsigned char)at[i + 1];

		bare |= (unsigned char)((b == '\r') ^ (next == '\n'));
		dot |= (unsigned char)((b == '\n') & (next == '.'));
		nul |= b == 0;
		high |= b;
	}
	return (struct census){.has_bare_end = bare,
			       .has_dot = dot,
			       .has_nul = nul,
			       .has_8bit = high & 0x80};
}

static bool is_clean(struct census found, struct census *sum)
{
	if (found.has_bare_end || found.has_dot)
		return false;
	sum->has_nul |= found.has_nul;
	sum->has_8bit |= found.has_8bit;
	return true;
}

/* How many octets at the front may be copied as they are: whole blocks inside and between
 * lines, none of which starts with a dot.  One octet more is looked at, so the last may
 * be the LF of a line; a CR is never the last. */
static size_t clean_run(struct str input, struct census *sum)
{
	size_t len = 0;

	if (input.ptr[0] == '\n' || input.ptr[0] == '.')
		return 0;
	while (input.len - len > BLOCK && is_clean(census(input.ptr + len, BLOCK), sum))
		len += BLOCK;
	while (input.len - len > SMALL && is_clean(census(input.ptr + len, SMALL), sum))
		len += SMALL;
	return len > 0 && input.ptr[len - 1] == '\r' ? len - 1 : len;
}

void smtp_data_init(struct smtp_data *data, enum smtp_line_ends line_ends,
		    uint64_t bytes_max)
{
	*data = (struct smtp_data){.line_ends = line_ends, .bytes_max = bytes_max};
}

void smtp_chunks_init(struct smtp_data *data, enum smtp_line_ends line_ends,
		      uint64_t bytes_max)
{
	smtp_data_init(data, line_ends, bytes_max);
	data->is_chunked = true;
}

/* Counts the text and keeps it while it fits. */
static void keep(struct smtp_data *data, struct str run, struct buf *text)
{
	data->bytes += run.len;
	if (data->is_too_big || data->bytes > data->bytes_max) {
		data->is_too_big = true;
		return;
	}
	buf_add(text, run);
	if (!buf_ok(text))
		data->is_too_big = true;
}

/* An octet where no CR is held back: in the middle of a line, or its first. */
static void plain(struct smtp_data *data, char byte, struct buf *text)
{
	data->state = SMTP_DATA_MIDDLE;
	if (byte == '\r') {
		data->state = SMTP_DATA_CR;
		return;
	}
	if (byte == '\n') {
		data->has_bare_lf = true;
		if (data->line_ends == SMTP_LINES_REPAIR) {
			keep(data, STR("\r\n"), text);
			return; /* but a dot after it stays, and ends nothing */
		}
	}
	data->has_nul |= byte == 0;
	data->has_8bit |= (unsigned char)byte >= 0x80;
	keep(data, (struct str){&byte, 1}, text);
}

/* The CR that was held back did not end a line. */
static void bare_cr(struct smtp_data *data, struct buf *text)
{
	data->has_bare_cr = true;
	keep(data, data->line_ends == SMTP_LINES_REPAIR ? STR("\r\n") : STR("\r"), text);
}

static void one_octet(struct smtp_data *data, char byte, struct buf *text)
{
	switch (data->state) {
	case SMTP_DATA_START:
		if (byte == '.' && !data->is_chunked)
			data->state = SMTP_DATA_DOT; /* goes, whatever follows: §4.5.2 */
		else
			plain(data, byte, text);
		return;
	case SMTP_DATA_DOT:
		if (byte == '\r')
			data->state = SMTP_DATA_DOT_CR;
		else
			plain(data, byte, text);
		return;
	case SMTP_DATA_DOT_CR:
		if (byte == '\n') {
			data->is_done = true;
			return;
		}
		bare_cr(data, text);
		plain(data, byte, text);
		return;
	case SMTP_DATA_MIDDLE:
		plain(data, byte, text);
		return;
	case SMTP_DATA_CR:
		if (byte == '\n') {
			keep(data, STR("\r\n"), text);
			data->state = SMTP_DATA_START;
			return;
		}
		bare_cr(data, text);
		plain(data, byte, text);
		return;
	}
}

/* Copies what needs no care; returns how much. */
static size_t feed_run(struct smtp_data *data, struct str input, struct buf *text)
{
	struct census sum = {0};

	if (data->state != SMTP_DATA_START && data->state != SMTP_DATA_MIDDLE)
		return 0;
	size_t run = clean_run(input, &sum);

	if (run == 0)
		return 0;
	data->has_nul |= sum.has_nul;
	data->has_8bit |= sum.has_8bit;
	data->state = input.ptr[run - 1] == '\n' ? SMTP_DATA_START : SMTP_DATA_MIDDLE;
	keep(data, str_first(input, run), text);
	return run;
}

size_t smtp_data_feed(struct smtp_data *data, struct str input, struct buf *text)
{
	size_t at = 0;

	if (data->line_ends == SMTP_LINES_BINARY) {
		ASSERT(data->is_chunked);
		keep(data, input, text);
		return input.len;
	}
	while (at < input.len && !data->is_done) {
		at += feed_run(data, str_skip(input, at), text);
		for (size_t n = 0; n < SMALL && at < input.len && !data->is_done; n++)
			one_octet(data, input.ptr[at++], text);
	}
	return at;
}

void smtp_chunks_end(struct smtp_data *data, struct buf *text)
{
	data->is_done = true;
	if (data->line_ends == SMTP_LINES_BINARY)
		return;
	if (data->state == SMTP_DATA_CR)
		bare_cr(data, text);
	if (data->bytes > 0 && !str_ends(buf_str(text), STR("\r\n")))
		keep(data, STR("\r\n"), text);
}

/* One octet on its way out. */
static void dots_octet(struct smtp_dots *dots, char byte, struct buf *out)
{
	bool is_after_cr = dots->is_after_cr;

	dots->is_after_cr = byte == '\r';
	if (byte == '\n' && is_after_cr)
		return; /* the CR wrote both */
	if (byte == '\r' || byte == '\n') {
		buf_add(out, STR("\r\n"));
		dots->is_in_line = false;
		return;
	}
	if (byte == '.' && !dots->is_in_line)
		buf_add_byte(out, '.');
	buf_add_byte(out, byte);
	dots->is_in_line = true;
}

void smtp_dots_add(struct smtp_dots *dots, struct str text, struct buf *out)
{
	size_t at = 0;

	while (at < text.len) {
		struct census sum = {0};
		size_t run = dots->is_after_cr ? 0 : clean_run(str_skip(text, at), &sum);

		if (run > 0) {
			buf_add(out, (struct str){text.ptr + at, run});
			at += run;
			dots->is_in_line = text.ptr[at - 1] != '\n';
		}
		for (size_t n = 0; n < SMALL && at < text.len; n++)
			dots_octet(dots, text.ptr[at++], out);
	}
}

void smtp_dots_end(struct smtp_dots *dots, struct buf *out)
{
	if (dots->is_in_line)
		buf_add(out, STR("\r\n"));
	buf_add(out, STR(".\r\n"));
	*dots = (struct smtp_dots){0};
}

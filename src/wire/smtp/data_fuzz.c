#include "wire/smtp/data.h"

#include "base/num.h"

/* What the grammar says, one octet after the other and without states: the end mark's
 * place is where CRLF "." CRLF first stands, the start counting as after CRLF. */
static size_t end_of(struct str input)
{
	if (str_starts(input, STR(".\r\n")))
		return 3;
	size_t at = str_find(input, STR("\r\n.\r\n"));

	return at < input.len ? at + 5 : input.len;
}

static void check_lines(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n')
			ASSERT(i > 0 && text.ptr[i - 1] == '\r');
		if (text.ptr[i] == '\r')
			ASSERT(i + 1 < text.len && text.ptr[i + 1] == '\n');
	}
}

/* Chunks are taken whole, in any pieces; binary ones as they are. */
static void check_chunks(struct str input, size_t piece)
{
	SCOPED(buf_fini) struct buf whole = BUF(2 * input.len + 10);
	SCOPED(buf_fini) struct buf pieces = BUF(2 * input.len + 10);
	static const enum smtp_line_ends kinds[] = {SMTP_LINES_KEEP, SMTP_LINES_REPAIR,
						    SMTP_LINES_BINARY};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct smtp_data a, b;

		buf_reset(&whole);
		buf_reset(&pieces);
		smtp_chunks_init(&a, kinds[i], UINT64_MAX);
		ASSERT(smtp_data_feed(&a, input, &whole) == input.len && !a.is_done);
		smtp_chunks_end(&a, &whole);
		smtp_chunks_init(&b, kinds[i], UINT64_MAX);
		for (struct str rest = input; rest.len > 0; rest = str_skip(rest, piece))
			ASSERT(smtp_data_feed(&b, str_first(rest, piece), &pieces) ==
			       num_min(piece, rest.len));
		smtp_chunks_end(&b, &pieces);
		ASSERT(str_same(buf_str(&whole), buf_str(&pieces)));
		ASSERT(a.bytes == whole.len && a.has_bare_lf == b.has_bare_lf);
		if (kinds[i] == SMTP_LINES_REPAIR)
			check_lines(buf_str(&whole));
		else
			ASSERT(str_starts(buf_str(&whole), input));
	}
}

/* Any octets, in pieces whose size the first octet says: the end is where the grammar has
 * it; pieces make no difference; what is sent is read again as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
	if (len == 0)
		return 0;
	size_t piece = (size_t)octets[0] + 1;
	struct str input = {(const char *)octets + 1, len - 1};
	SCOPED(buf_fini) struct buf whole = BUF(3 * len + 10);
	SCOPED(buf_fini) struct buf pieces = BUF(3 * len + 10);
	SCOPED(buf_fini) struct buf sent = BUF(3 * len + 10);
	struct smtp_data a, b;
	struct smtp_dots dots = {0};

	check_chunks(input, piece);
	smtp_data_init(&a, SMTP_LINES_KEEP, UINT64_MAX);
	size_t taken = smtp_data_feed(&a, input, &whole);

	ASSERT(taken == end_of(input) && a.bytes == whole.len);
	ASSERT(a.is_done == (str_ends(str_first(input, taken), STR("\r\n.\r\n")) ||
			     (taken == 3 && str_starts(input, STR(".\r\n")))));
	smtp_data_init(&b, SMTP_LINES_KEEP, UINT64_MAX);
	for (struct str rest = input; rest.len > 0 && !b.is_done;) {
		size_t n = smtp_data_feed(&b, str_first(rest, piece), &pieces);

		rest = str_skip(rest, n);
	}
	ASSERT(str_same(buf_str(&whole), buf_str(&pieces)));
	ASSERT(a.is_done == b.is_done && a.has_bare_cr == b.has_bare_cr &&
	       a.has_bare_lf == b.has_bare_lf && a.has_nul == b.has_nul &&
	       a.has_8bit == b.has_8bit && a.state == b.state);

	buf_reset(&pieces);
	smtp_data_init(&b, SMTP_LINES_REPAIR, UINT64_MAX);
	ASSERT(smtp_data_feed(&b, input, &pieces) == taken && a.is_done == b.is_done);
	check_lines(buf_str(&pieces));
	for (struct str rest = buf_str(&pieces); rest.len > 0;
	     rest = str_skip(rest, piece))
		smtp_dots_add(&dots, str_first(rest, piece), &sent);
	smtp_dots_end(&dots, &sent);
	if (pieces.len > 0 && !str_ends(buf_str(&pieces), STR("\r\n")))
		buf_add(&pieces, STR("\r\n"));
	buf_reset(&whole);
	smtp_data_init(&a, SMTP_LINES_KEEP, UINT64_MAX);
	ASSERT(smtp_data_feed(&a, buf_str(&sent), &whole) == sent.len && a.is_done);
	ASSERT(str_same(buf_str(&whole), buf_str(&pieces)));
	ASSERT(!a.has_bare_cr && !a.has_bare_lf);
	return 0;
}

#include "wire/smtp/data.h"

#include "base/test.h"

enum { TEXT_MAX = 100000 };

/* Feeds the input in pieces of this size; returns how much was taken. */
static size_t feed(struct smtp_data *data, struct str input, size_t piece,
		   struct buf *text)
{
	size_t at = 0;

	while (at < input.len && !data->is_done) {
		size_t taken =
			smtp_data_feed(data, str_first(str_skip(input, at), piece), text);

		at += taken;
		if (taken == 0)
			break;
	}
	return at;
}

TEST(only_crlf_dot_crlf_ends_a_message)
{
	static const struct {
		struct str input;
		bool is_done;
		struct str text;
		struct str rest;
	} cases[] = {
		{STR(".\r\nQUIT\r\n"), true, STR(""), STR("QUIT\r\n")},
		{STR("a\r\n.\r\n"), true, STR("a\r\n"), STR("")},
		{STR("a\r\n..\r\n.\r\nX"), true, STR("a\r\n.\r\n"), STR("X")},
		{STR("..a\r\n.b\r\n.\r\n"), true, STR(".a\r\nb\r\n"), STR("")},
		{STR("a\n.\nb\r\n"), false, STR("a\n.\nb\r\n"), STR("")},
		{STR("a\r.\rb\r\n"), false, STR("a\r.\rb\r\n"), STR("")},
		{STR("a\n.\r\nb\r\n"), false, STR("a\n.\r\nb\r\n"), STR("")},
		{STR("a\r\n.\nb\r\n"), false, STR("a\r\n\nb\r\n"), STR("")},
		{STR("a\r\n.\rb\r\n"), false, STR("a\r\n\rb\r\n"), STR("")},
		{STR("a\r\n.\r\r\nb\r\n"), false, STR("a\r\n\r\r\nb\r\n"), STR("")},
		{STR("a\r\r\n.\r\n"), true, STR("a\r\r\n"), STR("")},
		{STR("a\r.\r\nb\r\n"), false, STR("a\r.\r\nb\r\n"), STR("")},
		{STR("a\r\n.\0\r\n"), false, STR("a\r\n\0\r\n"), STR("")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t piece = 1; piece < 12; piece++) {
			struct smtp_data data;
			struct buf text = BUF(TEXT_MAX);

			smtp_data_init(&data, SMTP_LINES_KEEP, TEXT_MAX);
			size_t taken = feed(&data, cases[i].input, piece, &text);

			CHECK(data.is_done == cases[i].is_done);
			CHECK_STR(buf_str(&text), cases[i].text);
			CHECK_STR(str_skip(cases[i].input, taken), cases[i].rest);
			CHECK(data.bytes == text.len);
			buf_fini(&text);
		}
}

TEST(tells_of_octets_that_do_not_belong)
{
	static const struct {
		struct str input;
		bool cr, lf, nul, high;
		struct str repaired;
	} cases[] = {
		{STR("a\r\nb\r\n.\r\n"), false, false, false, false, STR("a\r\nb\r\n")},
		{STR("a\nb\r\n.\r\n"), false, true, false, false, STR("a\r\nb\r\n")},
		{STR("a\rb\r\n.\r\n"), true, false, false, false, STR("a\r\nb\r\n")},
		{STR("a\n.\nb\r\n.\r\n"), false, true, false, false,
		 STR("a\r\n.\r\nb\r\n")},
		{STR("a\n\r\n.\r\n"), false, true, false, false, STR("a\r\n\r\n")},
		{STR("a\r\n.\rb\r\n.\r\n"), true, false, false, false,
		 STR("a\r\n\r\nb\r\n")},
		{STR("a\0\r\n.\r\n"), false, false, true, false, STR("a\0\r\n")},
		{STR("\xc3\xbc\r\n.\r\n"), false, false, false, true,
		 STR("\xc3\xbc\r\n")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct smtp_data data;
		struct buf text = BUF(TEXT_MAX);

		smtp_data_init(&data, SMTP_LINES_REPAIR, TEXT_MAX);
		CHECK(smtp_data_feed(&data, cases[i].input, &text) == cases[i].input.len);
		CHECK(data.is_done && data.has_bare_cr == cases[i].cr &&
		      data.has_bare_lf == cases[i].lf && data.has_nul == cases[i].nul &&
		      data.has_8bit == cases[i].high);
		CHECK_STR(buf_str(&text), cases[i].repaired);
		buf_fini(&text);
	}
}

/* Lines of all lengths around the blocks, some with dots; as they are and stuffed. */
static void long_text(struct buf *plain, struct buf *stuffed)
{
	for (size_t n = 0; n < 600; n += 7) {
		if (n % 5 == 0) {
			buf_add_byte(plain, '.');
			buf_add(stuffed, STR(".."));
		}
		for (size_t i = 0; i < n; i++) {
			char byte = (char)(n % 3 == 0 ? 0xe9 : 'a' + i % 26);

			buf_add_byte(plain, byte);
			buf_add_byte(stuffed, byte);
		}
		buf_add(plain, STR("\r\n"));
		buf_add(stuffed, STR("\r\n"));
	}
	buf_add(stuffed, STR(".\r\n"));
}

TEST(dots_go_there_and_back_in_pieces)
{
	struct buf plain = BUF(TEXT_MAX), stuffed = BUF(TEXT_MAX), out = BUF(TEXT_MAX);

	long_text(&plain, &stuffed);
	for (size_t piece = 1; piece < 3000; piece = piece * 3 / 2 + 1) {
		struct smtp_dots dots = {0};
		struct smtp_data data;

		buf_reset(&out);
		for (struct str rest = buf_str(&plain); rest.len > 0;
		     rest = str_skip(rest, piece))
			smtp_dots_add(&dots, str_first(rest, piece), &out);
		smtp_dots_end(&dots, &out);
		CHECK(str_same(buf_str(&out), buf_str(&stuffed)));

		buf_reset(&out);
		smtp_data_init(&data, SMTP_LINES_KEEP, TEXT_MAX);
		CHECK(feed(&data, buf_str(&stuffed), piece, &out) == stuffed.len);
		CHECK(data.is_done && data.has_8bit && !data.has_bare_cr &&
		      !data.has_bare_lf && !data.has_nul);
		CHECK(str_same(buf_str(&out), buf_str(&plain)));
	}
	buf_fini(&plain);
	buf_fini(&stuffed);
	buf_fini(&out);
}

TEST(sends_only_whole_lines)
{
	static const struct {
		struct str text, sent;
	} cases[] = {
		{STR(""), STR(".\r\n")},
		{STR("a"), STR("a\r\n.\r\n")},
		{STR("a\n.b\rc\r\n"), STR("a\r\n..b\r\nc\r\n.\r\n")},
		{STR("a\r\r\n\n"), STR("a\r\n\r\n\r\n.\r\n")},
		{STR("."), STR("..\r\n.\r\n")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct smtp_dots dots = {0};
		struct buf out = BUF(100);

		smtp_dots_add(&dots, cases[i].text, &out);
		smtp_dots_end(&dots, &out);
		CHECK_STR(buf_str(&out), cases[i].sent);
		buf_fini(&out);
	}
}

TEST(goes_on_reading_what_is_too_big)
{
	struct buf plain = BUF(TEXT_MAX), stuffed = BUF(TEXT_MAX), out = BUF(TEXT_MAX);
	struct smtp_data data;

	long_text(&plain, &stuffed);
	smtp_data_init(&data, SMTP_LINES_KEEP, 1000);
	CHECK(smtp_data_feed(&data, buf_str(&stuffed), &out) == stuffed.len);
	CHECK(data.is_done && data.is_too_big && out.len <= 1000);
	CHECK(data.bytes == plain.len);

	buf_fini(&out);
	out = BUF(500); /* the buffer's own bound */
	smtp_data_init(&data, SMTP_LINES_KEEP, TEXT_MAX);
	CHECK(smtp_data_feed(&data, buf_str(&stuffed), &out) == stuffed.len);
	CHECK(data.is_done && data.is_too_big && data.bytes == plain.len);

	buf_reset(&out);
	smtp_data_init(&data, SMTP_LINES_KEEP, 3);
	CHECK(smtp_data_feed(&data, STR("a\r\n.\r\n"), &out) == 6);
	CHECK(data.is_done && !data.is_too_big); /* the bound itself is allowed */
	buf_fini(&plain);
	buf_fini(&stuffed);
	buf_fini(&out);
}

TEST(chunks_hold_what_was_announced)
{
	static const struct {
		enum smtp_line_ends ends;
		struct str input, text;
		bool cr, lf, nul;
	} cases[] = {
		{SMTP_LINES_KEEP, STR("a\r\n.\r\n..b"), STR("a\r\n.\r\n..b\r\n"), false,
		 false, false},
		{SMTP_LINES_KEEP, STR(".\r\n"), STR(".\r\n"), false, false, false},
		{SMTP_LINES_KEEP, STR(""), STR(""), false, false, false},
		{SMTP_LINES_KEEP, STR("a\nb\r\n"), STR("a\nb\r\n"), false, true, false},
		{SMTP_LINES_KEEP, STR("a\r"), STR("a\r\r\n"), true, false, false},
		{SMTP_LINES_KEEP, STR("a\0\r\n"), STR("a\0\r\n"), false, false, true},
		{SMTP_LINES_REPAIR, STR("a\nb\r"), STR("a\r\nb\r\n"), true, true, false},
		{SMTP_LINES_REPAIR, STR("a\n"), STR("a\r\n"), false, true, false},
		{SMTP_LINES_BINARY, STR("a\n.\r\0\r"), STR("a\n.\r\0\r"), false, false,
		 false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t piece = 1; piece < 12; piece++) {
			struct smtp_data data;
			SCOPED(buf_fini) struct buf text = BUF(TEXT_MAX);

			smtp_chunks_init(&data, cases[i].ends, TEXT_MAX);
			CHECK(feed(&data, cases[i].input, piece, &text) ==
			      cases[i].input.len);
			smtp_chunks_end(&data, &text);
			CHECK_STR(buf_str(&text), cases[i].text);
			CHECK(data.bytes == text.len && data.is_done);
			CHECK(data.has_bare_cr == cases[i].cr);
			CHECK(data.has_bare_lf == cases[i].lf);
			CHECK(data.has_nul == cases[i].nul);
		}
}

#include "mta/convert.h"

#include "base/test.h"

static enum convert convert(const char *text, bool may_8bit, struct buf *out)
{
	return convert_text(str_c(text), may_8bit, out);
}

static void check(const char *text, bool may_8bit, enum convert outcome, const char *want)
{
	SCOPED(buf_fini) struct buf out = BUF(100000);

	CHECK(convert(text, may_8bit, &out) == outcome);
	if (outcome == CONVERT_DONE)
		CHECK_STR(buf_str(&out), str_c(want));
}

TEST(eight_bits_become_quoted_printable)
{
	check("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	      "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
	      "e\r\n",
	      false, CONVERT_DONE,
	      "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	      "charset=utf-8\r\nContent-Transfer-Encoding: "
	      "quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n");
}

TEST(a_message_without_mime_gets_it)
{
	check("Subject: x\r\n\r\n\xfc\r\n", false, CONVERT_DONE,
	      "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	      "charset=unknown-8bit\r\nContent-Transfer-Encoding: "
	      "quoted-printable\r\n\r\n=FC\r\n");
}

TEST(only_the_parts_that_need_it_are_changed)
{
	check("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
	      "Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n"
	      "Content-Type: image/x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xff\r\n"
	      "--b--\r\n",
	      false, CONVERT_DONE,
	      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
	      "Content-Transfer-Encoding: 7bit\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n"
	      "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n/w==\r\n"
	      "\r\n--b--\r\n");
}

TEST(what_is_signed_is_not_touched)
{
	check("DKIM-Signature: v=1\r\n\r\n\xfc\r\n", false, CONVERT_IMPOSSIBLE, "");
	check("Content-Type: multipart/signed; "
	      "boundary=b\r\n\r\n--b\r\n\r\n\xfc\r\n--b--\r\n",
	      false, CONVERT_IMPOSSIBLE, "");
	check("Subject: \xfc\r\n\r\nx\r\n", false, CONVERT_IMPOSSIBLE, "");
}

TEST(where_eight_bits_may_be_only_lines_are_mended)
{
	SCOPED(buf_fini) struct buf text = BUF(10000), out = BUF(100000);

	check("Subject: x\r\n\r\n\xfc\r\n", true, CONVERT_DONE,
	      "Subject: x\r\n\r\n\xfc\r\n");
	buf_add(&text, STR("Subject: x\r\n\r\n"));
	for (int i = 0; i < 300; i++)
		buf_add(&text, STR("long "));
	CHECK(convert_text(buf_str(&text), true, &out) == CONVERT_DONE);
	for (struct str rest = buf_str(&out); rest.len > 0;)
		CHECK(str_cut(&rest, '\n').len <= 77);
}

TEST(a_text_is_looked_at_alike_in_pieces_of_any_size)
{
	SCOPED(buf_fini) struct buf text = BUF(10000);

	buf_add(&text, STR("Subject: x\r\n\r\nGr\xc3\xbc\xc3\x9f\r\n"));
	for (size_t long_by = 0; long_by < 2; long_by++) {
		buf_cut(&text, 22);
		for (size_t i = 0; i < 998 + long_by; i++)
			buf_add_byte(&text, 'x');
		buf_add(&text, STR("\r\n"));
		for (size_t size = 1; size < text.len; size = size * 3 + 1) {
			struct outgoing seen = {0};

			for (struct str rest = buf_str(&text); rest.len > 0;
			     rest = str_skip(rest, size))
				outgoing_look_at(&seen, str_first(rest, size));
			CHECK(seen.has_8bit && !seen.has_8bit_header && !seen.has_nul);
			CHECK(seen.has_long_line == (long_by == 1));
		}
	}
}

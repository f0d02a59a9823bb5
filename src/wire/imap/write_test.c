#include "wire/imap/write.h"

#include "base/test.h"

static struct buf out = BUF(100000);

static struct str written(void)
{
	return buf_str(&out);
}

static const struct {
	struct str text, string, astring;
} strings[] = {
	{STR("abc"), STR("\"abc\""), STR("abc")},
	{STR(""), STR("\"\""), STR("\"\"")},
	{STR("a b"), STR("\"a b\""), STR("\"a b\"")},
	{STR("a\"\\b"), STR("\"a\\\"\\\\b\""), STR("\"a\\\"\\\\b\"")},
	{STR("NIL"), STR("\"NIL\""), STR("\"NIL\"")},
	{STR("a\r\nb"), STR("{4}\r\na\r\nb"), STR("{4}\r\na\r\nb")},
	{STR("\xc3\xa9"), STR("{2}\r\n\xc3\xa9"), STR("{2}\r\n\xc3\xa9")},
	{STR("a\0b\0"), STR("{4}\r\na b "), STR("{4}\r\na b ")},
};

/* Whatever the length of the text and the place of the octet. */
TEST(an_octet_that_cannot_be_quoted_is_seen_anywhere)
{
	static const struct {
		char octet, begins;
		size_t more; /* octets beyond the text, if it is quoted */
	} cases[] = {{'"', '"', 3},    {'\\', '"', 3},   {'\x1f', '{', 0},
		     {'\x7f', '{', 0}, {'\x80', '{', 0}, {'\xff', '{', 0},
		     {' ', '"', 2},    {'~', '"', 2},    {'!', '"', 2},
		     {'#', '"', 2},    {'[', '"', 2},    {']', '"', 2}};
	char text[40];

	for (size_t i = 0; i < COUNT_OF(cases) * 40 * 40; i++) {
		size_t len = i % 40 + 1, at = i / 40 % 40, which = i / 1600;

		if (at >= len)
			continue;
		memset(text, 'a', sizeof text);
		text[at] = cases[which].octet;
		buf_reset(&out);
		imap_write_string(&out, (struct str){text, len});
		CHECK(out.ptr[0] == cases[which].begins);
		CHECK(cases[which].more == 0 || out.len == len + cases[which].more);
	}
}

TEST(strings_are_quoted_or_literal)
{
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		buf_reset(&out);
		imap_write_string(&out, strings[i].text);
		CHECK_STR(written(), strings[i].string);
		buf_reset(&out);
		imap_write_astring(&out, strings[i].text);
		CHECK_STR(written(), strings[i].astring);
	}
	buf_reset(&out);
	imap_write_nstring(&out, (struct str){NULL, 0});
	imap_write_nstring(&out, STR("x"));
	imap_write_literal_head(&out, 7, true);
	CHECK_STR(written(), STR("NIL\"x\"~{7}\r\n"));
}

TEST(mailbox_names_suit_the_client)
{
	buf_reset(&out);
	imap_write_mailbox(&out, STR("Entw\xc3\xbcrfe\""), false);
	imap_write_mailbox(&out, STR("Entw\xc3\xbcrfe\""), true);
	imap_write_mailbox(&out, STR("\xff"), true);
	CHECK_STR(written(),
		  STR("\"Entw&APw-rfe\\\"\"\"Entw\xc3\xbcrfe\\\"\"{1}\r\n\xff"));
}

TEST(flags_have_one_order)
{
	struct str keywords[] = {STR("$Junk"), STR("x")};

	buf_reset(&out);
	imap_write_flags(&out, IMAP_SEEN | IMAP_DRAFT, keywords, 2);
	imap_write_flags(&out, 0, keywords, 1);
	imap_write_flags(&out, 0, NULL, 0);
	imap_write_flags(&out, IMAP_SEEN | IMAP_RECENT, keywords, 1);
	CHECK_STR(written(),
		  STR("(\\Seen \\Draft $Junk x)($Junk)()(\\Seen \\Recent $Junk)"));
}

TEST(date_times_keep_their_zone)
{
	buf_reset(&out);
	imap_write_date_time(&out, (struct imap_date_time){760686745, -480});
	imap_write_date_time(&out, (struct imap_date_time){837571465, 90});
	CHECK_STR(written(), STR("\" 7-Feb-1994 21:52:25 -0800\""
				 "\"17-Jul-1996 04:14:25 +0130\""));
}

TEST(envelopes_default_to_from)
{
	struct imap_address from[] = {{STR("Ann"), STR("ann"), STR("example.org")}};
	struct imap_address to[] = {{{NULL, 0}, STR("friends"), {NULL, 0}},
				    {{NULL, 0}, {NULL, 0}, {NULL, 0}}};
	struct imap_envelope envelope = {
		.subject = STR("hi"), .from = {from, 1}, .to = {to, 2}};

	buf_reset(&out);
	imap_write_envelope(&out, &envelope);
	CHECK_STR(written(),
		  STR("(NIL \"hi\" ((\"Ann\" NIL \"ann\" \"example.org\")) "
		      "((\"Ann\" NIL \"ann\" \"example.org\")) "
		      "((\"Ann\" NIL \"ann\" \"example.org\")) "
		      "((NIL NIL \"friends\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)"));
}

TEST(structures_are_nested)
{
	struct imap_param charset = {STR("CHARSET"), STR("utf-8")};
	struct imap_param name = {STR("FILENAME"), STR("a.png")};
	struct imap_envelope envelope = {0};
	struct imap_body inner = {
		.type = STR("TEXT"), .subtype = STR("PLAIN"), .lines = 1};
	struct imap_body message = {.type = STR("MESSAGE"),
				    .subtype = STR("RFC822"),
				    .size = 9,
				    .lines = 2,
				    .envelope = &envelope,
				    .child = &inner};
	struct imap_body image = {.type = STR("IMAGE"),
				  .subtype = STR("PNG"),
				  .encoding = STR("BASE64"),
				  .disposition = STR("ATTACHMENT"),
				  .disposition_params = &name,
				  .disposition_param_count = 1,
				  .next = &message};
	struct imap_body text = {.type = STR("TEXT"),
				 .subtype = STR("HTML"),
				 .params = &charset,
				 .param_count = 1,
				 .size = 5,
				 .lines = 1,
				 .next = &image};
	struct imap_body all = {
		.subtype = STR("MIXED"), .is_multipart = true, .child = &text};

	buf_reset(&out);
	imap_write_body(&out, &all, false);
	CHECK_STR(written(),
		  STR("((\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 5 1)"
		      "(\"IMAGE\" \"PNG\" NIL NIL NIL \"BASE64\" 0)"
		      "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 9 "
		      "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		      "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 1) 2) \"MIXED\")"));
	buf_reset(&out);
	imap_write_body(&out, &image, true);
	CHECK_STR(written(), STR("(\"IMAGE\" \"PNG\" NIL NIL NIL \"BASE64\" 0 NIL "
				 "(\"ATTACHMENT\" (\"FILENAME\" \"a.png\")) NIL NIL)"));
	text.next = NULL;
	buf_reset(&out);
	imap_write_body(&out, &all, true);
	CHECK_STR(written(),
		  STR("((\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\") NIL NIL "
		      "\"7BIT\" 5 1 NIL NIL NIL NIL) \"MIXED\" NIL NIL NIL NIL)"));
	buf_fini(&out);
}

TEST(structures_end_at_their_depth)
{
	struct imap_body parts[200] = {0};
	struct buf deep = BUF(100000);

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		parts[i].type = STR("MULTIPART");
		parts[i].subtype = STR("MIXED");
		parts[i].is_multipart = true;
		parts[i].child = i + 1 < COUNT_OF(parts) ? &parts[i + 1] : NULL;
	}
	imap_write_body(&deep, &parts[0], false);
	CHECK(str_find(buf_str(&deep), STR("(\"APPLICATION\" \"OCTET-STREAM\"")) ==
	      IMAP_BODY_DEPTH_MAX);
	buf_fini(&deep);
}

TEST(every_octet_at_every_place_is_told)
{
	char text[20];

	for (size_t at = 0; at < sizeof text; at++) {
		for (int octet = 0; octet < 256; octet++) {
			bool is_bad = octet < 32 || octet > 126;
			bool is_special = octet == '"' || octet == '\\';

			memset(text, '!', sizeof text);
			text[at] = (char)octet;
			buf_reset(&out);
			imap_write_string(&out, (struct str){text, sizeof text});
			CHECK((out.ptr[0] == '{') == is_bad);
			CHECK(is_bad || out.len == sizeof text + 2 + is_special);
		}
	}
}

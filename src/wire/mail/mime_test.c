#include "wire/mail/mime.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "wire/mail/envelope.h"

/* The tree as type/subtype(children), a leaf's body and lines in <>; "!" if opaque. */
static void show(struct buf *buf, struct str text, const struct mime_part *part)
{
	for (; part; part = part->next) {
		buf_printf(buf, "%.*s/%.*s%s", STR_FMT(part->type),
			   STR_FMT(part->subtype), part->is_opaque ? "!" : "");
		if (part->kind == MIME_LEAF) {
			buf_printf(buf, "<%.*s>%zu", (int)part->body_len,
				   text.ptr + part->body_at, part->lines);
		} else {
			buf_add_c(buf, "(");
			show(buf, text, part->first);
			buf_add_c(buf, ")");
		}
		if (part->next)
			buf_add_c(buf, " ");
	}
}

#define MIXED   "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define NESTED  "Content-Type: multipart/mixed; boundary=b2\r\n\r\n"
#define MESSAGE "Content-Type: message/rfc822\r\n\r\n"

static const struct {
	struct str text, want;
} cases[] = {
	{STR(""), STR("text/plain<>0")},
	{STR("Subject: x\r\n\r\na\r\nb\r\n"), STR("text/plain<a\r\nb\r\n>2")},
	{STR("Content-Type: nonsense\r\n\r\na"), STR("text/plain<a>0")},
	{STR(MIXED "pre\r\n--b\r\n\r\none\r\ntwo\r\n--b\r\n"
		   "Content-Type: text/html\r\n\r\nthree\r\n--b--\r\nepi\r\n"),
	 STR("multipart/mixed(text/plain<one\r\ntwo>1 text/html<three>0)")},
	/* LF_ENDS_LINES */
	{STR("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n"),
	 STR("multipart/mixed(text/plain<one>0)")},
	/* NO_CLOSING_BOUNDARY */
	{STR(MIXED "--b\r\n\r\none\r\n"), STR("multipart/mixed(text/plain<one\r\n>1)")},
	{STR(MIXED "--b\r\n" NESTED "--b2\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--"),
	 STR("multipart/mixed(multipart/mixed(text/plain<one>0) text/plain<two>0)")},
	/* One boundary begins as the other. */
	{STR(MIXED "--b\r\n" NESTED "--b2\r\n\r\none\r\n--b2--\r\n--b--\r\n"),
	 STR("multipart/mixed(multipart/mixed(text/plain<one>0))")},
	{STR(MIXED "--b\r\n\r\none\r\n--b2\r\n--bx--\r\n--b \tx\r\n\r\ntwo\r\n--b--"),
	 STR("multipart/mixed(text/plain<one\r\n--b2\r\n--bx-->2 text/plain<two>0)")},
	/* The header ends with the delimiter. */
	{STR(MIXED "--b\r\n--b\r\nX: y\r\n--b\r\n\r\n--b--\r\n"),
	 STR("multipart/mixed(text/plain<>0 text/plain<>0 text/plain<>0)")},
	{STR("Content-Type: multipart/mixed; boundary=\"b:c\"\r\n\r\n--b:c\r\nX: y\r\n"
	     "--b:c\r\n\r\ntwo\r\n--b:c--"),
	 STR("multipart/mixed(text/plain<>0 text/plain<two>0)")},
	{STR(MIXED), STR("multipart/mixed()")},
	{STR("Content-Type: multipart/mixed\r\n\r\n--\r\n\r\na\r\n"),
	 STR("multipart/mixed()")},
	{STR(MIXED "--b--\r\n--b\r\n\r\none\r\n"), STR("multipart/mixed()")},
	{STR(MESSAGE "Subject: a\r\n\r\nbody\r\n"),
	 STR("message/rfc822(text/plain<body\r\n>1)")},
	{STR(MIXED "--b\r\n" MESSAGE MIXED "--b\r\n\r\none\r\n--b--\r\n"),
	 STR("multipart/mixed(message/rfc822(multipart/mixed(text/plain<one>0)))")},
	{STR("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	     "eA=="),
	 STR("message/rfc822<eA==>0")},
	/* RFC 2046 §5.1.5 */
	{STR("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
	     "Subject: x\r\n\r\none\r\n--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n"
	     "--b--"),
	 STR("multipart/digest(message/rfc822(text/plain<one>0) text/plain<two>0)")},
	/* ENCODED_MULTIPART */
	{STR("Content-Transfer-Encoding: base64\r\n" MIXED "--b\r\n\r\na\r\n--b--"),
	 STR("multipart/mixed(text/plain<a>0)")},
};

TEST(messages_are_taken_apart)
{
	struct buf buf = BUF(10000);
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mime mime = mime_parse(&arena, cases[i].text);

		buf_reset(&buf);
		show(&buf, cases[i].text, mime.root);
		CHECK_STR(buf_str(&buf), cases[i].want);
		CHECK(!mime.is_cut);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	buf_fini(&buf);
}

TEST(a_part_knows_its_places_and_fields)
{
	struct str text = STR("A: b\r\n" MIXED "--b\r\n"
			      "Content-Type: image/png; name=x\r\n"
			      "content-transfer-encoding: Base64\r\n"
			      "Content-Disposition: attachment;\r\n filename=y\r\n"
			      "Content-ID: <i@d>\r\nContent-Description: a\r\n b\r\n"
			      "Content-Language: de, en\r\nContent-Location: l\r\n"
			      "Content-MD5: m==\r\nContent-ID: <second>\r\n\r\n"
			      "abcd\r\n--b--\r\n");
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct mime mime = mime_parse(&arena, text);
	struct mime_part *part = mime.root->first;

	CHECK(mime.part_count == 2 && mime_next(mime.root) == part && !mime_next(part));
	CHECK(mime.root->header_at == 0 && mime.root->body_at == mime.root->header_len);
	CHECK(mime.root->body_at + mime.root->body_len == text.len);
	CHECK(part->header_at == mime.root->body_at + 5);
	CHECK_STR(str_first(str_skip(text, part->body_at), part->body_len), STR("abcd"));
	CHECK(mime_is(part, "IMAGE", "PNG") && part->transfer == MAIL_TRANSFER_BASE64);
	CHECK_STR(mail_param_plain(&part->params, STR("NAME")), STR("x"));
	CHECK_STR(part->disposition.type, STR("attachment"));
	CHECK_STR(mail_param_plain(&part->disposition.params, STR("filename")), STR("y"));
	CHECK_STR(part->id, STR("<i@d>"));
	CHECK_STR(part->description, STR("a b"));
	CHECK_STR(part->language, STR("de, en"));
	CHECK_STR(part->location, STR("l"));
	CHECK_STR(part->md5, STR("m=="));
	CHECK_STR(part->encoding, STR("Base64"));
	arena_fini(&arena);
}

TEST(messages_inside_have_envelopes)
{
	struct str text = STR(MIXED "--b\r\n" MESSAGE "Subject: a\r\n\r\nbody\r\n--b--");
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct mime mime = mime_parse(&arena, text);

	mime_read_envelopes(&arena, text, mime.root, 10);
	CHECK(!mime.root->envelope && mime.root->first->envelope);
	CHECK_STR(mime.root->first->envelope->subject, STR("a"));
	arena_fini(&arena);
}

TEST(bounds_make_the_rest_opaque)
{
	struct str text = STR(MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n\r\n3");
	struct str deep =
		STR(MIXED "--b\r\n" NESTED "--b2\r\n\r\none\r\n--b2--\r\n--b--");
	struct buf buf = BUF(10000);
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct mime mime = mime_parse_within(&arena, text, 3, 100);

	show(&buf, text, mime.root);
	CHECK(mime.is_cut && mime.part_count == 3);
	CHECK_STR(buf_str(&buf), STR("multipart/mixed(text/plain<one>0 "
				     "text/plain!<two\r\n--b\r\n\r\n3>3)"));
	buf_reset(&buf);
	mime = mime_parse_within(&arena, deep, 100, 2);
	show(&buf, deep, mime.root);
	CHECK(mime.is_cut);
	CHECK_STR(buf_str(&buf),
		  STR("multipart/mixed(multipart/mixed!<--b2\r\n\r\none\r\n"
		      "--b2-->3)"));
	buf_reset(&buf);
	mime = mime_parse_within(&arena, deep, 100, 1);
	show(&buf, deep, mime.root);
	CHECK(mime.is_cut && mime.root->kind == MIME_LEAF);
	arena.max = arena.used + 20;
	CHECK(mime_parse(&arena, text).is_cut);
	arena_fini(&arena);
	buf_fini(&buf);
}

TEST(hostile_messages_cost_no_more_than_their_length)
{
	static const char *const pieces[] = {
		"--b\r\n\r\nx\r\n",
		"--b\r\n" MESSAGE,
		"--b\r\n" NESTED "--b2\r\n",
		"--b\n",
		"--",
		"--b2\n--b",
		MESSAGE,
		"--b\r\n" MIXED,
		"\n",
		"--b\r\nContent-Type: multipart/x; boundary=bb; a=b; c=d\n e\n",
	};
	size_t len = 2000000;
	char *text = mem_zeroed(len, 1);

	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		struct str start = STR(MIXED), piece = str_c(pieces[p]);
		struct arena arena;

		arena_init(&arena, 20 << 20);
		for (size_t i = 0; i < len; i++)
			text[i] = piece.ptr[i % piece.len];
		memcpy(text, start.ptr, start.len);
		struct mime mime = mime_parse(&arena, (struct str){text, len});

		CHECK(mime.root && mime.part_count <= MIME_PARTS_MAX);
		arena_fini(&arena);
	}
	mem_free(text);
}

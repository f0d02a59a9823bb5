#include "ctl/letter.h"

#include "base/mem.h"
#include "base/test.h"

static const struct letter_header header = {
	.from = STR("Ann <ann@example.org>"),
	.id = STR("ID"),
	.domain = STR("mx.example.org"),
	.now = 1700000000,
};

#define ADDED                                                                            \
	"From: Ann <ann@example.org>\r\n"                                                \
	"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"                                      \
	"Message-ID: <ID@mx.example.org>\r\n"

TEST(lines_end_in_crlf_and_a_dot_ends_them)
{
	static const struct {
		struct str raw;
		bool dots_count;
		const char *lines;
	} cases[] = {
		{STR("a\nb\r\nc"), false, "a\r\nb\r\nc\r\n"},
		{STR("a\n.\nb\n"), false, "a\r\n"},
		{STR("a\n.\nb\n"), true, "a\r\n.\r\nb\r\n"},
		{STR("..\n.x\n"), false, "..\r\n.x\r\n"},
		{STR("10%\r20%\rdone\n"), false, "10%\r\n20%\r\ndone\r\n"},
		{STR("a\0b\n"), false, "ab\r\n"},
		{STR(""), false, ""},
		{STR("\n"), false, "\r\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf out = BUF(1000);

		letter_lines_add(&out, cases[i].raw, cases[i].dots_count);
		CHECK_STR(buf_str(&out), str_c(cases[i].lines));
		buf_fini(&out);
	}
}

TEST(what_a_header_lacks_is_added_and_bcc_goes)
{
	static const struct {
		const char *lines, *whole;
	} cases[] = {
		{"Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n" ADDED "\r\nbody\r\n"},
		{"no header at all\r\n", ADDED "\r\nno header at all\r\n"},
		{"\r\nbody\r\n", ADDED "\r\nbody\r\n"},
		{"", ADDED "\r\n"},
		{"From ann Tue\r\nTo: b@c\r\n\r\n", "To: b@c\r\n" ADDED "\r\n"},
		{"bcc: e@f,\r\n g@h\r\nfrom: z@z\r\ndate: d\r\nmessage-id: "
		 "m\r\n\r\nB\r\n",
		 "from: z@z\r\ndate: d\r\nmessage-id: m\r\n\r\nB\r\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf out = BUF(1000);

		letter_add(&out, str_c(cases[i].lines), &header);
		CHECK_STR(buf_str(&out), str_c(cases[i].whole));
		buf_fini(&out);
	}
}

TEST(the_header_names_recipients)
{
	static const struct {
		const char *lines, *wanted; /* NULL: refused */
	} cases[] = {
		{"To: b@c, D <d@e>\r\nCc: root\r\nBcc: g: f@g;\r\n\r\nTo: no@no\r\n",
		 "b@c d@e root@dom f@g "},
		{"To: b@c\r\nResent-To: r@s\r\n\r\n", "r@s "},
		{"To: \"a b\"@c\r\n\r\n", "\"a b\"@c "},
		{"Subject: x\r\n\r\n", ""},
		{"To: a@b c@d e@\r\n\r\n", NULL},
		{"To: undisclosed-recipients:;\r\n\r\n", ""},
	};
	struct str *list = NEW_ARRAY(struct str, LETTER_RECIPIENTS_MAX);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf all = BUF(1000);
		struct arena arena;
		struct str bad;
		size_t count = 0;

		arena_init(&arena, 1 << 20);
		bool is_good = letter_recipients(str_c(cases[i].lines), STR("dom"),
						 &arena, list, &count, &bad);

		for (size_t j = 0; j < count; j++)
			buf_printf(&all, "%.*s ", STR_FMT(list[j]));
		CHECK(is_good == (cases[i].wanted != NULL));
		if (is_good && cases[i].wanted)
			CHECK_STR(buf_str(&all), str_c(cases[i].wanted));
		buf_fini(&all);
		arena_fini(&arena);
	}
	mem_free(list);
}

#include "wire/smtp/path.h"

#include "base/buf.h"
#include "base/test.h"

static const struct {
	struct str input;
	bool ok;
	struct str local, domain;
} cases[] = {
	{STR("<>"), true, STR(""), STR("")},
	{STR("<ann@example.org> SIZE=10"), true, STR("ann"), STR("example.org")},
	{STR("<\"ann \\\" lee\"@example.org>"), true, STR("\"ann \\\" lee\""),
	 STR("example.org")},
	{STR("<\"a@b\"@example.org>"), true, STR("\"a@b\""), STR("example.org")},
	{STR("<ann@[192.0.2.1]>"), true, STR("ann"), STR("[192.0.2.1]")},
	{STR("<ann@[IPv6:2001:db8::1]>"), true, STR("ann"), STR("[IPv6:2001:db8::1]")},
	{STR("<PostMaster>"), true, STR("PostMaster"), STR("")},
	{STR("<postmaster@example.org>"), true, STR("postmaster"), STR("example.org")},
	{STR("<@a.example,@b.example:ann@example.org>"), true, STR("ann"),
	 STR("example.org")},
	{STR("<@a.example:>"), false, STR(""), STR("")},
	{STR("<postmaste>"), false, STR(""), STR("")},
	{STR("<@a.example,ann@example.org>"), false, STR(""), STR("")},
	{STR(""), false, STR(""), STR("")},
	{STR("<"), false, STR(""), STR("")},
	{STR("<ann@example.org"), false, STR(""), STR("")},
	{STR("<ann..lee@example.org>"), false, STR(""), STR("")},
	{STR("<.ann@example.org>"), false, STR(""), STR("")},
	{STR("<ann.@example.org>"), false, STR(""), STR("")},
	{STR("<@example.org>"), false, STR(""), STR("")},
	{STR("<ann@-example.org>"), false, STR(""), STR("")},
	{STR("<ann@[300.0.2.1]>"), false, STR(""), STR("")},
	{STR("<ann@example.org\0>"), false, STR(""), STR("")},
	{STR("<\"ann@example.org>"), false, STR(""), STR("")},
	{STR("<\"ann\\\x01\"@example.org>"), false, STR(""), STR("")},
	{STR("<j\xc3\xbcrg@example.org>"), false, STR(""), STR("")},
};

TEST(reads_paths)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct smtp_path path = {0};
		struct cursor c = cur_over(cases[i].input);
		bool ok = smtp_path_parse(&c, SMTP_ASCII, &path);

		if (ok != cases[i].ok)
			CHECK_STR(cases[i].input, STR("another verdict"));
		CHECK_STR(path.local, cases[i].local);
		CHECK_STR(path.domain, cases[i].domain);
		CHECK(!path.is_utf8);
	}
}

TEST(reads_utf8_paths_only_when_told)
{
	struct smtp_path path = {0};
	struct cursor c = cur_over(STR("<j\xc3\xbcrg@b\xc3\xbc"
				       "cher.example>"));

	CHECK(!smtp_path_parse(&c, SMTP_ASCII, &path));
	CHECK(smtp_path_parse(&c, SMTP_UTF8, &path) && path.is_utf8);
	CHECK_STR(path.domain, STR("b\xc3\xbc"
				   "cher.example"));
	CHECK(smtp_mailbox_parse(STR("\"\xc3\xbc x\"@example.org"), SMTP_UTF8, &path));
	CHECK(path.is_utf8);
	CHECK(!smtp_mailbox_parse(STR("\xc3@example.org"), SMTP_UTF8, &path));
}

TEST(keeps_the_bounds_of_paths)
{
	char text[400];
	struct smtp_path path;
	struct buf long_path = BUF(400);

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = 'a';
	text[SMTP_LOCAL_MAX] = '@';
	CHECK(smtp_mailbox_parse((struct str){text, 150}, SMTP_ASCII, &path));
	text[SMTP_LOCAL_MAX] = 'a';
	text[SMTP_LOCAL_MAX + 1] = '@';
	CHECK(!smtp_mailbox_parse((struct str){text, 150}, SMTP_ASCII, &path));
	for (size_t labels = 124; labels <= 127; labels++) { /* 1 + 4 + 2 n + 1 octets */
		buf_reset(&long_path);
		buf_add(&long_path, STR("<a@"));
		for (size_t i = 0; i < labels; i++)
			buf_add(&long_path, STR("b."));
		buf_add(&long_path, STR("cc>"));
		struct cursor c = cur_over(buf_str(&long_path));

		CHECK(smtp_path_parse(&c, SMTP_ASCII, &path) == (long_path.len <= 256));
	}
	buf_fini(&long_path);
}

TEST(a_mailbox_is_the_whole_text)
{
	struct smtp_path path;

	CHECK(smtp_mailbox_parse(STR("ann@example.org"), SMTP_ASCII, &path));
	CHECK(!smtp_mailbox_parse(STR("ann@example.org "), SMTP_ASCII, &path));
	CHECK(!smtp_mailbox_parse(STR("postmaster"), SMTP_ASCII, &path));
	CHECK(!smtp_mailbox_parse(STR(""), SMTP_ASCII, &path));
}

TEST(quoting_does_not_change_a_local_part)
{
	struct arena arena;
	struct str plain;

	arena_init(&arena, 1000);
	CHECK(smtp_local_plain(STR("ann"), &arena, &plain));
	CHECK_STR(plain, STR("ann"));
	CHECK(smtp_local_plain(STR("\"a\\n\\\"n\""), &arena, &plain));
	CHECK_STR(plain, STR("an\"n"));
	CHECK(smtp_local_plain(STR("\"\""), &arena, &plain));
	CHECK_STR(plain, STR(""));
	arena_fini(&arena);
	arena_init(&arena, 1);
	CHECK(!smtp_local_plain(STR("\"a long one\""), &arena, &plain));
	arena_fini(&arena);
}

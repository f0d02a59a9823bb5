#include "wire/imap/acl.h"

#include "base/buf.h"

#include "base/test.h"

static const struct {
	struct str input;
	bool ok;
	const char *mailbox, *identifier;
	char how;
	const char *rights;
} cases[] = {
	{STR("INBOX bob lrs"), true, "INBOX", "bob", 0, "lrs"},
	{STR("inbox \"bob@example.org\" \"\""), true, "INBOX", "bob@example.org", 0, ""},
	{STR("Work -anyone +lr"), true, "Work", "-anyone", '+', "lr"},
	{STR("Work {3}\r\nbob -w0"), true, "Work", "bob", '-', "w0"},
	{STR("Work bob +"), true, "Work", "bob", '+', ""},
	{STR("Work bob LRS"), false, 0, 0, 0, 0}, /* a capital MUST be BAD */
	{STR("Work bob +-l"), false, 0, 0, 0, 0},
	{STR("Work \"\" lrs"), false, 0, 0, 0, 0},
	{STR("Work \"\xFF\" lrs"), false, 0, 0, 0, 0},
	{STR("Work {2}\r\n\r\n lrs"), false, 0, 0, 0, 0},
	{STR("Work bob"), false, 0, 0, 0, 0},
	{STR("Work"), false, 0, 0, 0, 0},
	{STR(""), false, 0, 0, 0, 0},
};

TEST(setacl_takes_a_mailbox_an_identifier_and_rights)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_acl acl;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(cases[i].input, &arena);
		bool ok = imap_setacl(&in, &acl);

		CHECK(ok == cases[i].ok);
		if (!ok) {
			CHECK(in.at.at == cases[i].input.ptr && in.reason.len > 0);
			continue;
		}
		CHECK(cur_done(in.at));
		CHECK_STR(acl.mailbox, str_c(cases[i].mailbox));
		CHECK_STR(acl.identifier, str_c(cases[i].identifier));
		CHECK(acl.how == cases[i].how);
		CHECK_STR(acl.rights, str_c(cases[i].rights));
	}
}

TEST(long_identifiers_and_rights_are_refused)
{
	static const struct {
		size_t name, rights;
		bool ok;
	} sizes[] = {{512, 1, true}, {513, 1, false}, {1, 64, true}, {1, 65, false}};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		SCOPED(arena_fini) struct arena arena;
		SCOPED(buf_fini) struct buf line = BUF(10000);
		struct imap_acl acl;

		arena_init(&arena, 100000);
		buf_add_c(&line, "INBOX ");
		for (size_t n = 0; n < sizes[i].name; n++)
			buf_add_byte(&line, 'x');
		buf_add_byte(&line, ' ');
		for (size_t n = 0; n < sizes[i].rights; n++)
			buf_add_byte(&line, 'l');
		struct imap_in in = imap_in_over(buf_str(&line), &arena);

		CHECK(imap_setacl(&in, &acl) == sizes[i].ok);
		in = imap_in_over(buf_str(&line), &arena);
		CHECK(imap_identified(&in, &acl) == (sizes[i].name <= 512));
	}
}

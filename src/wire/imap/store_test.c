#include "wire/imap/store.h"

#include "base/test.h"

static const struct {
	struct str input;
	bool ok;
	enum imap_store_how how;
	bool is_silent;
	unsigned system;
	size_t keywords;
	uint64_t unchanged_since;
} cases[] = {
	{STR("1 FLAGS (\\Seen)"), true, IMAP_STORE_REPLACE, false, IMAP_SEEN, 0},
	{STR("1:* +flags.silent (\\Deleted $Junk)"), true, IMAP_STORE_ADD, true,
	 IMAP_DELETED, 1},
	{STR("1 -FLAGS \\Seen x"), true, IMAP_STORE_REMOVE, false, IMAP_SEEN, 1},
	{STR("1 FLAGS ()"), true, IMAP_STORE_REPLACE, false, 0, 0},
	{STR("1 (UNCHANGEDSINCE 12) +FLAGS (\\Seen)"), true, IMAP_STORE_ADD, false,
	 IMAP_SEEN, 0, 12},
	{STR("1 (unchangedsince 0) FLAGS.SILENT ()"), true, IMAP_STORE_REPLACE, true, 0,
	 0},
	{STR("1 (UNCHANGEDSINCE) FLAGS ()"), false, 0, false, 0, 0},
	{STR("1 (UNCHANGEDSINCE 9223372036854775808) FLAGS ()"), false, 0, false, 0, 0},
	{STR("1 (CHANGEDSINCE 1) FLAGS ()"), false, 0, false, 0, 0},
	{STR("1 (UNCHANGEDSINCE 1)"), false, 0, false, 0, 0},
	{STR("1 FLAGS"), false, 0, false, 0, 0},
	{STR("1 FOO (\\Seen)"), false, 0, false, 0, 0},
	{STR("1 + (\\Seen)"), false, 0, false, 0, 0},
	{STR("0 FLAGS (\\Seen)"), false, 0, false, 0, 0},
	{STR("1 FLAGS (\\Seen"), false, 0, false, 0, 0},
};

TEST(store_takes_its_three_forms)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_store store;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(cases[i].input, &arena);
		bool ok = imap_store(&in, &store);

		CHECK(ok == cases[i].ok && ok == cur_done(in.at));
		CHECK(ok || (in.reason.len > 0 && in.at.at == cases[i].input.ptr));
		if (!ok)
			continue;
		CHECK(store.how == cases[i].how && store.is_silent == cases[i].is_silent);
		CHECK(store.flags.system == cases[i].system);
		CHECK(store.unchanged_since == cases[i].unchanged_since);
		CHECK(store.flags.keyword_count == cases[i].keywords);
	}
}

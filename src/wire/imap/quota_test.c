#include "wire/imap/quota.h"

#include "base/buf.h"
#include "base/test.h"

static bool reads(struct str input, struct str *root)
{
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 100000);
	struct imap_in in = imap_in_over(input, &arena);
	bool ok = imap_setquota(&in, root);

	CHECK(ok ? cur_done(in.at) : in.at.at == input.ptr && in.reason.len > 0);
	return ok;
}

TEST(setquota_is_read)
{
	struct str root;

	CHECK(reads(STR("\"\" ()"), &root) && root.len == 0);
	CHECK(reads(STR("x (STORAGE 5 )"), &root)); /* docs/LENIENCY.md */
	CHECK(reads(STR("\"#user/alice\" (STORAGE 510)"), &root));
	CHECK_STR(root, STR("#user/alice"));
	CHECK(reads(STR("x (STORAGE 0 MESSAGE 9223372036854775807)"), &root));
	CHECK_STR(root, STR("x"));
}

TEST(a_wrong_setquota_is_refused)
{
	static const struct str bad[] = {
		STR(""),
		STR("x"),
		STR("x "),
		STR("x STORAGE 5"),
		STR("x (STORAGE)"),
		STR("x (STORAGE 5"),
		STR("x (STORAGE -1)"),
		STR("x (STORAGE 9223372036854775808)"),
		STR("x (5)"),
	};
	struct str root;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!reads(bad[i], &root));
}

TEST(setquota_has_a_bound)
{
	SCOPED(buf_fini) struct buf text = BUF(10000);
	struct str root;

	buf_add_c(&text, "x (A 1");
	for (int i = 1; i < IMAP_QUOTA_LIMITS_MAX; i++)
		buf_add_c(&text, " A 1");
	buf_add_c(&text, ")");
	CHECK(reads(buf_str(&text), &root));
	buf_cut(&text, text.len - 1);
	buf_add_c(&text, " A 1)");
	CHECK(!reads(buf_str(&text), &root));
}

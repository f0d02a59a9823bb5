#include "directory/record.h"

#include "base/test.h"

TEST(an_alias_row_comes_back_as_it_was)
{
	struct arena arena;
	struct buf value = BUF(1000);
	struct str targets[] = {STR("ann@example.com"), STR("b@example.org")};
	struct directory_entry given = {.targets = targets, .target_count = 2}, got;

	arena_init(&arena, 10000);
	record_add_address(&value, &given);
	CHECK(record_address(buf_str(&value), &arena, &got) == DIRECTORY_ALIAS);
	CHECK(got.target_count == 2);
	CHECK_STR(got.targets[1], STR("b@example.org"));
	for (size_t cut = 0; cut < value.len; cut++)
		CHECK(record_address(str_first(buf_str(&value), cut), &arena, &got) ==
		      DIRECTORY_UNKNOWN);
	buf_fini(&value);
	arena_fini(&arena);
}

TEST(an_account_row_comes_back_as_it_was)
{
	struct arena arena;
	struct buf value = BUF(1000);
	struct account_record record = {ACCOUNT_REMOVED, DIRECTORY_SHARED,
					STR("ann@example.com")},
			      got;

	arena_init(&arena, 10000);
	record_add_account(&value, &record);
	CHECK(record_account(buf_str(&value), &got));
	CHECK(got.state == ACCOUNT_REMOVED && got.role == DIRECTORY_SHARED);
	CHECK_STR(got.address, record.address);
	for (size_t cut = 0; cut < value.len; cut++)
		CHECK(!record_account(str_first(buf_str(&value), cut), &got));
	CHECK_STR(record_account_key(&arena, 255), STR("d/acc/000000ff"));
	buf_fini(&value);
	arena_fini(&arena);
}

TEST(no_address_leads_to_the_system_account)
{
	struct arena arena;
	struct directory_entry got;

	arena_init(&arena, 10000);
	CHECK(record_address((struct str){"\1\0\0\0\0", 5}, &arena, &got) ==
	      DIRECTORY_UNKNOWN);
	arena_fini(&arena);
}

TEST(a_list_of_dkim_keys_comes_back_as_it_was)
{
	struct arena arena;
	struct buf value = BUF(1000);
	struct directory_dkim given[] = {
		{STR("r1"), VAULT_DKIM_RSA, DKIM_KEY_RETIRED, 5},
		{STR("e2"), VAULT_DKIM_ED25519, DKIM_KEY_NEXT, 1795334400}};
	struct directory_dkim *got;
	size_t count;

	arena_init(&arena, 100000);
	record_add_dkim(&value, given, 2);
	CHECK(record_dkim(buf_str(&value), &arena, &got, &count) && count == 2);
	CHECK_STR(got[1].selector, STR("e2"));
	CHECK(got[0].kind == VAULT_DKIM_RSA && got[1].kind == VAULT_DKIM_ED25519);
	CHECK(got[0].state == DKIM_KEY_RETIRED && got[1].since_s == 1795334400);
	for (size_t cut = 0; cut < value.len; cut++)
		CHECK(!record_dkim(str_first(buf_str(&value), cut), &arena, &got,
				   &count));
	value.ptr[5] = 4; /* no such state */
	CHECK(!record_dkim(buf_str(&value), &arena, &got, &count));
	buf_fini(&value);
	arena_fini(&arena);
}

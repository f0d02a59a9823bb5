#include "vaultd/recent.h"

#include "base/test.h"
#include "vaultd/tickets.h"

TEST(remembers_what_was_right_for_an_hour)
{
	SCOPED(recent_free) struct recent *recent = recent_new();
	struct recent_tag tag = recent_tag(recent, 7, STR("pass"));
	struct recent_tag other = recent_tag(recent, 7, STR("Pass"));

	CHECK(!recent_has(recent, 7, 1, &tag, 1000));
	recent_add(recent, 7, 1, &tag, 1000);
	CHECK(recent_has(recent, 7, 1, &tag, 1000));
	CHECK(!recent_has(recent, 7, 1, &other, 1000));
	CHECK(!recent_has(recent, 7, 2, &tag, 1000)); /* the password was changed */
	CHECK(!recent_has(recent, 8, 1, &tag, 1000));
	CHECK(recent_has(recent, 7, 1, &tag, 1000 + RECENT_SECONDS * 1000 - 1));
	CHECK(!recent_has(recent, 7, 1, &tag, 1000 + RECENT_SECONDS * 1000));
	recent_forget(recent, 7);
	CHECK(!recent_has(recent, 7, 1, &tag, 1000));
}

TEST(tags_differ_by_account_and_by_process)
{
	SCOPED(recent_free) struct recent *recent = recent_new();
	SCOPED(recent_free) struct recent *elsewhere = recent_new();
	struct recent_tag tag = recent_tag(recent, 7, STR("pass"));
	struct recent_tag of_other = recent_tag(recent, 8, STR("pass"));
	struct recent_tag there = recent_tag(elsewhere, 7, STR("pass"));

	CHECK(memcmp(&tag, &of_other, sizeof tag) != 0);
	CHECK(memcmp(&tag, &there, sizeof tag) != 0);
}

TEST(recent_successes_are_bounded)
{
	SCOPED(recent_free) struct recent *recent = recent_new();
	struct recent_tag tag = recent_tag(recent, 1, STR("pass"));
	unsigned known = 0;

	for (uint32_t account = 1; account <= 200000; account++)
		recent_add(recent, account, 1, &tag, account);
	for (uint32_t account = 1; account <= 200000; account++)
		known += recent_has(recent, account, 1, &tag, 200000);
	CHECK(known > 60000 && known <= 65536);
	CHECK(recent_has(recent, 200000, 1, &tag, 200000));
}

TEST(ticket_keys_rotate_and_the_last_one_stays)
{
	struct tickets tickets = {0}, before;

	tickets_renew(&tickets, 5000);
	before = tickets;
	CHECK(memcmp(tickets.keys[0], tickets.keys[1], TICKET_KEY_BYTES) != 0);
	tickets_renew(&tickets, 5000 + TICKET_SECONDS * 1000 - 1);
	CHECK(memcmp(&tickets, &before, sizeof before) == 0);
	tickets_renew(&tickets, 5000 + TICKET_SECONDS * 1000);
	CHECK(memcmp(tickets.keys[1], before.keys[0], TICKET_KEY_BYTES) == 0);
	CHECK(memcmp(tickets.keys[0], before.keys[0], TICKET_KEY_BYTES) != 0);
}

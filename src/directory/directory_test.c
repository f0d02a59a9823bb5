#include "directory/directory.h"

#include <stdio.h>

#include "base/test.h"
#include "directory/dkim.h"
#include "directory/fake_store.h"

/* A directory with one domain, an admin, a user and what a test adds. */
struct world {
	struct fake_store *fake;
	struct directory directory;
	struct arena arena;
};

static account_t add_account(struct world *world, struct str address, bool is_admin)
{
	account_t account = ACCOUNT_SYSTEM;

	CHECK(directory_add_account(&world->directory, address,
				    is_admin ? DIRECTORY_ADMIN : DIRECTORY_PERSON,
				    &account) == STORE_OK);
	return account;
}

static void world_open(struct world *world, struct fake_store *fake)
{
	world->fake = fake;
	world->directory = (struct directory){fake->store, STR("example.com")};
	arena_init(&world->arena, (size_t)16 * 1024 * 1024);
	CHECK(directory_add_domain(&world->directory, STR("Example.com")) == STORE_OK);
	CHECK(add_account(world, STR("Root@example.com"), true) == 1);
	CHECK(add_account(world, STR("ann@example.com"), false) == 2);
}

static void world_fini(struct world *world)
{
	arena_fini(&world->arena);
}

static enum directory_find find(struct world *world, struct str local, struct str domain,
				account_t *account)
{
	struct directory_entry entry;
	enum directory_find found =
		directory_find(&world->directory, local, domain, &world->arena, &entry);

	*account = entry.account;
	return found;
}

static void finds(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	account_t account;

	world_open(&world, fake);
	CHECK(find(&world, STR("ANN"), STR("EXAMPLE.COM"), &account) ==
		      DIRECTORY_ACCOUNT &&
	      account == 2);
	CHECK(find(&world, STR("ann+news"), STR(""), &account) == DIRECTORY_ACCOUNT &&
	      account == 2);
	CHECK(find(&world, STR("bob"), STR("example.com"), &account) == DIRECTORY_NOBODY);
	CHECK(find(&world, STR("ann"), STR("example.org"), &account) ==
	      DIRECTORY_FOREIGN);
	CHECK(find(&world, STR("ann"), STR("[192.0.2.1]"), &account) ==
	      DIRECTORY_FOREIGN);
	CHECK(find(&world, STR("Postmaster"), STR("example.com"), &account) ==
		      DIRECTORY_ACCOUNT &&
	      account == 1);
	CHECK(find(&world, STR("postmaster"), STR("example.org"), &account) ==
	      DIRECTORY_FOREIGN);
	CHECK(directory_find_login(&world.directory, STR("ann"), &world.arena,
				   &account) == DIRECTORY_ACCOUNT &&
	      account == 2);
	CHECK(directory_find_login(&world.directory, STR("ann@example.org"), &world.arena,
				   &account) == DIRECTORY_NOBODY &&
	      account == ACCOUNT_SYSTEM);
}

TEST(finds_people_whatever_way_they_are_written)
{
	fake_store_run(finds);
}

static void cannot_tell(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	account_t account;
	bool is_sure;

	world_open(&world, fake);
	fake->refuse = STORE_UNAVAILABLE;
	for (unsigned after = 0; after < 2; after++) {
		fake->calls = 0;
		fake->refuse_after = after;
		CHECK(find(&world, STR("bob"), STR("example.com"), &account) ==
		      DIRECTORY_UNKNOWN);
	}
	fake->refuse_after = 0;
	CHECK(directory_find_login(&world.directory, STR("ann"), &world.arena,
				   &account) == DIRECTORY_UNKNOWN);
	CHECK(!directory_may_send_as(&world.directory, 2, STR("ann"), STR("example.com"),
				     &world.arena, &is_sure) &&
	      !is_sure);
}

TEST(says_when_it_cannot_tell)
{
	fake_store_run(cannot_tell);
}

static void is_unique(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct str targets[] = {STR("ann@example.com")};
	account_t account;

	world_open(&world, fake);
	CHECK(directory_add_domain(&world.directory, STR("example.COM")) ==
	      STORE_CONFLICT);
	CHECK(directory_add_account(&world.directory, STR("ANN@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_CONFLICT);
	CHECK(directory_add_alias(&world.directory, STR("ann@example.com"), targets, 1) ==
	      STORE_CONFLICT);
	CHECK(directory_add_alias(&world.directory, STR("info@example.com"), targets,
				  1) == STORE_OK);
	CHECK(directory_add_account(&world.directory, STR("info@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_CONFLICT);
	CHECK(directory_add_account(&world.directory, STR("ann@example.org"),
				    DIRECTORY_PERSON, &account) == STORE_ABSENT);
	CHECK(directory_add_account(&world.directory, STR("a+b@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_INVALID);
	CHECK(fake->accounts == 2 && fake->mailboxes == 2 * 5);
}

TEST(an_address_belongs_to_one)
{
	fake_store_run(is_unique);
}

/* Somebody else makes account 3 between our reading of the next number and our commit. */
static void take_number_three(struct fake_store *fake)
{
	fake_store_put(fake, STR("d/acc/00000003"),
		       STR("\1\1\0\x05"
			   "other"));
}

static void numbers(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;

	world_open(&world, fake);
	fake->before_commit = take_number_three;
	CHECK(add_account(&world, STR("bob@example.com"), false) == 4);
	CHECK(directory_remove_account(&world.directory, STR("bob@example.com")) ==
	      STORE_OK);
	CHECK(add_account(&world, STR("bob@example.com"), false) == 5);
}

TEST(account_numbers_are_never_given_twice)
{
	fake_store_run(numbers);
}

/* The directory's rows were written, then the power went: no mailboxes. */
static void heals(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	account_t account;

	world_open(&world, fake);
	fake->calls = 0;
	fake->refuse = STORE_UNAVAILABLE;
	fake->refuse_after = 3; /* the domain, the number, the rows */
	CHECK(directory_add_account(&world.directory, STR("bob@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_UNAVAILABLE);
	CHECK(fake->accounts == 2);
	fake->refuse = STORE_OK;
	CHECK(add_account(&world, STR("bob@example.com"), false) == 3);
	CHECK(fake->accounts == 3 && fake->made[2] == 3);
	CHECK(directory_add_account(&world.directory, STR("bob@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_CONFLICT);
}

TEST(an_account_cut_short_is_finished_by_asking_again)
{
	fake_store_run(heals);
}

static void removes(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct directory_account record;
	account_t account;

	world_open(&world, fake);
	CHECK(directory_account(&world.directory, 2, &world.arena, &record) ==
	      DIRECTORY_ACCOUNT);
	CHECK_STR(record.address, STR("ann@example.com"));
	CHECK(!record.is_admin);
	CHECK(directory_remove_domain(&world.directory, STR("example.com")) ==
	      STORE_CONFLICT);
	CHECK(directory_remove_alias(&world.directory, STR("ann@example.com")) ==
	      STORE_ABSENT);
	CHECK(directory_remove_account(&world.directory, STR("Ann@example.com")) ==
	      STORE_OK);
	CHECK(directory_remove_account(&world.directory, STR("ann@example.com")) ==
	      STORE_ABSENT);
	CHECK(directory_account(&world.directory, 2, &world.arena, &record) ==
	      DIRECTORY_NOBODY);
	CHECK(add_account(&world, STR("second@example.com"), true) == 3);
	CHECK(directory_remove_account(&world.directory, STR("root@example.com")) ==
	      STORE_OK);
	CHECK(find(&world, STR("postmaster"), STR("example.com"), &account) ==
		      DIRECTORY_ACCOUNT &&
	      account == 3); /* the other admin */
	CHECK(directory_remove_account(&world.directory, STR("second@example.com")) ==
	      STORE_OK);
	CHECK(find(&world, STR("postmaster"), STR("example.com"), &account) ==
	      DIRECTORY_NOBODY);
	CHECK(directory_remove_domain(&world.directory, STR("example.com")) == STORE_OK);
	CHECK(find(&world, STR("ann"), STR("example.com"), &account) ==
	      DIRECTORY_FOREIGN);
	CHECK(directory_remove_domain(&world.directory, STR("example.com")) ==
	      STORE_ABSENT);
}

TEST(what_is_removed_is_gone)
{
	fake_store_run(removes);
}

static void lists(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct str targets[] = {STR("ann@Example.com"), STR("bob")};
	struct directory_item *items;
	size_t count;

	world_open(&world, fake);
	CHECK(directory_add_alias(&world.directory, STR("info@example.com"), targets,
				  2) == STORE_OK);
	CHECK(directory_list(&world.directory, DIRECTORY_ACCOUNTS, STR(""), 10,
			     &world.arena, &items, &count) == STORE_OK);
	CHECK(count == 2);
	CHECK_STR(items[0].name, STR("ann@example.com"));
	CHECK(!items[0].is_admin && items[1].is_admin && items[1].entry.account == 1);
	CHECK(directory_list(&world.directory, DIRECTORY_ACCOUNTS, items[0].name, 10,
			     &world.arena, &items, &count) == STORE_OK);
	CHECK(count == 1);
	CHECK_STR(items[0].name, STR("root@example.com"));
	CHECK(directory_list(&world.directory, DIRECTORY_ALIASES, STR(""), 10,
			     &world.arena, &items, &count) == STORE_OK);
	CHECK(count == 1 && items[0].entry.target_count == 2);
	CHECK_STR(items[0].entry.targets[0], STR("ann@example.com"));
	CHECK_STR(items[0].entry.targets[1], STR("bob@example.com"));
	CHECK(directory_list(&world.directory, DIRECTORY_DOMAINS, STR(""), 10,
			     &world.arena, &items, &count) == STORE_OK);
	CHECK(count == 1);
	CHECK_STR(items[0].name, STR("example.com"));
}

TEST(lists_each_kind_in_order_page_by_page)
{
	fake_store_run(lists);
}

static void sends_as(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct str targets[] = {STR("team@example.com"), STR("x@example.org")};
	struct str team[] = {STR("ann@example.com")};
	bool is_sure;

	world_open(&world, fake);
	CHECK(directory_add_alias(&world.directory, STR("info@example.com"), targets,
				  2) == STORE_OK);
	CHECK(directory_add_alias(&world.directory, STR("team@example.com"), team, 1) ==
	      STORE_OK);
	CHECK(directory_may_send_as(&world.directory, 2, STR("ann+x"), STR("example.com"),
				    &world.arena, &is_sure) &&
	      is_sure);
	CHECK(directory_may_send_as(&world.directory, 2, STR("info"), STR("example.com"),
				    &world.arena, &is_sure) &&
	      is_sure);
	CHECK(!directory_may_send_as(&world.directory, 1, STR("info"), STR("example.com"),
				     &world.arena, &is_sure) &&
	      is_sure);
	CHECK(!directory_may_send_as(&world.directory, 2, STR("x"), STR("example.org"),
				     &world.arena, &is_sure) &&
	      is_sure);
	CHECK(!directory_may_send_as(&world.directory, ACCOUNT_SYSTEM, STR("x"),
				     STR("example.org"), &world.arena, &is_sure));
}

TEST(one_may_send_as_what_leads_to_one)
{
	fake_store_run(sends_as);
}

static void keeps_dkim_keys(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct directory_dkim given = {STR("s1"), VAULT_DKIM_ED25519, DKIM_KEY_ACTIVE, 7};
	struct directory_dkim *keys;
	struct str domain = STR("Other.example"), nobodys = STR("x.example"),
		   none = STR("no domain");
	size_t count;

	world_open(&world, fake);
	CHECK(directory_dkim(&world.directory, &nobodys, &world.arena, &keys, &count) ==
	      STORE_ABSENT);
	CHECK(directory_dkim(&world.directory, &none, &world.arena, &keys, &count) ==
	      STORE_INVALID);
	CHECK(directory_add_domain(&world.directory, domain) == STORE_OK);
	CHECK(directory_dkim(&world.directory, &domain, &world.arena, &keys, &count) ==
		      STORE_OK &&
	      count == 0);
	CHECK_STR(domain, STR("other.example"));
	CHECK(directory_set_dkim(&world.directory, domain, &given, 1) == STORE_OK);
	CHECK(directory_dkim(&world.directory, &domain, &world.arena, &keys, &count) ==
		      STORE_OK &&
	      count == 1);
	CHECK(keys[0].state == DKIM_KEY_ACTIVE && keys[0].since_s == 7);
	CHECK_STR(keys[0].selector, STR("s1"));
	CHECK(directory_remove_domain(&world.directory, domain) == STORE_OK);
	CHECK(directory_add_domain(&world.directory, domain) == STORE_OK);
	CHECK(directory_dkim(&world.directory, &domain, &world.arena, &keys, &count) ==
		      STORE_OK &&
	      count == 0);
}

TEST(a_domain_has_its_dkim_keys_until_it_goes)
{
	fake_store_run(keeps_dkim_keys);
}

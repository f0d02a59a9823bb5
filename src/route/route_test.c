#include "route/route.h"

#include <stdio.h>

#include "base/test.h"
#include "directory/directory.h"
#include "directory/fake_store.h"

struct world {
	struct directory directory;
	struct arena arena;
	struct route_target *targets;
	size_t count;
};

static void world_open(struct world *world, struct fake_store *fake)
{
	account_t account;

	*world = (struct world){.directory = {fake->store, STR("example.com")}};
	arena_init(&world->arena, (size_t)16 * 1024 * 1024);
	CHECK(directory_add_domain(&world->directory, STR("example.com")) == STORE_OK);
	CHECK(directory_add_account(&world->directory, STR("ann@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_OK);
	CHECK(directory_add_account(&world->directory, STR("bob@example.com"),
				    DIRECTORY_PERSON, &account) == STORE_OK);
}

static void world_fini(struct world *world)
{
	arena_fini(&world->arena);
}

static void alias(struct world *world, const char *name, const char *to, const char *also)
{
	struct str targets[] = {str_c(to), str_c(also)};

	CHECK(directory_add_alias(&world->directory, str_c(name), targets,
				  also ? 2 : 1) == STORE_OK);
}

static enum route route(struct world *world, struct str local, struct str domain)
{
	return route_find(&world->directory, local, domain, &world->arena,
			  &world->targets, &world->count);
}

static void leads(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;

	world_open(&world, fake);
	alias(&world, "info@example.com", "ann@example.com", "bob+info@example.com");
	alias(&world, "all@example.com", "info@example.com", "Eve@Example.ORG");
	alias(&world, "out@example.com", "eve@example.org", NULL);
	alias(&world, "gone@example.com", "nobody@example.com", NULL);
	CHECK(route(&world, STR("ann+x"), STR("example.com")) == ROUTE_LOCAL);
	CHECK(world.count == 1 && world.targets[0].kind == QUEUE_LOCAL &&
	      world.targets[0].account == 1);
	CHECK_STR(world.targets[0].address, STR("ann+x@example.com"));
	CHECK(route(&world, STR("Eve"), STR("Example.ORG")) == ROUTE_REMOTE);
	CHECK(world.count == 1 && world.targets[0].kind == QUEUE_REMOTE);
	CHECK_STR(world.targets[0].address, STR("Eve@example.org"));
	CHECK(route(&world, STR("eve"), STR("[192.0.2.1]")) == ROUTE_REMOTE);
	CHECK_STR(world.targets[0].address, STR("eve@[192.0.2.1]"));
	CHECK(route(&world, STR("nobody"), STR("example.com")) == ROUTE_NOBODY);
	CHECK(route(&world, STR("gone"), STR("example.com")) == ROUTE_NOBODY);
	CHECK(route(&world, STR("info"), STR("example.com")) == ROUTE_LOCAL);
	CHECK(world.count == 2 && world.targets[1].account == 2);
	CHECK_STR(world.targets[1].address, STR("bob+info@example.com"));
	CHECK(route(&world, STR("all"), STR("example.com")) == ROUTE_MIXED);
	CHECK(world.count == 3);
	CHECK(route(&world, STR("out"), STR("example.com")) == ROUTE_MIXED);
	CHECK(world.count == 1 && world.targets[0].kind == QUEUE_REMOTE);
}

TEST(recipients_lead_where_the_directory_says)
{
	fake_store_run(leads);
}

static void loops(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	char name[32], next[32];

	world_open(&world, fake);
	alias(&world, "a@example.com", "b@example.com", NULL);
	alias(&world, "b@example.com", "A@example.com", NULL);
	alias(&world, "list@example.com", "list@example.com", "ann@example.com");
	CHECK(route(&world, STR("a"), STR("example.com")) == ROUTE_LOOP);
	CHECK(route(&world, STR("list"), STR("example.com")) == ROUTE_LOCAL);
	CHECK(world.count == 1 && world.targets[0].account == 1);
	for (int i = 0; i <= ROUTE_ALIAS_DEPTH_MAX; i++) {
		(void)snprintf(name, sizeof name, "deep%d@example.com", i);
		(void)snprintf(next, sizeof next, "deep%d@example.com", i + 1);
		alias(&world, name, i < ROUTE_ALIAS_DEPTH_MAX ? next : "ann@example.com",
		      NULL);
	}
	CHECK(route(&world, STR("deep1"), STR("example.com")) == ROUTE_LOCAL);
	CHECK(route(&world, STR("deep0"), STR("example.com")) == ROUTE_LOOP);
}

TEST(aliases_that_never_end_are_noticed)
{
	fake_store_run(loops);
}

static void bounds(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct str targets[ROUTE_TARGETS_MAX];

	world_open(&world, fake);
	for (size_t i = 0; i < ROUTE_TARGETS_MAX; i++)
		targets[i] = arena_printf(&world.arena, "u%zu@example.org", i);
	CHECK(directory_add_alias(&world.directory, STR("big@example.com"), targets,
				  ROUTE_TARGETS_MAX) == STORE_OK);
	alias(&world, "bigger@example.com", "big@example.com", "one@example.org");
	CHECK(route(&world, STR("big"), STR("example.com")) == ROUTE_MIXED);
	CHECK(world.count == ROUTE_TARGETS_MAX);
	CHECK(route(&world, STR("bigger"), STR("example.com")) == ROUTE_LOOP);
	CHECK(world.count == 0);
	targets[1] = targets[0];
	CHECK(directory_add_alias(&world.directory, STR("same@example.com"), targets,
				  2) == STORE_OK);
	CHECK(route(&world, STR("same"), STR("example.com")) == ROUTE_MIXED);
	CHECK(world.count == 1);
}

TEST(each_target_once_and_not_too_many)
{
	fake_store_run(bounds);
}

static void is_unsure(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;

	world_open(&world, fake);
	alias(&world, "info@example.com", "ann@example.com", "bob@example.com");
	fake->refuse = STORE_UNAVAILABLE;
	for (unsigned after = 0; after < 3; after++) {
		fake->calls = 0;
		fake->refuse_after = after;
		CHECK(route(&world, STR("info"), STR("example.com")) == ROUTE_UNKNOWN);
		CHECK(world.count == 0);
	}
}

TEST(a_recipient_is_unknown_while_any_step_is)
{
	fake_store_run(is_unsure);
}

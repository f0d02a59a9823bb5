#include "route/srs.h"

#include "base/test.h"
#include "directory/fake_store.h"
#include "directory/srs_keys.h"
#include "route/route.h"
#include "rt/clock.h"

enum { DAY_S = 86400 };
static const int64_t then = 20000LL * DAY_S;

struct world {
	struct directory directory;
	struct arena arena;
};

static void world_open(struct world *world, struct fake_store *fake)
{
	*world = (struct world){.directory = {fake->store, STR("one.example")}};
	arena_init(&world->arena, 1 << 20);
	CHECK(directory_add_domain(&world->directory, STR("one.example")) == STORE_OK);
	CHECK(directory_renew_srs_keys(&world->directory, then) == STORE_OK);
}

static void world_fini(struct world *world)
{
	arena_fini(&world->arena);
}

static struct str forward(struct world *world, struct str sender, enum srs_way wanted)
{
	struct str address;

	CHECK(srs_forward(&world->directory, sender, then, &world->arena, &address) ==
	      wanted);
	return address;
}

static struct str local_of(struct str address)
{
	return str_first(address, str_find_byte(address, '@'));
}

static enum srs_way back(struct world *world, struct str local, int64_t days,
			 struct str *address)
{
	return srs_back(&world->directory, local, then + days * DAY_S, &world->arena,
			address);
}

static void there_and_back(struct fake_store *fake)
{
	static const struct str senders[] = {
		STR("ann@example.org"),
		STR("a=b+c@example.org"),
		STR("\"a b\"@example.org"),
		STR("ann@[192.0.2.1]"),
		STR("SRS0=HHHH=TT=far.example=ann@first.example"),
		STR("srs0+HHHH=TT=far.example=ann@first.example"),
	};
	SCOPED(world_fini) struct world world;
	struct str address;

	world_open(&world, fake);
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		struct str made = forward(&world, senders[i], SRS_DONE);
		struct str local;

		CHECK(str_ends(made, STR("@one.example")));
		local = str_first(made, made.len - STR("@one.example").len);
		if (str_starts(local, STR("\"")))
			local = str_first(str_skip(local, 1), local.len - 2);
		CHECK(str_starts(local, i < 4 ? STR("SRS0=") : STR("SRS1=")));
		CHECK(back(&world, local, 21, &address) == SRS_DONE);
		CHECK(str_same_nocase(address, senders[i]));
	}
}

TEST(a_sender_is_rewritten_and_found_again)
{
	fake_store_run(there_and_back);
}

static void keeps(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	char text[200];

	world_open(&world, fake);
	memset(text, 'x', sizeof text);
	memcpy(text + 120, "@example.org", 12);
	CHECK_STR(forward(&world, STR(""), SRS_NONE), STR(""));
	CHECK_STR(forward(&world, STR("ann@One.example"), SRS_NONE),
		  STR("ann@One.example"));
	CHECK(forward(&world, (struct str){text, 132}, SRS_NONE).len == 132);
	fake->refuse = STORE_UNAVAILABLE;
	(void)forward(&world, STR("ann@example.org"), SRS_LATER);
}

TEST(senders_of_ours_and_those_too_long_stay)
{
	fake_store_run(keeps);
}

static void refuses(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct str address;
	char text[100];

	world_open(&world, fake);
	struct str made = local_of(forward(&world, STR("ann@example.org"), SRS_DONE));

	CHECK(back(&world, made, 0, &address) == SRS_DONE);
	CHECK(back(&world, made, 22, &address) == SRS_EXPIRED);
	CHECK(back(&world, made, -1, &address) == SRS_EXPIRED);
	for (size_t i = 5; i < made.len; i++) { /* each letter counts */
		memcpy(text, made.ptr, made.len);
		text[i] = text[i] == 'x' ? 'y' : 'x';
		CHECK(back(&world, (struct str){text, made.len}, 0, &address) ==
		      SRS_FORGED);
	}
	memcpy(text, made.ptr, made.len);
	memcpy(text + made.len - 3, "eve", 3); /* replayed for another */
	CHECK(back(&world, (struct str){text, made.len}, 0, &address) == SRS_FORGED);
	CHECK(back(&world, STR("SRS0=rubbish"), 0, &address) == SRS_FORGED);
	CHECK(back(&world, STR("ann"), 0, &address) == SRS_NONE);
	fake->refuse = STORE_UNAVAILABLE;
	CHECK(back(&world, made, 0, &address) == SRS_LATER);
}

TEST(what_was_not_made_here_or_long_ago_leads_nowhere)
{
	fake_store_run(refuses);
}

static void renews(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct srs_keys keys;
	struct str address;

	world_open(&world, fake);
	struct str made = local_of(forward(&world, STR("ann@example.org"), SRS_DONE));

	CHECK(directory_renew_srs_keys(&world.directory, then + 29 * DAY_S) == STORE_OK);
	CHECK(directory_srs_keys(&world.directory, &keys) == STORE_OK && keys.count == 1);
	for (int i = 1; i <= 2; i++) {
		CHECK(directory_renew_srs_keys(&world.directory, then + i * 30 * DAY_S) ==
		      STORE_OK);
		CHECK(back(&world, made, 0, &address) == SRS_DONE);
	}
	CHECK(directory_renew_srs_keys(&world.directory, then + 90 * DAY_S) == STORE_OK);
	CHECK(directory_srs_keys(&world.directory, &keys) == STORE_OK && keys.count == 3);
	CHECK(keys.keys[0].since_s == then + 90 * DAY_S);
	CHECK(back(&world, made, 0, &address) == SRS_FORGED);
}

TEST(an_older_key_is_good_until_nothing_needs_it)
{
	fake_store_run(renews);
}

static void routes(struct fake_store *fake)
{
	SCOPED(world_fini) struct world world;
	struct route_target *targets;
	struct str address;
	size_t count;

	world_open(&world, fake);
	CHECK(srs_forward(&world.directory, STR("ann@example.org"), clock_s(),
			  &world.arena, &address) == SRS_DONE);
	CHECK(route_find(&world.directory, local_of(address), STR("one.example"),
			 &world.arena, &targets, &count) == ROUTE_BACK);
	CHECK(count == 1 && targets[0].kind == QUEUE_REMOTE);
	CHECK_STR(targets[0].address, STR("ann@example.org"));
	CHECK(route_find(&world.directory, STR("SRS0=aaaaaa=TT=x.example=y"),
			 STR("one.example"), &world.arena, &targets,
			 &count) == ROUTE_FORGED &&
	      count == 0);
	CHECK(route_find(&world.directory, STR("SRS0=aaaaaa=TT=x.example=y"),
			 STR("far.example"), &world.arena, &targets,
			 &count) == ROUTE_REMOTE);
}

TEST(such_an_address_of_ours_leads_back)
{
	fake_store_run(routes);
}

#include "mailauth/dns_lookup.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"
#include "rt/clock.h"

static const struct fake_record world[] = {{"there.example", DNS_TXT, "here"}};

static struct arena arena;

static struct dns_answer ask(const struct dns_lookup *lookup, const char *name)
{
	struct dns_answer answer;

	arena_reset(&arena);
	dns_ask(lookup, str_c(name), DNS_TXT, &arena, &answer);
	return answer;
}

TEST(a_lookup_asks_within_its_time)
{
	struct fake_dns dns = {world, COUNT_OF(world), 0, 3000};

	arena_init(&arena, DNS_SCRATCH_BYTES);
	clock_test_start(0);
	struct dns_lookup plain = fake_dns_lookup(&dns);
	struct dns_lookup long_one = dns_lookup_within(&plain, 10);
	struct dns_lookup short_one = dns_lookup_within(&long_one, 4);
	struct dns_lookup same = dns_lookup_within(&short_one, 10);

	CHECK(same.until == short_one.until && short_one.until < long_one.until);
	CHECK(ask(&short_one, "there.example").outcome == DNS_FOUND);
	uint64_t before_ms = clock_monotonic_ms();

	CHECK_STR(ask(&short_one, "there.example").why, STR("no answer came in time"));
	CHECK(clock_monotonic_ms() - before_ms == 1000 && dns.asked == 2);
	CHECK_STR(ask(&short_one, "there.example").why,
		  STR("there was no time left to ask"));
	CHECK(clock_monotonic_ms() - before_ms == 1000 && dns.asked == 2);
	CHECK(ask(&long_one, "there.example").outcome == DNS_FOUND);
	CHECK(ask(&plain, "gone.example").outcome == DNS_NONE);
	clock_test_stop();
	arena_fini(&arena);
}

/* What is at hand, in the place of the resolver's memory. */
static unsigned recalled;

static bool recall(void *context, const struct dns_question *question, struct arena *to,
		   struct dns_answer *answer)
{
	(void)context;
	(void)to;
	*answer = (struct dns_answer){.outcome = DNS_NONE};
	recalled++;
	return str_starts(question->name, STR("known"));
}

TEST(what_is_at_hand_is_told_at_any_time)
{
	struct fake_dns dns = {world, COUNT_OF(world), 0, 3000};

	arena_init(&arena, DNS_SCRATCH_BYTES);
	clock_test_start(0);
	struct dns_lookup lookup = fake_dns_lookup(&dns);

	lookup.recall = recall;
	lookup.until = clock_monotonic_ms();
	CHECK(ask(&lookup, "known.example").outcome == DNS_NONE);
	CHECK(ask(&lookup, "there.example").outcome == DNS_UNKNOWN);
	CHECK(dns.asked == 0);
	clock_test_stop();
	arena_fini(&arena);
}

struct one {
	struct dns_lookup lookup;
	const char *name;
	size_t tasks; /* when it had its answer */
};

static void run_one(void *arg)
{
	struct one *one = arg;
	SCOPED(arena_fini) struct arena own;
	struct dns_answer answer;

	arena_init(&own, DNS_SCRATCH_BYTES);
	dns_ask(&one->lookup, str_c(one->name), DNS_TXT, &own, &answer);
	one->tasks = task_count();
}

static struct one ones[3];
static struct fake_dns slow;

static void run_all(void *arg)
{
	struct errand list[3];
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	struct dns_lookup given = fake_dns_lookup(&slow);
	struct dns_errands dns = {&given, &errands};

	(void)arg;
	given.recall = recall;
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		ones[i].lookup = dns_errands_lookup(&dns);
		list[i] = (struct errand){.run = run_one, .arg = &ones[i]};
	}
	errands_run(&errands);
	loop_stop();
}

static void run(const char *first, const char *second, const char *third)
{
	slow = (struct fake_dns){world, COUNT_OF(world), 0, 3000};
	ones[0].name = first;
	ones[1].name = second;
	ones[2].name = third;
	clock_test_start(0);
	loop_init();
	CHECK(task_start("all", run_all, NULL));
	loop_run();
	loop_fini();
	clock_test_stop();
}

TEST(where_nobody_waits_no_task_begins)
{
	recalled = 0;
	run("known.a", "known.b", "known.c");
	CHECK(recalled == 3 && slow.asked == 0);
	for (size_t i = 0; i < COUNT_OF(ones); i++)
		CHECK(ones[i].tasks == 1);
	run("known.a", "there.example", "other.example");
	CHECK(ones[0].tasks == 1 && ones[1].tasks > 1 && slow.asked == 2);
}

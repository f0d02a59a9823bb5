/* Reports of others that are kept, over a store that is a few lines. */
#include <stdio.h>

#include "base/test.h"
#include "directory/fake_store.h"
#include "report/dmarc_report.h"
#include "report/kept.h"
#include "rt/clock.h"
#include "rt/task.h"
#include "wire/auth/tls_report.h"

enum { DAY = 86400, MANY = 5000 };

static struct fake_store *store;
static struct arena arena;
static size_t seen;
static uint64_t last_good;
static char last_id[16];

static void see(void *arg, const struct kept *kept)
{
	(void)arg;
	seen++;
	last_good = kept->good;
	CHECK(str_to_c(kept->id, last_id, sizeof last_id));
}

static size_t count(const char *domain, int64_t since)
{
	seen = 0;
	CHECK(kept_each(store->store, str_c(domain), since, see, NULL));
	return seen;
}

static struct kept some(const char *domain, const char *id, int64_t begin)
{
	return (struct kept){.domain = str_c(domain),
			     .organization = STR("example.net"),
			     .id = str_c(id),
			     .begin = begin,
			     .end = begin + DAY - 1,
			     .good = 7};
}

static enum kept_outcome put(const char *domain, const char *id, int64_t begin)
{
	struct kept kept = some(domain, id, begin);

	return kept_put(store->store, &kept, &arena);
}

static void (*test)(void);

static void in_task(struct fake_store *fake)
{
	store = fake;
	clock_test_advance_ms(1000ull * DAY * 1000); /* days below zero are none */
	CHECK(task_sleep_ms(1) == OK);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	test();
	arena_fini(&arena);
}

static void run(void (*what)(void))
{
	test = what;
	fake_store_run(in_task);
}

static void keeps_once(void)
{
	int64_t now = clock_s();

	CHECK(put("Example.org", "1", now - DAY) == KEPT_NEW);
	struct kept forged = some("example.org", "1", now - DAY);

	forged.good = 0;
	CHECK(kept_put(store->store, &forged, &arena) == KEPT_BEFORE);
	CHECK(count("example.org", 0) == 1 && last_good == 7); /* the first stays */
	forged.organization = STR("example.com");
	CHECK(kept_put(store->store, &forged, &arena) == KEPT_NEW);
	CHECK(put("example.org", "2", now - 3 * DAY) == KEPT_NEW);
	CHECK(put("example.org.uk", "1", now - DAY) == KEPT_NEW);
	CHECK(count("EXAMPLE.org", 0) == 3 && count("", 0) == 4);
	CHECK(count("example.org", now - 2 * DAY) == 2);
	CHECK(count("a/b", 0) == 0);
	store->refuse = STORE_UNAVAILABLE;
	CHECK(put("example.org", "3", now) == KEPT_LATER);
	CHECK(!kept_each(store->store, STR("example.org"), 0, see, NULL));
}

TEST(a_report_of_others_is_kept_once)
{
	run(keeps_once);
}

static void refuses_unusual(void)
{
	int64_t now = clock_s();

	CHECK(put("", "1", now) == KEPT_UNUSUAL);
	CHECK(put("a/../b", "1", now) == KEPT_UNUSUAL);
	CHECK(put("example.org", "", now) == KEPT_UNUSUAL);
	CHECK(put("example.org", "1", 0) == KEPT_UNUSUAL);
	CHECK(put("example.org", "1", now + 10 * DAY) == KEPT_UNUSUAL);
	CHECK(put("example.org", "1", now - 401 * DAY) == KEPT_UNUSUAL);
	CHECK(store->count == 0);
}

TEST(reports_without_domain_time_or_id_are_not_kept)
{
	run(refuses_unusual);
}

static void expires(void)
{
	CHECK(put("example.org", "1", clock_s() - 399 * DAY) == KEPT_NEW);
	CHECK(put("example.org", "2", clock_s()) == KEPT_NEW);
	kept_purge(store->store);
	CHECK(store->count == 2);
	clock_test_advance_ms(2ull * DAY * 1000);
	CHECK(task_sleep_ms(1) == OK);
	kept_purge(store->store);
	CHECK(store->count == 1 && count("example.org", 0) == 1);
	CHECK_STR(str_c(last_id), STR("2"));
}

TEST(reports_are_forgotten_after_400_days)
{
	run(expires);
}

static void bounds_a_day(void)
{
	int64_t now = clock_s();

	for (size_t i = 0; i < KEPT_A_DAY_MAX; i++) {
		char id[24];

		(void)snprintf(id, sizeof id, "%zu", i);
		CHECK(put("example.org", id, now) == KEPT_NEW);
	}
	CHECK(put("example.org", "more", now) == KEPT_MANY);
	CHECK(put("example.org", "7", now) == KEPT_BEFORE);
	CHECK(put("example.org", "more", now - DAY) == KEPT_NEW);
}

TEST(so_many_reports_of_a_day_are_kept)
{
	run(bounds_a_day);
}

TEST(rows_beyond_the_bound_become_a_sum)
{
	static struct dmarc_report_row rows[MANY];
	static char ips[MANY][24];
	SCOPED(buf_fini) struct buf value = BUF(KEPT_BYTES_MAX);
	struct dmarc_report report = {.domain = STR("example.org"), .rows = rows};
	struct kept kept, again = {.kind = KEPT_DMARC};
	uint64_t in_rows = 0;

	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(ips[i], sizeof ips[i], "192.0.%zu.%zu", i / 200, i % 200);
		rows[i] = (struct dmarc_report_row){
			.next = i + 1 < MANY ? &rows[i + 1] : NULL,
			.source_ip = str_c(ips[i]),
			.count = i == 4000 ? 1000 : 2,
			.dkim = i % 2 ? STR("pass") : STR("fail"),
			.spf = STR("fail"),
			.disposition = STR("Reject")};
	}
	report.row_count = MANY;
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	CHECK(kept_of_dmarc(&report, &arena, &kept) &&
	      kept_encode(&kept, &arena, &value));
	CHECK(kept_decode(buf_str(&value), &arena, &again));
	CHECK(again.count > 500 && again.count <= KEPT_ROWS_MAX);
	CHECK(again.good == MANY && again.bad == MANY - 2 + 1000);
	CHECK(again.rows[0].count == 1000 && again.rows[0].fate == KEPT_REJECTED);
	for (size_t i = 0; i < again.count; i++)
		in_rows += again.rows[i].count;
	CHECK(in_rows + again.other_good + again.other_bad == again.good + again.bad);
	for (size_t i = 0; i < value.len; i += 97) /* cut anywhere: none of ours */
		CHECK(!kept_decode(str_first(buf_str(&value), i), &arena, &again));
	arena_fini(&arena);
}

TEST(rows_that_are_alike_become_one)
{
	struct dmarc_report_row two = {
		.source_ip = STR("192.0.2.1"), .count = UINT64_MAX, .spf = STR("pass")};
	struct dmarc_report_row one = two;
	struct dmarc_report report = {.rows = &one, .row_count = 2};
	SCOPED(buf_fini) struct buf value = BUF(KEPT_BYTES_MAX);
	struct kept kept, again;

	one.next = &two;
	one.count = 3;
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	CHECK(kept_of_dmarc(&report, &arena, &kept) &&
	      kept_encode(&kept, &arena, &value));
	CHECK(kept_decode(buf_str(&value), &arena, &again));
	CHECK(again.count == 1 && again.rows[0].count == INT64_MAX);
	CHECK(again.rows[0].is_spf_aligned && !again.rows[0].is_dkim_aligned);
	arena_fini(&arena);
}

TEST(sessions_of_tls_are_kept_by_domain)
{
	struct tls_report_detail failed = {.type = STR("certificate-expired"),
					   .mx = STR("mx.example.org"),
					   .sessions = 2};
	struct tls_report_policy policies[] = {
		{.domain = STR("example.org"),
		 .good = 5,
		 .bad = 3,
		 .details = &failed,
		 .detail_count = 1},
		{.domain = STR("example.com"), .good = 9},
		{.domain = STR("Example.ORG"), .good = 1},
	};
	struct tls_report report = {.policies = policies, .count = 3};
	struct kept kept;

	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	CHECK(kept_of_tls(&report, STR("example.org"), &arena, &kept));
	CHECK(kept.good == 6 && kept.bad == 3 && kept.other_bad == 1 && kept.count == 1);
	CHECK_STR(kept.rows[0].why, STR("certificate-expired"));
	arena_fini(&arena);
}

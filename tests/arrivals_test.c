/* Reports that come by mail, over a store that is a few lines. */
#include <stdio.h>

#include "base/test.h"
#include "deliver/deliver.h"
#include "deliverd/arrivals.h"
#include "directory/directory.h"
#include "directory/fake_store.h"
#include "report/kept.h"
#include "rt/clock.h"
#include "rt/task.h"

enum { DAY = 86400 };

static struct fake_store *store;
static struct directory directory;
static struct arrivals *arrivals;
static size_t seen;
static void (*test)(void);

static void in_task(struct fake_store *fake)
{
	store = fake;
	clock_test_advance_ms(1000ull * DAY * 1000); /* days below zero are none */
	CHECK(task_sleep_ms(1) == OK);
	directory = (struct directory){.store = fake->store,
				       .default_domain = STR("example.org")};
	CHECK(directory_add_domain(&directory, STR("example.org")) == STORE_OK);
	arrivals = arrivals_open(&directory, STR("reports@example.org"));
	test();
	CHECK(task_sleep_ms(1) == OK);
	arrivals_close(&arrivals);
}

static void run(void (*what)(void))
{
	test = what;
	fake_store_run(in_task);
}

static void see(void *arg, const struct kept *kept)
{
	(void)arg, (void)kept;
	seen++;
}

static size_t kept(void)
{
	seen = 0;
	CHECK(kept_each(store->store, STR(""), 0, see, NULL));
	return seen;
}

static void offer(enum deliver_source source, const char *rcpt, const char *domain,
		  int number)
{
	static char text[1024];
	const struct deliver_rcpt rcpts = {.address = str_c(rcpt)};
	struct deliver_mail mail = {
		.source = source, .id = STR("id"), .rcpts = &rcpts, .rcpt_count = 1};

	(void)snprintf(
		text, sizeof text,
		"Content-Type: text/xml\r\n\r\n<feedback><report_metadata><org_name>x"
		"</org_name><report_id>%d</report_id><date_range><begin>%lld</begin>"
		"<end>%lld</end></date_range></report_metadata><policy_published>"
		"<domain>%s</domain></policy_published><record><row><source_ip>192.0.2.1"
		"</source_ip><count>5</count></row></record></feedback>",
		number, (long long)clock_s() - DAY, (long long)clock_s(), domain);
	mail.text = str_c(text);
	arrivals_offer(arrivals, &mail);
}

static void keeps_what_is_ours(void)
{
	offer(DELIVER_STRANGER, "Reports@example.org", "example.org", 1);
	offer(DELIVER_STRANGER, "reports@example.org", "sub.example.org", 2);
	offer(DELIVER_STRANGER, "reports@example.org", "example.net", 3);
	offer(DELIVER_STRANGER, "ann@example.org", "example.org", 4);
	offer(DELIVER_PERSON, "reports@example.org", "example.org", 5);
	CHECK(task_sleep_ms(1000) == OK);
	CHECK(kept() == 2);
}

TEST(reports_that_arrive_are_kept_if_they_are_about_us)
{
	run(keeps_what_is_ours);
}

static void is_bounded(void)
{
	static char octets[ARRIVAL_BYTES_MAX + 1];
	const struct deliver_rcpt rcpts = {.address = STR("reports@example.org")};
	struct deliver_mail mail = {.source = DELIVER_STRANGER,
				    .text = {octets, sizeof octets},
				    .rcpts = &rcpts,
				    .rcpt_count = 1};

	arrivals_offer(arrivals, &mail); /* too long, and takes no room */
	for (int i = 0; i < 2 * ARRIVALS_MAX; i++)
		offer(DELIVER_STRANGER, "reports@example.org", "example.org", i);
	while (kept() < ARRIVALS_MAX)
		task_yield();
	CHECK(task_sleep_ms(1000) == OK);
	CHECK(kept() == ARRIVALS_MAX);
	offer(DELIVER_STRANGER, "reports@example.org", "example.org", 1000);
	CHECK(task_sleep_ms(1000) == OK);
	CHECK(kept() == ARRIVALS_MAX + 1);
}

TEST(so_many_reports_wait_to_be_looked_at)
{
	run(is_bounded);
}

static void tries_again(void)
{
	store->refuse = STORE_UNAVAILABLE;
	offer(DELIVER_STRANGER, "reports@example.org", "example.org", 1);
	CHECK(task_sleep_ms(5000) == OK);
	store->refuse = STORE_OK;
	CHECK(task_sleep_ms(10 * 1000) == OK);
	CHECK(kept() == 1);
}

TEST(a_report_waits_for_the_store)
{
	run(tries_again);
}

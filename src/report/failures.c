#include "report/failures.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "report/dmarc_wishes.h"
#include "report/hourly.h"
#include "rt/clock.h"
#include "rt/task.h"
#include "store/store.h"
#include "wire/auth/spf.h"

enum { SCRATCH_MAX = 2 * 1024 * 1024 };

struct waiting {
	struct list_link in_waiting;
	struct arena arena; /* of the failure */
	struct failure failure;
};

struct failures {
	struct failures_options options;
	struct hourly *hourly;
	struct hash_key key; /* equal names look equal, as long as we live */
	struct list waiting;
	size_t count;
	bool is_working;
};

struct failures *failures_open(const struct failures_options *options)
{
	struct failures *failures = NEW(struct failures);

	failures->options = *options;
	failures->hourly = hourly_new(options->hourly_max);
	rand_bytes(&failures->key, sizeof failures->key);
	return failures;
}

static void waiting_free(struct failures *failures, struct waiting *waiting)
{
	list_remove(&failures->waiting, &waiting->in_waiting);
	failures->count--;
	arena_fini(&waiting->arena);
	mem_free(waiting);
}

void failures_close(struct failures **failures)
{
	if (!*failures)
		return;
	LIST_EACH(&(*failures)->waiting, link)
	waiting_free(*failures, CONTAINER_OF(link, struct waiting, in_waiting));
	hourly_free(&(*failures)->hourly);
	mem_free(*failures);
	*failures = NULL;
}

/* ---- one report -------------------------------------------------------------------- */

/* The record that SPF went by: RFC 6591 §3.2.6.  What is not to be had is left out. */
static struct str find_record(const struct failures *failures, struct str domain,
			      struct arena *arena)
{
	const struct dns_lookup *lookup = &failures->options.lookup;
	struct dns_answer answer;
	struct str text;

	if (domain.len == 0)
		return STR("");
	dns_ask(lookup, domain, DNS_TXT, arena, &answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++)
		if (dns_txt_read(answer.records[i], arena, &text) && spf_is_record(text))
			return text;
	return STR("");
}

/* Durable once it is queued; asked again under the same key, it happens once. */
static bool queue(const struct failures *failures, const struct failure *failure,
		  const struct dmarc_rua *to, struct arena *arena)
{
	const struct failures_options *options = &failures->options;
	SCOPED(buf_fini) struct buf mail = BUF(FAILURE_MAIL_MAX);
	struct store_op ops[DMARC_RUA_MAX];
	size_t count = 0;

	for (size_t i = 0; i < to->count; i++) {
		const struct failure_head head = {options->hostname, options->submitter,
						  to->uris[i].address, clock_s()};

		buf_reset(&mail);
		failure_mail(&mail, &head, failure);
		count += buf_ok(&mail) &&
			 options->letter(options->arg, head.to, buf_str(&mail), arena,
					 &ops[count]);
	}
	const struct store_commit commit = {
		.account = ACCOUNT_SYSTEM,
		.key = arena_printf(arena, "%.*s/failure", STR_FMT(failure->id)),
		.key_minute = (uint32_t)(clock_s() / 60),
		.ops = ops,
		.count = count};

	return count > 0 && commit.key.len > 0 &&
	       store_commit(options->store, &commit, NULL, NULL) == STORE_OK;
}

/* In words for the log. */
static const char *report_one(struct failures *failures, struct failure *failure)
{
	SCOPED(arena_fini) struct arena arena;
	struct dmarc_rua to;

	arena_init(&arena, SCRATCH_MAX);
	switch (dmarc_wishes_find(&failures->options.lookup, "ruf",
				  failure->policy_domain, &arena, &to)) {
	case DNS_FOUND:
		break;
	case DNS_NONE:
		return "nobody wants it";
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		return "the DNS does not tell who wants it";
	}
	for (size_t i = 0; i < FAILURE_SPF_MAX; i++)
		failure->spf_records[i] =
			find_record(failures, failure->spf_domains[i], &arena);
	return queue(failures, failure, &to, &arena) ? "sent" : "not taken";
}

static void work(void *arg)
{
	struct failures *failures = arg;

	while (!task_is_canceled() && !list_is_empty(&failures->waiting)) {
		struct waiting *waiting =
			CONTAINER_OF(failures->waiting.first, struct waiting, in_waiting);
		const char *outcome = report_one(failures, &waiting->failure);

		LOG(INFO, "DMARC failure report", KV_STR("queue_id", waiting->failure.id),
		    KV_STR("name", waiting->failure.policy_domain),
		    KV("outcome", outcome));
		waiting_free(failures, waiting);
		task_yield();
	}
	failures->is_working = false;
}

/* ---- what comes -------------------------------------------------------------------- */

void failures_offer(struct failures *failures, const struct failure_event *event)
{
	enum failure_kind kind =
		failures ? failure_wanted(event->facts, event->verdicts) : FAILURE_NONE;
	uint64_t passed_over;

	if (kind == FAILURE_NONE || failures->count == FAILURES_WAITING_MAX ||
	    !hourly_take(failures->hourly, event->verdicts->dmarc.policy_domain,
			 event->received_at, &passed_over))
		return;
	struct waiting *waiting = NEW(struct waiting);

	arena_init(&waiting->arena, FAILURE_ARENA_MAX);
	list_add_last(&failures->waiting, &waiting->in_waiting);
	failures->count++;
	if (!failure_fill(event, kind, failures->key, &waiting->arena,
			  &waiting->failure)) {
		waiting_free(failures, waiting);
		return;
	}
	waiting->failure.incidents += passed_over;
	if (!failures->is_working)
		failures->is_working = task_start("failure reports", work, failures);
}

#include "tlspolicy/ledger.h"

#include "base/log.h"
#include "base/mem.h"
#include "report/journal.h"
#include "report/pages.h"
#include "report/unpack.h"
#include "resolver/resolver.h"
#include "rt/clock.h"
#include "store/store.h"
#include "tlspolicy/reach.h"
#include "tlspolicy/rpt.h"
#include "wire/auth/tls_rpt.h"

enum {
	DAY_S = 24 * 3600,
	SCRATCH_MAX = 4 * 1024 * 1024,
	JSON_MAX = 512 * 1024,
	MAIL_MAX = 512 * 1024,
	POST_TIMEOUT_S = 60,
	POST_REPLY_MAX = 64 * 1024,
};

/* A domain's day. */
struct domain_day {
	struct page page;
	struct rpt rpt;
};

struct ledger {
	struct ledger_options options;
	struct journal journal;
	struct pages pages;
};

struct ledger *ledger_open(const struct ledger_options *options)
{
	struct ledger *ledger = NEW(struct ledger);

	ledger->options = *options;
	ledger->journal = (struct journal){
		.store = options->store,
		.prefix = STR("t/rpt/"),
		.hostname = options->hostname,
		.interval_s = options->interval_s == 0 ? DAY_S : options->interval_s};
	return ledger;
}

static struct domain_day *day_of(struct page *page)
{
	return CONTAINER_OF(page, struct domain_day, page);
}

static void day_free(struct domain_day *day)
{
	rpt_fini(&day->rpt);
	mem_free(day);
}

void ledger_close(struct ledger **ledger)
{
	if (!*ledger)
		return;
	for (struct page *page = pages_take(&(*ledger)->pages), *next; page;
	     page = next) {
		next = page->next;
		day_free(day_of(page));
	}
	mem_free(*ledger);
	*ledger = NULL;
}

/* ---- counting ---------------------------------------------------------------------- */

/* NULL: no room; reports are a courtesy. */
static struct domain_day *today_of(struct ledger *ledger, struct str domain)
{
	int64_t today = journal_today(&ledger->journal);
	struct page *page = pages_find(&ledger->pages, today, domain);

	if (page)
		return day_of(page);
	struct domain_day *day = NEW(struct domain_day);

	if (!pages_add(&ledger->pages, &day->page, today, domain)) {
		mem_free(day);
		return NULL;
	}
	rpt_init(&day->rpt);
	return day;
}

static void count(struct ledger *ledger, struct str domain, struct rpt_policy *policy,
		  const struct rpt_detail *detail)
{
	struct domain_day *day = today_of(ledger, domain);

	policy->good = detail->flaw == TLS_FLAW_NONE;
	policy->bad = detail->flaw != TLS_FLAW_NONE;
	if (policy->bad)
		policy->details[policy->detail_count++] = *detail;
	if (day && !rpt_add(&day->rpt, policy))
		LOG(DEBUG, "TLS report is full", KV_STR("name", domain));
}

void ledger_add(struct ledger *ledger, const struct policy_hop *hop,
		const struct tls_demand *demand, const struct ledger_result *result)
{
	SCOPED(arena_fini) struct arena arena;
	struct rpt_policy policy = {.kind = demand->kind};
	const struct rpt_detail detail = {.flaw = result->flaw,
					  .host = result->host,
					  .address = result->address,
					  .local = result->local,
					  .why = str_first(result->why, TLS_WHY_MAX),
					  .sessions = 1};

	arena_init(&arena, RPT_BYTES_MAX);
	if (demand->kind == TLS_POLICY_STS)
		rpt_of_sts(&policy, hop->sts_text, hop->hop.sts);
	if (demand->kind == TLS_POLICY_TLSA)
		rpt_of_tlsa(&policy, demand->peer.records, demand->peer.record_count,
			    &arena);
	count(ledger, hop->hop.domain, &policy, &detail);
}

void ledger_add_hop(struct ledger *ledger, const struct policy_hop *hop)
{
	struct rpt_policy policy = {.kind = TLS_POLICY_STS};
	const struct rpt_detail detail = {.flaw = hop->sts_flaw,
					  .why = str_first(hop->sts_why, TLS_WHY_MAX),
					  .sessions = 1};

	if (hop->sts_flaw != TLS_FLAW_NONE)
		count(ledger, hop->hop.domain, &policy, &detail);
}

/* ---- who wants to know ------------------------------------------------------------- */

/* RFC 8460 §3: of those that are TLS-RPT records there must be one. */
static bool is_wanted(struct ledger *ledger, struct str domain, struct arena *arena,
		      struct tls_rpt *rpt)
{
	struct str name = arena_printf(arena, "_smtp._tls.%.*s", STR_FMT(domain));
	struct str text, record = STR("");
	struct dns_answer answer;
	size_t found = 0;

	resolver_ask(ledger->options.resolver, name, DNS_TXT, arena, &answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++) {
		if (!dns_txt_read(answer.records[i], arena, &text) ||
		    !tls_rpt_is_record(text))
			continue;
		record = text;
		found++;
	}
	return found == 1 && tls_rpt_parse(record, arena, rpt);
}

/* ---- the store --------------------------------------------------------------------- */

/* What was counted before is added. */
static void write_day(struct ledger *ledger, struct domain_day *day)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf value = BUF(KV_VALUE_MAX);
	struct str key, old, domain = str_c(day->page.domain);
	struct tls_rpt rpt;

	arena_init(&arena, SCRATCH_MAX);
	if (!journal_is_open(&ledger->journal, day->page.day) ||
	    !is_wanted(ledger, domain, &arena, &rpt))
		return;
	key = journal_key(&ledger->journal, day->page.day, domain, &arena);
	if (journal_read(&ledger->journal, key, &arena, &old) &&
	    !rpt_decode(old, &day->rpt))
		LOG(WARN, "TLS report damaged", KV("name", day->page.domain));
	rpt_encode(&value, &day->rpt);
	if (buf_ok(&value)) /* else a minute is lost */
		journal_write(&ledger->journal, key, buf_str(&value));
}

void ledger_write(struct ledger *ledger)
{
	for (struct page *page = pages_take(&ledger->pages), *next; page; page = next) {
		next = page->next;
		write_day(ledger, day_of(page));
		day_free(day_of(page));
	}
}

/* ---- reporting --------------------------------------------------------------------- */

/* RFC 8460 §5.4. */
static bool post(struct ledger *ledger, struct str url, struct str gzip,
		 struct arena *arena)
{
	struct fetch_request request = {.url = url,
					.is_post = true,
					.body = gzip,
					.media_type = STR("application/tlsrpt+gzip"),
					.reply_max = POST_REPLY_MAX,
					.timeout_s = POST_TIMEOUT_S};
	struct fetch_reply reply;

	if (!ledger->options.fetch ||
	    !fetch_url_split(url, &request.host, &request.port) ||
	    !reach(ledger->options.resolver, request.host, NEVER, arena, &request))
		return false;
	fetch_ask(ledger->options.fetch, &request, arena, &reply);
	return reply.outcome == FETCH_OK && reply.status / 100 == 2;
}

/* All who are to get it.  Once the commit is made it has been sent: never again. */
static bool deliver(struct ledger *ledger, const struct journal_due *due,
		    const struct rpt_head *head, const struct tls_rpt *to,
		    struct str gzip)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	struct store_op ops[TLS_RPT_URIS_MAX + 1];
	bool is_taken = false;
	size_t count = 0;

	for (size_t i = 0; i < to->count; i++) {
		struct str target = to->uris[i].target;

		if (to->uris[i].is_https) {
			is_taken |= post(ledger, target, gzip, due->arena);
			continue;
		}
		buf_reset(&mail);
		rpt_mail(&mail, head, target, gzip, clock_s());
		count += buf_ok(&mail) &&
			 ledger->options.letter(ledger->options.arg, target,
						buf_str(&mail), due->arena, &ops[count]);
	}
	return (is_taken || count > 0) &&
	       journal_sent(&ledger->journal, due->day, due->name, ops, count, &due->key,
			    1, due->arena);
}

static enum journal_fate report_one(void *arg, const struct journal_due *due)
{
	struct ledger *ledger = arg;
	const struct rpt_head head = {.domain = due->name,
				      .submitter = ledger->options.submitter,
				      .id = due->id,
				      .begin = due->begin,
				      .end = due->end};
	SCOPED(buf_fini) struct buf json = BUF(JSON_MAX), gzip = BUF(FETCH_BODY_MAX);
	SCOPED(rpt_fini) struct rpt rpt;
	struct tls_rpt to;

	rpt_init(&rpt);
	if (!rpt_decode(due->value, &rpt) ||
	    !is_wanted(ledger, due->name, due->arena, &to))
		return JOURNAL_USELESS;
	rpt_json(&json, &head, &rpt);
	if (!buf_ok(&json) || !pack_gzip(buf_str(&json), &gzip))
		return JOURNAL_USELESS;
	bool is_sent = deliver(ledger, due, &head, &to, buf_str(&gzip));

	LOG(INFO, "TLS report", KV_STR("name", due->name),
	    KV("outcome", is_sent ? "sent" : "not taken"));
	return is_sent ? JOURNAL_SENT : JOURNAL_LATER;
}

void ledger_report(struct ledger *ledger)
{
	journal_report(&ledger->journal, report_one, ledger);
}

static void write_all(void *ledger)
{
	ledger_write(ledger);
}

static void report_all(void *ledger)
{
	ledger_report(ledger);
}

void ledger_task(void *arg)
{
	struct ledger *ledger = arg;

	journal_run(&ledger->journal, write_all, report_all, ledger);
}

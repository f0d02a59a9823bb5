#include "tlspolicy/ledger.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "report/unpack.h"
#include "resolver/resolver.h"
#include "rt/clock.h"
#include "store/store.h"
#include "tlspolicy/reach.h"
#include "tlspolicy/rpt.h"
#include "wire/auth/tls_rpt.h"

enum {
	PAGES_MAX = 2000, /* domains in memory */
	BUCKETS = 512,
	DAY_S = 24 * 3600,
	WRITES_A_DAY = 24 * 60,
	LOOKS_A_DAY = 24, /* for what is due */
	DELAYS_A_DAY = 6, /* the longest is four hours: RFC 8460 §4.1 */
	KEEP_DAYS = 2,    /* a report that nobody takes: RFC 8460 §5.5 */
	SCAN_ROWS = 8,
	SCRATCH_MAX = 4 * 1024 * 1024,
	RESULT_MAX = 64 * 1024,
	JSON_MAX = 512 * 1024,
	MAIL_MAX = 512 * 1024,
	POST_TIMEOUT_S = 60,
	POST_REPLY_MAX = 64 * 1024,
};

/* A domain's day. */
struct page {
	struct page *next;
	int64_t day;
	char domain[DNS_NAME_MAX + 1];
	struct rpt rpt;
};

struct ledger {
	struct ledger_options options;
	struct page *buckets[BUCKETS];
	size_t count;
};

struct ledger *ledger_open(const struct ledger_options *options)
{
	struct ledger *ledger = NEW(struct ledger);

	ledger->options = *options;
	if (ledger->options.interval_s == 0)
		ledger->options.interval_s = DAY_S;
	return ledger;
}

static void page_free(struct page *page)
{
	rpt_fini(&page->rpt);
	mem_free(page);
}

/* Takes all pages out, as one list. */
static struct page *take_all(struct ledger *ledger)
{
	struct page *all = NULL;

	for (size_t i = 0; i < BUCKETS; i++) {
		while (ledger->buckets[i]) {
			struct page *page = ledger->buckets[i];

			ledger->buckets[i] = page->next;
			page->next = all;
			all = page;
		}
	}
	ledger->count = 0;
	return all;
}

void ledger_close(struct ledger **ledger)
{
	if (!*ledger)
		return;
	for (struct page *page = take_all(*ledger), *next; page; page = next) {
		next = page->next;
		page_free(page);
	}
	mem_free(*ledger);
	*ledger = NULL;
}

/* ---- counting ---------------------------------------------------------------------- */

static struct page *page_of(struct ledger *ledger, struct str domain)
{
	struct page **bucket = &ledger->buckets[hash64(domain) % BUCKETS];
	int64_t day = clock_s() / ledger->options.interval_s;

	for (struct page *page = *bucket; page; page = page->next)
		if (page->day == day && str_same(str_c(page->domain), domain))
			return page;
	if (ledger->count == PAGES_MAX)
		return NULL; /* reports are a courtesy */
	struct page *page = NEW(struct page);

	if (!str_to_c(domain, page->domain, sizeof page->domain)) {
		mem_free(page);
		return NULL;
	}
	page->day = day;
	page->next = *bucket;
	rpt_init(&page->rpt);
	*bucket = page;
	ledger->count++;
	return page;
}

static void count(struct ledger *ledger, struct str domain, struct rpt_policy *policy,
		  const struct rpt_detail *detail)
{
	struct page *page = page_of(ledger, domain);

	policy->good = detail->flaw == TLS_FLAW_NONE;
	policy->bad = detail->flaw != TLS_FLAW_NONE;
	if (policy->bad)
		policy->details[policy->detail_count++] = *detail;
	if (page && !rpt_add(&page->rpt, policy))
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

/* key: "", or what makes a second time do nothing, which is_repeat then says. */
static enum store_outcome commit(struct ledger *ledger, struct str key,
				 const struct store_op *ops, size_t count,
				 bool *is_repeat)
{
	const struct store_commit commit = {
		.account = ACCOUNT_SYSTEM, .key = key, .ops = ops, .count = count};
	SCOPED(arena_fini) struct arena arena;
	struct store_result result = {.is_repeat = false};

	arena_init(&arena, RESULT_MAX);
	enum store_outcome outcome =
		store_commit(ledger->options.store, &commit, &arena, &result);

	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		LOG(WARN, "TLS report not kept",
		    KV("outcome", store_outcome_text(outcome)));
	*is_repeat = result.is_repeat;
	return outcome;
}

static void forget(struct ledger *ledger, struct str key)
{
	const struct store_op op = {.kind = OP_KV_DELETE, .kv = {.key = key}};
	bool is_repeat;

	(void)commit(ledger, STR(""), &op, 1, &is_repeat); /* else looked at again */
}

/* After its day is over, so many seconds: not all reports of the world at once. */
static int64_t delay_of(const struct ledger *ledger)
{
	return (int64_t)(crc32c(0, ledger->options.hostname) %
			 num_max(ledger->options.interval_s / DELAYS_A_DAY, 1));
}

/* When it is reported; what is counted later is not. */
static int64_t due_at(const struct ledger *ledger, int64_t day)
{
	return (day + 1) * ledger->options.interval_s + delay_of(ledger);
}

/* What was counted before is added. */
static void write_page(struct ledger *ledger, struct page *page)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf value = BUF(KV_VALUE_MAX);
	struct store_op op = {.kind = OP_KV_PUT};
	struct tls_rpt rpt;
	struct str old;

	arena_init(&arena, SCRATCH_MAX);
	if (clock_s() >= due_at(ledger, page->day) ||
	    !is_wanted(ledger, str_c(page->domain), &arena, &rpt))
		return;
	op.kv.key = arena_printf(&arena, "t/rpt/%06lld/%s", (long long)page->day,
				 page->domain);
	if (store_kv_get(ledger->options.store, ACCOUNT_SYSTEM, op.kv.key, &arena,
			 &old) == STORE_OK &&
	    !rpt_decode(old, &page->rpt))
		LOG(WARN, "TLS report damaged", KV("name", page->domain));
	rpt_encode(&value, &page->rpt);
	op.kv.value = buf_str(&value);
	bool is_repeat;

	if (buf_ok(&value)) /* else, or if it fails, a minute is lost */
		(void)commit(ledger, STR(""), &op, 1, &is_repeat);
}

void ledger_write(struct ledger *ledger)
{
	for (struct page *page = take_all(ledger), *next; page; page = next) {
		next = page->next;
		write_page(ledger, page);
		page_free(page);
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
	    !reach(ledger->options.resolver, request.host, arena, &request))
		return false;
	fetch_ask(ledger->options.fetch, &request, arena, &reply);
	return reply.outcome == FETCH_OK && reply.status / 100 == 2;
}

/* A pair of the store on its way to be reported. */
struct due {
	struct str key;
	int64_t day;
	struct rpt_head head;
	struct tls_rpt to;
	struct arena *arena;
};

/* The same for the same day and domain for ever, since it is written down. */
static uint64_t number_of(const struct due *due)
{
	return siphash((struct hash_key){{8460, 1}}, due->key);
}

/* All who are to get it.  Once the commit is made it has been sent: never again. */
static bool deliver(struct ledger *ledger, const struct due *due, struct str gzip)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	struct store_op ops[TLS_RPT_URIS_MAX + 1];
	struct str key =
		arena_printf(due->arena, "t/rpt/%lld/%016llx", (long long)due->day,
			     (unsigned long long)number_of(due));
	bool is_taken = false, is_repeat;
	size_t count = 0;

	for (size_t i = 0; i < due->to.count; i++) {
		struct str target = due->to.uris[i].target;

		if (due->to.uris[i].is_https) {
			is_taken |= post(ledger, target, gzip, due->arena);
			continue;
		}
		buf_reset(&mail);
		rpt_mail(&mail, &due->head, target, gzip, clock_s());
		count += buf_ok(&mail) &&
			 ledger->options.letter(ledger->options.arg, target,
						buf_str(&mail), due->arena, &ops[count]);
	}
	if (!is_taken && count == 0)
		return false;
	ops[count++] = (struct store_op){.kind = OP_KV_DELETE, .kv = {.key = due->key}};
	if (commit(ledger, key, ops, count, &is_repeat) != STORE_OK)
		return false;
	if (is_repeat) /* it was sent before, and the pair has come again */
		forget(ledger, due->key);
	return true;
}

/* True if the pair is of no more use: nobody wants it, or it cannot be read. */
static bool report_one(struct ledger *ledger, struct due *due, struct str value)
{
	SCOPED(buf_fini) struct buf json = BUF(JSON_MAX), gzip = BUF(FETCH_BODY_MAX);
	SCOPED(rpt_fini) struct rpt rpt;

	rpt_init(&rpt);
	if (!rpt_decode(value, &rpt) ||
	    !is_wanted(ledger, due->head.domain, due->arena, &due->to))
		return true;
	rpt_json(&json, &due->head, &rpt);
	if (!buf_ok(&json) || !pack_gzip(buf_str(&json), &gzip))
		return true;
	bool is_sent = deliver(ledger, due, buf_str(&gzip));

	LOG(INFO, "TLS report", KV_STR("name", due->head.domain),
	    KV("outcome", is_sent ? "sent" : "not taken"));
	return false;
}

/* "t/rpt/DAY/DOMAIN" */
static bool read_key(struct str key, int64_t *day, struct str *domain)
{
	uint64_t number;

	*domain = str_skip(key, sizeof "t/rpt/" - 1);
	if (!num_parse(str_cut(domain, '/'), INT32_MAX, &number))
		return false;
	*day = (int64_t)number;
	return true;
}

static void look_at(struct ledger *ledger, const struct kv_row *row)
{
	SCOPED(arena_fini) struct arena arena;
	struct due due = {.key = row->key,
			  .head = {.submitter = ledger->options.hostname},
			  .arena = &arena};
	int64_t interval_s = ledger->options.interval_s, now = clock_s();

	arena_init(&arena, SCRATCH_MAX);
	if (!read_key(row->key, &due.day, &due.head.domain) ||
	    due.day > now / interval_s) { /* of days that had another length */
		forget(ledger, row->key);
		return;
	}
	if (now < due_at(ledger, due.day))
		return; /* its day is not over, or others report just now */
	due.head.begin = due.day * interval_s;
	due.head.end = due.head.begin + interval_s - 1;
	due.head.id = arena_printf(&arena, "%lld.%016llx", (long long)due.day,
				   (unsigned long long)number_of(&due));
	if (report_one(ledger, &due, row->value) ||
	    now > (due.day + 1 + KEEP_DAYS) * interval_s)
		forget(ledger, row->key);
}

void ledger_report(struct ledger *ledger)
{
	char after_room[KV_KEY_MAX + 1] = "";
	size_t count_got = SCAN_ROWS;

	while (count_got == SCAN_ROWS) {
		SCOPED(arena_fini) struct arena arena;
		struct kv_row *rows;

		arena_init(&arena, SCRATCH_MAX);
		if (store_kv_scan(ledger->options.store, ACCOUNT_SYSTEM, STR("t/rpt/"),
				  str_c(after_room), SCAN_ROWS, &arena, &rows,
				  &count_got) != STORE_OK)
			return;
		for (size_t i = 0; i < count_got && !task_is_canceled(); i++)
			look_at(ledger, &rows[i]);
		if (count_got > 0 &&
		    !str_to_c(rows[count_got - 1].key, after_room, sizeof after_room))
			return;
	}
}

/* What counts a minute is written down; reports are looked for once an hour. */
void ledger_task(void *arg)
{
	struct ledger *ledger = arg;
	uint64_t minute_ms = ledger->options.interval_s * 1000ull / WRITES_A_DAY;

	for (unsigned minute = 0; task_sleep_ms(minute_ms) == OK; minute++) {
		ledger_write(ledger);
		if (minute % (WRITES_A_DAY / LOOKS_A_DAY) == 0)
			ledger_report(ledger);
	}
}

#include "report/dmarc_ledger.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "mailauth/dmarc_from.h"
#include "mailauth/dmarc_walk.h"
#include "report/journal.h"
#include "report/pages.h"
#include "report/unpack.h"
#include "rt/clock.h"
#include "wire/auth/dmarc_rua.h"

enum {
	ROWS_BYTES_MAX = 16 * 1024 * 1024, /* of all pages */
	DAY_S = 24 * 3600,
	SCRATCH_MAX = 1024 * 1024,
	SEATS_SCRATCH = DMARC_SEATS_MAX * 40 * 1024,
	XML_MAX = 32 * 1024 * 1024,
	MAIL_MAX = 1024 * 1024,
};

/* A domain's day. */
struct domain_day {
	struct page page;
	struct dmarc_book book;
};

struct dmarc_ledger {
	struct dmarc_ledger_options options;
	struct journal journal;
	struct pages pages;
	size_t bytes; /* of their books */
};

struct dmarc_ledger *dmarc_ledger_open(const struct dmarc_ledger_options *options)
{
	struct dmarc_ledger *ledger = NEW(struct dmarc_ledger);

	ASSERT(options->seat < DMARC_SEATS_MAX);
	ledger->options = *options;
	ledger->journal = (struct journal){
		.store = options->store,
		.prefix = STR("r/dmarc/"),
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
	dmarc_book_fini(&day->book);
	mem_free(day);
}

void dmarc_ledger_close(struct dmarc_ledger **ledger)
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

/* Names of keys are made of it. */
static bool is_plain(struct str domain)
{
	for (size_t i = 0; i < domain.len; i++) {
		char c = domain.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !is_ascii_digit((unsigned char)c) &&
		    c != '-' && c != '_' && c != '.')
			return false;
	}
	return domain.len > 0;
}

/* NULL: no room; reports are a courtesy. */
static struct domain_day *today_of(struct dmarc_ledger *ledger, struct str domain)
{
	int64_t today = journal_today(&ledger->journal);
	struct page *page = pages_find(&ledger->pages, today, domain);

	if (page)
		return day_of(page);
	struct domain_day *day = NEW(struct domain_day);

	if (!is_plain(domain) || !pages_add(&ledger->pages, &day->page, today, domain)) {
		mem_free(day);
		return NULL;
	}
	dmarc_book_init(&day->book, 1);
	return day;
}

void dmarc_tally(struct dmarc_ledger *ledger, const struct dmarc_facts *facts)
{
	char room[DNS_NAME_MAX + 1];
	struct domain_day *day = NULL;

	if (facts->is_wanted && str_to_c(facts->policy_domain, room, sizeof room)) {
		for (char *c = room; *c; c++)
			*c = ascii_lower(*c);
		day = today_of(ledger, str_c(room));
	}

	if (!day)
		return;
	size_t before = day->book.bytes;

	if (ledger->bytes < ROWS_BYTES_MAX || day->book.count == 0)
		dmarc_book_add(&day->book, facts);
	else
		day->book.others++;
	ledger->bytes += day->book.bytes - before;
}

/* What was counted before is added. */
static void write_day(struct dmarc_ledger *ledger, struct domain_day *day)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf value = BUF(KV_VALUE_MAX);
	struct str name, key, old;

	arena_init(&arena, SCRATCH_MAX);
	if (!journal_is_open(&ledger->journal, day->page.day))
		return;
	name = arena_printf(&arena, "%s/%u", day->page.domain, ledger->options.seat);
	key = journal_key(&ledger->journal, day->page.day, name, &arena);
	if (journal_read(&ledger->journal, key, &arena, &old) &&
	    !dmarc_book_decode(old, &day->book))
		LOG(WARN, "DMARC report damaged", KV("name", day->page.domain));
	dmarc_book_encode(&value, &day->book);
	ASSERT(buf_ok(&value));
	journal_write(&ledger->journal, key, buf_str(&value));
}

void dmarc_ledger_write(struct dmarc_ledger *ledger)
{
	ledger->bytes = 0;
	for (struct page *page = pages_take(&ledger->pages), *next; page; page = next) {
		next = page->next;
		write_day(ledger, day_of(page));
		day_free(day_of(page));
	}
}

/* ---- who wants to know ------------------------------------------------------------- */

/* The records of DMARC at that name: *count of them, the last in *rua. */
static enum dns_outcome ask(struct dmarc_ledger *ledger, struct str name,
			    struct arena *arena, struct dmarc_rua *rua, size_t *count)
{
	const struct dns_lookup *lookup = &ledger->options.lookup;
	struct dns_answer answer;
	struct dmarc_rua found;
	struct str text;

	*count = 0;
	dns_ask(lookup, name, DNS_TXT, arena, &answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++) {
		if (!dns_txt_read(answer.records[i], arena, &text) ||
		    !dmarc_rua_parse(text, arena, &found))
			continue;
		*rua = found;
		*count += 1;
	}
	return answer.outcome;
}

/* The tree of the DNS says who belongs together (RFC 9989 §4.10). */
static enum dns_outcome is_own(struct dmarc_ledger *ledger, struct str domain,
			       struct str host, struct arena *arena)
{
	struct dmarc_tree tree;
	struct dmarc_walk ours, theirs;
	struct str name;

	if (!dmarc_domain(host, arena, &name))
		return DNS_NONE;
	if (str_same(name, domain)) /* what is below may be another's: a public suffix */
		return DNS_FOUND;
	dmarc_tree_init(&tree, &ledger->options.lookup, arena);
	dmarc_tree_walk(&tree, domain, &ours);
	dmarc_tree_walk(&tree, name, &theirs);
	if (ours.is_unsure || theirs.is_unsure)
		return DNS_UNKNOWN;
	return str_same_nocase(ours.organizational, theirs.organizational) ? DNS_FOUND
									   : DNS_NONE;
}

/* RFC 9990 §4: whoever gets reports of others must have agreed.  It may say where it
 * wants them, at the same host. */
static enum dns_outcome agree(struct dmarc_ledger *ledger, struct str domain,
			      struct arena *arena, struct dmarc_rua_uri *uri)
{
	struct str name = arena_printf(arena, "%.*s._report._dmarc.%.*s", STR_FMT(domain),
				       STR_FMT(uri->host));
	struct dmarc_rua own;
	size_t count;

	enum dns_outcome outcome = is_own(ledger, domain, uri->host, arena);

	if (outcome != DNS_NONE)
		return outcome;
	outcome = ask(ledger, name, arena, &own, &count);

	if (outcome == DNS_FOUND && count == 0)
		return DNS_NONE;
	if (outcome != DNS_FOUND || own.count == 0)
		return outcome;
	if (!str_same_nocase(own.uris[0].host, uri->host))
		return DNS_NONE;
	uri->address = own.uris[0].address;
	return DNS_FOUND;
}

/* FOUND: *rua are those who get it.  UNKNOWN: cannot tell now. */
static enum dns_outcome find_wishes(struct dmarc_ledger *ledger, struct str domain,
				    struct arena *arena, struct dmarc_rua *rua)
{
	struct str name = arena_printf(arena, "_dmarc.%.*s", STR_FMT(domain));
	struct dmarc_rua all;
	size_t count;
	enum dns_outcome outcome = ask(ledger, name, arena, &all, &count);

	rua->count = 0;
	if (outcome != DNS_FOUND)
		return outcome == DNS_BOGUS ? DNS_UNKNOWN : outcome;
	for (size_t i = 0; count == 1 && i < all.count; i++) {
		switch (agree(ledger, domain, arena, &all.uris[i])) {
		case DNS_FOUND:
			rua->uris[rua->count++] = all.uris[i];
			break;
		case DNS_NONE:
			LOG(INFO, "DMARC report not wanted there", KV_STR("name", domain),
			    KV_STR("rcpt", all.uris[i].address));
			break;
		case DNS_BOGUS:
		case DNS_UNKNOWN:
			outcome = DNS_UNKNOWN;
			break;
		}
	}
	if (outcome == DNS_UNKNOWN)
		return DNS_UNKNOWN;
	return rua->count > 0 ? DNS_FOUND : DNS_NONE;
}

/* ---- reporting --------------------------------------------------------------------- */

/* What all processes have counted. */
static size_t gather(struct dmarc_ledger *ledger, const struct journal_due *due,
		     struct str domain, struct dmarc_book *book, struct str *keys)
{
	SCOPED(arena_fini) struct arena arena;
	struct str name = arena_printf(due->arena, "%.*s/", STR_FMT(domain));
	struct str prefix = journal_key(&ledger->journal, due->day, name, due->arena);
	struct kv_row *rows;
	size_t count = 0;

	arena_init(&arena, SEATS_SCRATCH);
	if (store_kv_scan(ledger->options.store, ACCOUNT_SYSTEM, prefix, STR(""),
			  DMARC_SEATS_MAX, &arena, &rows, &count) != STORE_OK)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!dmarc_book_decode(rows[i].value, book))
			LOG(WARN, "DMARC report damaged", KV_STR("name", domain));
		if (!arena_copy(due->arena, rows[i].key, &keys[i]))
			return 0;
	}
	return count;
}

/* All who are to get it.  Once the commit is made it has been sent: never again. */
static bool deliver(struct dmarc_ledger *ledger, const struct journal_due *due,
		    const struct dmarc_book_head *head, const struct dmarc_rua *to,
		    const struct str *keys, size_t key_count, struct str gzip)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	struct store_op ops[DMARC_RUA_MAX + DMARC_SEATS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < to->count; i++) {
		const struct dmarc_rua_uri *uri = &to->uris[i];

		buf_reset(&mail);
		dmarc_book_mail(&mail, head, uri->address, gzip, clock_s());
		count += buf_ok(&mail) && gzip.len <= uri->bytes_max &&
			 ledger->options.letter(ledger->options.arg, uri->address,
						buf_str(&mail), due->arena, &ops[count]);
	}
	return count > 0 && journal_sent(&ledger->journal, due->day, head->domain, ops,
					 count, keys, key_count, due->arena);
}

static enum journal_fate report_one(void *arg, const struct journal_due *due)
{
	struct dmarc_ledger *ledger = arg;
	struct dmarc_book_head head = {
		.domain = str_first(due->name, str_find_byte(due->name, '/')),
		.submitter = ledger->options.submitter,
		.id = due->id,
		.begin = due->begin,
		.end = due->end};
	SCOPED(buf_fini) struct buf xml = BUF(XML_MAX), gzip = BUF(MAIL_MAX);
	SCOPED(dmarc_book_fini) struct dmarc_book book;
	struct str keys[DMARC_SEATS_MAX];
	struct dmarc_rua to;

	dmarc_book_init(&book, DMARC_SEATS_MAX);
	size_t key_count = gather(ledger, due, head.domain, &book, keys);

	if (key_count == 0)
		return JOURNAL_LATER; /* told along with another's, or not to be had now
				       */
	if (book.count == 0)
		return JOURNAL_USELESS;
	switch (find_wishes(ledger, head.domain, due->arena, &to)) {
	case DNS_FOUND:
		break;
	case DNS_NONE:
		return JOURNAL_USELESS;
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		return JOURNAL_LATER;
	}
	dmarc_book_xml(&xml, &head, &book);
	bool is_sent = buf_ok(&xml) && pack_gzip(buf_str(&xml), &gzip) &&
		       deliver(ledger, due, &head, &to, keys, key_count, buf_str(&gzip));

	LOG(INFO, "DMARC report", KV_STR("name", head.domain),
	    KV("outcome", is_sent ? "sent" : "not taken"));
	return is_sent ? JOURNAL_SENT : JOURNAL_LATER;
}

void dmarc_ledger_report(struct dmarc_ledger *ledger)
{
	if (ledger->options.seat == 0)
		journal_report(&ledger->journal, report_one, ledger);
}

static void write_all(void *ledger)
{
	dmarc_ledger_write(ledger);
}

static void report_all(void *ledger)
{
	dmarc_ledger_report(ledger);
}

void dmarc_ledger_task(void *arg)
{
	struct dmarc_ledger *ledger = arg;

	journal_run(&ledger->journal, write_all, report_all, ledger);
}

#include "report/dmarc_ledger.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "report/dmarc_wishes.h"
#include "report/journal.h"
#include "report/pages.h"
#include "report/unpack.h"
#include "rt/clock.h"

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
	switch (dmarc_wishes_find(&ledger->options.lookup, "rua", head.domain, due->arena,
				  &to)) {
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

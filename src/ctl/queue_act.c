/* What a person does to mails in the queue: first they are counted, and only with --yes
 * it is done, to exactly those that were counted. */
#include <jansson.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ctl/queue.h"
#include "rt/clock.h"
#include "store/store.h"

/* Of one commit: it holds up others by some milliseconds. */
enum { BATCH = 250, HOP_BYTES = 255 };

struct chosen {
	account_t account;
	uint64_t row;
};

/* Hashes of what is counted without doubles. */
struct distinct {
	uint64_t *hashes;
	size_t count, room;
};

struct choice {
	struct ctl *ctl;
	struct chosen *rows;
	size_t count, room;
	struct distinct mails, senders, domains;
	struct buf sender, domain; /* the first ones */
};

/* ---- counting ---------------------------------------------------------------------- */

static void distinct_add(struct distinct *d, struct str text)
{
	/* Runs of the same are the rule. */
	uint64_t hash = siphash((struct hash_key){{7, 11}}, text);

	if (d->count > 0 && d->hashes[d->count - 1] == hash)
		return;
	MEM_ROOM(d->hashes, d->count, d->room);
	d->hashes[d->count++] = hash;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void distinct_count(struct distinct *d)
{
	size_t kept = 0;

	if (d->count > 0)
		qsort(d->hashes, d->count, sizeof *d->hashes, compare);
	for (size_t i = 0; i < d->count; i++)
		if (i == 0 || d->hashes[i] != d->hashes[i - 1])
			d->hashes[kept++] = d->hashes[i];
	d->count = kept;
}

static struct str domain_of(struct str address)
{
	return str_skip(address, str_rfind_byte(address, '@') + 1);
}

static void add_lower(struct buf *buf, struct str text)
{
	buf_reset(buf);
	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(buf, ascii_lower(text.ptr[i]));
}

static void choose(void *arg, const struct queue_row *row)
{
	struct choice *c = arg;
	SCOPED(buf_fini) struct buf text = BUF(2048);

	MEM_ROOM(c->rows, c->count, c->room);
	if (c->count == 0) {
		buf_add(&c->sender, row->sender);
		buf_add(&c->domain, domain_of(row->recipient.address));
	}
	c->rows[c->count++] = (struct chosen){row->account, row->row};
	buf_printf(&text, "%u %llu", row->account, (unsigned long long)row->message);
	distinct_add(&c->mails, buf_str(&text));
	distinct_add(&c->senders, row->sender);
	add_lower(&text, domain_of(row->recipient.address));
	distinct_add(&c->domains, buf_str(&text));
}

static void choice_fini(struct choice *c)
{
	mem_free(c->rows);
	mem_free(c->mails.hashes);
	mem_free(c->senders.hashes);
	mem_free(c->domains.hashes);
	buf_fini(&c->sender);
	buf_fini(&c->domain);
}

/* ---- doing ------------------------------------------------------------------------- */

/* The next rows of one account; gives how many. */
static size_t batch_fill(const struct choice *c, size_t from, uint64_t rows[BATCH])
{
	size_t count = 0;

	while (count < BATCH && from + count < c->count &&
	       c->rows[from + count].account == c->rows[from].account) {
		rows[count] = c->rows[from + count].row;
		count++;
	}
	return count;
}

static bool do_all(const struct choice *c, struct op_queue_change change, uint64_t *done)
{
	uint64_t rows[BATCH];

	for (size_t from = 0; from < c->count;) {
		struct store_op op = {.kind = OP_QUEUE_CHANGE, .queue_change = change};
		struct store_commit commit = {
			.account = c->rows[from].account, .ops = &op, .count = 1};
		struct store_result result;
		struct arena arena;

		op.queue_change.rows = rows;
		op.queue_change.count = batch_fill(c, from, rows);
		from += op.queue_change.count;
		arena_init(&arena, 1 << 20);
		enum store_outcome outcome =
			store_commit(c->ctl->store, &commit, &arena, &result);

		if (outcome == STORE_OK && result.count > 0)
			*done += result.ops[0].row;
		arena_fini(&arena);
		if (outcome != STORE_OK) {
			ctl_fail_store(c->ctl, outcome);
			return false;
		}
	}
	return true;
}

static void tell(struct ctl *ctl, const struct choice *c, const char *would)
{
	struct str sender = buf_str(&c->sender), domain = buf_str(&c->domain);

	buf_printf(&ctl->out, "%s%zu mail%s for %zu recipient%s", would, c->mails.count,
		   c->mails.count == 1 ? "" : "s", c->count, c->count == 1 ? "" : "s");
	if (c->senders.count == 1)
		buf_printf(&ctl->out, " from <%.*s>", STR_FMT(sender));
	else if (c->senders.count > 1)
		buf_printf(&ctl->out, " from %zu senders", c->senders.count);
	if (c->domains.count == 1)
		buf_printf(&ctl->out, " to %.*s", STR_FMT(domain));
	else if (c->domains.count > 1)
		buf_printf(&ctl->out, " to %zu domains", c->domains.count);
	buf_add(&ctl->out, STR(".\n"));
}

/* would: "This would drop "; did: "are dropped", which comes after their number. */
static void act(struct ctl *ctl, struct op_queue_change change, unsigned by,
		const char *would, const char *did)
{
	struct choice c = {.ctl = ctl, .sender = BUF(2048), .domain = BUF(2048)};
	struct queue_select select;
	uint64_t done = 0;
	bool is_meant = ctl->options & CTL_YES;

	if (!queue_select(ctl, &select))
		return;
	select.by |= by;
	select.is_brief = true;
	if (queue_each(ctl, &select, choose, &c)) {
		distinct_count(&c.mails);
		distinct_count(&c.senders);
		distinct_count(&c.domains);
		tell(ctl, &c, is_meant ? "" : would);
		if (is_meant && do_all(&c, change, &done))
			buf_printf(&ctl->out, "%llu %s.\n", (unsigned long long)done,
				   did);
		if (!is_meant)
			buf_add(&ctl->out, STR("Nothing was changed: say --yes to do "
					       "it.\n"));
	}
	if (ctl->status == 0)
		ctl->json = json_pack("{s:I,s:I,s:I,s:I,s:b,s:I}", "mails",
				      (json_int_t)c.mails.count, "recipients",
				      (json_int_t)c.count, "senders",
				      (json_int_t)c.senders.count, "domains",
				      (json_int_t)c.domains.count, "done", (int)is_meant,
				      "changed", (json_int_t)done);
	choice_fini(&c);
}

/* ---- verbs ------------------------------------------------------------------------- */

void queue_retry(struct ctl *ctl)
{
	act(ctl, (struct op_queue_change){.change = ROWS_RETRY}, 0,
	    "This would try again ", "are due now");
}

void queue_hold(struct ctl *ctl)
{
	struct op_queue_change change = {.change = ROWS_HOLD, .until = QUEUE_HELD};
	const char *until = ctl_value(ctl, CTL_UNTIL);
	int64_t seconds = 0;

	if (until && !queue_time_parse(until, &seconds)) {
		ctl_fail(ctl,
			 "\"%s\" is no time.\nNothing was changed.\nIt looks like 90s, "
			 "15m, 2h or 3d.",
			 until);
		return;
	}
	if (until)
		change.until = clock_s() + seconds;
	act(ctl, change, 0, "This would hold ", "are held");
}

void queue_release(struct ctl *ctl)
{
	act(ctl, (struct op_queue_change){.change = ROWS_RELEASE}, BY_HELD,
	    "This would release ", "are released");
}

void queue_drop(struct ctl *ctl)
{
	if (ctl->options & CTL_BOUNCE)
		act(ctl,
		    (struct op_queue_change){
			    .change = ROWS_BOUNCE,
			    .text = STR("550 5.7.0 Removed from the queue by the "
					"administrator")},
		    0, "This would return ", "go back to their senders");
	else
		act(ctl, (struct op_queue_change){.change = ROWS_DROP}, 0,
		    "This would drop ", "are dropped");
}

void queue_reroute(struct ctl *ctl)
{
	struct str hop = ctl->words[0];

	if (hop.len == 0 || hop.len > HOP_BYTES) {
		ctl_fail(ctl, "This cannot be a next hop.\nNothing was changed.\nIt is a "
			      "host, or host:port; \"mx\" goes where DNS leads again.");
		return;
	}
	if (str_same(hop, STR("mx")))
		hop = STR("");
	act(ctl, (struct op_queue_change){.change = ROWS_REROUTE, .text = hop}, 0,
	    "This would reroute ", "are rerouted");
}

/* The queue against a plain model of it: random additions, leases, settlements and what
 * people do to rows; after each few of them the lists and counts must be the model's. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rand.h"
#include "rt/clock.h"
#include "storage/check.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

enum { ROWS_MAX = 5000, STEPS = 1500, DOMAINS = 3, ACCOUNTS_COUNT = 2, STARTS = 4 };

struct model_row {
	account_t account;
	uint64_t row, message, lease;
	unsigned domain;
	enum queue_kind kind;
	uint8_t priority;
	int64_t due_at, held_until, leased_until;
	uint32_t tries;
	enum queue_cause cause;
	bool is_given_up, is_rerouted, is_gone;
};

static struct model {
	struct fixture f;
	struct model_row rows[ROWS_MAX];
	size_t count;
	int64_t now;
} m;

static const char *const domains[DOMAINS] = {"example.org", "Example.NET", ""};

static struct model_row *any_row(void)
{
	return m.count ? &m.rows[rand_below(m.count)] : NULL;
}

static struct model_row *find(account_t account, uint64_t row)
{
	for (size_t i = 0; i < m.count; i++)
		if (m.rows[i].account == account && m.rows[i].row == row)
			return &m.rows[i];
	return NULL;
}

/* ---- what happens ------------------------------------------------------------------ */

static void add(void)
{
	char addresses[3][40], id[16];
	unsigned at[3];
	struct queue_recipient to[3] = {0};
	size_t count = 1 + (size_t)rand_below(3);
	enum queue_kind kind = (enum queue_kind)rand_below(2);
	account_t account = (account_t)rand_below(ACCOUNTS_COUNT);

	if (m.count + count > ROWS_MAX)
		return;
	for (size_t i = 0; i < count; i++) {
		at[i] = (unsigned)rand_below(DOMAINS);
		(void)snprintf(addresses[i], sizeof addresses[i], "u%zu%s%s", i,
			       domains[at[i]][0] ? "@" : "", domains[at[i]]);
		to[i].kind = kind;
		to[i].address = str_c(addresses[i]);
	}
	struct store_op op = op_queue_of(to, count, "mail");

	(void)snprintf(id, sizeof id, "Q%u", (unsigned)rand_below(200));
	op.queue_add.id = str_c(id);
	op.queue_add.due_at = m.now + (int64_t)rand_below(60) - 30;
	op.queue_add.priority = (uint8_t)rand_below(3);
	op.queue_add.timing.hold_until = rand_below(5) ? 0 : m.now + 40;
	CHECK(fixture_do(&m.f, account, op) == STORE_OK);
	for (size_t i = 0; i < count; i++)
		m.rows[m.count++] =
			(struct model_row){.account = account,
					   .row = fixture_first(&m.f)->row + i,
					   .message = fixture_first(&m.f)->message,
					   .domain = at[i],
					   .kind = kind,
					   .priority = op.queue_add.priority,
					   .due_at = op.queue_add.due_at,
					   .held_until = op.queue_add.timing.hold_until};
}

static bool is_leasable(const struct model_row *row, enum queue_kind kind)
{
	int64_t at = row->lease ? row->leased_until : row->due_at;

	return !row->is_gone && row->kind == kind && at <= m.now &&
	       row->held_until <= m.now;
}

static bool may_end(const struct model_row *row, enum queue_kind kind)
{
	return !row->is_gone && row->kind == kind && row->lease &&
	       row->leased_until <= m.now && row->held_until > m.now;
}

/* A lease that ended while somebody held the row is over when a look at what is due comes
 * by, which takes as many rows as it was asked for. */
static void end_held_leases(enum queue_kind kind, bool is_all)
{
	struct queue_row *rows;
	size_t count = fixture_queue(&m.f, (struct queue_select){0}, &rows);

	for (size_t i = 0; i < count; i++) {
		struct model_row *row = find(rows[i].account, rows[i].row);

		if (!row || !may_end(row, kind))
			continue;
		CHECK(rows[i].lease == 0 || !is_all);
		row->lease = rows[i].lease;
	}
}

static void lease(void)
{
	enum queue_kind kind = (enum queue_kind)rand_below(2);
	bool is_all = rand_below(4) == 0;
	struct queue_row *rows;
	int64_t next_due, until = m.now + 1 + (int64_t)rand_below(50);
	size_t leasable = 0, limit = is_all ? 1000 : (size_t)rand_below(5);

	for (size_t i = 0; i < m.count; i++)
		leasable += is_leasable(&m.rows[i], kind);
	size_t count = fixture_lease(&m.f, kind, m.now, until, limit, &rows, &next_due);

	CHECK(is_all ? count == leasable : count <= limit && count <= leasable);
	for (size_t i = 0; i < count; i++) {
		struct model_row *row = find(rows[i].account, rows[i].row);

		CHECK(row && is_leasable(row, kind) && rows[i].lease != 0 &&
		      rows[i].lease != row->lease);
		if (!row)
			continue;
		CHECK(rows[i].is_given_up == row->is_given_up);
		CHECK(rows[i].route.len == (row->is_rerouted ? 3u : 0u));
		row->lease = rows[i].lease;
		row->leased_until = until;
	}
	end_held_leases(kind, is_all);
}

static void settle(void)
{
	struct model_row *row = any_row();
	struct store_op op = {.kind = OP_QUEUE_SETTLE};

	if (!row)
		return;
	bool is_stale = rand_below(8) == 0;

	op.settle =
		(struct op_queue_settle){.row = row->row,
					 .lease = row->lease + is_stale,
					 .outcome = (enum queue_outcome)rand_below(4),
					 .due_at = m.now + (int64_t)rand_below(40),
					 .cause = (enum queue_cause)rand_below(CAUSES),
					 .host = STR("mx")};
	enum store_outcome outcome = fixture_do(&m.f, row->account, op);

	if (row->is_gone) {
		CHECK(outcome == STORE_ABSENT);
		return;
	}
	CHECK(outcome == (row->lease && !is_stale ? STORE_OK : STORE_CONFLICT));
	if (outcome != STORE_OK)
		return;
	if (op.settle.outcome == QUEUE_PROLONG) {
		row->leased_until = op.settle.due_at;
		return;
	}
	row->lease = 0;
	row->due_at = op.settle.due_at;
	row->is_gone = op.settle.outcome == QUEUE_DONE;
	if (op.settle.outcome == QUEUE_RETRY) {
		row->tries++;
		row->cause = op.settle.cause;
	}
}

static void change_model(struct model_row *row, const struct op_queue_change *op)
{
	switch (op->change) {
	case ROWS_RETRY:
		row->due_at = 0; /* by the clock of the store, which is behind ours */
		break;
	case ROWS_HOLD:
		row->held_until = op->until;
		break;
	case ROWS_RELEASE:
		row->held_until = 0;
		break;
	case ROWS_DROP:
		row->is_gone = true;
		break;
	case ROWS_BOUNCE:
		row->due_at = row->held_until = 0;
		row->is_given_up = true;
		break;
	case ROWS_REROUTE:
		row->is_rerouted = op->text.len > 0;
		break;
	}
}

static void change(void)
{
	struct model_row *first = any_row();
	struct store_op op = {.kind = OP_QUEUE_CHANGE};
	uint64_t rows[6], there = 0;

	if (!first)
		return;
	rows[0] = first->row;
	for (size_t i = 1; i < COUNT_OF(rows); i++)
		rows[i] = rows[i - 1] + 1 + rand_below(3);
	op.queue_change = (struct op_queue_change){
		.change = (enum queue_change)rand_below(ROWS_REROUTE + 1),
		.rows = rows,
		.count = 1 + (size_t)rand_below(COUNT_OF(rows)),
		.until = rand_below(2) ? QUEUE_HELD : m.now + 30};
	if (op.queue_change.change == ROWS_REROUTE && rand_below(3))
		op.queue_change.text = STR("hop");
	for (size_t i = 0; i < op.queue_change.count; i++) {
		struct model_row *row = find(first->account, rows[i]);

		if (!row || row->is_gone)
			continue;
		there++;
		change_model(row, &op.queue_change);
	}
	CHECK(fixture_do(&m.f, first->account, op) == STORE_OK);
	CHECK(fixture_first(&m.f)->row == there);
}

/* Whoever had leases is gone; at times the index too, which comes back from the log. */
static void start_again(bool is_without_index)
{
	fixture_shut(&m.f);
	if (is_without_index)
		CHECK(unlink(fixture_path(&m.f, STORAGE_INDEX)) == 0);
	CHECK(fixture_open_again(&m.f) == OK);
	for (size_t i = 0; i < m.count; i++) {
		if (m.rows[i].lease)
			m.rows[i].due_at = 0;
		m.rows[i].lease = 0;
	}
}

/* ---- what must be so --------------------------------------------------------------- */

static bool fits(const struct model_row *row, const struct queue_select *s)
{
	return !row->is_gone && (!(s->by & BY_CAUSE) || row->cause == s->cause) &&
	       (!(s->by & BY_HELD) || row->held_until > clock_s()) &&
	       (!(s->by & BY_ACCOUNT) || row->account == s->account) &&
	       (!(s->by & BY_DOMAIN) ||
		str_same_nocase(str_c(domains[row->domain]), s->domain));
}

static void check_list(struct queue_select select)
{
	struct queue_place place = {0};
	struct queue_row *rows;
	size_t count, all = 0, expected = 0;

	for (size_t i = 0; i < m.count; i++)
		expected += fits(&m.rows[i], &select);
	while (!place.is_end) {
		CHECK(storage_queue_list(m.f.storage, &select, &place, 7, &m.f.arena,
					 &rows, &count) == STORE_OK);
		all += count;
		for (size_t i = 0; i < count; i++) {
			struct model_row *row = find(rows[i].account, rows[i].row);

			CHECK(row && fits(row, &select));
			CHECK(row && row->lease == rows[i].lease &&
			      row->tries == rows[i].tries &&
			      row->held_until == rows[i].held_until &&
			      row->priority == rows[i].priority &&
			      row->is_given_up == rows[i].is_given_up);
		}
	}
	CHECK(all == expected);
}

static void check_counts(void)
{
	struct queue_count all, sum = {0};
	struct queue_domain *found;
	size_t count;

	CHECK(storage_queue_counts(m.f.storage, STR(""), 100, &m.f.arena, &all, &found,
				   &count) == STORE_OK);
	for (size_t i = 0; i < m.count; i++) {
		const struct model_row *row = &m.rows[i];

		if (row->is_gone)
			continue;
		sum.rows++;
		sum.held += row->held_until == QUEUE_HELD;
		sum.leased += row->lease != 0;
		sum.causes[row->cause]++;
	}
	CHECK(memcmp(&all, &sum, sizeof all) == 0);
	for (size_t i = 0; i < count; i++) {
		struct queue_select select = {.by = BY_DOMAIN, .domain = found[i].domain};
		size_t expected = 0;

		for (size_t j = 0; j < m.count; j++)
			expected += fits(&m.rows[j], &select);
		CHECK(found[i].count.rows == expected && expected > 0);
	}
	CHECK(count <= DOMAINS);
}

static void check_all(void)
{
	storage_index_commit(m.f.storage);
	arena_reset(&m.f.arena);
	check_list((struct queue_select){.is_brief = rand_below(2)});
	check_list((struct queue_select){.by = BY_HELD | BY_ACCOUNT, .account = 1});
	check_list((struct queue_select){.by = BY_CAUSE | BY_DOMAIN,
					 .cause = (enum queue_cause)rand_below(CAUSES),
					 .domain = STR("example.net")});
	check_counts();
}

TEST(the_queue_is_as_the_model_says)
{
	static void (*const deeds[])(void) = {add,    add,    lease,  lease,
					      settle, settle, settle, change};

	m = (struct model){.now = clock_s() + 60};
	fixture_open(&m.f, FIXTURE_USUAL);
	for (unsigned i = 0; i < STEPS; i++) {
		m.now += (int64_t)rand_below(4);
		deeds[rand_below(COUNT_OF(deeds))]();
		if (i % 50 == 0)
			check_all();
		if (i % (STEPS / STARTS) == STEPS / STARTS - 1)
			start_again(i > STEPS / 2);
	}
	check_all();

	struct check_options options = {.folder = m.f.folder};
	struct check_report report;
	struct str why;

	fixture_shut(&m.f);
	CHECK(storage_check(&options, &m.f.arena, &report, &why) == OK);
	CHECK(check_is_clean(&report));
	CHECK(fixture_open_again(&m.f) == OK);
	fixture_close(&m.f);
}

/* ---- order, ids -------------------------------------------------------------------- */

static void fill(struct fixture *f, uint8_t priority, unsigned count, int64_t due_at)
{
	struct queue_recipient to = {.kind = QUEUE_REMOTE,
				     .address = STR("b@example.net")};

	for (unsigned i = 0; i < count; i++) {
		struct store_op op = op_queue_of(&to, 1, "mail");

		op.queue_add.priority = priority;
		op.queue_add.due_at = due_at + i;
		op.queue_add.timing.hold_until = 0;
		CHECK(fixture_do(f, 1, op) == STORE_OK);
	}
}

TEST(urgent_mail_goes_first_and_starves_nobody)
{
	struct fixture f;
	struct queue_row *rows;
	int64_t next_due;
	size_t counts[3] = {0};

	fixture_open(&f, FIXTURE_USUAL);
	fill(&f, QUEUE_BULK, 40, 100);
	fill(&f, QUEUE_NORMAL, 40, 200);
	fill(&f, QUEUE_URGENT, 40, 300);
	for (unsigned i = 0; i < 16; i++) { /* also in places of one */
		CHECK(fixture_lease(&f, QUEUE_REMOTE, 1000, 2000, 1, &rows, &next_due) ==
		      1);
		counts[rows[0].priority]++;
	}
	CHECK(counts[QUEUE_URGENT] == 10 && counts[QUEUE_NORMAL] == 4 &&
	      counts[QUEUE_BULK] == 2);
	CHECK(fixture_lease(&f, QUEUE_REMOTE, 1000, 2000, 40, &rows, &next_due) == 40);
	for (unsigned i = 0; i < 40; i++)
		counts[rows[i].priority]++;
	CHECK(counts[QUEUE_URGENT] == 35 && counts[QUEUE_NORMAL] == 14 &&
	      counts[QUEUE_BULK] == 7);
	CHECK(rows[0].due_at == 310); /* of one urgency, the longest due first */
	CHECK(fixture_lease(&f, QUEUE_REMOTE, 1000, 2000, 99, &rows, &next_due) == 64);
	CHECK(next_due == 2000);
	fixture_close(&f);
}

TEST(a_queue_id_is_found_without_looking_at_others)
{
	struct fixture f;
	struct queue_row *rows;
	struct queue_recipient to[] = {
		{.kind = QUEUE_REMOTE, .address = STR("b@example.net")},
		{.kind = QUEUE_REMOTE, .address = STR("c@example.org")}};
	struct store_op op = op_queue_of(to, 2, "wanted");

	fixture_open(&f, FIXTURE_USUAL);
	fill(&f, QUEUE_NORMAL, 20, 100);
	op.queue_add.id = STR("WANTED");
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, ACCOUNT_SYSTEM, op) == STORE_OK);
	fill(&f, QUEUE_NORMAL, 5, 100);
	struct queue_select select = {.by = BY_ID, .id = STR("WANTED")};

	CHECK(fixture_queue(&f, select, &rows) == 4);
	CHECK(rows[0].account == ACCOUNT_SYSTEM && rows[2].account == 1);
	CHECK_STR(rows[3].recipient.address, STR("c@example.org"));
	select.by |= BY_DOMAIN;
	select.domain = STR("example.ORG");
	CHECK(fixture_queue(&f, select, &rows) == 2);
	select.id = STR("WANTE");
	CHECK(fixture_queue(&f, select, &rows) == 0);
	select = (struct queue_select){.by = BY_SENDER, .sender = STR("ANN@example.org")};
	CHECK(fixture_queue(&f, select, &rows) == 29);
	fixture_close(&f);
}

/* ---- many ------------------------------------------------------------------------- */

TEST(a_hundred_thousand_rows_are_looked_at_in_slices)
{
	enum { MAILS = 100, EACH = 1000, SLICE = 3000 };
	static struct queue_recipient to[EACH];
	static char addresses[EACH][40];
	struct fixture f;
	struct queue_row *rows;
	struct queue_count all;
	struct queue_domain *domains_found;
	struct queue_place place = {0};
	struct queue_select select = {.by = BY_SENDER, .sender = STR("nobody@x")};
	int64_t next_due;
	size_t count, slices = 0;

	fixture_open(&f, FIXTURE_USUAL);
	for (unsigned mail = 0; mail < MAILS; mail++) {
		for (unsigned i = 0; i < EACH; i++) {
			(void)snprintf(addresses[i], sizeof addresses[i], "u%u@d%u.org",
				       mail, i);
			to[i] = (struct queue_recipient){.kind = QUEUE_REMOTE,
							 .address = str_c(addresses[i])};
		}
		CHECK(fixture_do(&f, mail % 2, op_queue_of(to, EACH, "x")) == STORE_OK);
	}
	for (; !place.is_end; slices++) {
		CHECK(storage_queue_list(f.storage, &select, &place, 500, &f.arena, &rows,
					 &count) == STORE_OK);
		CHECK(count == 0);
	}
	CHECK(slices >= MAILS * EACH / SLICE && slices <= MAILS * EACH / SLICE + 2);
	CHECK(fixture_lease(&f, QUEUE_REMOTE, 9999, 20000, 1000, &rows, &next_due) ==
	      1000);
	storage_index_commit(f.storage);
	CHECK(storage_queue_counts(f.storage, STR("d5"), 10, &f.arena, &all,
				   &domains_found, &count) == STORE_OK);
	CHECK(all.rows == MAILS * EACH && all.leased == 1000 && count == 10);
	CHECK(domains_found[0].count.rows == MAILS);
	CHECK_STR(domains_found[0].domain, STR("d5.org"));
	CHECK_STR(domains_found[1].domain, STR("d50.org"));
	fixture_close(&f);
}

/* Queue, key-value pairs and changes: what every back end of the seam must do. */
#include <stdio.h>

#include "rt/clock.h"
#include "storage/fixture.h"

static const struct queue_recipient two[] = {
	{.kind = QUEUE_REMOTE,
	 .address = STR("b@example.net"),
	 .original = STR("B@example.net"),
	 .orcpt = STR("rfc822;b"),
	 .notify = 4},
	{.kind = QUEUE_REMOTE, .address = STR("c@example.net")},
};

static size_t lease(struct fixture *f, int64_t now, int64_t until, size_t limit,
		    struct queue_row **rows, int64_t *next_due)
{
	return fixture_lease(f, QUEUE_REMOTE, now, until, limit, rows, next_due);
}

static struct store_op settle(const struct queue_row *row, enum queue_outcome outcome)
{
	return (struct store_op){.kind = OP_QUEUE_SETTLE,
				 .settle = {.row = row->row,
					    .lease = row->lease,
					    .outcome = outcome,
					    .due_at = 5000,
					    .reason = STR("try later"),
					    .told = QUEUE_TOLD_DELAY}};
}

CONFORMANCE(a_queued_mail_is_leased_retried_and_settled)
{
	struct fixture f;
	struct queue_row *rows, *again;
	int64_t next_due;
	struct store_stats stats;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_queue_of(two, 2, "queued")) == STORE_OK);
	uint64_t first = fixture_first(&f)->row;

	CHECK(lease(&f, 999, 2000, 9, &rows, &next_due) == 0 && next_due == 1000);
	CHECK(lease(&f, 1000, 2000, 1, &rows, &next_due) == 1 && next_due == 1000);
	CHECK(rows[0].row == first && rows[0].account == 1 && rows[0].lease > 0);
	CHECK_STR(rows[0].sender, STR("ann@example.org"));
	CHECK_STR(rows[0].id, STR("Q1"));
	CHECK_STR(rows[0].envid, STR("env"));
	CHECK_STR(rows[0].trace, STR("Received: by us\r\n"));
	CHECK_STR(rows[0].recipient.address, two[0].address);
	CHECK_STR(rows[0].recipient.original, two[0].original);
	CHECK_STR(rows[0].recipient.orcpt, two[0].orcpt);
	CHECK(rows[0].recipient.notify == 4 && rows[0].ret == 1);
	CHECK(rows[0].timing.deliver_by == 5 && rows[0].timing.hold_until == 6);
	CHECK(rows[0].timing.modes == QUEUE_BY_RETURN && rows[0].told == 0);
	CHECK(rows[0].body_kind == 128 && rows[0].size == rows[0].trace.len + 6);
	CHECK_STR(fixture_body(&f, 1, rows[0].message), STR("queued"));
	CHECK(lease(&f, 1000, 2000, 9, &again, &next_due) == 1 && next_due == 2000);
	CHECK(again[0].row == first + 1);

	CHECK(fixture_do(&f, 1, settle(&rows[0], QUEUE_RETRY)) == STORE_OK);
	CHECK(fixture_do(&f, 1, settle(&rows[0], QUEUE_DONE)) == STORE_CONFLICT);
	CHECK(lease(&f, 4999, 6000, 9, &rows, &next_due) == 1); /* the expired one */
	CHECK(rows[0].row == first + 1 && rows[0].lease != again[0].lease);
	CHECK(fixture_do(&f, 1, settle(&again[0], QUEUE_DONE)) == STORE_CONFLICT);
	CHECK(fixture_do(&f, 1, settle(&rows[0], QUEUE_DONE)) == STORE_OK);
	CHECK(fixture_do(&f, 1, settle(&rows[0], QUEUE_DONE)) == STORE_ABSENT);
	CHECK(lease(&f, 5000, 6000, 9, &rows, &next_due) == 1 && next_due == 6000);
	CHECK(rows[0].tries == 1 && rows[0].told == QUEUE_TOLD_DELAY);
	CHECK_STR(rows[0].reason, STR("try later"));
	CHECK(fixture_do(&f, 2, settle(&rows[0], QUEUE_DONE)) == STORE_ABSENT);
	CHECK(fixture_do(&f, 1, settle(&rows[0], QUEUE_DONE)) == STORE_OK);
	CHECK(fixture_body(&f, 1, rows[0].message).len == 0);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.queue_rows == 0);
	CHECK(stats.body_bytes == 0);
	CHECK(lease(&f, 9999, 10000, 9, &rows, &next_due) == 0 && next_due == 0);
	fixture_close(&f);
}

CONFORMANCE(a_queued_mail_is_delivered_by_sharing_its_body)
{
	struct fixture f;
	struct queue_row *rows;
	struct message_row *messages;
	int64_t next_due;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, ACCOUNT_SYSTEM, op_queue_of(two, 2, "to many")) == STORE_OK);
	CHECK(lease(&f, 1000, 2000, 9, &rows, &next_due) == 2);
	struct store_op op = op_append_of(MAILBOX_INBOX, "");

	op.append.digest = STR("");
	op.append.body.from_account = ACCOUNT_SYSTEM;
	op.append.body.from_message = rows[0].message;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, ACCOUNT_SYSTEM, settle(&rows[0], QUEUE_DONE)) == STORE_OK);
	CHECK(fixture_do(&f, ACCOUNT_SYSTEM, settle(&rows[1], QUEUE_DONE)) == STORE_OK);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &messages) == 2);
	CHECK_STR(messages[1].digest, STR("queue digest"));
	CHECK_STR(fixture_body(&f, 1, messages[1].message), STR("to many"));
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT); /* the queued one is gone */
	fixture_close(&f);
}

CONFORMANCE(the_queue_is_listed_over_all_accounts)
{
	struct fixture f;
	struct queue_row *rows;
	size_t count;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 900, (struct store_op){.kind = OP_ACCOUNT_CREATE}) ==
	      STORE_OK);
	CHECK(fixture_do(&f, 900, op_queue_of(two, 2, "x")) == STORE_OK);
	CHECK(fixture_do(&f, ACCOUNT_SYSTEM, op_queue_of(two, 1, "y")) == STORE_OK);
	count = fixture_queue(&f, (struct queue_select){0}, &rows);
	CHECK(count == 3 && rows[0].account == ACCOUNT_SYSTEM && rows[2].account == 900);
	CHECK(storage_queue_list(f.storage, &(struct queue_select){0},
				 &(struct queue_place){rows[1].account, rows[1].row}, 10,
				 &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == 1 && rows[0].account == 900);
	struct store_op op = op_queue_of(two, 0, "x");

	CHECK(fixture_do(&f, 900, op) == STORE_INVALID);
	fixture_close(&f);
}

CONFORMANCE(small_pairs_are_kept_and_scanned_in_order)
{
	struct fixture f;
	struct str value;
	struct kv_row *rows;
	size_t count;
	static char big[KV_VALUE_MAX + 1];
	struct store_op op = {.kind = OP_KV_PUT};
	const char *keys[] = {"a/2", "b", "a/1", "a/10", "a"};

	fixture_open(&f, FIXTURE_USUAL);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		op.kv.key = op.kv.value = str_c(keys[i]);
		CHECK(fixture_do(&f, 1, op) == STORE_OK);
	}
	CHECK(storage_kv_get(f.storage, 1, STR("a/10"), &f.arena, &value) == STORE_OK);
	CHECK_STR(value, STR("a/10"));
	CHECK(storage_kv_get(f.storage, 2, STR("a/10"), &f.arena, &value) ==
	      STORE_ABSENT);
	CHECK(storage_kv_scan(f.storage, 1, STR("a/"), STR(""), 2, &f.arena, &rows,
			      &count) == STORE_OK);
	CHECK(count == 2);
	CHECK_STR(rows[1].key, STR("a/10"));
	CHECK(storage_kv_scan(f.storage, 1, STR("a/"), rows[1].key, 9, &f.arena, &rows,
			      &count) == STORE_OK);
	CHECK(count == 1);
	CHECK_STR(rows[0].key, STR("a/2"));
	CHECK(storage_kv_scan(f.storage, 1, STR(""), STR(""), 99, &f.arena, &rows,
			      &count) == STORE_OK);
	CHECK(count == 5);
	op.kv.key = STR("a");
	op.kv.only_if_absent = true;
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT);
	op.kind = OP_KV_DELETE;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	op.kind = OP_KV_PUT;
	op.kv.value = (struct str){big, sizeof big};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.kv.value.len--;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	op.kv.key = (struct str){big, KV_KEY_MAX + 1};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	fixture_close(&f);
}

CONFORMANCE(changes_tell_what_happened_since)
{
	struct fixture f;
	struct uid_range range;
	struct change_row *rows;
	size_t count;
	uint64_t upto;
	bool more;

	fixture_open(&f, FIXTURE_USUAL);
	uint64_t start = f.result.change;

	fixture_fill(&f, 3);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	uint64_t box = fixture_first(&f)->mailbox;
	struct store_op op = {.kind = OP_MOVE,
			      .copy = {.mailbox = MAILBOX_INBOX,
				       .to_mailbox = box,
				       .uids = uids_of(&range, 2, 3)}};

	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(storage_changes(f.storage, 1, 0, start, &f.arena, &rows, &count, &upto,
			      &more) == STORE_OK);
	CHECK(count == 6 && !more && upto == f.result.change);
	CHECK(rows[0].kind == CHANGE_MESSAGE_NEW && rows[0].uids.first == 1);
	CHECK(rows[3].kind == CHANGE_MAILBOX && rows[3].mailbox == box);
	CHECK(rows[4].kind == CHANGE_MESSAGE_NEW && rows[4].mailbox == box);
	CHECK(rows[5].kind == CHANGE_MESSAGE_GONE && rows[5].uids.first == 2 &&
	      rows[5].uids.last == 3 && rows[5].change == rows[4].change);
	CHECK(storage_changes(f.storage, 1, box, start, &f.arena, &rows, &count, &upto,
			      &more) == STORE_OK);
	CHECK(count == 2 && upto == f.result.change);
	CHECK(storage_changes(f.storage, 1, 0, upto, &f.arena, &rows, &count, &upto,
			      &more) == STORE_OK);
	CHECK(count == 0 && upto == f.result.change);
	CHECK(storage_changes(f.storage, 1, 0, upto + 1, &f.arena, &rows, &count, &upto,
			      &more) == STORE_CONFLICT);
	CHECK(storage_changes(f.storage, 5, 0, 0, &f.arena, &rows, &count, &upto,
			      &more) == STORE_ABSENT);
	fixture_close(&f);
}

/* Many changes in few flushes. */
static void subscribe_often(struct fixture *f, unsigned times)
{
	static struct store_op ops[1000];

	for (size_t i = 0; i < COUNT_OF(ops); i++)
		ops[i] = (struct store_op){.kind = OP_MAILBOX_SUBSCRIBE,
					   .mailbox = {.mailbox = MAILBOX_INBOX}};
	for (unsigned i = 0; i < times; i++)
		CHECK(fixture_commit(f, 1, "", ops, COUNT_OF(ops)) == STORE_OK);
}

CONFORMANCE(the_log_of_changes_is_trimmed_and_says_so)
{
	struct fixture f;
	struct change_row *rows;
	size_t count, all = 0;
	uint64_t upto = 0;
	bool more = true;

	fixture_open(&f, FIXTURE_USUAL);
	uint64_t start = f.result.change;

	subscribe_often(&f, 26);
	CHECK(storage_changes(f.storage, 1, 0, start, &f.arena, &rows, &count, &upto,
			      &more) == STORE_OK);
	fixture_maintain(&f, 0);
	CHECK(storage_changes(f.storage, 1, 0, start, &f.arena, &rows, &count, &upto,
			      &more) == STORE_CONFLICT);
	/* The oldest change that can still be asked for. */
	uint64_t low = start, high = f.result.change;

	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;

		if (storage_changes(f.storage, 1, 0, middle, &f.arena, &rows, &count,
				    &upto, &more) == STORE_CONFLICT)
			low = middle;
		else
			high = middle;
	}
	for (more = true, upto = high; more; all += count)
		CHECK(storage_changes(f.storage, 1, 0, upto, &f.arena, &rows, &count,
				      &upto, &more) == STORE_OK);
	CHECK(all >= 19000 && all <= 20000);
	fixture_close(&f);
}

/* What happened after that change, as far as the log tells; UINT64_MAX: it cannot. */
static uint64_t changes_since(struct fixture *f, uint64_t since)
{
	struct change_row *rows;
	uint64_t count_all = 0;
	size_t count;
	bool more = true;

	while (more) {
		enum store_outcome outcome = storage_changes(
			f->storage, 1, 0, since, &f->arena, &rows, &count, &since, &more);

		if (outcome == STORE_CONFLICT)
			return UINT64_MAX;
		CHECK(outcome == STORE_OK);
		count_all += count;
	}
	return count_all;
}

CONFORMANCE(old_changes_go_but_for_the_last_and_it_says_so)
{
	enum { DAY = 24 * 60 * 60 };
	const int64_t today = (int64_t)20000 * DAY;
	struct fixture f = {0};

	clock_test_calendar(today * 1000000);
	fixture_open(&f, FIXTURE_USUAL);
	uint64_t start = f.result.change;

	fixture_fill(&f, 80);
	uint64_t middle = f.result.change;

	clock_test_calendar((today + 100 * DAY) * 1000000);
	fixture_fill(&f, 80);
	uint64_t last = f.result.change;

	fixture_maintain(&f, today + 180 * DAY);
	CHECK(changes_since(&f, start) == 160);
	fixture_maintain(&f, today + 181 * DAY);
	CHECK(changes_since(&f, start) == UINT64_MAX);
	CHECK(changes_since(&f, middle - 1) == UINT64_MAX);
	CHECK(changes_since(&f, middle) == 80);
	/* Its next turn comes by itself: only the last numbers stay. */
	fixture_maintain(&f, today + 281 * DAY);
	CHECK(changes_since(&f, middle) == UINT64_MAX);
	CHECK(changes_since(&f, last - 100) < 80 && changes_since(&f, last - 100) > 20);
	fixture_maintain(&f, today + 900 * DAY);
	CHECK(changes_since(&f, last - 100) > 20);
	/* They go when they are not the last any more. */
	fixture_fill(&f, 80);
	fixture_maintain(&f, today + 1800 * DAY);
	CHECK(changes_since(&f, last) == UINT64_MAX);
	CHECK(changes_since(&f, f.result.change) == 0);
	clock_test_calendar(0);
	fixture_close(&f);
}

CONFORMANCE(rows_come_in_pages)
{
	struct fixture f;
	static char digest[40000];
	struct message_row *rows;
	size_t count, all = 0, pages = 0;
	uint32_t next = 1;

	memset(digest, 'd', sizeof digest);
	fixture_open(&f, FIXTURE_USUAL);
	for (unsigned i = 0; i < 20; i++) {
		struct store_op op = op_append_of(MAILBOX_INBOX, "x");

		op.append.digest = (struct str){digest, sizeof digest};
		CHECK(fixture_do(&f, 1, op) == STORE_OK);
	}
	for (; next != 0; all += count, pages++)
		CHECK(storage_rows(f.storage, 1, MAILBOX_INBOX,
				   (struct uid_range){next, 19}, ROW_DIGEST, &f.arena,
				   &rows, &count, &next) == STORE_OK);
	CHECK(all == 19 && pages == 3);
	CHECK(rows[count - 1].uid == 19 && rows[count - 1].digest.len == sizeof digest);
	CHECK(storage_rows(f.storage, 1, 99, (struct uid_range){1, 9}, 0, &f.arena, &rows,
			   &count, &next) == STORE_ABSENT);
	fixture_close(&f);
}

CONFORMANCE(a_big_body_is_read_piece_by_piece)
{
	struct fixture f;
	static char big[300000];
	struct store_op op = op_append_of(MAILBOX_INBOX, "x");
	struct buf frame = BUF(1 << 20);
	uint64_t size, raw;

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 7 + i / 251);
	fixture_open(&f, FIXTURE_USUAL);
	op.append.body.frame = (struct str){big, sizeof big};
	op.append.body.raw_size = 777;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	uint64_t message = fixture_first(&f)->message;

	do
		CHECK(storage_frame(f.storage, 1, message, frame.len, 70000, &frame,
				    &size, &raw) == STORE_OK);
	while (frame.len < size);
	CHECK(raw == 777 && size == sizeof big);
	CHECK(str_same(buf_str(&frame), op.append.body.frame));
	buf_reset(&frame);
	CHECK(storage_frame(f.storage, 1, message, 0, 1 << 20, &frame, &size, &raw) ==
	      STORE_OK);
	CHECK(str_same(buf_str(&frame), op.append.body.frame));
	CHECK(storage_frame(f.storage, 1, message + 9, 0, 1, &frame, &size, &raw) ==
	      STORE_ABSENT);
	buf_fini(&frame);
	fixture_close(&f);
}

/* Leases of queue rows. */
#include "rt/clock.h"
#include "storaged/world.h"

static void leases_rows(void)
{
	struct queue_recipient to[] = {
		{.kind = QUEUE_LOCAL, .address = STR("ann@example.org"), .account = ANN},
		{.kind = QUEUE_LOCAL, .address = STR("bob@example.org"), .account = BOB}};
	struct store_op add = {.kind = OP_QUEUE_ADD}, op = append_op(STR(""));
	struct queue_row *rows = NULL;
	int64_t now = clock_s(), next_due;
	size_t count = 0;

	add.queue_add.id = STR("QID");
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = to;
	add.queue_add.count = 2;
	CHECK(commit_one(w.smtpd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &(struct queue_place){0},
			       10, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 2);
	CHECK(store_queue_list(w.smtpd, &(struct queue_select){0},
			       &(struct queue_place){0}, 10, &w.arena, &rows,
			       &count) == STORE_DENIED);
	/* Not before it has the lease. */
	op.append.body = (struct store_body){.from_account = ACCOUNT_SYSTEM};
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.smtpd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now, now + 100, 10, &w.arena, &rows,
				&count, &next_due) == STORE_OK);
	CHECK(count == 2 && rows[0].lease != 0);
	CHECK_STR(rows[0].recipient.address, STR("ann@example.org"));
	CHECK(commit_one(w.smtpd, ANN, STR("k"), op, NULL) == STORE_OK);
	struct store_op settle = {.kind = OP_QUEUE_SETTLE};

	settle.settle.row = rows[0].row;
	settle.settle.lease = rows[0].lease + 1;
	CHECK(commit_one(w.smtpd, 0, STR(""), settle, NULL) == STORE_CONFLICT);
	settle.settle.lease--;
	CHECK(commit_one(w.smtpd, 0, STR(""), settle, NULL) == STORE_OK);
	CHECK(commit_one(w.smtpd, 0, STR(""), settle, NULL) == STORE_DENIED);
	CHECK(exists(ANN) == 1);
}

TEST(queue_rows_are_delivered_under_lease_only)
{
	world_run(leases_rows);
}

static void leases_end(void)
{
	struct queue_recipient to = {
		.kind = QUEUE_LOCAL, .address = STR("ann@example.org"), .account = ANN};
	struct store_op add = {.kind = OP_QUEUE_ADD}, op = append_op(STR(""));
	struct queue_row *rows = NULL;
	int64_t now = clock_s(), next_due;
	size_t count = 0;

	add.queue_add.id = STR("QID");
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = &to;
	add.queue_add.count = 1;
	CHECK(commit_one(w.smtpd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now - 10, now - 5, 10, &w.arena,
				&rows, &count, &next_due) == STORE_OK);
	CHECK(count == 1);
	/* Another may have delivered it meanwhile, and forgotten the key. */
	op.append.body = (struct store_body){.from_account = ACCOUNT_SYSTEM};
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.smtpd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	/* A door cannot take what others have by telling a later time. */
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now, now + 100, 10, &w.arena, &rows,
				&count, &next_due) == STORE_OK);
	CHECK(count == 1);
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now + 7000, now + 8000, 10,
				&w.arena, &rows, &count, &next_due) == STORE_OK);
	CHECK(count == 0);
}

TEST(a_lease_ends_by_the_clock_of_the_store)
{
	world_run(leases_end);
}

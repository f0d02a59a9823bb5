/* What was saved too long ago goes, and only that. */
#include <stdio.h>

#include "rt/clock.h"
#include "storaged/state.h"
#include "storaged/world.h"

enum { DAY_S = 24 * 60 * 60 };

static uint64_t box_make(account_t account, const char *name, enum mailbox_role role)
{
	struct store_op op = {.kind = OP_MAILBOX_CREATE,
			      .mailbox = {.name = str_c(name), .role = role}};
	struct store_result result = {0};

	CHECK(commit_one(w.ctl, account, STR(""), op, &result) == STORE_OK);
	return result.count == 1 ? result.ops[0].mailbox : 0;
}

static void fill(account_t account, uint64_t mailbox, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct store_op op = append_op(STR("Subject: old\r\n\r\n"));

		op.append.mailbox = mailbox;
		CHECK(commit_one(w.ctl, account, STR(""), op, NULL) == STORE_OK);
	}
}

static void rule(account_t account, uint64_t mailbox, const char *days,
		 enum store_outcome outcome)
{
	char name[40];
	struct str value;
	struct store_op op = {.kind = OP_KV_PUT};

	(void)snprintf(name, sizeof name, STORE_KV_RETENTION "%llu",
		       (unsigned long long)mailbox);
	op.kv = (struct op_kv){.key = str_c(name), .value = str_c(days)};
	CHECK(commit_one(w.ctl, account, STR(""), op, NULL) == outcome);
	/* Who asks sees it; and then the index shows it to those who do not ask. */
	if (outcome == STORE_OK)
		CHECK(store_kv_get(w.ctl, account, str_c(name), &w.arena, &value) ==
		      STORE_OK);
}

static uint32_t left(account_t account, uint64_t mailbox)
{
	struct mailbox_row row = {0};

	CHECK(store_mailbox(w.ctl, account, mailbox, &w.arena, &row) == STORE_OK);
	return row.exists;
}

static void after_days(int64_t days)
{
	retention_round(w.storaged, clock_s() + days * DAY_S + 60);
}

static void expires(void)
{
	uint64_t trash = box_make(ANN, "Trash", ROLE_TRASH);
	uint64_t news = box_make(ANN, "News", ROLE_NONE);
	uint64_t bobs = box_make(BOB, "Trash", ROLE_TRASH);

	fill(ANN, MAILBOX_INBOX, 2);
	fill(ANN, trash, 250); /* more than one step takes */
	fill(ANN, news, 3);
	fill(BOB, bobs, 4);
	after_days(3000);
	CHECK(left(ANN, trash) == 250 && left(ANN, news) == 3 && left(BOB, bobs) == 4);

	rule(ANN, news, "a week", STORE_INVALID);
	rule(ANN, news, "7", STORE_OK);
	w.storaged->options.retention.trash_days = 30;
	after_days(6);
	CHECK(left(ANN, news) == 3);
	after_days(7);
	CHECK(left(ANN, news) == 0 && left(ANN, trash) == 250);
	rule(BOB, bobs, "0", STORE_OK); /* for ever, whatever the default */
	after_days(30);
	CHECK(left(ANN, trash) == 0 && left(BOB, bobs) == 4);
	CHECK(left(ANN, MAILBOX_INBOX) == 2);
}

TEST(messages_expire_by_the_rule_of_their_mailbox)
{
	world_run(expires);
}

static void comes_back(void)
{
	uint64_t junk = box_make(ANN, "Junk", ROLE_JUNK);
	struct undelete_row *rows;
	size_t count;

	w.storaged->options.retention.junk_days = 1;
	fill(ANN, junk, 1);
	CHECK(left(ANN, junk) == 1);
	after_days(1);
	CHECK(left(ANN, junk) == 0);
	CHECK(store_expunged(w.ctl, ANN, 0, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 1 && rows[0].mailbox == junk);
	struct store_op op = {.kind = OP_UNDELETE,
			      .undelete = {rows[0].member, rows[0].mailbox}};

	CHECK(commit_one(w.ctl, ANN, STR(""), op, NULL) == STORE_OK);
	CHECK(left(ANN, junk) == 1);
}

TEST(what_expired_can_be_brought_back)
{
	world_run(comes_back);
}

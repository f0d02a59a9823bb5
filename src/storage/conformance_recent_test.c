/* What every back end of the seam must do about what is recent. */
#include <stdio.h>

#include "storage/fixture.h"

static struct store_op told_below(uint64_t mailbox, uint32_t below)
{
	return (struct store_op){.kind = OP_RECENT, .recent = {mailbox, below}};
}

static bool inbox_has(struct fixture *f, uint32_t recent_from, uint32_t recent)
{
	struct mailbox_row inbox = fixture_mailbox(f, 1, MAILBOX_INBOX);

	return inbox.recent_from == recent_from && inbox.recent == recent;
}

CONFORMANCE(messages_are_recent_until_somebody_was_told)
{
	struct fixture f;
	struct uid_range range;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).recent == 0);
	fixture_fill(&f, 5);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).recent == 5);
	uint64_t change = f.result.change;

	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 4)) == STORE_OK);
	CHECK(f.result.change == change); /* nobody has to look again */
	CHECK(fixture_first(&f)->uid == 1 && inbox_has(&f, 4, 2));
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 3)) == STORE_OK);
	CHECK(fixture_first(&f)->uid == 4 && inbox_has(&f, 4, 2)); /* never back */
	struct store_op expunge = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .uids = uids_of(&range, 3, 4)}};

	CHECK(fixture_do(&f, 1, expunge) == STORE_OK);
	CHECK(inbox_has(&f, 4, 1));
	fixture_fill(&f, 1);
	CHECK(inbox_has(&f, 4, 2));
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, UINT32_MAX)) == STORE_OK);
	CHECK(inbox_has(&f, 7, 0)); /* no further than what there is */
	fixture_fill(&f, 1);
	CHECK(inbox_has(&f, 7, 1));
	CHECK(fixture_do(&f, 1, told_below(99, 4)) == STORE_ABSENT);
	fixture_close(&f);
}

CONFORMANCE(where_nothing_is_recent_nothing_is_written)
{
	struct fixture f;
	struct store_stats before, after;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 3);
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 4)) == STORE_OK);
	CHECK(storage_stats(f.storage, &before) == STORE_OK);
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 4)) == STORE_OK);
	CHECK(storage_stats(f.storage, &after) == STORE_OK);
	CHECK(after.groups == before.groups);
	fixture_fill(&f, 1);
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 5)) == STORE_OK);
	CHECK(storage_stats(f.storage, &after) == STORE_OK);
	CHECK(after.groups == before.groups + 2);
	fixture_close(&f);
}

CONFORMANCE(copies_and_moves_arrive_as_recent)
{
	struct fixture f;
	struct uid_range range;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 4);
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 3)) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	uint64_t box = fixture_first(&f)->mailbox;
	struct store_op op = {.kind = OP_COPY,
			      .copy = {.mailbox = MAILBOX_INBOX,
				       .to_mailbox = box,
				       .uids = uids_of(&range, 2, 3)}};

	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, box).recent == 2 && inbox_has(&f, 3, 2));
	op.kind = OP_MOVE;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, box).recent == 4 && inbox_has(&f, 3, 1));
	fixture_close(&f);
}

TEST(what_is_recent_is_there_after_a_start_and_in_the_log)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 5);
	CHECK(fixture_do(&f, 1, told_below(MAILBOX_INBOX, 4)) == STORE_OK);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f));
	CHECK(fixture_open_again(&f) == OK);
	CHECK(inbox_has(&f, 4, 2));
	fixture_shut(&f);
	CHECK(remove(fixture_path(&f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(&f) == OK);
	CHECK(inbox_has(&f, 4, 2));
	fixture_close(&f);
}

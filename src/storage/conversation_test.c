/* storage/threads.h.  (threads_test.c is about those of the machine.) */
#include <unistd.h>

#include "storage/fixture.h"
#include "storage/record.h"
#include "store/digest.h"

/* Appends a mail with that header to a mailbox of account 1; gives its number. */
static uint64_t arrive_at(struct fixture *f, uint64_t mailbox, int64_t at,
			  const char *header)
{
	SCOPED(buf_fini) struct buf text = BUF(4096), digest = BUF(2 * DIGEST_BYTES_MAX);
	struct store_op op = op_append_of(mailbox, "frame");

	buf_printf(&text, "%s\r\nx\r\n", header);
	digest_make(buf_str(&text), &digest);
	op.append.digest = buf_str(&digest);
	op.append.received_at = at;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	return fixture_first(f)->message;
}

static uint64_t arrive(struct fixture *f, uint64_t mailbox, const char *header)
{
	return arrive_at(f, mailbox, 0, header);
}

/* The thread of a message, wherever it is. */
static uint64_t thread_of(struct fixture *f, uint64_t mailbox, uint64_t message)
{
	struct message_row *rows;
	size_t count = fixture_rows(f, 1, mailbox, &rows);

	for (size_t i = 0; i < count; i++)
		if (rows[i].message == message)
			return rows[i].thread;
	return 0;
}

static bool is_in_dump(struct fixture *f, const char *what)
{
	SCOPED(buf_fini) struct buf dump = BUF(1 << 20);

	fixture_dump(f, &dump);
	return str_find(buf_str(&dump), str_c(what)) < dump.len;
}

static void rebuild(struct fixture *f)
{
	SCOPED(buf_fini) struct buf before = BUF(1 << 20), after = BUF(1 << 20);

	fixture_dump(f, &before);
	fixture_shut(f);
	CHECK(unlink(fixture_path(f, "index.lmdb")) == 0);
	CHECK(fixture_open_again(f) == OK);
	fixture_dump(f, &after);
	CHECK_STR(buf_str(&after), buf_str(&before));
}

TEST(answers_join_the_thread_of_what_they_answer)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_mailbox_of("Sent", 0)) == STORE_OK);
	uint64_t sent = fixture_first(&f)->mailbox;
	uint64_t one = arrive(&f, MAILBOX_INBOX, "Message-ID: <1@a>\r\n");
	uint64_t two = arrive(&f, sent, "Message-ID: <2@a>\r\nIn-Reply-To: <1@a>\r\n");
	uint64_t three = arrive(&f, MAILBOX_INBOX,
				"Message-ID: <3@a>\r\nReferences: <1@a> <2@a>\r\n");
	uint64_t other = arrive(&f, MAILBOX_INBOX, "Message-ID: <4@a>\r\n");
	uint64_t none = arrive(&f, MAILBOX_INBOX, "Subject: x\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, one) == one);
	CHECK(thread_of(&f, sent, two) == one);
	CHECK(thread_of(&f, MAILBOX_INBOX, three) == one);
	CHECK(thread_of(&f, MAILBOX_INBOX, other) == other);
	CHECK(thread_of(&f, MAILBOX_INBOX, none) == none);
	/* what comes late finds those that named it */
	uint64_t answer = arrive(&f, MAILBOX_INBOX,
				 "Message-ID: <6@a>\r\nReferences: <0@a> <5@a>\r\n");
	uint64_t late = arrive(&f, MAILBOX_INBOX, "Message-ID: <5@a>\r\n");
	uint64_t later = arrive(&f, MAILBOX_INBOX, "Message-ID: <0@a>\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, answer) == answer);
	CHECK(thread_of(&f, MAILBOX_INBOX, late) == answer);
	CHECK(thread_of(&f, MAILBOX_INBOX, later) == answer);
	/* the nearest counts, and nothing moves */
	uint64_t both = arrive(&f, MAILBOX_INBOX,
			       "Message-ID: <7@a>\r\nReferences: <3@a> <4@a>\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, both) == other);
	CHECK(thread_of(&f, MAILBOX_INBOX, three) == one);
	rebuild(&f);
	CHECK(thread_of(&f, MAILBOX_INBOX, both) == other);
	CHECK(thread_of(&f, sent, two) == one);
	fixture_close(&f);
}

TEST(a_thread_is_forgotten_with_its_last_message)
{
	struct fixture f;
	struct uid_range range;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_keep(&f, 1, "0");
	uint64_t one = arrive(&f, MAILBOX_INBOX, "Message-ID: <1@a>\r\n");
	uint64_t two = arrive(&f, MAILBOX_INBOX,
			      "Message-ID: <2@a>\r\nReferences: <1@a> <1@a>\r\n");
	const struct store_op expunge = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .uids = uids_of(&range, 1, 1)}};

	CHECK(fixture_do(&f, 1, expunge) == STORE_OK);
	CHECK(thread_of(&f, MAILBOX_INBOX, two) == one);
	uint64_t three =
		arrive(&f, MAILBOX_INBOX, "Message-ID: <3@a>\r\nReferences: <1@a>\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, three) == one);
	CHECK(is_in_dump(&f, "1 J "));
	struct store_op all = expunge;

	all.expunge.uids = (struct uid_set){0};
	CHECK(fixture_do(&f, 1, all) == STORE_OK);
	CHECK(!is_in_dump(&f, "1 J "));
	uint64_t four =
		arrive(&f, MAILBOX_INBOX, "Message-ID: <4@a>\r\nReferences: <3@a>\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, four) == four);
	rebuild(&f);
	fixture_close(&f);
}

TEST(a_reply_that_names_nothing_joins_the_newest_of_its_subject)
{
	enum { DAY = 86400 };
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	uint64_t one = arrive_at(&f, MAILBOX_INBOX, 0, "Subject: lunch\r\n");
	uint64_t again = arrive_at(&f, MAILBOX_INBOX, DAY, "Subject: Lunch\r\n");
	uint64_t reply = arrive_at(&f, MAILBOX_INBOX, 2 * DAY, "Subject: Re: lunch\r\n");
	uint64_t forward =
		arrive_at(&f, MAILBOX_INBOX, 32 * DAY, "Subject: Fwd: [a] LUNCH\r\n");
	uint64_t late = arrive_at(&f, MAILBOX_INBOX, 63 * DAY, "Subject: Re: lunch\r\n");
	uint64_t named = arrive_at(&f, MAILBOX_INBOX, 3 * DAY,
				   "Subject: Re: lunch\r\nIn-Reply-To: <gone@a>\r\n");
	uint64_t other = arrive_at(&f, MAILBOX_INBOX, DAY, "Subject: Re: dinner\r\n");
	uint64_t empty = arrive_at(&f, MAILBOX_INBOX, DAY, "Subject: Re:\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, one) == one);
	CHECK(thread_of(&f, MAILBOX_INBOX, again) == again); /* is no reply */
	CHECK(thread_of(&f, MAILBOX_INBOX, reply) == again); /* the newest */
	CHECK(thread_of(&f, MAILBOX_INBOX, forward) == again);
	CHECK(thread_of(&f, MAILBOX_INBOX, late) == late); /* 31 days */
	CHECK(thread_of(&f, MAILBOX_INBOX, named) == named);
	CHECK(thread_of(&f, MAILBOX_INBOX, other) == other);
	CHECK(thread_of(&f, MAILBOX_INBOX, empty) == empty);
	/* what came before the newest, as in an import, does not hide it */
	uint64_t old = arrive_at(&f, MAILBOX_INBOX, 9 * DAY, "Subject: lunch\r\n");
	uint64_t last = arrive_at(&f, MAILBOX_INBOX, 64 * DAY, "Subject: Re: lunch\r\n");
	uint64_t older =
		arrive_at(&f, MAILBOX_INBOX, INT64_MIN, "Subject: Re: lunch\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, old) == old);
	CHECK(thread_of(&f, MAILBOX_INBOX, last) == late);
	CHECK(thread_of(&f, MAILBOX_INBOX, older) == older);
	rebuild(&f);
	CHECK(thread_of(&f, MAILBOX_INBOX, last) == late);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f));
	CHECK(fixture_open_again(&f) == OK);
	fixture_close(&f);
}

TEST(a_subject_is_forgotten_with_its_last_message)
{
	struct fixture f;
	const struct store_op expunge = {.kind = OP_EXPUNGE,
					 .expunge = {.mailbox = MAILBOX_INBOX}};

	fixture_open(&f, FIXTURE_USUAL);
	fixture_keep(&f, 1, "0");
	uint64_t one = arrive(&f, MAILBOX_INBOX, "Subject: x\r\n");
	uint64_t two = arrive(&f, MAILBOX_INBOX, "Subject: Re: x\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, two) == one);
	CHECK(is_in_dump(&f, "1 J "));
	CHECK(fixture_do(&f, 1, expunge) == STORE_OK);
	CHECK(!is_in_dump(&f, "1 J "));
	uint64_t three = arrive(&f, MAILBOX_INBOX, "Subject: Re: x\r\n");

	CHECK(thread_of(&f, MAILBOX_INBOX, three) == three);
	rebuild(&f);
	fixture_close(&f);
}

TEST(logs_of_before_there_were_threads_are_read)
{
	SCOPED(buf_fini) struct buf record = BUF(1000);
	struct effect effect = {.kind = OP_APPEND}, got;
	struct arena arena;

	effect.append = (struct effect_append){.mailbox = 1, .digest = STR("d")};
	effect_write(&record, &effect);
	CHECK(record.ptr[0] == 18 && record.ptr[record.len - 1] == 0);
	record.ptr[0] = 2;
	struct dec dec = dec_over(str_first(buf_str(&record), record.len - 1));

	arena_init(&arena, 1000);
	CHECK(effect_read(&dec, &arena, &got) && dec_done(&dec));
	CHECK(got.kind == OP_APPEND && got.append.thread == 0);
	CHECK_STR(got.append.digest, STR("d"));
	arena_fini(&arena);
}

/* Flags of many messages, against a plain model of them: what every back end must do. */
#include <stdio.h>

#include "base/hash.h"
#include "storage/fixture.h"

enum { MESSAGES = 150, STORES = 120, RANGES = 8, WORDS = 3 };

static struct str words[WORDS] = {STR("$Forwarded"), STR("a"),
				  STR("a-keyword-of-some-length-so-that-rows-grow")};

struct letter {
	bool is_there;
	uint8_t flags;
	bool has_word[WORDS];
	uint64_t modseq;
};

struct model {
	struct fixture f;
	uint64_t mailbox, dice;
	struct letter letters[MESSAGES + 1]; /* by UID */
	struct uid_range ranges[RANGES];
};

static unsigned throw(struct model * m, unsigned below)
{
	return (unsigned)(hash64_number(++m->dice) % below);
}

/* Near each other and far apart; some reach behind the last. */
static struct uid_set some_uids(struct model *m)
{
	size_t count = 0;
	uint32_t at = 1 + throw(m, MESSAGES / 2), wide = throw(m, 2) ? 2 : 40;

	while (count < RANGES && at <= MESSAGES) {
		uint32_t last = at + throw(m, throw(m, 2) ? 1 : wide);

		m->ranges[count++] = (struct uid_range){at, last};
		at = last + 2 + throw(m, wide);
	}
	return (struct uid_set){m->ranges, count};
}

static void expunge_some(struct model *m)
{
	struct store_op op = {.kind = OP_EXPUNGE, .expunge = {.mailbox = m->mailbox}};

	op.expunge.uids = some_uids(m);
	CHECK(fixture_do(&m->f, 1, op) == STORE_OK);
	for (size_t i = 0; i < op.expunge.uids.count; i++)
		for (uint32_t uid = m->ranges[i].first;
		     uid <= m->ranges[i].last && uid <= MESSAGES; uid++)
			m->letters[uid].is_there = false;
}

static bool change(const struct op_flags *op, struct letter *letter, unsigned which)
{
	struct letter was = *letter;
	uint8_t flags = op->flags;
	bool differs = false;

	letter->flags = op->mode == FLAGS_SET   ? flags
			: op->mode == FLAGS_ADD ? (uint8_t)(was.flags | flags)
						: (uint8_t)(was.flags & ~flags);
	for (unsigned i = 0; i < WORDS; i++) {
		bool is_named = op->keywords.count > 0 && i == which;

		if (op->mode == FLAGS_SET)
			letter->has_word[i] = is_named;
		else if (is_named)
			letter->has_word[i] = op->mode == FLAGS_ADD;
		differs |= letter->has_word[i] != was.has_word[i];
	}
	return differs || letter->flags != was.flags;
}

static bool has_word(struct keywords keywords, struct str word)
{
	for (size_t i = 0; i < keywords.count; i++)
		if (str_same(keywords.words[i], word))
			return true;
	return false;
}

static bool is_among(struct uid_set set, uint32_t uid)
{
	for (size_t i = 0; i < set.count; i++)
		if (set.ranges[i].first <= uid && uid <= set.ranges[i].last)
			return true;
	return false;
}

/* Those of the set that are there, each once, with what they have now. */
static void check_runs(struct model *m, struct uid_set uids)
{
	const struct op_result *result = fixture_first(&m->f);
	uint32_t uid = 0;

	for (size_t i = 0; i < result->run_count; i++) {
		const struct flags_run *run = &result->runs[i];

		CHECK(run->uids.first > uid && run->uids.last <= MESSAGES);
		for (uid++; uid < run->uids.first; uid++)
			CHECK(!m->letters[uid].is_there || !is_among(uids, uid));
		for (; uid <= run->uids.last; uid++) {
			const struct letter *letter = &m->letters[uid];

			CHECK(letter->is_there && is_among(uids, uid));
			CHECK(run->flags == letter->flags);
			for (unsigned j = 0; j < WORDS; j++)
				CHECK(has_word(run->keywords, words[j]) ==
				      letter->has_word[j]);
		}
		uid--;
	}
	for (uid++; uid <= MESSAGES; uid++)
		CHECK(!m->letters[uid].is_there || !is_among(uids, uid));
}

static void store_some(struct model *m)
{
	unsigned which = throw(m, WORDS);
	struct store_op op = {.kind = OP_FLAGS,
			      .flags = {.mailbox = m->mailbox,
					.uids = some_uids(m),
					.mode = (enum flags_mode) throw(m, 3),
					.flags = (uint8_t) throw(m, 32),
					.keywords = {&words[which], throw(m, 2)},
					.unchanged_since = UINT64_MAX,
					.wants_runs = true}};

	CHECK(fixture_do(&m->f, 1, op) == STORE_OK);
	struct uid_set changed = fixture_first(&m->f)->uids;

	for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
		struct letter *letter = &m->letters[uid];
		bool differs = letter->is_there && is_among(op.flags.uids, uid) &&
			       change(&op.flags, letter, which);

		CHECK(is_among(changed, uid) == differs);
		if (differs)
			letter->modseq = m->f.result.change;
	}
	check_runs(m, op.flags.uids);
}

static void check_all(struct model *m)
{
	struct message_row *rows;
	size_t count = fixture_rows(&m->f, 1, m->mailbox, &rows), at = 0;
	uint32_t unseen = 0, deleted = 0;

	for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
		const struct letter *letter = &m->letters[uid];

		if (!letter->is_there)
			continue;
		ASSERT(at < count && rows[at].uid == uid);
		CHECK(rows[at].flags == letter->flags);
		CHECK(letter->modseq == 0 || rows[at].modseq == letter->modseq);
		for (unsigned i = 0; i < WORDS; i++)
			CHECK(has_word(rows[at].keywords, words[i]) ==
			      letter->has_word[i]);
		unseen += !(letter->flags & FLAG_SEEN);
		deleted += (letter->flags & FLAG_DELETED) != 0;
		at++;
	}
	struct mailbox_row row = fixture_mailbox(&m->f, 1, m->mailbox);

	CHECK(at == count && row.exists == count);
	CHECK(row.unseen == unseen && row.deleted == deleted);
}

/* In a mailbox between two others, so that there are neighbours. */
static void model_open(struct model *m)
{
	struct uid_range all;
	struct store_op copy = {.kind = OP_COPY, .copy = {.mailbox = MAILBOX_INBOX}};

	fixture_open(&m->f, FIXTURE_USUAL);
	fixture_fill(&m->f, MESSAGES);
	copy.copy.uids = uids_of(&all, 1, MESSAGES);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(fixture_do(&m->f, 1, op_mailbox_of(i == 0 ? "box" : "last", 0)) ==
		      STORE_OK);
		copy.copy.to_mailbox = fixture_first(&m->f)->mailbox;
		m->mailbox = i == 0 ? copy.copy.to_mailbox : m->mailbox;
		CHECK(fixture_do(&m->f, 1, copy) == STORE_OK);
	}
	memset(m->letters, 0, sizeof m->letters);
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		m->letters[uid].is_there = true;
}

static void neighbours_are_as_they_were(struct model *m)
{
	uint64_t box = m->mailbox;
	struct letter letters[MESSAGES + 1];

	memcpy(letters, m->letters, sizeof letters);
	memset(m->letters, 0, sizeof m->letters);
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		m->letters[uid].is_there = true;
	m->mailbox = MAILBOX_INBOX;
	check_all(m);
	m->mailbox = box;
	memcpy(m->letters, letters, sizeof letters);
}

CONFORMANCE(flags_change_in_what_a_set_names_and_nowhere_else)
{
	static struct model m;

	m = (struct model){.dice = 1};
	model_open(&m);
	for (unsigned i = 0; i < STORES; i++) {
		store_some(&m);
		if (i % 20 == 19)
			expunge_some(&m);
		if (i % 10 == 9)
			check_all(&m);
	}
	neighbours_are_as_they_were(&m);
	fixture_close(&m.f);
}

CONFORMANCE(flags_of_a_commit_that_is_refused_are_as_before)
{
	static struct model m;
	struct uid_range all, one;

	m = (struct model){.dice = 2};
	model_open(&m);
	for (unsigned i = 0; i < 10; i++)
		store_some(&m);
	struct store_op ops[] = {
		{.kind = OP_FLAGS,
		 .flags = {.mailbox = m.mailbox,
			   .uids = uids_of(&all, 1, UINT32_MAX),
			   .mode = FLAGS_ADD,
			   .flags = FLAG_ANSWERED,
			   .keywords = {words, WORDS},
			   .unchanged_since = UINT64_MAX}},
		{.kind = OP_COPY,
		 .copy = {.mailbox = m.mailbox,
			  .to_mailbox = 999,
			  .uids = uids_of(&one, 1, 1)}},
	};

	CHECK(fixture_commit(&m.f, 1, "", ops, COUNT_OF(ops)) == STORE_ABSENT);
	check_all(&m);
	store_some(&m);
	check_all(&m);
	fixture_close(&m.f);
}

/* Enough for rows to be put together several times, where they were appended and where
 * they are copied to. */
enum { NEW_ONES = 250 };

static void all_are_there(struct fixture *f, uint64_t mailbox)
{
	struct message_row *rows;

	CHECK(fixture_rows(f, 1, mailbox, &rows) == NEW_ONES);
	for (uint32_t i = 0; i < NEW_ONES; i++) {
		CHECK(rows[i].uid == i + 1 && rows[i].flags == (i % 3 ? 0 : FLAG_SEEN));
		CHECK(rows[i].keywords.count == i % 2);
	}
}

CONFORMANCE(rows_of_new_messages_stay_what_they_are)
{
	struct fixture f;
	struct uid_range range;

	fixture_open(&f, FIXTURE_USUAL);
	for (unsigned i = 0; i < NEW_ONES; i++) {
		struct store_op op = op_append_of(MAILBOX_INBOX, "a body");

		op.append.flags = i % 3 ? 0 : FLAG_SEEN;
		op.append.keywords = (struct keywords){&words[2], i % 2};
		CHECK(fixture_do(&f, 1, op) == STORE_OK);
	}
	all_are_there(&f, MAILBOX_INBOX);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	uint64_t box = fixture_first(&f)->mailbox;
	struct store_op ops[] = {
		{.kind = OP_COPY,
		 .copy = {MAILBOX_INBOX, box, uids_of(&range, 1, NEW_ONES)}},
		{.kind = OP_COPY, .copy = {MAILBOX_INBOX, 999, uids_of(&range, 1, 1)}},
	};

	ops[0].copy.uids.ranges = &(struct uid_range){1, NEW_ONES};
	CHECK(fixture_commit(&f, 1, "", ops, COUNT_OF(ops)) == STORE_ABSENT);
	CHECK(fixture_mailbox(&f, 1, box).exists == 0);
	CHECK(fixture_commit(&f, 1, "", ops, 1) == STORE_OK);
	all_are_there(&f, box);
	all_are_there(&f, MAILBOX_INBOX);
	if (f.folder[0] != '\0') {
		fixture_shut(&f);
		CHECK(fixture_is_in_order(&f));
		CHECK(fixture_open_again(&f) == OK);
		all_are_there(&f, box);
	}
	fixture_close(&f);
}

static void keep_uid(void *arg, struct message_row *row)
{
	struct uid_range *seen = arg;

	CHECK(row->uid > seen->last);
	seen->first++; /* how many */
	seen->last = row->uid;
}

CONFORMANCE(a_call_for_rows_may_name_several_ranges)
{
	struct fixture f;
	const struct uid_range ranges[] = {{2, 4}, {6, 6}, {9, 10}, {12, UINT32_MAX}};
	struct uid_range seen = {0, 0};
	uint32_t next;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 10);
	CHECK(storage_each_row(f.storage, 1, MAILBOX_INBOX,
			       (struct uid_set){ranges, COUNT_OF(ranges)}, 0, &f.arena,
			       keep_uid, &seen, &next) == STORE_OK);
	CHECK(seen.first == 6 && seen.last == 10 && next == 0);
	/* A page ends within one of them. */
	fixture_fill(&f, ROWS_PAGE_MAX);
	seen = (struct uid_range){0, 0};
	CHECK(storage_each_row(f.storage, 1, MAILBOX_INBOX,
			       (struct uid_set){ranges, COUNT_OF(ranges)}, 0, &f.arena,
			       keep_uid, &seen, &next) == STORE_OK);
	CHECK(seen.first == ROWS_PAGE_MAX && next == seen.last + 1);
	CHECK(next == ROWS_PAGE_MAX - 6 + 12);
	fixture_close(&f);
}

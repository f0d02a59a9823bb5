#include "imap/thread_tree.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"

/* Letters stand for identifiers and subjects; references are a run of them. */
struct letter {
	char id;
	const char *references;
	char subject;
	bool is_reply;
	int sent, arrived;
};

static uint64_t number(char letter)
{
	return letter ? (uint64_t)(unsigned char)letter * 0x9e3779b97f4a7c15 : 0;
}

static bool add(struct thread_tree *tree, uint32_t uid, const struct letter *letter)
{
	uint64_t references[20];
	size_t count = 0;

	for (const char *at = letter->references; at && *at; at++)
		references[count++] = number(*at);
	const struct thread_facts facts = {.uid = uid,
					   .sent = letter->sent,
					   .arrived = letter->arrived,
					   .message_id = number(letter->id),
					   .references = references,
					   .reference_count = count,
					   .subject = number(letter->subject),
					   .is_reply = letter->is_reply};

	return thread_tree_add(tree, &facts);
}

struct shown {
	struct buf text;
	bool after_message;
	size_t messages, depth, deepest;
};

static void show(void *arg, enum thread_event event, uint32_t uid)
{
	struct shown *shown = arg;

	if (shown->after_message && event != THREAD_CLOSE)
		buf_add_byte(&shown->text, ' ');
	if (event == THREAD_MESSAGE)
		buf_add_u64(&shown->text, uid);
	else
		buf_add_byte(&shown->text, event == THREAD_OPEN ? '(' : ')');
	shown->after_message = event == THREAD_MESSAGE;
	shown->messages += event == THREAD_MESSAGE;
	shown->depth += event == THREAD_OPEN;
	shown->depth -= event == THREAD_CLOSE;
	shown->deepest = shown->depth > shown->deepest ? shown->depth : shown->deepest;
}

static const struct {
	enum imap_thread algorithm;
	struct letter letters[8];
	struct str threads;
} mailboxes[] = {
	/* a thread that splits, and one alone */
	{IMAP_THREAD_REFERENCES,
	 {{'a', "", 'x', false, 1},
	  {'b', "a", 'x', true, 2},
	  {'c', "ab", 'x', true, 3},
	  {'d', "a", 'x', true, 4},
	  {'e', "", 'y', false, 5}},
	 STR("(1 (2 3)(4))(5)")},
	/* what is answered comes later */
	{IMAP_THREAD_REFERENCES,
	 {{'c', "ab", 'x', true, 3}, {'a', "", 'x', false, 1}, {'b', "a", 'x', true, 2}},
	 STR("(2 3 1)")},
	/* what is answered is not there: one child takes its place, two share it */
	{IMAP_THREAD_REFERENCES, {{'c', "ab", 'x', true, 3}}, STR("(1)")},
	{IMAP_THREAD_REFERENCES,
	 {{'c', "ab", 'x', true, 3}, {'d', "a", 'x', true, 2}, {'e', "", 'y', false, 9}},
	 STR("((2)(1))(3)")},
	{IMAP_THREAD_REFERENCES,
	 {{'c', "ab", 'x', true, 3}, {'d', "ab", 'x', true, 2}},
	 STR("((2)(1))")},
	/* in between it is passed over */
	{IMAP_THREAD_REFERENCES,
	 {{'a', "", 'x', false, 1}, {'c', "ab", 'x', true, 3}, {'d', "ab", 'x', true, 2}},
	 STR("(1 (3)(2))")},
	/* the references of the message itself count, not what others say of it */
	{IMAP_THREAD_REFERENCES,
	 {{'d', "abc", 'x', true, 4}, {'c', "a", 'x', true, 3}, {'a', "", 'x', false, 1}},
	 STR("(3 2 1)")},
	{IMAP_THREAD_REFERENCES,
	 {{'d', "ac", 'x', true, 4}, {'c', "", 'z', false, 3}, {'a', "", 'x', false, 1}},
	 STR("(3)(2 1)")},
	/* loops */
	{IMAP_THREAD_REFERENCES,
	 {{'a', "b", 'x', true, 1}, {'b', "a", 'x', true, 2}},
	 STR("(2 1)")},
	{IMAP_THREAD_REFERENCES, {{'a', "a", 'x', true, 1}}, STR("(1)")},
	{IMAP_THREAD_REFERENCES,
	 {{'a', "bcabca", 'x', true, 1}, {'b', "cab", 'x', true, 2}},
	 STR("(2 1)")},
	/* the same identifier twice: the first keeps it */
	{IMAP_THREAD_REFERENCES,
	 {{'a', "", 'x', false, 1}, {'a', "", 'y', false, 2}, {'b', "a", 'x', true, 3}},
	 STR("(1 3)(2)")},
	/* no identifiers at all */
	{IMAP_THREAD_REFERENCES,
	 {{0, "", 'x', false, 2}, {0, "", 'y', false, 1}, {0, "", 0, false, 1}},
	 STR("(2)(3)(1)")},
	/* subjects: a reply joins what it answers, */
	{IMAP_THREAD_REFERENCES,
	 {{'a', "", 'x', true, 1}, {'b', "", 'x', false, 2}, {'c', "", 'x', true, 3}},
	 STR("(2 (1)(3))")},
	/* two of a kind share a dummy, */
	{IMAP_THREAD_REFERENCES,
	 {{'a', "", 'x', false, 2}, {'b', "", 'x', false, 1}, {'c', "", 'x', true, 3}},
	 STR("((2)(1)(3))")},
	{IMAP_THREAD_REFERENCES,
	 {{'a', "", 'x', true, 1}, {'b', "", 'x', true, 2}},
	 STR("((1)(2))")},
	/* dummies become one, and take others in; the empty subject joins nothing */
	{IMAP_THREAD_REFERENCES,
	 {{'c', "a", 'x', true, 3},
	  {'d', "a", 'x', true, 4},
	  {'f', "e", 'x', true, 1},
	  {'g', "e", 'x', true, 9},
	  {'h', "", 'x', false, 5},
	  {'i', "", 0, true, 6},
	  {'j', "", 0, false, 7}},
	 STR("((3)(1)(2)(5)(4))(6)(7)")},
	/* REFS: no subjects, and the thread that got the latest message comes last */
	{IMAP_THREAD_REFS,
	 {{'a', "", 'x', false, 1, 10},
	  {'b', "", 'x', true, 2, 20},
	  {'c', "a", 'x', true, 3, 40},
	  {'d', "z", 'x', true, 9, 30},
	  {'e', "z", 'x', true, 8, 5}},
	 STR("(2)((5)(4))(1 3)")},
	/* ORDEREDSUBJECT */
	{IMAP_THREAD_ORDEREDSUBJECT,
	 {{'a', "", 'x', true, 3},
	  {'b', "a", 'y', false, 2},
	  {'c', "", 'x', false, 1},
	  {'d', "", 'y', false, 9},
	  {'e', "", 'x', true, 7},
	  {'f', "", 0, true, 5},
	  {'g', "", 0, true, 6}},
	 STR("(3 (1)(5))(2 4)(6 7)")},
};

TEST(messages_become_threads)
{
	for (size_t i = 0; i < COUNT_OF(mailboxes); i++) {
		struct thread_tree tree;
		struct shown shown = {.text = BUF(1000)};
		const struct letter *letters = mailboxes[i].letters;

		thread_tree_init(&tree, mailboxes[i].algorithm, 0, 1000);
		for (uint32_t l = 0; l < 8 && letters[l].references; l++)
			CHECK(add(&tree, l + 1, &letters[l]));
		thread_tree_build(&tree, NULL);
		thread_tree_tell(&tree, show, &shown);
		CHECK_STR(buf_str(&shown.text), mailboxes[i].threads);
		thread_tree_fini(&tree);
		buf_fini(&shown.text);
	}
}

TEST(an_empty_mailbox_has_no_threads)
{
	static const enum imap_thread algorithms[] = {
		IMAP_THREAD_REFERENCES, IMAP_THREAD_REFS, IMAP_THREAD_ORDEREDSUBJECT};

	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		struct thread_tree tree;
		struct shown shown = {.text = BUF(1000)};

		thread_tree_init(&tree, algorithms[i], 300, 1000);
		thread_tree_build(&tree, NULL);
		thread_tree_tell(&tree, show, &shown);
		CHECK(shown.text.len == 0);
		thread_tree_fini(&tree);
		buf_fini(&shown.text);
	}
}

/* n messages, of which each names some others. */
static struct shown threads_of(enum imap_thread algorithm, uint32_t n,
			       size_t (*name)(uint32_t i, uint64_t *id,
					      uint64_t references[20]))
{
	struct thread_tree tree;
	struct shown shown = {.text = BUF(64 << 20)};

	thread_tree_init(&tree, algorithm, 1000, 4 << 20);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t references[20], id = 0;
		size_t count = name(i, &id, references);
		const struct thread_facts facts = {.uid = i + 1,
						   .sent = i,
						   .message_id = id,
						   .references = references,
						   .reference_count = count};

		CHECK(thread_tree_add(&tree, &facts));
	}
	thread_tree_build(&tree, NULL);
	thread_tree_tell(&tree, show, &shown);
	thread_tree_fini(&tree);
	CHECK(shown.messages == n && shown.depth == 0 && buf_ok(&shown.text));
	return shown;
}

static uint64_t hash_of(uint64_t n)
{
	return (n + 1) * 0x9e3779b97f4a7c15;
}

static size_t chain(uint32_t i, uint64_t *id, uint64_t references[20])
{
	*id = hash_of(i);
	references[0] = hash_of((uint64_t)i - 1);
	return i > 0;
}

static size_t chain_backwards(uint32_t i, uint64_t *id, uint64_t references[20])
{
	*id = hash_of(1000000 - i);
	references[0] = hash_of(1000000 - (uint64_t)i - 1);
	return 1;
}

/* Each message of a chain has a second answer, so that brackets go deep. */
static size_t comb(uint32_t i, uint64_t *id, uint64_t references[20])
{
	*id = hash_of(i);
	references[0] = hash_of(i % 2 == 0 ? (uint64_t)i - 2 : (uint64_t)i - 1);
	return i > 1;
}

/* A deep chain, and then pairs of which the upper one is to go below its end. */
static size_t tangle(uint32_t i, uint64_t *id, uint64_t references[20])
{
	enum { CHAIN = 50000 };

	if (i < CHAIN)
		return chain(i, id, references);
	*id = hash_of(i);
	references[0] = hash_of(i % 2 == 0 ? i + 1u : CHAIN - 1u);
	return 1;
}

/* Everybody names twenty messages that are not there, in an order of its own. */
static size_t dummies(uint32_t i, uint64_t *id, uint64_t references[20])
{
	*id = hash_of(i);
	for (uint32_t k = 0; k < 20; k++)
		references[k] = hash_of(1000000 + (uint64_t)i * 20 + (k * 7 + i) % 23);
	return 20;
}

TEST(deep_threads_are_no_deeper_for_us)
{
	static size_t (*const names[])(uint32_t, uint64_t *, uint64_t *) = {
		chain, chain_backwards, comb, tangle, dummies};
	static const size_t deepest[] = {1, 1, 50000, 2, 100};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct shown shown = threads_of(IMAP_THREAD_REFERENCES, 100000, names[i]);

		CHECK(shown.deepest <= deepest[i]);
		buf_fini(&shown.text);
		shown = threads_of(IMAP_THREAD_REFS, 100000, names[i]);
		CHECK(shown.deepest <= deepest[i]);
		buf_fini(&shown.text);
	}
}

TEST(what_names_too_many_messages_is_refused)
{
	struct thread_tree tree;
	const struct letter letter = {'z', "abcdefghij", 'x', false, 1, 1};

	thread_tree_init(&tree, IMAP_THREAD_REFERENCES, 100, 10);
	CHECK(!add(&tree, 1, &letter));
	thread_tree_fini(&tree);
}

#include "imap/sorting.h"

#include "imap/message.h"
#include "imap/walk.h"

/* Texts are compared as far as this: as far as base_subject of a digest tells them
 * apart. */
enum { COMPARED_MAX = 1024 };

struct sorting sorting_over(struct session *s, struct order *order,
			    const struct scores *scores)
{
	return (struct sorting){.s = s, .order = order, .scores = scores};
}

void sorting_fini(struct sorting *sorting)
{
	uids_fini(&sorting->long_ones);
}

static bool is_long(const struct order *order, const struct digest *digest)
{
	for (size_t i = 0; i < order->by.count; i++) {
		enum sort_text text = order_text_of(order->by.keys[i].by);

		if (text != SORT_TEXTS && digest_sort_is_cut(digest->sort[text]))
			return true;
	}
	return false;
}

/* RFC 5256 §2.2: without a date of its own it has the one when it came. */
static struct order_facts facts_of(const struct sorting *sorting,
				   const struct message_row *row)
{
	return (struct order_facts){.uid = row->uid,
				    .arrived = row->received_at,
				    .sent = row->received_at,
				    .size = row->size,
				    .score = scores_of(sorting->scores, row->uid)};
}

bool sorting_add(struct sorting *sorting, const struct message_row *row)
{
	struct order_facts facts = facts_of(sorting, row);
	struct digest digest;

	if (!digest_read_keys(row->digest, &digest) || is_long(sorting->order, &digest)) {
		uids_add(&sorting->long_ones, row->uid, row->uid);
		return true;
	}
	if (digest.flags & DIGEST_HAS_SENT)
		facts.sent = digest.sent_at;
	memcpy(facts.texts, digest.sort, sizeof facts.texts);
	return order_add(sorting->order, &facts);
}

/* Of a message whose envelope cannot be read the texts are empty. */
static enum store_outcome read_facts(struct message *message, const struct order *order,
				     struct buf texts[SORT_TEXTS],
				     struct order_facts *facts)
{
	enum store_outcome outcome = message_envelope(message);
	const struct mail_envelope *envelope = &message->envelope;

	if (outcome == STORE_OK && envelope->has_date)
		facts->sent = envelope->date.unix_s;
	for (size_t i = 0; i < order->by.count && outcome == STORE_OK; i++) {
		enum sort_text which = order_text_of(order->by.keys[i].by);

		if (which == SORT_TEXTS)
			continue;
		buf_reset(&texts[which]);
		(void)sort_text_add(&texts[which], envelope, which, COMPARED_MAX);
		facts->texts[which] = buf_str(&texts[which]);
	}
	return outcome == STORE_ABSENT || outcome == STORE_DAMAGED ? STORE_OK : outcome;
}

/* Calls with what is compared of each of these messages. */
static enum store_outcome
each_whole(const struct sorting *sorting, const struct uids *uids,
	   bool (*take)(void *arg, const struct order_facts *facts), void *arg)
{
	SCOPED(walk_fini)
	struct walk walk = walk_through(sorting->s, uids->list, uids->count,
					ROW_MESSAGE | ROW_DIGEST);
	struct buf texts[SORT_TEXTS];
	struct message message;
	enum store_outcome outcome = STORE_OK;

	message_init(&message, sorting->s);
	for (size_t i = 0; i < SORT_TEXTS; i++)
		texts[i] = BUF(COMPARED_MAX);
	for (const struct message_row *row;
	     outcome == STORE_OK && (row = walk_next(&walk));) {
		struct order_facts facts = facts_of(sorting, row);

		message_turn(&message, row);
		outcome = read_facts(&message, sorting->order, texts, &facts);
		if (outcome == STORE_OK && !take(arg, &facts))
			outcome = STORE_INVALID;
	}
	for (size_t i = 0; i < SORT_TEXTS; i++)
		buf_fini(&texts[i]);
	message_fini(&message);
	return outcome != STORE_OK ? outcome : walk.outcome;
}

static bool add_whole(void *arg, const struct order_facts *facts)
{
	return order_add(arg, facts);
}

enum store_outcome sorting_add_long(struct sorting *sorting)
{
	return each_whole(sorting, &sorting->long_ones, add_whole, sorting->order);
}

struct inserting {
	struct order *order;
	void (*placed)(void *arg, uint32_t uid, size_t at);
	void *arg;
};

static bool insert_whole(void *arg, const struct order_facts *facts)
{
	struct inserting *inserting = arg;
	size_t at;

	if (!order_insert(inserting->order, facts, &at))
		return false;
	inserting->placed(inserting->arg, facts->uid, at);
	return true;
}

enum store_outcome sorting_insert(const struct sorting *sorting, const struct uids *uids,
				  void (*placed)(void *arg, uint32_t uid, size_t at),
				  void *arg)
{
	struct inserting inserting = {sorting->order, placed, arg};

	return each_whole(sorting, uids, insert_whole, &inserting);
}

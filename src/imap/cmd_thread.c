/* THREAD.  RFC 5256 §3. */
#include "imap/esearch.h"
#include "imap/thread_tree.h"

enum {
	NODES_MAX = 4 << 20, /* of 48 octets: two million messages and what they name */
	SEND_BYTES = 32 << 10,
	COMING = 8, /* messages, while memory answers */
};

/* A message that is to be added. */
struct coming {
	uint32_t uid;
	int64_t received_at;
	struct digest digest; /* without what is not in the struct itself */
};

struct threading {
	struct session *s;
	struct thread_tree tree;
	struct coming coming[COMING]; /* a ring */
	size_t came, added;
	bool is_full;
	enum thread_event told; /* last */
	bool is_uid, has_told;
};

static void threading_fini(struct threading *threading)
{
	thread_tree_fini(&threading->tree);
}

/* The one that came first. */
static bool add_next(struct threading *threading)
{
	const struct coming *next = &threading->coming[threading->added++ % COMING];
	const struct digest *digest = &next->digest;
	const struct thread_facts facts = {.uid = next->uid,
					   .sent = digest->flags & DIGEST_HAS_SENT
							   ? digest->sent_at
							   : next->received_at,
					   .arrived = next->received_at,
					   .message_id = digest->message_id,
					   .references = digest->references,
					   .reference_count = digest->reference_count,
					   .subject = digest->base_subject,
					   .is_reply = digest->flags & DIGEST_IS_REPLY};

	threading->is_full = !thread_tree_add(&threading->tree, &facts);
	return !threading->is_full;
}

/* A message without a digest, which has brought down who made one, answers nobody. */
static bool take_row(void *arg, const struct message_row *row)
{
	struct threading *threading = arg;
	struct coming *last = &threading->coming[threading->came % COMING];
	struct digest *digest = &last->digest;

	if (threading->came - threading->added == COMING && !add_next(threading))
		return false;
	threading->came++;
	last->uid = row->uid;
	last->received_at = row->received_at;
	if (!digest_read_keys(row->digest, digest))
		*digest = (struct digest){0};
	thread_tree_fetch(&threading->tree, digest->message_id);
	for (size_t i = 0; i < digest->reference_count; i++)
		thread_tree_fetch(&threading->tree, digest->references[i]);
	return true;
}

static bool add_rest(struct threading *threading)
{
	while (threading->added < threading->came) {
		if (!add_next(threading))
			return false;
	}
	return true;
}

static void tell(void *arg, enum thread_event event, uint32_t uid)
{
	struct threading *threading = arg;
	struct session *s = threading->s;
	bool is_after_message = threading->has_told && threading->told == THREAD_MESSAGE;

	if (is_after_message && event != THREAD_CLOSE)
		buf_add_byte(&s->out, ' ');
	if (event == THREAD_MESSAGE)
		buf_add_u64(&s->out, esearch_number(s, threading->is_uid, uid));
	else
		buf_add_byte(&s->out, event == THREAD_OPEN ? '(' : ')');
	threading->told = event;
	threading->has_told = true;
	if (s->out.len > SEND_BYTES)
		session_send(s);
}

static err_t answer(struct threading *threading, const struct imap_command *command)
{
	struct session *s = threading->s;

	thread_tree_build(&threading->tree, task_yield);
	buf_add_c(&s->out, "* THREAD");
	if (threading->tree.messages > 0)
		buf_add_byte(&s->out, ' ');
	thread_tree_tell(&threading->tree, tell, threading);
	buf_add_c(&s->out, "\r\n");
	return reply_ok(s, command, "That is all");
}

err_t on_thread(struct session *s, const struct imap_command *command)
{
	SCOPED(find_fini) struct find find;
	SCOPED(threading_fini)
	struct threading threading = {.s = s, .is_uid = command->is_uid};
	err_t err;

	if (!find_begin(&find, s, command, &err))
		return err;
	thread_tree_init(&threading.tree, command->search.thread,
			 num_min(match_looks(&find.match, &find.bounds), s->box.count),
			 NODES_MAX);
	enum store_outcome outcome = find_each(&find, ROW_KEYS, take_row, &threading);

	if (outcome == STORE_OK && (threading.is_full || !add_rest(&threading)))
		outcome = STORE_INVALID;
	return outcome == STORE_OK ? answer(&threading, command)
				   : find_failed(s, command, outcome);
}

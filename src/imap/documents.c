#include "imap/documents.h"

enum {
	MAPPED_MAX = 4 * ATTACHED_TEXT_MAX,
	WAIT_MS = 20 * 1000,
};

void documents_init(struct documents *documents)
{
	*documents = (struct documents){.texts = BUF(MAPPED_MAX)};
}

void documents_fini(struct documents *documents)
{
	buf_fini(&documents->texts);
}

void documents_turn(struct documents *documents)
{
	buf_reset(&documents->texts);
	documents->are_read = false;
}

void documents_rest(struct documents *documents)
{
	buf_release(&documents->texts);
	documents->are_read = false;
	documents->waited_ms = 0;
}

static bool keep(void *arg, struct str field, struct str mapped)
{
	struct buf *texts = arg;

	(void)field;
	buf_add(texts, mapped);
	buf_add_byte(texts, '\n');
	return !buf_ok(texts);
}

struct str documents_texts(struct documents *documents, struct search_text *scratch,
			   struct message *message)
{
	deadline_t began = loop_now();

	if (!documents->are_read && documents->waited_ms < WAIT_MS) {
		(void)attached_texts(scratch, message->s->service->extract,
				     buf_str(&message->body), message->root,
				     began + WAIT_MS - documents->waited_ms, keep,
				     &documents->texts); /* as far as it goes */
		documents->waited_ms += loop_now() - began;
	}
	documents->are_read = true;
	return buf_str(&documents->texts);
}

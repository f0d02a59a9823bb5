#include "extract/extract.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "extract/codec.h"
#include "rt/ipc.h"

struct extract {
	struct ipc *ipc;     /* NULL while there is no extractd process */
	uint64_t channel;    /* counts channels */
	deadline_t patience; /* so long a process is waited for */
	bool is_taken;
	struct waiters connected, left;
};

static void be_patient(struct extract *extract)
{
	extract->patience = deadline_s(EXTRACT_PATIENCE_S);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	struct extract *extract = arg;

	if (extract->ipc != ipc)
		return;
	ipc_close(&extract->ipc);
	be_patient(extract);
}

struct extract *extract_open(int fd)
{
	struct extract *extract = NEW(struct extract);

	if (fd >= 0)
		extract_reconnect(extract, fd);
	return extract;
}

void extract_close(struct extract **extract)
{
	if (!*extract)
		return;
	ipc_close(&(*extract)->ipc);
	mem_free(*extract);
	*extract = NULL;
}

void extract_reconnect(struct extract *extract, int fd)
{
	ipc_close(&extract->ipc);
	extract->ipc = ipc_open("extract", fd, NULL, on_gone, extract);
	extract->channel++;
	wake_all(&extract->connected);
}

bool extract_enter(struct extract *extract, deadline_t deadline)
{
	while (extract->is_taken) {
		if (wait_on(&extract->left, deadline) != OK)
			return false;
	}
	extract->is_taken = true;
	return true;
}

void extract_leave(struct extract *extract)
{
	extract->is_taken = false;
	wake_one(&extract->left);
}

/* ---- one document ------------------------------------------------------------------ */

struct asking {
	struct extract *extract;
	struct str document;
	const struct extract_bounds *bounds;
	deadline_t deadline;
	struct buf body; /* of the last message that came */
	uint16_t type;
	uint64_t channel;
	bool is_whole; /* the process has the document: it may have died of it */
};

static err_t say(struct asking *a, enum extract_message type, struct str body)
{
	if (a->extract->channel != a->channel || !a->extract->ipc)
		return ERR_CLOSED;
	buf_reset(&a->body);
	return ipc_call(a->extract->ipc, (uint16_t)type, body, -1, a->deadline, &a->type,
			&a->body, NULL);
}

static err_t await_process(struct asking *a)
{
	struct extract *extract = a->extract;

	while (!extract->ipc || !ipc_is_open(extract->ipc)) {
		if (extract->channel == 0 && extract->patience == 0)
			be_patient(extract); /* it has never been there */
		TRY(wait_on(&extract->connected,
			    num_min(a->deadline, extract->patience)));
	}
	a->channel = extract->channel;
	return OK;
}

static err_t send_document(struct asking *a)
{
	SCOPED(buf_fini) struct buf opening = BUF(64);
	struct str rest = a->document;

	extract_encode_opening(&opening,
			       &(struct extract_opening){(uint32_t)rest.len, *a->bounds});
	TRY(say(a, EXTRACT_OPEN, buf_str(&opening)));
	while (rest.len > 0 && a->type == EXTRACT_GO) {
		struct str part = str_first(rest, EXTRACT_PART_BYTES);

		rest = str_skip(rest, part.len);
		a->is_whole = rest.len == 0;
		TRY(say(a, EXTRACT_PART, part));
	}
	return a->type == EXTRACT_ANSWER ? OK : ERR_SYNTAX;
}

static err_t take_text(struct asking *a, struct buf *text, struct extract_reply *reply)
{
	struct extract_answer answer;
	size_t start = text->len;

	if (!extract_decode_answer(buf_str(&a->body), &answer))
		return ERR_SYNTAX;
	buf_add(text, answer.text);
	while (text->len - start < answer.text_len && buf_ok(text)) {
		TRY(say(a, EXTRACT_MORE, STR("")));
		if (a->type != EXTRACT_PIECE || a->body.len == 0 ||
		    a->body.len > answer.text_len - (text->len - start))
			return ERR_SYNTAX;
		buf_add(text, buf_str(&a->body));
	}
	*reply = answer.reply;
	return buf_ok(text) ? OK : ERR_LIMIT;
}

/* A channel that broke before the process had the document tells nothing about it. */
static err_t ask(struct asking *a, struct buf *text, struct extract_reply *reply)
{
	size_t start = text->len;

	for (;;) {
		err_t err = await_process(a);

		if (err == OK)
			err = send_document(a);
		if (err == OK)
			err = take_text(a, text, reply);
		if (err != ERR_CLOSED || a->is_whole)
			return err;
		buf_cut(text, start);
	}
}

void extract_ask(struct extract *extract, struct str document,
		 const struct extract_bounds *bounds, deadline_t deadline,
		 struct buf *text, struct extract_reply *reply)
{
	struct asking a = {.extract = extract,
			   .document = document,
			   .bounds = bounds,
			   .deadline = deadline,
			   .body = BUF(EXTRACT_MESSAGE_MAX)};
	size_t start = text->len;

	*reply = (struct extract_reply){.outcome = EXTRACT_TOO_BIG};
	if (document.len == 0 || document.len > EXTRACT_DOCUMENT_MAX)
		return;
	err_t err = ask(&a, text, reply);

	buf_fini(&a.body);
	if (err == OK)
		return;
	buf_cut(text, start);
	*reply = (struct extract_reply){
		.outcome = err == ERR_CLOSED ? EXTRACT_CRASHED : EXTRACT_LATER,
		.processor_ms = err == ERR_CLOSED ? EXTRACT_PROCESSOR_MS : 0,
	};
	LOG(WARN, "text of a document not told", KV("error", err_text(err)),
	    KV_INT("bytes", document.len));
}

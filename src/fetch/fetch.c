#include "fetch/fetch.h"

#include "base/log.h"
#include "base/mem.h"
#include "fetch/codec.h"
#include "rt/ipc.h"

enum { CALL_SPARE_S = 15 };

struct fetch {
	struct ipc *ipc; /* NULL while there is no fetchd process */
	struct waiters connected;
};

static void on_gone(struct ipc *ipc, void *arg)
{
	struct fetch *fetch = arg;

	if (fetch->ipc == ipc)
		ipc_close(&fetch->ipc);
}

struct fetch *fetch_open(int fd)
{
	struct fetch *fetch = NEW(struct fetch);

	if (fd >= 0)
		fetch_reconnect(fetch, fd);
	return fetch;
}

void fetch_close(struct fetch **fetch)
{
	if (!*fetch)
		return;
	ipc_close(&(*fetch)->ipc);
	mem_free(*fetch);
	*fetch = NULL;
}

void fetch_reconnect(struct fetch *fetch, int fd)
{
	ipc_close(&fetch->ipc);
	fetch->ipc = ipc_open("fetch", fd, NULL, on_gone, fetch);
	wake_all(&fetch->connected);
}

/* A request is not repeated to a new process: a post may have been made. */
static err_t exchange(struct fetch *fetch, const struct fetch_request *request,
		      struct buf *answer)
{
	SCOPED(buf_fini) struct buf body = BUF(FETCH_MESSAGE_MAX);
	deadline_t deadline = deadline_s(request->timeout_s + CALL_SPARE_S);
	uint16_t type = 0;

	fetch_encode_request(&body, request);
	if (!buf_ok(&body))
		return ERR_LIMIT;
	while (!fetch->ipc || !ipc_is_open(fetch->ipc))
		TRY(wait_on(&fetch->connected, deadline));
	TRY(ipc_call(fetch->ipc, FETCH_ASK, buf_str(&body), -1, deadline, &type, answer,
		     NULL));
	return type == FETCH_ANSWER ? OK : ERR_SYNTAX;
}

static bool keep(struct arena *arena, struct fetch_reply *reply)
{
	return arena_copy(arena, reply->media_type, &reply->media_type) &&
	       arena_copy(arena, reply->body, &reply->body) &&
	       arena_copy(arena, reply->why, &reply->why);
}

void fetch_ask(struct fetch *fetch, const struct fetch_request *request,
	       struct arena *arena, struct fetch_reply *reply)
{
	SCOPED(buf_fini) struct buf answer = BUF(FETCH_MESSAGE_MAX);
	err_t err = exchange(fetch, request, &answer);

	if (err == OK && !fetch_decode_reply(buf_str(&answer), reply))
		err = ERR_SYNTAX;
	if (err != OK) {
		LOG(WARN, "fetchd does not answer", KV("error", err_text(err)));
		*reply = (struct fetch_reply){.outcome = FETCH_BROKEN,
					      .why = STR("fetchd does not answer")};
	} else if (!keep(arena, reply))
		*reply = (struct fetch_reply){.outcome = FETCH_TOO_BIG,
					      .why = STR("the answer is too big")};
}

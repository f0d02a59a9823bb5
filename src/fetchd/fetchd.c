#include "fetchd/fetchd.h"

#include <curl/curl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "fetch/codec.h"
#include "fetchd/transfer.h"
#include "rt/ipc.h"
#include "rt/offload.h"

/* Each transfer has a thread while it lasts; those beyond wait, or are refused. */
enum { THREADS = 32, TRANSFERS_MAX = 200 };

struct fetchd {
	const struct buf *roots_pem;
	unsigned transfers; /* under way or waiting */
};

struct channel {
	struct fetchd *fetchd;
	struct ipc *ipc;
};

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct fetchd *fetchd = ((struct channel *)arg)->fetchd;
	SCOPED(buf_fini) struct buf answer = BUF(FETCH_MESSAGE_MAX);
	struct fetch_request request;
	struct transfer *transfer = NEW(struct transfer);

	transfer->reply = (struct fetch_reply){.outcome = FETCH_BROKEN,
					       .why = STR("too much is fetched now")};
	if (message->fd >= 0)
		(void)close(message->fd);
	if (message->type == FETCH_ASK && message->id != 0 &&
	    fetch_decode_request(message->body, &request) &&
	    fetchd->transfers < TRANSFERS_MAX) {
		transfer->request = &request;
		transfer->roots_pem = buf_str(fetchd->roots_pem);
		transfer->body = BUF(request.reply_max);
		fetchd->transfers++;
		offload(transfer_run, transfer);
		fetchd->transfers--;
		LOG(INFO, "fetched", KV_STR("host", request.host),
		    KV_INT("status", transfer->reply.status),
		    KV_STR("why", transfer->reply.why));
	}
	fetch_encode_reply(&answer, &transfer->reply);
	ipc_reply(ipc, message->id, FETCH_ANSWER, buf_str(&answer), -1);
	buf_fini(&transfer->body);
	mem_free(transfer);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	struct channel *channel = arg;

	(void)ipc;
	ipc_close(&channel->ipc);
	mem_free(channel);
}

void fetchd_serve(struct fetchd *fetchd, int fd)
{
	struct channel *channel = NEW(struct channel);

	channel->fetchd = fetchd;
	channel->ipc = ipc_open("fetch channel", fd, on_message, on_gone, channel);
}

/* Threads do not hear of a process's end; transfers do. */
static void end_transfers(void *arg)
{
	struct waiters nobody = {0};

	(void)arg;
	(void)wait_on(&nobody, NEVER); /* until it is canceled */
	transfer_stop_all();
}

struct fetchd *fetchd_open(const struct buf *roots_pem)
{
	struct fetchd *fetchd = NEW(struct fetchd);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		LOG(ERROR, "libcurl does not begin");
	offload_init(THREADS);
	ASSERT(task_start("end of transfers", end_transfers, NULL));
	fetchd->roots_pem = roots_pem;
	return fetchd;
}

void fetchd_close(struct fetchd **fetchd)
{
	if (!*fetchd)
		return;
	offload_fini();
	curl_global_cleanup();
	mem_free(*fetchd);
	*fetchd = NULL;
}

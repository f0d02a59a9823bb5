#include "resolverd/resolverd.h"

#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "resolver/codec.h"
#include "resolverd/engine.h"
#include "rt/ipc.h"

enum { ANSWER_S = 30, QUESTIONS_MAX = 4000, CLASS_IN = 1, RCODE_OK = 0, RCODE_GONE = 3 };

struct resolverd {
	struct ub_ctx *ctx;
	struct poll poll;
	unsigned questions; /* under way */
	unsigned channels;
};

struct channel {
	struct resolverd *resolverd;
	struct ipc *ipc;
};

/* One question on its way through the library. */
struct asking {
	struct ub_ctx *ctx;
	char name[DNS_NAME_MAX + 2];
	int type, id;
	bool is_answered;
	struct ub_result *result; /* NULL: it failed */
	struct waiters answered;
	int code;
};

/* ---- the library, on the big stack ------------------------------------------------- */

static void on_result(void *arg, int code, struct ub_result *result)
{
	struct asking *asking = arg;

	asking->is_answered = true;
	asking->code = code;
	asking->result = code == 0 ? result : NULL;
	wake_all(&asking->answered);
}

static void begin(void *arg)
{
	struct asking *asking = arg;

	asking->code = ub_resolve_async(asking->ctx, asking->name, asking->type, CLASS_IN,
					asking, on_result, &asking->id);
}

static void give_up(void *arg)
{
	struct asking *asking = arg;

	(void)ub_cancel(asking->ctx, asking->id); /* on_result() will not be called */
}

static void process(void *arg)
{
	(void)ub_process(arg);
}

/* ---- answers ----------------------------------------------------------------------- */

/* A name as libunbound gives it, in our spelling; borrowed. */
static struct str plain_name(const char *name)
{
	struct str text = str_c(name);

	if (text.len > 0 && text.ptr[text.len - 1] == '.')
		text.len--;
	return text;
}

static void fill(const struct ub_result *result, struct str *records,
		 struct dns_answer *answer)
{
	size_t bytes = 0;

	answer->is_secure = result->secure;
	answer->is_name_gone = result->nxdomain;
	answer->ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0;
	answer->name = plain_name(result->canonname ? result->canonname : result->qname);
	if (result->bogus) {
		answer->outcome = DNS_BOGUS;
		answer->why = str_first(str_c(result->why_bogus), 500);
		return;
	}
	if (!result->havedata) {
		bool is_fact = result->rcode == RCODE_OK || result->rcode == RCODE_GONE;

		answer->outcome = is_fact ? DNS_NONE : DNS_UNKNOWN;
		if (!is_fact)
			answer->why = STR("the domain's name servers do not answer, or "
					  "say that they cannot");
		return;
	}
	answer->outcome = DNS_FOUND;
	answer->records = records;
	for (int i = 0; result->data[i] && answer->count < RESOLVER_RECORDS_MAX; i++) {
		struct str data = {result->data[i], (size_t)result->len[i]};

		bytes += data.len + 3;
		if (bytes > RESOLVER_ANSWER_BYTES_MAX - 2048)
			break;
		records[answer->count++] = data;
	}
}

/* May suspend. */
static void ask(struct resolverd *resolverd, struct asking *asking)
{
	deadline_t deadline = deadline_s(ANSWER_S);

	asking->ctx = resolverd->ctx;
	on_big_stack(begin, asking);
	if (asking->code != 0)
		return;
	while (!asking->is_answered) {
		if (wait_on(&asking->answered, deadline) == OK)
			continue;
		if (!asking->is_answered)
			on_big_stack(give_up, asking);
		break;
	}
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct channel *channel = arg;
	struct resolverd *resolverd = channel->resolverd;
	SCOPED(buf_fini) struct buf reply = BUF(RESOLVER_ANSWER_BYTES_MAX);
	struct dns_answer answer = {.outcome = DNS_UNKNOWN,
				    .why = STR("the resolver is too busy")};
	struct str *records = NEW_ARRAY(struct str, RESOLVER_RECORDS_MAX);
	struct asking asking = {0};
	struct resolver_question question;

	if (message->fd >= 0)
		(void)close(message->fd);
	if (message->type == RESOLVER_ASK && message->id != 0 &&
	    resolver_decode_question(message->body, &question) &&
	    str_to_c(question.name, asking.name, sizeof asking.name) &&
	    resolverd->questions < QUESTIONS_MAX) {
		resolverd->questions++;
		asking.type = (int)question.type;
		ask(resolverd, &asking);
		resolverd->questions--;
		answer.why = STR("no answer came in time");
	}
	if (asking.result) {
		answer.why = STR("");
		fill(asking.result, records, &answer);
	}
	resolver_encode_answer(&reply, &answer);
	ipc_reply(ipc, message->id, RESOLVER_ANSWER, buf_str(&reply), -1);
	if (asking.result)
		ub_resolve_free(asking.result);
	mem_free(records);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	struct channel *channel = arg;

	(void)ipc;
	channel->resolverd->channels--;
	ipc_close(&channel->ipc);
	mem_free(channel);
}

void resolverd_serve(struct resolverd *resolverd, int fd)
{
	struct channel *channel = NEW(struct channel);

	channel->resolverd = resolverd;
	resolverd->channels++;
	channel->ipc = ipc_open("resolver channel", fd, on_message, on_gone, channel);
}

/* ---- the process ------------------------------------------------------------------- */

static void take_results(void *arg)
{
	struct resolverd *resolverd = arg;

	while (poll_readable(&resolverd->poll, NEVER) == OK) {
		resolverd->poll.is_readable = false;
		on_big_stack(process, resolverd->ctx);
	}
}

err_t resolverd_open(const struct resolverd_options *options, struct resolverd **result,
		     const char **why)
{
	struct resolverd *resolverd = NEW(struct resolverd);

	resolverd->ctx = engine_new(options, why);
	if (resolverd->ctx && poll_open(&resolverd->poll, ub_fd(resolverd->ctx)) == OK &&
	    task_start("dns results", take_results, resolverd)) {
		*result = resolverd;
		return OK;
	}
	if (!*why)
		*why = "The resolver cannot watch for answers.";
	resolverd_close(&resolverd);
	return ERR_IO;
}

void resolverd_close(struct resolverd **resolverd)
{
	if (!*resolverd)
		return;
	if ((*resolverd)->ctx) {
		poll_close(&(*resolverd)->poll);
		ub_ctx_delete((*resolverd)->ctx);
	}
	mem_free(*resolverd);
	*resolverd = NULL;
}

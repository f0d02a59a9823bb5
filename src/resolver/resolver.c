#include "resolver/resolver.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "resolver/cache.h"
#include "rt/ipc.h"

enum { CALL_SECONDS = 20 };

struct resolver {
	struct ipc *ipc; /* NULL while there is no resolver process */
	struct waiters connected;
	struct answer_cache *cache;
};

static void on_gone(struct ipc *ipc, void *arg)
{
	struct resolver *resolver = arg;

	if (resolver->ipc == ipc)
		ipc_close(&resolver->ipc);
}

struct resolver *resolver_open(int fd)
{
	struct resolver *resolver = NEW(struct resolver);

	resolver->cache = answer_cache_new();
	if (fd >= 0)
		resolver_reconnect(resolver, fd);
	return resolver;
}

void resolver_close(struct resolver **resolver)
{
	if (!*resolver)
		return;
	ipc_close(&(*resolver)->ipc);
	answer_cache_free(&(*resolver)->cache);
	mem_free(*resolver);
	*resolver = NULL;
}

void resolver_reconnect(struct resolver *resolver, int fd)
{
	ipc_close(&resolver->ipc);
	resolver->ipc = ipc_open("resolver", fd, NULL, on_gone, resolver);
	wake_all(&resolver->connected);
}

/* A question may be put again to a new process. */
static err_t exchange(struct resolver *resolver, struct str body, deadline_t deadline,
		      struct buf *reply)
{
	uint16_t type = 0;
	err_t err;

	do {
		while (!resolver->ipc || !ipc_is_open(resolver->ipc))
			TRY(wait_on(&resolver->connected, deadline));
		buf_reset(reply);
		err = ipc_call(resolver->ipc, RESOLVER_ASK, body, -1, deadline, &type,
			       reply, NULL);
	} while (err == ERR_CLOSED);
	if (err == OK && type != RESOLVER_ANSWER)
		return ERR_SYNTAX;
	return err;
}

bool resolver_recall(struct resolver *resolver, const struct dns_question *question,
		     struct arena *arena, struct dns_answer *answer)
{
	const struct resolver_question key = {question->type, question->name};

	*answer = (struct dns_answer){.outcome = DNS_NONE, .is_name_gone = true};
	return !dns_name_is_askable(question->name) ||
	       answer_cache_find(resolver->cache, &key, arena, answer);
}

void resolver_ask_until(struct resolver *resolver, const struct dns_question *asked,
			struct arena *arena, struct dns_answer *answer)
{
	SCOPED(buf_fini) struct buf body = BUF(1024);
	SCOPED(buf_fini) struct buf reply = BUF(RESOLVER_ANSWER_BYTES_MAX);
	const struct resolver_question question = {asked->type, asked->name};
	deadline_t patient = deadline_s(CALL_SECONDS);

	if (resolver_recall(resolver, asked, arena, answer))
		return;
	resolver_encode_question(&body, &question);
	err_t err = exchange(resolver, buf_str(&body), num_min(patient, asked->until),
			     &reply);

	if (err == OK && resolver_decode_answer(buf_str(&reply), arena, answer)) {
		answer_cache_add(resolver->cache, &question, answer, buf_str(&reply));
		return;
	}
	if (err == ERR_TIMEOUT && asked->until < patient) {
		*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
					      .why = STR("no answer came in time")};
		return;
	}
	LOG(WARN, "resolver does not answer", KV("error", err_text(err)));
	*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
				      .why = STR("the resolver does not answer")};
}

void resolver_ask(struct resolver *resolver, struct str name, enum dns_type type,
		  struct arena *arena, struct dns_answer *answer)
{
	const struct dns_question question = {name, type, NEVER};

	resolver_ask_until(resolver, &question, arena, answer);
}

const char *dns_outcome_name(enum dns_outcome outcome)
{
	switch (outcome) {
	case DNS_FOUND:
		return "found";
	case DNS_NONE:
		return "none";
	case DNS_BOGUS:
		return "bogus";
	case DNS_UNKNOWN:
		break;
	}
	return "unknown";
}

#include "deliverd/redirect.h"

#include "base/log.h"
#include "deliverd/forward.h"
#include "route/route.h"
#include "store/digest.h"
#include "store/store.h"
#include "wire/smtp/path.h"

enum { KEY_MAX = 64 };

/* Each place once. */
static bool is_known(const struct redirects *redirects, const struct route_target *target)
{
	for (size_t i = 0; i < redirects->count; i++) {
		const struct queue_recipient *to = &redirects->recipients[i];

		if (to->kind == target->kind && to->account == target->account &&
		    str_same_nocase(to->address, target->address))
			return true;
	}
	return false;
}

static bool add(const struct scripted *scripted, const struct route_target *targets,
		size_t count, struct redirects *redirects)
{
	for (size_t i = 0; i < count; i++) {
		if (is_known(redirects, &targets[i]))
			continue;
		if (redirects->count == ROUTE_TARGETS_MAX)
			return false;
		redirects->recipients[redirects->count++] = (struct queue_recipient){
			.kind = targets[i].kind,
			.address = targets[i].address,
			/* What leaves is passed on by who has the script. */
			.original = targets[i].kind == QUEUE_LOCAL ? targets[i].address
								   : scripted->recipient,
			.account = targets[i].account};
	}
	return true;
}

/* UNAVAILABLE: cannot tell now; ABSENT: no mail can go there. */
static enum store_outcome find(const struct scripted *scripted, struct str address,
			       struct redirects *redirects)
{
	const struct policy *policy = &scripted->options->policy;
	size_t at = str_rfind_byte(address, '@');
	struct route_target *targets;
	struct str local;
	size_t count;

	if (at == address.len ||
	    !smtp_local_plain(str_first(address, at), scripted->arena, &local))
		return STORE_ABSENT;
	switch (route_find(policy->directory, local, str_skip(address, at + 1),
			   scripted->arena, &targets, &count)) {
	case ROUTE_LOCAL:
	case ROUTE_REMOTE:
	case ROUTE_MIXED:
		return add(scripted, targets, count, redirects) ? STORE_OK : STORE_ABSENT;
	case ROUTE_UNKNOWN:
		return STORE_UNAVAILABLE;
	case ROUTE_NOBODY:
	case ROUTE_LOOP:
	case ROUTE_BACK:
	case ROUTE_FORGED:
	case ROUTE_EXPIRED:
		break;
	}
	return STORE_ABSENT;
}

/* Whether the author's domain lets others take it cannot be told now (DMARC). */
static bool must_wait(const struct scripted *scripted, const struct redirects *redirects)
{
	if (!scripted->options->rewriter ||
	    scripted->policed->onward != DMARC_ONWARD_UNSURE)
		return false;
	for (size_t i = 0; i < redirects->count; i++)
		if (redirects->recipients[i].kind == QUEUE_REMOTE)
			return true;
	return false;
}

static void log_failure(const struct scripted *scripted, struct str address,
			const char *why)
{
	LOG(WARN, "not redirected", KV_STR("queue_id", scripted->mail->id),
	    KV_INT("account", scripted->account), KV_STR("rcpt", address),
	    KV("why", why));
}

enum store_outcome redirects_find(const struct scripted *scripted, bool was_here,
				  const struct sieve_outcome *outcome,
				  struct redirects *redirects)
{
	*redirects = (struct redirects){.recipients = ARENA_ARRAY(scripted->arena,
								  struct queue_recipient,
								  ROUTE_TARGETS_MAX)};
	if (!redirects->recipients)
		return STORE_UNAVAILABLE;
	for (size_t i = 0; i < outcome->count; i++) {
		const struct sieve_action *action = &outcome->actions[i];
		enum store_outcome found = STORE_ABSENT;

		if (action->kind != SIEVE_REDIRECT)
			continue;
		if (!was_here)
			found = find(scripted, action->target, redirects);
		if (found == STORE_UNAVAILABLE)
			return found;
		if (found == STORE_OK)
			continue;
		redirects->has_failed = true;
		log_failure(scripted, action->target,
			    was_here ? "the mail has been here before"
				     : "the address leads to nobody");
	}
	return must_wait(scripted, redirects) ? STORE_UNAVAILABLE : STORE_OK;
}

/* ---- commit ------------------------------------------------------------------------ */

static struct store_op op_of(const struct scripted *scripted,
			     const struct queue_recipient *recipients, size_t count)
{
	const struct deliver_mail *mail = scripted->mail;
	const struct policed *policed = scripted->policed;
	struct store_op op = {.kind = OP_QUEUE_ADD};

	op.queue_add = (struct op_queue_add){
		.sender = mail->sender,
		.id = mail->id,
		.body = {.raw = policed->message, .raw_size = policed->message.len},
		.trace = buf_str(&policed->trace),
		.digest = buf_str(&policed->digest),
		.received_at = mail->received_at,
		.due_at = mail->received_at,
		.body_kind = scripted->body_kind,
		.recipients = recipients,
		.count = count};
	return op;
}

static enum store_outcome commit(const struct scripted *scripted,
				 const struct forward *forward)
{
	SCOPED(buf_fini) struct buf trace = BUF(TRACE_BYTES_MAX);
	SCOPED(buf_fini) struct buf key = BUF(KEY_MAX);
	const struct queue_recipient here = {.original = scripted->recipient};
	struct store_op ops[1 + FORWARD_PARTS_MAX];
	size_t count = 0;

	if (forward->others_count > 0) {
		forward_trace(&trace, &here, 1, buf_str(&scripted->policed->trace));
		ops[count] = op_of(scripted, forward->others, forward->others_count);
		ops[count++].queue_add.trace = buf_str(&trace);
	}
	const struct store_op like = op_of(scripted, NULL, 0);

	count += forward_ops(forward, &like, &ops[count]);
	buf_printf(&key, "%.*s/r/%u", STR_FMT(scripted->mail->id), scripted->account);
	ASSERT(buf_ok(&key) && buf_ok(&trace));
	return scripted->commit(scripted->arg, ACCOUNT_SYSTEM, buf_str(&key), ops, count);
}

enum store_outcome redirects_commit(const struct scripted *scripted,
				    const struct redirects *redirects)
{
	SCOPED(forward_end) struct forward forward;
	const struct deliverd_options *options = scripted->options;
	const struct forward_means means = {.directory = options->policy.directory,
					    .sealer = options->sealer,
					    .rewriter = options->rewriter,
					    .is_redirect = true};

	if (scripted->policed->digest.len == 0)
		digest_make_warily("redirect digest", scripted->policed->message,
				   &scripted->policed->digest);
	if (!forward_begin(&means, scripted->mail, scripted->policed,
			   redirects->recipients, redirects->count, scripted->arena,
			   &forward))
		return STORE_UNAVAILABLE;
	enum store_outcome outcome = commit(scripted, &forward);

	LOG(INFO, "redirected", KV_STR("queue_id", scripted->mail->id),
	    KV_INT("account", scripted->account), KV_STR("from", scripted->mail->sender),
	    KV_STR("rcpt", redirects->recipients[0].address),
	    KV_INT("rcpts", redirects->count),
	    KV("outcome", store_outcome_text(outcome)));
	return outcome;
}

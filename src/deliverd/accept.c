#include "deliverd/accept.h"

#include <stdio.h>

#include "base/log.h"
#include "deliverd/forward.h"
#include "deliverd/script.h"
#include "policy/message.h"
#include "queue/schedule.h"
#include "store/store.h"

enum { UNKNOWN_WAIT_S = 300 /* doors wait a little longer: deliver/deliver.c */ };

/* One mail, on its way to the commit. */
struct acceptance {
	const struct deliverd_options *options;
	const struct deliver_mail *mail;
	struct hearing *hearing; /* or NULL */
	struct arena *arena;
	struct policed policed;
};

/* For its sender, with what the vault gave the door for it: only while this mail is
 * committed. */
static enum store_outcome commit_as_person(struct acceptance *in,
					   const struct store_commit *commit)
{
	struct store *store = in->options->store;
	enum store_outcome outcome = store_enter(store, commit->account, in->mail->grant);

	if (outcome != STORE_OK)
		return outcome;
	outcome = store_commit(store, commit, in->arena, NULL);
	store_leave(store, commit->account);
	return outcome;
}

/* Looked at after the key: so it tells that the commit has not happened before, or that
 * it has.  The others say something of now only. */
static bool is_about_the_mail(enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_OK:
	case STORE_CONFLICT:
	case STORE_ABSENT:
	case STORE_OVER_QUOTA:
	case STORE_INVALID:
	case STORE_DAMAGED:
		return true;
	case STORE_DENIED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		break;
	}
	return false;
}

/* Where the store was lost in the middle it is asked again, when it is back; the key
 * makes sure that it happens once. */
static enum store_outcome commit(struct acceptance *in, account_t account, struct str key,
				 const struct store_op *op, size_t count)
{
	const struct store_commit commit = {
		.account = account,
		.key = key,
		.key_minute = (uint32_t)(in->mail->received_at / 60),
		.ops = op,
		.count = count};
	bool is_person = op[0].kind == OP_QUEUE_ADD && account != ACCOUNT_SYSTEM;
	deadline_t until = deadline_s(UNKNOWN_WAIT_S);
	bool may_have_happened = in->mail->is_again;

	for (;;) {
		enum store_outcome outcome =
			is_person ? commit_as_person(in, &commit)
				  : store_commit(in->options->store, &commit, in->arena,
						 NULL);

		if (outcome == STORE_UNKNOWN)
			may_have_happened = true;
		if (!may_have_happened || is_about_the_mail(outcome))
			return outcome;
		if (loop_now() >= until || task_sleep_ms(1000) != OK)
			return STORE_UNKNOWN;
	}
}

/* What the queue is told of how the mail must travel. */
static uint8_t body_kind(const struct acceptance *in)
{
	const struct smtp_mail_params *params = &in->mail->params;
	unsigned kind = 0;

	switch (params->body) {
	case SMTP_BODY_7BIT:
		break;
	case SMTP_BODY_8BITMIME:
		kind = QUEUE_8BITMIME;
		break;
	case SMTP_BODY_BINARYMIME:
		kind = QUEUE_BINARYMIME;
		break;
	}
	if (in->policed.is_suspect)
		kind |= QUEUE_SUSPECT;
	if (in->policed.onward == DMARC_ONWARD_FAILS)
		kind |= QUEUE_ONWARD_FAILS;
	else if (in->policed.onward == DMARC_ONWARD_UNSURE)
		kind |= QUEUE_ONWARD_UNSURE;
	if (params->given & SMTP_PARAM_SMTPUTF8)
		kind |= QUEUE_SMTPUTF8;
	if (params->given & SMTP_PARAM_REQUIRETLS)
		kind |= QUEUE_REQUIRETLS;
	else if (in->policed.is_tls_optional) /* RFC 8689 §4.1 */
		kind |= QUEUE_TLS_OPTIONAL;
	return (uint8_t)kind;
}

/* Of a script. */
static enum store_outcome commit_for_script(void *arg, account_t account, struct str key,
					    const struct store_op *ops, size_t count)
{
	return commit(arg, account, key, ops, count);
}

/* One mailbox of ours: there is no queue between.  The key makes it once in an account
 * even if several recipients lead there. */
static enum store_outcome deliver(struct acceptance *in, const struct queue_recipient *to)
{
	SCOPED(buf_fini) struct buf trace = BUF(TRACE_BYTES_MAX);
	struct store_op op = {.kind = OP_APPEND};

	message_return_path_add(&trace, in->mail->sender);
	buf_add(&trace, buf_str(&in->policed.trace));
	if (!buf_ok(&trace))
		return STORE_INVALID;
	op.append = (struct op_append){
		.mailbox = in->policed.is_suspect ? MAILBOX_JUNK : MAILBOX_INBOX,
		.unless_sieve = !in->policed.is_suspect,
		.body = {.raw = in->policed.message, .raw_size = in->policed.message.len},
		.trace = buf_str(&trace),
		.digest = buf_str(&in->policed.digest),
		.received_at = in->mail->received_at};
	enum store_outcome outcome = commit(in, to->account, in->mail->id, &op, 1);

	if (outcome != STORE_CONFLICT)
		return outcome;
	struct scripted scripted = {.options = in->options,
				    .mail = in->mail,
				    .policed = &in->policed,
				    .account = to->account,
				    .recipient = to->original,
				    .append = op.append,
				    .body_kind = body_kind(in),
				    .key = in->mail->id,
				    .commit = commit_for_script,
				    .arg = in,
				    .arena = in->arena};

	scripted.append.unless_sieve = false;
	return script_deliver(&scripted);
}

static uint8_t ret(const struct smtp_mail_params *params)
{
	if (!(params->given & SMTP_PARAM_RET))
		return 0;
	return params->ret == SMTP_RET_FULL ? 1 : 2;
}

/* RFC 2852, RFC 4865. */
static struct queue_timing timing(const struct acceptance *in)
{
	const struct smtp_mail_params *params = &in->mail->params;
	struct queue_timing timing = {.hold_until = params->hold_until};
	unsigned modes = 0;

	if (params->given & SMTP_PARAM_HOLDFOR) {
		timing.hold_until = in->mail->received_at + params->hold_s;
		modes |= QUEUE_HOLD_FOR;
	}
	if (params->given & SMTP_PARAM_BY) {
		timing.deliver_by = in->mail->deliver_by;
		modes |= params->by_mode == SMTP_BY_RETURN ? QUEUE_BY_RETURN
							   : QUEUE_BY_NOTIFY;
		modes |= params->by_trace ? QUEUE_BY_TRACE : 0;
	}
	timing.modes = (uint8_t)modes;
	return timing;
}

static struct store_op queue_op(const struct acceptance *in,
				const struct queue_recipient *recipients, size_t count)
{
	const struct smtp_mail_params *params = &in->mail->params;
	struct store_op op = {.kind = OP_QUEUE_ADD};
	struct queue_timing times = timing(in);

	op.queue_add = (struct op_queue_add){
		.sender = in->mail->sender,
		.id = in->mail->id,
		.body = {.raw = in->policed.message, .raw_size = in->policed.message.len},
		.trace = buf_str(&in->policed.trace),
		.digest = buf_str(&in->policed.digest),
		.received_at = in->mail->received_at,
		.due_at = schedule_first_due(&times, in->mail->received_at),
		.timing = times,
		.envid = params->envid,
		.ret = ret(params),
		.body_kind = body_kind(in),
		.recipients = recipients,
		.count = count};
	return op;
}

/* Several places, or one outside: rows of the queue, of whoever causes them.  What is
 * passed on for others leaves with another sender, so its rows are apart. */
static enum store_outcome enqueue(struct acceptance *in, struct str key,
				  const struct queue_recipient *recipients, size_t count)
{
	SCOPED(forward_end) struct forward forward;
	struct store_op ops[1 + FORWARD_PARTS_MAX];
	size_t op_count = 0;
	const struct forward_means means = {in->options->policy.directory,
					    in->options->sealer, in->options->rewriter};

	if (!forward_begin(&means, in->mail, &in->policed, recipients, count, in->arena,
			   &forward))
		return STORE_UNAVAILABLE;
	if (!buf_ok(&in->policed.trace))
		return STORE_INVALID;
	if (forward.others_count > 0)
		ops[op_count++] = queue_op(in, forward.others, forward.others_count);
	if (forward.count > 0 && in->policed.is_suspect)
		LOG(INFO, "suspect mail not passed on", KV_STR("queue_id", in->mail->id),
		    KV_STR("from", in->mail->sender),
		    KV_STR("rcpt", forward.recipients[0].address),
		    KV_INT("rcpts", forward.count));
	const struct store_op like = queue_op(in, NULL, 0);

	op_count += forward_ops(&forward, &like, &ops[op_count]);
	return commit(in, in->mail->account, key, ops, op_count);
}

/* What is held waits in the queue; and a sender who wants to hear of the delivery hears
 * of it from there.  RFC 3461 §4.1. */
static enum store_outcome place(struct acceptance *in, struct str key,
				const struct queue_recipient *to, size_t count)
{
	bool is_direct =
		count == 1 && to->kind == QUEUE_LOCAL &&
		!(to->notify & SMTP_NOTIFY_SUCCESS) &&
		!(in->mail->params.given & (SMTP_PARAM_HOLDFOR | SMTP_PARAM_HOLDUNTIL));

	return is_direct ? deliver(in, to) : enqueue(in, key, to, count);
}

/* ---- answers ----------------------------------------------------------------------- */

static struct deliver_answer answer_of(unsigned code, const char *enhanced,
				       struct str text)
{
	struct deliver_answer answer = {.code = code, .text = text};

	(void)snprintf(answer.enhanced, sizeof answer.enhanced, "%s", enhanced);
	return answer;
}

/* Only OK is a yes; what we are not sure of the client sends again. */
static struct deliver_answer answer_to(struct acceptance *in, enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_OK:
		return answer_of(250, "2.0.0",
				 arena_printf(in->arena, "Accepted as %.*s",
					      STR_FMT(in->mail->id)));
	case STORE_OVER_QUOTA:
		return answer_of(452, "4.2.2",
				 STR("The mailbox is full; its owner must delete some "
				     "mail"));
	case STORE_FULL:
		return answer_of(452, "4.3.1", STR("Our disk is full; try again later"));
	case STORE_CONFLICT:
	case STORE_ABSENT:
	case STORE_DENIED:
	case STORE_INVALID:
	case STORE_DAMAGED:
	case STORE_UNAVAILABLE:
		return answer_of(451, "4.3.0",
				 STR("We could not store the message; try again in a "
				     "minute"));
	case STORE_UNKNOWN: /* it may be stored: neither yes nor no would be true */
		break;
	}
	return (struct deliver_answer){0};
}

static struct deliver_answer answer(struct acceptance *in, struct str rcpt, size_t count,
				    enum store_outcome outcome)
{
	const struct deliver_mail *mail = in->mail;

	LOG(INFO, outcome == STORE_OK ? "mail accepted" : "mail not stored",
	    KV_INT("session", mail->session), KV_STR("queue_id", mail->id),
	    KV_STR("peer", mail->peer), KV_STR("from", mail->sender),
	    KV_STR("rcpt", rcpt), KV_INT("rcpts", count),
	    KV_INT("bytes", in->policed.message.len),
	    KV("outcome", store_outcome_text(outcome)));
	return answer_to(in, outcome);
}

/* The whole message, for all its recipients.  If it was handed over before, and then
 * perhaps taken, a verdict of now does not tell. */
static void refuse(struct acceptance *in, const struct policy_verdict *verdict,
		   struct deliver_answer *answers)
{
	bool is_sure = !(in->mail->is_again && verdict->is_passing);

	LOG(INFO, "message refused", KV_INT("session", in->mail->session),
	    KV_STR("peer", in->mail->peer), KV_STR("from", in->mail->sender),
	    KV("why", verdict->text));
	for (size_t i = 0; i < deliver_answers(in->mail); i++)
		answers[i] = is_sure ? answer_of(verdict->code, verdict->enhanced,
						 str_c(verdict->text))
				     : (struct deliver_answer){0};
}

static void place_all(struct acceptance *in, struct deliver_answer *answers)
{
	const struct deliver_mail *mail = in->mail;

	answers[0] = answer(in, mail->rcpts[0].address, mail->rcpt_count,
			    place(in, mail->id, mail->places, mail->place_count));
}

/* Each recipient has an outcome of its own.  RFC 2033 §4.2. */
static void place_each(struct acceptance *in, struct deliver_answer *answers)
{
	const struct deliver_mail *mail = in->mail;

	for (size_t i = 0; i < mail->rcpt_count; i++) {
		const struct deliver_rcpt *rcpt = &mail->rcpts[i];
		struct str key =
			arena_printf(in->arena, "%.*s.%zu", STR_FMT(mail->id), i);
		enum store_outcome outcome = STORE_UNAVAILABLE;

		if (key.len > 0)
			outcome = place(in, key, &mail->places[rcpt->first], rcpt->count);
		answers[i] = answer(in, rcpt->address, 1, outcome);
		if (answers[i].code == 0) /* the door leaves here; {0} are the rest */
			break;
	}
}

static struct policy_verdict judge(struct acceptance *in)
{
	const struct policy *policy = &in->options->policy;

	switch (in->mail->source) {
	case DELIVER_PERSON:
	case DELIVER_PROGRAM:
		return policy_submitting(policy, in->mail, in->arena, &in->policed);
	case DELIVER_STRANGER:
	case DELIVER_LMTP:
		break;
	}
	return policy_arriving(policy, in->mail, in->hearing, in->arena, &in->policed);
}

/* What leads out again may be refused for that.  Suspect mail is not passed on: who gets
 * it would take us for its source. */
static struct policy_verdict judge_forward(const struct acceptance *in)
{
	if (forward_is_loop(in->mail))
		return (struct policy_verdict){
			554, "5.4.6",
			"The message has been here before, and was passed on: it goes "
			"round",
			false};
	if (in->policed.is_suspect && forward_is_all_of_a_rcpt(in->mail))
		return (struct policy_verdict){
			550, "5.7.1",
			"The address leads to another server, and mail that may be "
			"forged is not passed on; its author's domain must sign it",
			true};
	if (in->options->rewriter && in->policed.onward == DMARC_ONWARD_UNSURE &&
	    forward_needs_author(in->mail))
		return (struct policy_verdict){
			451, "4.7.0",
			"The address leads to another server, and whether that may take "
			"mail of this author cannot be told now; try again in a while",
			true};
	return (struct policy_verdict){0};
}

static bool is_taken(const struct deliver_mail *mail,
		     const struct deliver_answer *answers)
{
	for (size_t i = 0; i < deliver_answers(mail); i++)
		if (answers[i].code != 250)
			return false;
	return true;
}

bool accept_mail(const struct deliverd_options *options, const struct deliver_mail *mail,
		 struct hearing *hearing, struct arena *arena,
		 struct deliver_answer *answers)
{
	struct acceptance in = {
		.options = options, .mail = mail, .hearing = hearing, .arena = arena};
	struct policy_verdict verdict = judge(&in);

	if (verdict.code == 0)
		verdict = judge_forward(&in);
	for (size_t i = 0; i < deliver_answers(mail); i++)
		answers[i] = (struct deliver_answer){0};
	if (verdict.code != 0)
		refuse(&in, &verdict, answers);
	else if (mail->is_each)
		place_each(&in, answers);
	else
		place_all(&in, answers);
	bool is_believed = is_taken(mail, answers) && !in.policed.is_suspect;

	policed_fini(&in.policed);
	return is_believed;
}

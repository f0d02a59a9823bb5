#include "smtpd/incoming.h"

#include "base/hash.h"
#include "base/log.h"
#include "directory/directory.h"
#include "queue/id.h"
#include "queue/schedule.h"
#include "rt/clock.h"
#include "rt/panic.h"
#include "smtpd/message.h"
#include "smtpd/session.h"
#include "store/digest.h"
#include "store/store.h"
#include "wire/mail/address.h"
#include "wire/mail/date.h"

enum {
	RECEIVED_MAX = 100, /* RFC 5321 §6.3 */
	FROM_MAX = 100,     /* addresses in a From field */
	COMPLETED_BYTES_MAX = 1000,
	UNKNOWN_WAIT_S = 300, /* clients wait 600 s; RFC 5321 §4.5.3.2.6 */
};

/* One mail, on its way from the end of DATA to the commit. */
struct incoming {
	struct session *s;
	struct draft *draft;
	struct str id;
	struct message_facts facts;
	struct str message;
	struct buf completed; /* owns the message if fields were added */
	struct buf digest;
	int64_t now;
};

/* RFC 3848, RFC 6531 §4.3. */
static const char *protocol(const struct session *s, const struct draft *draft)
{
	static const char *const names[4][4] = {
		{"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"},
		{"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"},
		{"LMTP", "LMTPS", "LMTPA", "LMTPSA"},
		{"UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"},
	};
	bool is_utf8 = draft->params.given & SMTP_PARAM_SMTPUTF8;
	bool is_lmtp = s->service->kind == SMTPD_LMTP;

	if (!s->is_extended)
		return "SMTP";
	return names[(is_utf8 ? 1 : 0) + (is_lmtp ? 2 : 0)]
		    [(conn_is_tls(s->conn) ? 1 : 0) + (s->login.account != 0 ? 2 : 0)];
}

static void trace_add(const struct incoming *in, struct buf *trace)
{
	const struct session *s = in->s;
	struct message_hop hop = {
		.client = s->client,
		.is_host_valid = s->is_host_valid,
		.peer = conn_peer(s->conn),
		.hostname = s->service->hostname,
		.protocol = str_c(protocol(s, in->draft)),
		.tls = conn_tls_text(s->conn),
		.id = in->id,
		.rcpt = in->draft->given == 1 ? in->draft->rcpts[0].address : STR(""),
		.at = in->now,
		.is_local = s->service->kind == SMTPD_LOCAL,
		.uid = s->service->spool_uid,
	};

	message_received_add(trace, &hop);
}

/* A user's mail names nobody else as its author: one From field, and in it addresses of
 * the account alone.  RFC 6409 §6.1.  False: a reply was made. */
static bool author_is_user(struct incoming *in)
{
	struct session *s = in->s;
	bool is_sure = true;

	if (in->facts.from_count != 1) {
		smtpd_reply(s, 550, "5.6.0",
			    in->facts.from_count == 0
				    ? "The message needs a From field"
				    : "The message has several From fields");
		return false;
	}
	struct mail_addresses from =
		mail_addresses_parse(&s->scratch, in->facts.from, FROM_MAX);

	bool is_theirs = from.is_cut;
	size_t mailboxes = 0;

	for (size_t i = 0; i < from.count && !is_theirs; i++) {
		const struct mail_address *a = &from.items[i];

		if (a->kind != MAIL_MAILBOX)
			continue;
		mailboxes++;
		is_theirs = !directory_may_send_as(s->service->login.directory,
						   s->login.account, a->local, a->domain,
						   &s->scratch, &is_sure);
	}
	if (!is_theirs && mailboxes > 0)
		return true;
	if (is_sure)
		smtpd_reply(s, 550, "5.7.1",
			    "The From field must hold an address of yours, and no other; "
			    "correct the sender in your mail program");
	else
		smtpd_reply(s, 451, "4.3.0",
			    "We cannot tell now whether From is yours; try again in a "
			    "minute");
	return false;
}

/* What a message must have and a mail client left out.  RFC 6409 §8.2, §8.3. */
static void complete(struct incoming *in)
{
	struct str hostname = in->s->service->hostname;

	if (in->facts.has_date && in->facts.has_message_id)
		return;
	in->completed = BUF(in->message.len + COMPLETED_BYTES_MAX);
	if (!in->facts.has_date) {
		buf_add(&in->completed, STR("Date: "));
		mail_date_add(&in->completed, in->now, 0);
		buf_add(&in->completed, STR("\r\n"));
	}
	if (!in->facts.has_message_id)
		buf_printf(&in->completed, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(in->id),
			   STR_FMT(hostname));
	buf_add(&in->completed, in->message);
	ASSERT(buf_ok(&in->completed));
	in->message = buf_str(&in->completed);
}

/* Where the store was lost in the middle it is asked again, when it is back; the key
 * makes sure that it happens once. */
static enum store_outcome commit(struct incoming *in, account_t account, struct str key,
				 const struct store_op *op)
{
	struct store_commit commit = {.account = account,
				      .key = key,
				      .key_minute = (uint32_t)(in->now / 60),
				      .ops = op,
				      .count = 1};
	struct store *store = in->s->service->login.store;
	deadline_t until = deadline_s(UNKNOWN_WAIT_S);
	bool may_have_happened = false;

	for (;;) {
		enum store_outcome outcome =
			store_commit(store, &commit, &in->draft->arena, NULL);

		if (outcome == STORE_UNKNOWN)
			may_have_happened = true;
		if (!may_have_happened ||
		    (outcome != STORE_UNKNOWN && outcome != STORE_UNAVAILABLE &&
		     outcome != STORE_FULL))
			return outcome;
		if (loop_now() >= until || task_sleep_ms(1000) != OK)
			return STORE_UNKNOWN;
	}
}

/* One mailbox of ours: there is no queue between.  The key makes it once in an account
 * even if several recipients lead there. */
static enum store_outcome deliver(struct incoming *in, account_t account)
{
	SCOPED(buf_fini) struct buf trace = BUF(TRACE_BYTES_MAX);
	struct store_op op = {.kind = OP_APPEND};

	message_return_path_add(&trace, in->draft->sender);
	trace_add(in, &trace);
	if (!buf_ok(&trace))
		return STORE_INVALID;
	op.append = (struct op_append){
		.mailbox = MAILBOX_INBOX,
		.body = {.raw = in->message, .raw_size = in->message.len},
		.trace = buf_str(&trace),
		.digest = buf_str(&in->digest),
		.received_at = in->now};
	return commit(in, account, in->id, &op);
}

/* What the queue is told of how the mail must travel. */
static uint8_t body_kind(const struct incoming *in)
{
	const struct smtp_mail_params *params = &in->draft->params;
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
	if (params->given & SMTP_PARAM_SMTPUTF8)
		kind |= QUEUE_SMTPUTF8;
	if (params->given & SMTP_PARAM_REQUIRETLS)
		kind |= QUEUE_REQUIRETLS;
	else if (in->facts.is_tls_optional) /* RFC 8689 §4.1 */
		kind |= QUEUE_TLS_OPTIONAL;
	return (uint8_t)kind;
}

static uint8_t ret(const struct smtp_mail_params *params)
{
	if (!(params->given & SMTP_PARAM_RET))
		return 0;
	return params->ret == SMTP_RET_FULL ? 1 : 2;
}

/* RFC 2852, RFC 4865. */
static struct queue_timing timing(const struct incoming *in)
{
	const struct smtp_mail_params *params = &in->draft->params;
	struct queue_timing timing = {.hold_until = params->hold_until};
	unsigned modes = 0;

	if (params->given & SMTP_PARAM_HOLDFOR) {
		timing.hold_until = in->now + params->hold_s;
		modes |= QUEUE_HOLD_FOR;
	}
	if (params->given & SMTP_PARAM_BY) {
		timing.deliver_by = in->draft->deliver_by;
		modes |= params->by_mode == SMTP_BY_RETURN ? QUEUE_BY_RETURN
							   : QUEUE_BY_NOTIFY;
		modes |= params->by_trace ? QUEUE_BY_TRACE : 0;
	}
	timing.modes = (uint8_t)modes;
	return timing;
}

/* Several places, or one outside: rows of the queue, of whoever causes them. */
static enum store_outcome enqueue(struct incoming *in, struct str key,
				  const struct queue_recipient *recipients, size_t count)
{
	SCOPED(buf_fini) struct buf trace = BUF(TRACE_BYTES_MAX);
	const struct smtp_mail_params *params = &in->draft->params;
	struct store_op op = {.kind = OP_QUEUE_ADD};
	struct queue_timing times = timing(in);

	trace_add(in, &trace);
	if (!buf_ok(&trace))
		return STORE_INVALID;
	op.queue_add = (struct op_queue_add){
		.sender = in->draft->sender,
		.id = in->id,
		.body = {.raw = in->message, .raw_size = in->message.len},
		.trace = buf_str(&trace),
		.digest = buf_str(&in->digest),
		.received_at = in->now,
		.due_at = schedule_first_due(&times, in->now),
		.timing = times,
		.envid = params->envid,
		.ret = ret(params),
		.body_kind = body_kind(in),
		.recipients = recipients,
		.count = count};
	return commit(in, in->s->login.account, key, &op);
}

/* What is held waits in the queue; and a sender who wants to hear of the delivery hears
 * of it from there.  RFC 3461 §4.1. */
static enum store_outcome place(struct incoming *in, struct str key,
				const struct queue_recipient *to, size_t count)
{
	bool is_direct =
		count == 1 && to->kind == QUEUE_LOCAL &&
		!(to->notify & SMTP_NOTIFY_SUCCESS) &&
		!(in->draft->params.given & (SMTP_PARAM_HOLDFOR | SMTP_PARAM_HOLDUNTIL));

	return is_direct ? deliver(in, to->account) : enqueue(in, key, to, count);
}

/* Only OK is a yes; what we are not sure of the client sends again. */
static void answer(struct incoming *in, struct str rcpt, size_t count,
		   enum store_outcome outcome)
{
	struct session *s = in->s;

	LOG(INFO, outcome == STORE_OK ? "mail accepted" : "mail not stored",
	    KV_INT("session", s->id), KV_STR("queue_id", in->id),
	    KV_STR("peer", conn_peer(s->conn)), KV_STR("from", in->draft->sender),
	    KV_STR("rcpt", rcpt), KV_INT("rcpts", count),
	    KV_INT("bytes", in->message.len), KV("outcome", store_outcome_text(outcome)));
	switch (outcome) {
	case STORE_OK:
		smtpd_reply(s, 250, "2.0.0", "Accepted as %.*s", STR_FMT(in->id));
		return;
	case STORE_OVER_QUOTA:
		smtpd_reply(s, 452, "4.2.2",
			    "The mailbox is full; its owner must delete some mail");
		return;
	case STORE_FULL:
		smtpd_reply(s, 452, "4.3.1", "Our disk is full; try again later");
		return;
	case STORE_CONFLICT:
	case STORE_ABSENT:
	case STORE_DENIED:
	case STORE_INVALID:
	case STORE_DAMAGED:
	case STORE_UNAVAILABLE:
		smtpd_reply(s, 451, "4.3.0",
			    "We could not store the message; try again in a minute");
		return;
	case STORE_UNKNOWN: /* it may be stored: neither yes nor no would be true */
		s->is_done = true;
		return;
	}
}

/* Names these octets in panic reports and in the list of what has killed a process
 * before; that is not parsed again. */
static uint64_t message_key(struct str text)
{
	return (uint64_t)crc32c(0, text) << 32 | (uint32_t)text.len;
}

/* The whole message, for all its recipients. */
static void refuse(struct incoming *in, int code, const char *enhanced, const char *text)
{
	size_t count = in->draft->is_each ? in->draft->given : 1;

	for (size_t i = 0; i < count; i++)
		smtpd_reply(in->s, code, enhanced, "%s", text);
}

/* Parses the header; false, and a reply was made, if the message may not come in. */
static bool look(struct incoming *in)
{
	struct buf *text = &in->draft->body.text;
	uint64_t key = message_key(buf_str(text));

	if (panic_is_poison(key)) {
		refuse(in, 554, "5.6.0", "We cannot read this message");
		return false;
	}
	panic_begin("smtp header", key);
	in->facts = message_look(buf_str(text));
	in->message = buf_str(text);
	if (in->facts.return_path_count > 0) {
		in->message = message_drop_return_path(text);
		in->facts = message_look(in->message); /* its slices have moved */
	}
	panic_end();
	if (in->facts.received_count > RECEIVED_MAX) {
		refuse(in, 554, "5.4.6", "The message has passed too many servers");
		return false;
	}
	return !smtpd_is_submission(in->s) || author_is_user(in);
}

static void place_all(struct incoming *in)
{
	const struct draft *draft = in->draft;

	answer(in, draft->rcpts[0].address, draft->given,
	       place(in, in->id, draft->recipients, draft->count));
}

/* Each recipient has an outcome of its own.  RFC 2033 §4.2. */
static void place_each(struct incoming *in)
{
	const struct draft *draft = in->draft;

	for (size_t i = 0; i < draft->given && !in->s->is_done; i++) {
		const struct draft_rcpt *rcpt = &draft->rcpts[i];
		struct str key =
			arena_printf(&in->draft->arena, "%.*s.%zu", STR_FMT(in->id), i);
		enum store_outcome outcome = STORE_UNAVAILABLE;

		if (key.len > 0)
			outcome = place(in, key, &draft->recipients[rcpt->first],
					rcpt->count);
		answer(in, rcpt->address, 1, outcome);
	}
}

void incoming_accept(struct session *s, struct draft *draft)
{
	char id[QUEUE_ID_LETTERS];
	struct incoming in = {
		.s = s, .draft = draft, .id = s->service->spool_id, .now = clock_s()};

	if (in.id.len == 0)
		in.id = queue_id_make(id);

	if (!look(&in))
		return;
	if (smtpd_is_first_hop(s))
		complete(&in);
	in.digest = BUF(DIGEST_BYTES_MAX);
	digest_make_warily("smtp digest", in.message, &in.digest);
	if (draft->is_each)
		place_each(&in);
	else
		place_all(&in);
	buf_fini(&in.digest);
	buf_fini(&in.completed);
}

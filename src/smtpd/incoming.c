#include "smtpd/incoming.h"

#include "base/mem.h"
#include "deliver/deliver.h"
#include "queue/id.h"
#include "rt/clock.h"
#include "smtpd/session.h"
#include "store/store.h"

enum { ANSWERS_ARENA_MAX = 1024 * 1024 /* of all that may be said */ };

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

static enum deliver_source source(const struct session *s)
{
	switch (s->service->kind) {
	case SMTPD_SUBMISSION:
	case SMTPD_SUBMISSIONS:
		return DELIVER_PERSON;
	case SMTPD_LOCAL:
		return DELIVER_PROGRAM;
	case SMTPD_LMTP:
		return DELIVER_LMTP;
	case SMTPD_MX:
		break;
	}
	return DELIVER_STRANGER;
}

static struct deliver_mail mail_of(const struct session *s, struct draft *draft)
{
	return (struct deliver_mail){
		.source = source(s),
		.session = s->id,
		.peer = conn_peer(s->conn),
		.client = s->client,
		.is_host_valid = s->is_host_valid,
		.protocol = str_c(protocol(s, draft)),
		.tls = conn_tls_text(s->conn),
		.account = s->login.account,
		.uid = s->service->spool_uid,
		.id = s->service->spool_id,
		.received_at = clock_s(),
		.sender = draft->sender,
		.params = draft->params,
		.deliver_by = draft->deliver_by,
		.is_each = draft->is_each,
		.rcpts = draft->rcpts,
		.rcpt_count = draft->given,
		.places = draft->recipients,
		.place_count = draft->count,
		.text = buf_str(&draft->body.text),
		.ahead = &draft->ahead,
	};
}

void incoming_accept(struct session *s, struct draft *draft)
{
	char id[QUEUE_ID_LETTERS];
	struct deliver_mail mail = mail_of(s, draft);
	size_t count = deliver_answers(&mail);
	struct deliver_answer *answers = NEW_ARRAY(struct deliver_answer, count);
	struct arena arena;

	arena_init(&arena, ANSWERS_ARENA_MAX);
	if (mail.id.len == 0)
		mail.id = queue_id_make(id);
	if (mail.account != ACCOUNT_SYSTEM)
		mail.grant = store_grant(s->service->login.store, mail.account);
	deliver_mail(s->service->deliver, &mail, &arena, answers);
	for (size_t i = 0; i < count && !s->is_done; i++) {
		const struct deliver_answer *answer = &answers[i];

		if (answer->code == 0) /* neither yes nor no would be true */
			s->is_done = true;
		else
			smtpd_reply(s, (int)answer->code, answer->enhanced, "%.*s",
				    STR_FMT(answer->text));
	}
	arena_fini(&arena);
	mem_free(answers);
}

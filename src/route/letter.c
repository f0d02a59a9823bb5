#include "route/letter.h"

#include "base/buf.h"
#include "base/log.h"
#include "directory/dkim_mail.h"
#include "store/digest.h"
#include "wire/mail/date.h"
#include "wire/smtp/path.h"

enum { NOTIFY_NEVER = 1, TRACE_MAX = TRACE_BYTES_MAX };

/* False: it cannot be signed now. */
static bool sign(const struct letter *letter, struct arena *arena, struct buf *trace)
{
	return dkim_mail_sign(letter->mailer, letter->domain, NULL, letter->message,
			      letter->now, arena, trace) != DKIM_MAIL_LATER;
}

enum report letter_find(struct letter *letter, const struct directory *directory,
			struct arena *arena)
{
	struct smtp_path path;
	struct str local;

	if (!smtp_mailbox_parse(letter->to, SMTP_UTF8, &path))
		return REPORT_NONE;
	if (!smtp_local_plain(path.local, arena, &local))
		return REPORT_LATER;
	switch (route_find(directory, local, path.domain, arena, &letter->targets,
			   &letter->count)) {
	case ROUTE_LOCAL:
	case ROUTE_REMOTE:
	case ROUTE_MIXED:
	case ROUTE_BACK:
		return REPORT_MADE;
	case ROUTE_UNKNOWN:
		return REPORT_LATER;
	case ROUTE_NOBODY:
	case ROUTE_LOOP:
	case ROUTE_FORGED:
	case ROUTE_EXPIRED:
		break;
	}
	return REPORT_NONE;
}

bool letter_op(const struct letter *letter, struct arena *arena, struct store_op *op)
{
	struct queue_recipient *to =
		ARENA_ARRAY(arena, struct queue_recipient, letter->count);
	SCOPED(buf_fini) struct buf digest = BUF(DIGEST_BYTES_MAX);
	SCOPED(buf_fini) struct buf trace = BUF(TRACE_MAX);
	struct op_queue_add *add = &op->queue_add;

	buf_printf(&trace, "Received: by %.*s id %.*s;\r\n\t", STR_FMT(letter->hostname),
		   STR_FMT(letter->id));
	mail_date_add(&trace, letter->now, 0);
	buf_add(&trace, STR("\r\n"));
	digest_make_warily("report digest", letter->message, &digest);
	*op = (struct store_op){.kind = OP_QUEUE_ADD,
				.queue_add = {.received_at = letter->now,
					      .due_at = letter->now,
					      .body_kind = letter->kind,
					      .recipients = to,
					      .count = letter->count}};
	if (!to || !sign(letter, arena, &trace) ||
	    !arena_copy(arena, letter->id, &add->id) ||
	    !arena_copy(arena, letter->message, &add->body.raw) ||
	    !arena_copy(arena, buf_str(&trace), &add->trace) ||
	    !arena_copy(arena, buf_str(&digest), &add->digest))
		return false;
	add->body.raw_size = letter->message.len;
	for (size_t i = 0; i < letter->count; i++)
		to[i] = (struct queue_recipient){.kind = letter->targets[i].kind,
						 .address = letter->targets[i].address,
						 .original = letter->to,
						 .account = letter->targets[i].account,
						 .notify = NOTIFY_NEVER};
	return true;
}

bool letter_queue(struct letter *letter, const struct directory *directory,
		  struct arena *arena, struct store_op *op)
{
	if (letter_find(letter, directory, arena) != REPORT_MADE ||
	    letter->count > LETTER_RCPTS_MAX || !letter_op(letter, arena, op))
		return false;
	LOG(INFO, "report queued", KV_STR("queue_id", letter->id),
	    KV_STR("rcpt", letter->to));
	return true;
}

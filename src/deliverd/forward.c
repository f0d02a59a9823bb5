#include "deliverd/forward.h"

#include "base/buf.h"
#include "base/log.h"
#include "policy/message.h"
#include "route/srs.h"

/* A stranger's mail comes in for recipients of ours only: what leads out of those is
 * passed on.  A report has no sender, and nobody can be told of it (RFC 5321 §4.5.5). */
static bool is_passed_on(const struct deliver_mail *mail,
			 const struct queue_recipient *to)
{
	bool is_others = mail->source == DELIVER_STRANGER || mail->source == DELIVER_LMTP;

	return is_others && to->kind == QUEUE_REMOTE;
}

/* Once each, as far as there is room: the first one is enough to end a loop. */
static void add_delivered_to(struct buf *trace, const struct queue_recipient *recipients,
			     size_t count, struct str before)
{
	for (size_t i = 0; i < count; i++) {
		struct str address = recipients[i].original;
		bool is_known =
			i > 0 && str_same_nocase(address, recipients[i - 1].original);

		if (is_known ||
		    trace->len + address.len + before.len + 20 > TRACE_BYTES_MAX)
			continue;
		buf_printf(trace, "Delivered-To: %.*s\r\n", STR_FMT(address));
	}
	buf_add(trace, before);
}

static bool split(const struct deliver_mail *mail,
		  const struct queue_recipient *recipients, size_t count,
		  struct arena *arena, struct forward *forward)
{
	struct queue_recipient *others =
		ARENA_ARRAY(arena, struct queue_recipient, count);
	struct queue_recipient *passed =
		ARENA_ARRAY(arena, struct queue_recipient, count);

	*forward = (struct forward){.others = others, .recipients = passed};
	for (size_t i = 0; others && passed && i < count; i++) {
		if (is_passed_on(mail, &recipients[i]))
			passed[forward->count++] = recipients[i];
		else
			others[forward->others_count++] = recipients[i];
	}
	return others && passed;
}

bool forward_begin(const struct directory *directory, const struct deliver_mail *mail,
		   struct str trace, const struct queue_recipient *recipients,
		   size_t count, struct arena *arena, struct forward *forward)
{
	SCOPED(buf_fini) struct buf fields = BUF(TRACE_BYTES_MAX);

	if (!split(mail, recipients, count, arena, forward))
		return false;
	if (forward->count == 0)
		return true;
	enum srs_way way = srs_forward(directory, mail->sender, mail->received_at, arena,
				       &forward->sender);

	if (way == SRS_LATER)
		return false;
	if (way == SRS_DONE)
		LOG(INFO, "sender rewritten", KV_STR("queue_id", mail->id),
		    KV_STR("from", mail->sender), KV_STR("address", forward->sender));
	add_delivered_to(&fields, forward->recipients, forward->count, trace);
	return buf_ok(&fields) && arena_copy(arena, buf_str(&fields), &forward->trace);
}

bool forward_is_all_of_a_rcpt(const struct deliver_mail *mail)
{
	for (size_t i = 0; i < mail->rcpt_count; i++) {
		const struct deliver_rcpt *rcpt = &mail->rcpts[i];
		size_t out = 0;

		for (size_t j = 0; j < rcpt->count; j++)
			out += is_passed_on(mail, &mail->places[rcpt->first + j]);
		if (out > 0 && out == rcpt->count)
			return true;
	}
	return false;
}

bool forward_is_loop(const struct deliver_mail *mail)
{
	for (size_t i = 0; i < mail->place_count; i++)
		if (is_passed_on(mail, &mail->places[i]) &&
		    message_was_delivered_to(mail->text, mail->places[i].original))
			return true;
	return false;
}

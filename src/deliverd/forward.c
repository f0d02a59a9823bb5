#include "deliverd/forward.h"

#include "base/buf.h"
#include "base/log.h"
#include "directory/dkim_mail.h"
#include "policy/message.h"
#include "route/srs.h"
#include "wire/mail/header.h"

enum { DELIVERED_BYTES_MIN = 512 }; /* room for one Delivered-To field */

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

/* What stands behind the colon of our Authentication-Results, or "". */
static struct str results_in(struct str trace)
{
	struct mail_fields fields = mail_fields_over(trace);
	struct mail_field field;

	while (mail_fields_next(&fields, &field))
		if (str_same_nocase(field.name, STR("Authentication-Results")))
			return str_trim(field.value);
	return STR("");
}

/* RFC 8617 §5.1.  As it leaves: of what we add, nothing is covered.  False: cannot tell
 * now. */
static bool seal(const struct forward_means *means, const struct deliver_mail *mail,
		 const struct policed *policed, struct arena *arena, struct buf *fields)
{
	size_t taken = policed->trace.len + DELIVERED_BYTES_MIN;
	SCOPED(buf_fini)
	struct buf sealed = BUF(taken < TRACE_BYTES_MAX ? TRACE_BYTES_MAX - taken : 0);
	struct str results = results_in(buf_str(&policed->trace));

	if (!policed->is_judged || policed->is_suspect || results.len == 0)
		return true;
	const struct dkim_passed passed = {policed->message, policed->chain,
					   policed->has_body ? &policed->body : NULL,
					   results};

	switch (dkim_mail_seal(means->sealer, &passed, mail->received_at, arena,
			       &sealed)) {
	case DKIM_MAIL_SIGNED:
		buf_add(fields, buf_str(&sealed));
		LOG(INFO, "mail sealed", KV_STR("queue_id", mail->id),
		    KV_STR("from", mail->sender),
		    KV("arc", arc_result_name(policed->chain)));
		return true;
	case DKIM_MAIL_UNSIGNED:
		return true;
	case DKIM_MAIL_LATER:
		break;
	}
	return false;
}

bool forward_begin(const struct forward_means *means, const struct deliver_mail *mail,
		   const struct policed *policed,
		   const struct queue_recipient *recipients, size_t count,
		   struct arena *arena, struct forward *forward)
{
	struct str trace = buf_str(&policed->trace);
	SCOPED(buf_fini) struct buf fields = BUF(TRACE_BYTES_MAX);

	if (!split(mail, recipients, count, arena, forward))
		return false;
	if (forward->count == 0)
		return true;
	enum srs_way way = srs_forward(means->directory, mail->sender, mail->received_at,
				       arena, &forward->sender);

	if (way == SRS_LATER)
		return false;
	if (way == SRS_DONE)
		LOG(INFO, "sender rewritten", KV_STR("queue_id", mail->id),
		    KV_STR("from", mail->sender), KV_STR("address", forward->sender));
	if (!seal(means, mail, policed, arena, &fields))
		return false;
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

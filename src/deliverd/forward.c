#include "deliverd/forward.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/num.h"
#include "directory/dkim_mail.h"
#include "policy/message.h"
#include "policy/rewrite.h"
#include "route/srs.h"
#include "store/digest.h"
#include "wire/mail/header.h"
#include "wire/smtp/srs.h"

enum {
	DELIVERED_BYTES_MIN = 512, /* room for one Delivered-To field */
	SIGNATURES_BYTES_MAX = 32 * 1024,
};

/* A stranger's mail comes in for recipients of ours only: what leads out of those is
 * passed on.  A report has no sender, and nobody can be told of it (RFC 5321 §4.5.5). */
static bool is_passed_on(const struct deliver_mail *mail,
			 const struct queue_recipient *to)
{
	bool is_others = mail->source == DELIVER_STRANGER || mail->source == DELIVER_LMTP;

	return is_others && to->kind == QUEUE_REMOTE;
}

/* To a sender whom we rewrote: nobody could answer such an author. */
static bool goes_back(struct str address)
{
	return srs_is_meant(str_first(address, str_rfind_byte(address, '@')));
}

void forward_trace(struct buf *trace, const struct queue_recipient *recipients,
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

static bool split(const struct forward_means *means, const struct deliver_mail *mail,
		  const struct queue_recipient *recipients, size_t count,
		  struct arena *arena, struct forward *forward)
{
	struct queue_recipient *others =
		ARENA_ARRAY(arena, struct queue_recipient, count);
	struct queue_recipient *passed =
		ARENA_ARRAY(arena, struct queue_recipient, count);

	*forward = (struct forward){.others = others, .recipients = passed};
	for (size_t i = 0; others && passed && i < count; i++) {
		bool is_passed = means->is_redirect ? recipients[i].kind == QUEUE_REMOTE
						    : is_passed_on(mail, &recipients[i]);

		if (is_passed)
			passed[forward->count++] = recipients[i];
		else
			others[forward->others_count++] = recipients[i];
	}
	return others && passed;
}

struct str forward_results_in(struct str trace)
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
		 const struct policed *policed, struct str message, struct arena *arena,
		 struct buf *fields)
{
	size_t taken = policed->trace.len + DELIVERED_BYTES_MIN;
	SCOPED(buf_fini)
	struct buf sealed = BUF(taken < TRACE_BYTES_MAX ? TRACE_BYTES_MAX - taken : 0);
	struct str results = forward_results_in(buf_str(&policed->trace));

	if (!policed->is_judged || results.len == 0)
		return true;
	const struct dkim_passed passed = {message, policed->chain,
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

/* In front of the fields that came, beside the text.  False: cannot be signed now. */
static bool sign(const struct forward_means *means, const struct deliver_mail *mail,
		 struct str address, struct arena *arena, struct forward_part *part)
{
	SCOPED(buf_fini) struct buf fields = BUF(SIGNATURES_BYTES_MAX);
	struct str domain = str_skip(address, str_rfind_byte(address, '@') + 1);
	struct buf whole;

	switch (dkim_mail_sign(means->rewriter, domain, NULL, buf_str(&part->changed),
			       mail->received_at, arena, &fields)) {
	case DKIM_MAIL_SIGNED:
		break;
	case DKIM_MAIL_UNSIGNED:
		return true;
	case DKIM_MAIL_LATER:
		return false;
	}
	whole = BUF(fields.len + part->changed.len);
	buf_add(&whole, buf_str(&fields));
	buf_add(&whole, buf_str(&part->changed));
	ASSERT(buf_ok(&whole));
	buf_fini(&part->changed);
	part->changed = whole;
	return true;
}

/* The message in the name of the address that it was sent to. */
static bool rewrite(const struct forward_means *means, const struct deliver_mail *mail,
		    const struct policed *policed, struct arena *arena,
		    struct forward_part *part)
{
	struct str address = part->recipients[0].original;

	part->changed = BUF(policed->message.len + REWRITE_BYTES_MAX);
	part->changed_digest = BUF(DIGEST_BYTES_MAX);
	rewrite_from(policed->message, address, arena, &part->changed);
	ASSERT(buf_ok(&part->changed));
	if (!sign(means, mail, address, arena, part))
		return false;
	part->message = buf_str(&part->changed);
	digest_make_warily("forward digest", part->message, &part->changed_digest);
	part->digest = buf_str(&part->changed_digest);
	LOG(INFO, "author rewritten", KV_STR("queue_id", mail->id),
	    KV_STR("from", mail->sender), KV_STR("address", address));
	return true;
}

static bool fill_part(const struct forward_means *means, const struct deliver_mail *mail,
		      const struct policed *policed, bool is_rewritten,
		      struct arena *arena, struct forward_part *part)
{
	SCOPED(buf_fini) struct buf fields = BUF(TRACE_BYTES_MAX);

	part->message = policed->message;
	part->digest = buf_str(&policed->digest);
	if (is_rewritten && !goes_back(part->recipients[0].original) &&
	    !rewrite(means, mail, policed, arena, part))
		return false;
	if (!seal(means, mail, policed, part->message, arena, &fields))
		return false;
	forward_trace(&fields, part->recipients, part->count, buf_str(&policed->trace));
	return buf_ok(&fields) && arena_copy(arena, buf_str(&fields), &part->trace);
}

/* One, or where it is rewritten one for each address that leads out. */
static void divide(struct forward *forward, size_t parts_max)
{
	for (size_t i = 0; i < forward->count; i++) {
		const struct queue_recipient *to = &forward->recipients[i];
		bool is_new =
			i == 0 || (forward->part_count < parts_max &&
				   !str_same_nocase(to->original,
						    forward->recipients[i - 1].original));

		if (is_new)
			forward->parts[forward->part_count++] =
				(struct forward_part){.recipients = to};
		forward->parts[forward->part_count - 1].count++;
	}
}

static size_t parts_max(size_t message_bytes)
{
	size_t fit = FORWARD_BYTES_MAX / (message_bytes + 1);

	return fit == 0 ? 1 : num_min(fit, FORWARD_PARTS_MAX);
}

/* RFC 9989 §7.4 knows of the trouble.  Signatures that hold are more than a rewritten
 * author, so nothing is changed that passes, or that nobody would refuse. */
static bool is_to_be_rewritten(const struct forward_means *means,
			       const struct policed *policed)
{
	return means->rewriter && policed->onward == DMARC_ONWARD_FAILS;
}

bool forward_begin(const struct forward_means *means, const struct deliver_mail *mail,
		   const struct policed *policed,
		   const struct queue_recipient *recipients, size_t count,
		   struct arena *arena, struct forward *forward)
{
	bool is_rewritten = is_to_be_rewritten(means, policed);

	if (!split(means, mail, recipients, count, arena, forward))
		return false;
	if (forward->count == 0 || policed->is_suspect)
		return true;
	enum srs_way way = srs_forward(means->directory, mail->sender, mail->received_at,
				       arena, &forward->sender);

	if (way == SRS_LATER)
		return false;
	if (way == SRS_DONE)
		LOG(INFO, "sender rewritten", KV_STR("queue_id", mail->id),
		    KV_STR("from", mail->sender), KV_STR("address", forward->sender));
	divide(forward, is_rewritten ? parts_max(policed->message.len) : 1);
	for (size_t i = 0; i < forward->part_count; i++)
		if (!fill_part(means, mail, policed, is_rewritten, arena,
			       &forward->parts[i]))
			return false;
	return true;
}

size_t forward_ops(const struct forward *forward, const struct store_op *like,
		   struct store_op *ops)
{
	for (size_t i = 0; i < forward->part_count; i++) {
		const struct forward_part *part = &forward->parts[i];
		struct op_queue_add *add = &ops[i].queue_add;

		ops[i] = *like;
		add->sender = forward->sender;
		add->body = (struct store_body){.raw = part->message,
						.raw_size = part->message.len};
		add->trace = part->trace;
		add->digest = part->digest;
		add->recipients = part->recipients;
		add->count = part->count;
	}
	return forward->part_count;
}

void forward_end(struct forward *forward)
{
	for (size_t i = 0; i < forward->part_count; i++) {
		buf_fini(&forward->parts[i].changed);
		buf_fini(&forward->parts[i].changed_digest);
	}
}

bool forward_needs_author(const struct deliver_mail *mail)
{
	for (size_t i = 0; i < mail->place_count; i++)
		if (is_passed_on(mail, &mail->places[i]) &&
		    !goes_back(mail->places[i].original))
			return true;
	return false;
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

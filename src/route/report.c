#include "route/report.h"

#include "base/log.h"
#include "directory/directory.h"
#include "queue/id.h"
#include "route/route.h"
#include "rt/clock.h"
#include "store/digest.h"
#include "store/store.h"
#include "wire/mail/date.h"
#include "wire/smtp/path.h"

enum { NOTIFY_NEVER = 1, TRACE_MAX = 512 };

/* A report on its way to be made; everything lives in the arena. */
struct telling {
	const struct reporter *reporter;
	struct arena *arena;
	struct bounce_recipient
		*recipients; /* those that their sender wants to hear of */
	size_t count;
	struct str to;
	struct route_target *targets;
	size_t target_count;
	const struct str *header; /* NULL: to be read */
};

static void log_nobody(const struct telling *t, const char *why)
{
	const struct queue_row *row = t->recipients[0].row;

	LOG(INFO, "nobody to tell", KV_STR("queue_id", row->id),
	    KV_STR("rcpt", row->recipient.address), KV_STR("from", row->sender),
	    KV_INT("rcpts", t->count), KV("why", why));
}

static enum report find_place(struct telling *t)
{
	struct smtp_path path;
	struct str local;

	if (!smtp_mailbox_parse(t->to, SMTP_UTF8, &path))
		return REPORT_NONE;
	if (!smtp_local_plain(path.local, t->arena, &local))
		return REPORT_LATER;
	switch (route_find(t->reporter->directory, local, path.domain, t->arena,
			   &t->targets, &t->target_count)) {
	case ROUTE_LOCAL:
	case ROUTE_REMOTE:
	case ROUTE_MIXED:
		return REPORT_MADE;
	case ROUTE_UNKNOWN:
		return REPORT_LATER;
	case ROUTE_NOBODY:
	case ROUTE_LOOP:
		break;
	}
	return REPORT_NONE;
}

/* The failures that no sender can be told of, to the address that is set for them.  A
 * failure of just such a report tells nobody: it would go round. */
static enum report find_postmaster(struct telling *t, const char *why)
{
	struct str address = t->reporter->double_bounce;
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct bounce_recipient *to = &t->recipients[i];

		if (to->action == BOUNCE_FAILED &&
		    !str_same_nocase(to->row->recipient.address, address) &&
		    !str_same_nocase(to->row->recipient.original, address))
			t->recipients[count++] = *to;
	}
	if (address.len == 0 || count == 0) {
		log_nobody(t, why);
		return REPORT_NONE;
	}
	t->count = count;
	t->to = address;
	enum report found = find_place(t);

	if (found == REPORT_NONE)
		log_nobody(t, "double-bounce leads nowhere");
	return found;
}

static enum report find_listener(struct telling *t)
{
	t->to = t->recipients[0].row->sender;
	if (t->to.len == 0) /* RFC 5321 §4.5.5: never a report of a report */
		return find_postmaster(t, "it has no sender");
	enum report found = find_place(t);

	return found == REPORT_NONE ? find_postmaster(t, "its sender leads nowhere")
				    : found;
}

static bool pick_wanted(struct telling *t, const struct bounce_recipient *all,
			size_t count)
{
	t->recipients = ARENA_ARRAY(t->arena, struct bounce_recipient, count);
	for (size_t i = 0; t->recipients && i < count; i++)
		if (bounce_is_wanted(all[i].row, all[i].action))
			t->recipients[t->count++] = all[i];
	return t->recipients;
}

/* What the mail's header (or the whole of it) says, "" where it is lost; false: not now.
 */
static bool read_original(const struct telling *t, struct buf *original, bool *is_whole)
{
	bool has_failed = false;

	if (t->header) {
		buf_add(original, *t->header);
		*is_whole = false;
		return true;
	}
	for (size_t i = 0; i < t->count; i++)
		has_failed |= t->recipients[i].action == BOUNCE_FAILED;
	switch (bounce_original(t->reporter->store, t->recipients[0].row, has_failed,
				original, is_whole)) {
	case STORE_OK:
	case STORE_ABSENT:
	case STORE_DAMAGED:
	case STORE_INVALID:
		return true;
	case STORE_CONFLICT:
	case STORE_OVER_QUOTA:
	case STORE_DENIED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		break;
	}
	return false;
}

/* The whole report, or with the header alone where it would be too long. */
static uint8_t write_report(struct bounce *bounce, struct buf *message)
{
	uint8_t kind = bounce_write(bounce, message);

	if (buf_ok(message))
		return kind;
	buf_reset(message);
	bounce->original = STR("");
	bounce->is_whole = false;
	return bounce_write(bounce, message);
}

static enum report make_op(const struct telling *t, const struct bounce *bounce,
			   uint8_t kind, struct str message, struct store_op *op)
{
	struct queue_recipient *to =
		ARENA_ARRAY(t->arena, struct queue_recipient, t->target_count);
	struct buf digest = BUF(DIGEST_BYTES_MAX), trace = BUF(TRACE_MAX);
	struct op_queue_add *add = &op->queue_add;

	buf_printf(&trace, "Received: by %.*s id %.*s;\r\n\t", STR_FMT(bounce->hostname),
		   STR_FMT(bounce->id));
	mail_date_add(&trace, bounce->now, 0);
	buf_add(&trace, STR("\r\n"));
	digest_make_warily("report digest", message, &digest);
	*op = (struct store_op){.kind = OP_QUEUE_ADD,
				.queue_add = {.received_at = bounce->now,
					      .due_at = bounce->now,
					      .body_kind = kind,
					      .recipients = to,
					      .count = t->target_count}};
	bool is_good = to && arena_copy(t->arena, bounce->id, &add->id) &&
		       arena_copy(t->arena, message, &add->body.raw) &&
		       arena_copy(t->arena, buf_str(&trace), &add->trace) &&
		       arena_copy(t->arena, buf_str(&digest), &add->digest);

	add->body.raw_size = message.len;
	for (size_t i = 0; is_good && i < t->target_count; i++)
		to[i] = (struct queue_recipient){.kind = t->targets[i].kind,
						 .address = t->targets[i].address,
						 .original = t->to,
						 .account = t->targets[i].account,
						 .notify = NOTIFY_NEVER};
	buf_fini(&digest);
	buf_fini(&trace);
	return is_good ? REPORT_MADE : REPORT_LATER;
}

static enum report compose(const struct telling *t, struct store_op *op)
{
	struct buf original = BUF(BOUNCE_ORIGINAL_MAX + TRACE_BYTES_MAX);
	struct buf message = BUF(BOUNCE_BYTES_MAX);
	char room[QUEUE_ID_LETTERS];
	struct bounce bounce = {.hostname = t->reporter->hostname,
				.domain = t->reporter->directory->default_domain,
				.to = t->to,
				.id = queue_id_make(room),
				.now = clock_s(),
				.recipients = t->recipients,
				.count = t->count};
	enum report made = REPORT_LATER;

	if (read_original(t, &original, &bounce.is_whole)) {
		bounce.original = buf_str(&original);
		uint8_t kind = write_report(&bounce, &message);

		made = make_op(t, &bounce, kind, buf_str(&message), op);
	}
	if (made == REPORT_MADE)
		LOG(INFO, "sender told", KV_STR("queue_id", t->recipients[0].row->id),
		    KV_STR("report", bounce.id), KV_STR("from", t->to),
		    KV_STR("what", bounce_action_name(t->recipients[0].action)),
		    KV_INT("rcpts", t->count));
	buf_fini(&original);
	buf_fini(&message);
	return made;
}

static enum report make(struct telling *t, const struct bounce_recipient *recipients,
			size_t count, struct store_op *op)
{
	if (!pick_wanted(t, recipients, count))
		return REPORT_LATER;
	if (t->count == 0)
		return REPORT_NONE;
	enum report found = find_listener(t);

	return found == REPORT_MADE ? compose(t, op) : found;
}

enum report report_make(const struct reporter *reporter,
			const struct bounce_recipient *recipients, size_t count,
			struct arena *arena, struct store_op *op)
{
	struct telling t = {.reporter = reporter, .arena = arena};

	return make(&t, recipients, count, op);
}

enum report report_make_of(const struct reporter *reporter,
			   const struct bounce_recipient *recipients, size_t count,
			   struct str header, struct arena *arena, struct store_op *op)
{
	struct telling t = {.reporter = reporter, .arena = arena, .header = &header};

	return make(&t, recipients, count, op);
}

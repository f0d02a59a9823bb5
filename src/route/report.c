#include "route/report.h"

#include "base/log.h"
#include "directory/directory.h"
#include "queue/id.h"
#include "route/letter.h"
#include "rt/clock.h"
#include "store/store.h"

/* A report on its way to be made; everything lives in the arena. */
struct telling {
	const struct reporter *reporter;
	struct arena *arena;
	struct bounce_recipient
		*recipients; /* those that their sender wants to hear of */
	size_t count;
	struct letter letter;     /* its address and where that leads, then all of it */
	const struct str *header; /* NULL: to be read */
};

static void log_nobody(const struct telling *t, const char *why)
{
	const struct queue_row *row = t->recipients[0].row;

	LOG(INFO, "nobody to tell", KV_STR("queue_id", row->id),
	    KV_STR("rcpt", row->recipient.address), KV_STR("from", row->sender),
	    KV_INT("rcpts", t->count), KV("why", why));
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
	t->letter.to = address;
	enum report found = letter_find(&t->letter, t->reporter->directory, t->arena);

	if (found == REPORT_NONE)
		log_nobody(t, "double-bounce leads nowhere");
	return found;
}

static enum report find_listener(struct telling *t)
{
	t->letter.to = t->recipients[0].row->sender;
	if (t->letter.to.len == 0) /* RFC 5321 §4.5.5: never a report of a report */
		return find_postmaster(t, "it has no sender");
	enum report found = letter_find(&t->letter, t->reporter->directory, t->arena);

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

static enum report compose(struct telling *t, struct store_op *op)
{
	struct buf original = BUF(BOUNCE_ORIGINAL_MAX + TRACE_BYTES_MAX);
	struct buf message = BUF(BOUNCE_BYTES_MAX);
	char room[QUEUE_ID_LETTERS];
	struct bounce bounce = {.hostname = t->reporter->hostname,
				.domain = t->reporter->directory->default_domain,
				.to = t->letter.to,
				.id = queue_id_make(room),
				.now = clock_s(),
				.recipients = t->recipients,
				.count = t->count};
	enum report made = REPORT_LATER;

	if (read_original(t, &original, &bounce.is_whole)) {
		bounce.original = buf_str(&original);
		t->letter.kind = write_report(&bounce, &message);
		t->letter.hostname = bounce.hostname;
		t->letter.id = bounce.id;
		t->letter.now = bounce.now;
		t->letter.message = buf_str(&message);
		t->letter.mailer = t->reporter->mailer;
		t->letter.domain = bounce.domain;
		if (letter_op(&t->letter, t->arena, op))
			made = REPORT_MADE;
	}
	if (made == REPORT_MADE)
		LOG(INFO, "sender told", KV_STR("queue_id", t->recipients[0].row->id),
		    KV_STR("report", bounce.id), KV_STR("from", t->letter.to),
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

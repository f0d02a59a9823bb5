#include "ctl/queue.h"

#include <jansson.h>

#include "store/store.h"

enum { HEADER_BYTES = 256 << 10, BODY_BYTES = 256 << 20 };

/* ---- list -------------------------------------------------------------------------- */

static const char *state_of(const struct queue_row *row)
{
	if (row->lease != 0)
		return "under way";
	if (row->is_given_up)
		return "given up";
	if (row->held_until == QUEUE_HELD)
		return "held";
	return "waiting";
}

/* When it will be looked at next. */
static int64_t next_of(const struct queue_row *row)
{
	if (row->lease != 0)
		return row->leased_until;
	return row->due_at > row->held_until ? row->due_at : row->held_until;
}

static struct str next_text(struct ctl *ctl, const struct queue_row *row)
{
	return row->lease == 0 && row->held_until == QUEUE_HELD
		       ? STR("-")
		       : queue_time_text(&ctl->arena, next_of(row));
}

static json_t *row_json(struct ctl *ctl, const struct queue_row *row)
{
	json_t *json =
		json_pack("{s:o,s:o,s:o,s:o,s:s,s:I,s:i,s:o,s:o}", "id",
			  ctl_json(row->id), "sender", ctl_json(row->sender), "recipient",
			  ctl_json(row->recipient.address), "original",
			  ctl_json(row->recipient.original), "kind",
			  row->recipient.kind == QUEUE_LOCAL ? "local" : "remote", "size",
			  (json_int_t)row->size, "tries", (int)row->tries, "due",
			  ctl_json(next_text(ctl, row)), "reason", ctl_json(row->reason));
	json_t *more = json_pack("{s:s,s:s,s:o,s:o,s:o,s:i,s:I}", "state", state_of(row),
				 "cause", queue_cause_text(row->cause), "received",
				 ctl_json(queue_time_text(&ctl->arena, row->received_at)),
				 "host", ctl_json(row->host), "route",
				 ctl_json(row->route), "priority", (int)row->priority,
				 "account", (json_int_t)row->account);

	(void)json_object_update(json, more);
	json_decref(more);
	return json;
}

struct listing {
	struct ctl *ctl;
	json_t *json; /* NULL: text */
};

static void list_row(void *arg, const struct queue_row *row)
{
	struct listing *listing = arg;
	struct ctl *ctl = listing->ctl;
	bool has_cause = row->cause != CAUSE_NONE;

	if (listing->json) {
		(void)json_array_append_new(listing->json, row_json(ctl, row));
		return;
	}
	buf_printf(&ctl->out, "%-14.*s %8llu  %.*s  %-9s  %u tries  <%.*s> to <%.*s>%s%s",
		   STR_FMT(row->id), (unsigned long long)row->size,
		   STR_FMT(next_text(ctl, row)), state_of(row), row->tries,
		   STR_FMT(row->sender), STR_FMT(row->recipient.address),
		   has_cause ? "  " : "", has_cause ? queue_cause_text(row->cause) : "");
	buf_printf(&ctl->out, "%s%.*s\n", row->reason.len > 0 ? "  " : "",
		   STR_FMT(row->reason));
}

static void list(struct ctl *ctl)
{
	struct listing listing = {ctl, ctl->is_json ? json_array() : NULL};
	struct queue_select select;

	if (listing.json)
		ctl->json = json_pack("{s:o}", "queue", listing.json);
	if (queue_select(ctl, &select))
		(void)queue_each(ctl, &select, list_row, &listing);
}

/* ---- show -------------------------------------------------------------------------- */

/* A mail, from its first row. */
struct showing {
	struct ctl *ctl;
	json_t *recipients;
	bool is_begun;
	account_t account;
	uint64_t message;
	struct str trace;
};

static void show_envelope(struct showing *s, const struct queue_row *row)
{
	struct ctl *ctl = s->ctl;

	s->is_begun = true;
	s->account = row->account;
	s->message = row->message;
	(void)arena_copy(&ctl->arena, row->trace, &s->trace);
	buf_printf(&ctl->out,
		   "id        %.*s\nfrom      <%.*s>\nreceived  %.*s\nsize      %llu\n",
		   STR_FMT(row->id), STR_FMT(row->sender),
		   STR_FMT(queue_time_text(&ctl->arena, row->received_at)),
		   (unsigned long long)row->size);
}

static void show_row(void *arg, const struct queue_row *row)
{
	struct showing *s = arg;
	struct ctl *ctl = s->ctl;

	if (!s->is_begun)
		show_envelope(s, row);
	buf_printf(&ctl->out, "to        <%.*s>  %s  next %.*s  %u tries\n",
		   STR_FMT(row->recipient.address), state_of(row),
		   STR_FMT(next_text(ctl, row)), row->tries);
	if (row->recipient.original.len > 0 &&
	    !str_same(row->recipient.original, row->recipient.address))
		buf_printf(&ctl->out, "          sent as <%.*s>\n",
			   STR_FMT(row->recipient.original));
	if (row->tries > 0)
		buf_printf(&ctl->out, "          last at %.*s  %s  %.*s  %.*s\n",
			   STR_FMT(queue_time_text(&ctl->arena, row->tried_at)),
			   queue_cause_text(row->cause), STR_FMT(row->host),
			   STR_FMT(row->reason));
	if (row->route.len > 0)
		buf_printf(&ctl->out, "          by way of %.*s\n", STR_FMT(row->route));
	(void)json_array_append_new(s->recipients, row_json(ctl, row));
}

static bool take(void *arg, struct str piece)
{
	struct buf *mail = arg;

	buf_add(mail, piece);
	return buf_ok(mail);
}

/* Only as much as the header needs; a reply's piece more is no harm. */
static bool take_header(void *arg, struct str piece)
{
	struct buf *mail = arg;
	struct str text;

	buf_add(mail, str_first(piece, HEADER_BYTES - mail->len));
	text = buf_str(mail);
	size_t end = str_find(text, STR("\r\n\r\n"));

	if (end < text.len)
		mail->len = end + 2;
	return end == text.len && text.len < HEADER_BYTES;
}

static void show_mail(struct showing *s)
{
	struct ctl *ctl = s->ctl;
	bool is_whole = ctl->options & CTL_BODY;
	SCOPED(buf_fini) struct buf mail = BUF(is_whole ? BODY_BYTES : HEADER_BYTES);
	enum store_outcome outcome =
		store_body_each(ctl->store, s->account, MESSAGE_REF(s->message),
				is_whole ? take : take_header, &mail);

	if (outcome == STORE_DAMAGED || outcome == STORE_ABSENT)
		buf_add(&ctl->out, STR("\nThe mail cannot be read.\n"));
	else if (outcome != STORE_OK && mail.len == 0)
		ctl_fail_store(ctl, outcome);
	buf_printf(&ctl->out, "\n%.*s", STR_FMT(s->trace));
	buf_add(&ctl->out, buf_str(&mail));
	if (ctl->status == 0)
		ctl->json =
			json_pack("{s:o,s:o,s:o}", "recipients", s->recipients, "trace",
				  ctl_json(s->trace), is_whole ? "mail" : "header",
				  ctl_json(buf_str(&mail)));
}

static void show(struct ctl *ctl)
{
	struct showing showing = {.ctl = ctl, .recipients = json_array()};
	struct queue_select select = {.by = BY_ID, .id = ctl->words[0]};

	if (select.id.len > QUEUE_ID_BYTES)
		select.id = STR("");
	if (!queue_each(ctl, &select, show_row, &showing))
		return;
	if (showing.is_begun)
		show_mail(&showing);
	else
		ctl_fail(ctl,
			 "There is no mail %.*s in the queue.\nIt may have been "
			 "delivered; \"postrider queue list\" shows what waits.",
			 STR_FMT(ctl->words[0]));
}

/* ---- verbs ------------------------------------------------------------------------- */

#define ACTS (QUEUE_SELECTORS | CTL_YES)

static const struct ctl_verb verbs[] = {
	{"list", "", "Print what waits to be delivered, and why.", 0, 0, QUEUE_SELECTORS,
	 CTL_NEEDS_SERVER, list},
	{"show", "ID", "Print a mail's envelope, its tries and its header.", 1, 1,
	 CTL_BODY, CTL_NEEDS_SERVER, show},
	{"live", "", "Print how much waits for whom and why, each second anew.", 0, 0,
	 CTL_ONCE, CTL_NEEDS_SERVER, queue_live},
	{"retry", "", "Try mails again now.", 0, 0, ACTS, CTL_NEEDS_SERVER, queue_retry},
	{"hold", "", "Let mails wait until they are released.", 0, 0, ACTS | CTL_UNTIL,
	 CTL_NEEDS_SERVER, queue_hold},
	{"release", "", "Let mails that are held go on.", 0, 0, ACTS, CTL_NEEDS_SERVER,
	 queue_release},
	{"drop", "", "Remove mails from the queue.", 0, 0, ACTS | CTL_BOUNCE,
	 CTL_NEEDS_SERVER, queue_drop},
	{"reroute", "HOP", "Send mails by way of HOP, or \"mx\".", 1, 1, ACTS,
	 CTL_NEEDS_SERVER, queue_reroute},
};

const struct ctl_word ctl_queue = {
	.name = "queue",
	.summary = "Mail that is on its way.\n\n"
		   "Options choose which mails are meant; all must fit, and without any "
		   "all mails are.\nWhat would change is counted first; --yes does it.",
	.examples = "  postrider queue list --domain example.org --cause dns\n"
		    "  postrider queue show 4TzGqX2mPz\n"
		    "  postrider queue live --once\n"
		    "  postrider queue retry --domain example.org --yes\n"
		    "  postrider queue hold --sender ann@example.com --until 2h --yes\n"
		    "  postrider queue drop --sender spam@example.com --older-than 1d\n"
		    "  postrider queue drop --id 4TzGqX2mPz --bounce --yes\n"
		    "  postrider queue reroute backup.example.net:25 --cause connect "
		    "--yes\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};

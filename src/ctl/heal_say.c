/* What the check of a store says to people. */
#include <jansson.h>

#include "base/civil.h"
#include "ctl/heal.h"
#include "store/digest.h"
#include "text/text_header.h"

enum { TEXT_MAX = 400 };

/* A date and a size as people write them. */
static struct str date_text(struct ctl *ctl, int64_t unix_s)
{
	struct civil at = civil_from_unix(unix_s, 0);

	return arena_printf(&ctl->arena, "%04d-%02d-%02d %02d:%02d", at.year, at.month,
			    at.day, at.hour, at.minute);
}

static struct str count_text(struct ctl *ctl, uint64_t count)
{
	struct str plain = arena_printf(&ctl->arena, "%llu", (unsigned long long)count);
	struct buf text = BUF(TEXT_MAX);
	struct str copy;

	for (size_t i = 0; i < plain.len; i++) {
		if (i > 0 && (plain.len - i) % 3 == 0)
			buf_add_byte(&text, ',');
		buf_add_byte(&text, plain.ptr[i]);
	}
	(void)arena_copy(&ctl->arena, buf_str(&text), &copy); /* "" if it is full */
	buf_fini(&text);
	return copy;
}

static struct str bytes_text(struct ctl *ctl, uint64_t bytes)
{
	static const char units[][4] = {"kB", "MB", "GB", "TB"};
	double size = (double)bytes / 1000;
	size_t unit = 0;

	while (size >= 999.95 && unit + 1 < COUNT_OF(units)) {
		size /= 1000;
		unit++;
	}
	return arena_printf(&ctl->arena, "%.1f %s", size, units[unit]);
}

static struct str header_text(struct ctl *ctl, struct str value)
{
	struct buf text = BUF(TEXT_MAX);
	struct str copy;

	text_header_add(&text, str_first(value, TEXT_MAX / 4));
	(void)arena_copy(&ctl->arena, buf_str(&text), &copy); /* "" if it is full */
	buf_fini(&text);
	return copy;
}

void heal_describe(struct heal *heal, struct str bytes, struct heal_found *found)
{
	struct arena *arena = &heal->ctl->arena;
	struct digest digest;
	struct mail_envelope envelope;

	if (!digest_read(arena, bytes, &digest) ||
	    !digest_envelope(arena, &digest, &envelope))
		return;
	found->subject = header_text(heal->ctl, envelope.subject);
	found->from = header_text(heal->ctl, digest.sort[SORT_DISPLAY_FROM]);
}

/* ---- one finding ------------------------------------------------------------------- */

static void say_owner(struct ctl *ctl, const struct heal_found *found)
{
	if (found->address.len > 0)
		buf_printf(&ctl->out, "%.*s", STR_FMT(found->address));
	else if (found->account == ACCOUNT_SYSTEM)
		buf_printf(&ctl->out, "the server's queue");
	else
		buf_printf(&ctl->out, "account %u", found->account);
}

static void say_mail(struct ctl *ctl, const struct heal_found *found)
{
	struct str date = date_text(ctl, found->at);
	struct str size = bytes_text(ctl, found->size);

	buf_printf(&ctl->out, "  mail of ");
	say_owner(ctl, found);
	if (found->mailbox_name.len > 0)
		buf_printf(&ctl->out, ", mailbox %.*s, UID %u",
			   STR_FMT(found->mailbox_name), found->uid);
	buf_printf(&ctl->out, ", %.*s", STR_FMT(date));
	if (found->size > 0)
		buf_printf(&ctl->out, ", %.*s", STR_FMT(size));
	if (found->from.len > 0)
		buf_printf(&ctl->out, ", from %.*s", STR_FMT(found->from));
	if (found->subject.len > 0)
		buf_printf(&ctl->out, ": \"%.*s\"", STR_FMT(found->subject));
	if (found->what == CHECK_MESSAGE_LOST)
		buf_printf(&ctl->out, "\n    Its row is lost.\n");
	else
		buf_printf(&ctl->out,
			   "\n    Its body is damaged; flags, date and subject "
			   "are kept%s.\n",
			   found->is_set_aside ? ", and it is set aside" : "");
}

static void say_other(struct ctl *ctl, const struct heal_found *found)
{
	buf_printf(&ctl->out, "  %s", found->text);
	if (found->what == CHECK_GROUPS_LOST)
		buf_printf(&ctl->out, ", pack %u from octet %llu on", found->pack,
			   (unsigned long long)found->offset);
	if (found->account != ACCOUNT_SYSTEM) {
		buf_printf(&ctl->out, ", of ");
		say_owner(ctl, found);
	}
	if (found->mailbox_name.len > 0)
		buf_printf(&ctl->out, ", mailbox %.*s", STR_FMT(found->mailbox_name));
	buf_printf(&ctl->out, ": %s\n",
		   found->what == CHECK_COUNT_WRONG     ? "wrong"
		   : found->what == CHECK_LEADS_NOWHERE ? "leads nowhere"
		   : found->what == CHECK_MISSING       ? "missing"
		   : found->what == CHECK_BEHIND        ? "does not fit"
							: "damaged");
}

static json_t *text_json(struct str text)
{
	json_t *json = json_stringn(text.len > 0 ? text.ptr : "", text.len);

	return json ? json : json_null();
}

static const char *const names[CHECK_WHATS] = {
	[CHECK_BODY_LOST] = "body lost",
	[CHECK_MESSAGE_LOST] = "message lost",
	[CHECK_ROW_DAMAGED] = "row damaged",
	[CHECK_COUNT_WRONG] = "count wrong",
	[CHECK_LEADS_NOWHERE] = "leads nowhere",
	[CHECK_MISSING] = "missing",
	[CHECK_GROUPS_LOST] = "log lost",
	[CHECK_PACK_HEADER] = "pack header",
	[CHECK_PAGES_DAMAGED] = "index damaged",
	[CHECK_BEHIND] = "does not fit",
	[CHECK_SEARCH_DAMAGED] = "search index damaged",
};

static json_t *found_json(struct ctl *ctl, const struct heal_found *found)
{
	return json_pack(
		"{s:s,s:s,s:I,s:o,s:o,s:I,s:o,s:I,s:o,s:o,s:I,s:I,s:b}", "what",
		names[found->what], "text", found->text ? found->text : "", "account",
		(json_int_t)found->account, "address", text_json(found->address),
		"mailbox", text_json(found->mailbox_name), "uid", (json_int_t)found->uid,
		"date", text_json(date_text(ctl, found->at)), "size",
		(json_int_t)found->size, "subject", text_json(found->subject), "from",
		text_json(found->from), "pack", (json_int_t)found->pack, "offset",
		(json_int_t)found->offset, "set_aside", found->is_set_aside);
}

static json_t *say_found(struct heal *heal)
{
	json_t *list = json_array();

	for (size_t i = 0; i < heal->count; i++) {
		const struct heal_found *found = &heal->found[i];

		if (found->what == CHECK_BODY_LOST || found->what == CHECK_MESSAGE_LOST)
			say_mail(heal->ctl, found);
		else
			say_other(heal->ctl, found);
		(void)json_array_append_new(list, found_json(heal->ctl, found));
	}
	return list;
}

/* ---- verdicts ---------------------------------------------------------------------- */

static void say_sums(struct heal *heal)
{
	const struct check_report *r = &heal->report;
	struct ctl *ctl = heal->ctl;
	struct str mails = count_text(ctl, r->mails);
	struct str accounts = count_text(ctl, r->accounts);
	struct str size = bytes_text(ctl, r->pack_bytes);

	buf_printf(&ctl->out, "%.*s mails in %.*s accounts, %llu packs read, %.*s",
		   STR_FMT(mails), STR_FMT(accounts), (unsigned long long)r->packs,
		   STR_FMT(size));
}

static void say_state(struct heal *heal, json_t *list)
{
	const struct check_report *r = &heal->report;

	heal->ctl->json = json_pack(
		"{s:b,s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:o}", "in_order",
		check_is_clean(r), "repaired", r->is_repaired, "rebuilt", r->is_rebuilt,
		"whole_log", r->is_whole_log, "epoch_raised", r->is_epoch_raised, "mails",
		(json_int_t)r->mails, "accounts", (json_int_t)r->accounts, "packs",
		(json_int_t)r->packs, "pack_bytes", (json_int_t)r->pack_bytes,
		"set_aside", (json_int_t)r->set_aside, "found", list);
}

static uint64_t other_damage(const struct check_report *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < CHECK_WHATS; i++)
		sum += i == CHECK_BODY_LOST ? 0 : r->found[i];
	return sum;
}

static void advise(struct heal *heal)
{
	const struct check_report *r = &heal->report;
	struct buf *out = &heal->ctl->out;

	if (heal->ctl->options & CTL_REPAIR)
		buf_printf(out, "It could not all be put right.  What is readable is "
				"served all the same.\nA backup has what is lost here; "
				"\"postrider store rebuild\" makes the index anew.\n");
	else if (other_damage(r) > 0 && r->is_whole_log)
		buf_printf(out,
			   "Nothing was changed.  The log is whole, so that nothing "
			   "of the index is lost:\n\"postrider store check --repair\" "
			   "puts it right.\n");
	else
		buf_printf(out,
			   "Nothing was changed.  \"postrider store check --repair\" "
			   "sets aside what is lost and puts\nthe rest right.  A backup "
			   "may have what is lost: copy the packs away first.\n");
}

void heal_say_check(struct heal *heal)
{
	const struct check_report *r = &heal->report;
	struct buf *out = &heal->ctl->out;

	if (heal->count > 0)
		buf_printf(out, "Found%s:\n",
			   heal->count == HEAL_KEPT_MAX ? " (and more)" : "");
	json_t *list = say_found(heal);

	if (check_is_clean(r)) {
		buf_printf(out,
			   "Everything is in order%s: ", r->is_repaired ? " again" : "");
		say_sums(heal);
		buf_printf(out, ".\n");
	} else if (r->found[CHECK_PAGES_DAMAGED]) {
		buf_printf(out, "The index is damaged.\n");
	} else {
		buf_printf(out, "Not everything is in order: ");
		say_sums(heal);
		buf_printf(out,
			   ";\n%llu mails have lost their bodies, and %llu other "
			   "things are wrong.\n",
			   (unsigned long long)r->found[CHECK_BODY_LOST],
			   (unsigned long long)other_damage(r));
	}
	if (r->is_rebuilt)
		buf_printf(out, "The index was made anew from the packs; the old one is "
				"index.lmdb.damaged.\n");
	if (r->is_epoch_raised)
		buf_printf(out, "Not every commit could be proved, so mail programs will "
				"fetch their lists anew.\n");
	if (r->set_aside > 0)
		buf_printf(out,
			   "%llu mails are set aside: \"postrider store damaged\" "
			   "lists them.\n",
			   (unsigned long long)r->set_aside);
	if (!check_is_clean(r))
		advise(heal);
	say_state(heal, list);
}

void heal_say_rebuild(struct heal *heal)
{
	const struct check_report *r = &heal->report;
	struct buf *out = &heal->ctl->out;

	buf_printf(out, "The index was made anew: ");
	say_sums(heal);
	buf_printf(out, ".\n");
	if (r->is_epoch_raised)
		buf_printf(out, "Not every commit could be proved, so mail programs will "
				"fetch their lists anew.\n");
	else
		buf_printf(out, "Every commit from the first one on is in it.\n");
	if (r->set_aside > 0)
		buf_printf(out,
			   "%llu mails are set aside: \"postrider store damaged\" "
			   "lists them.\n",
			   (unsigned long long)r->set_aside);
	buf_printf(out, "The old one is index.lmdb.damaged; remove it when all is "
			"well.\n");
	say_state(heal, json_array());
}

void heal_say_damaged(struct heal *heal)
{
	if (heal->count == 0)
		buf_printf(&heal->ctl->out, "No mail is set aside.\n");
	heal->ctl->json = json_pack("{s:o}", "damaged", say_found(heal));
}

#include "ctl/undelete.h"

#include <jansson.h>

#include "base/civil.h"
#include "ctl/word.h"
#include "rt/clock.h"
#include "store/digest.h"
#include "store/store.h"

/* One that can be brought back, as people know it. */
struct mail {
	const struct undelete_row *row;
	struct str message_id, subject, mailbox; /* mailbox "": it is gone */
};

/* What was asked for, and what came of it. */
struct search {
	account_t account;
	int64_t since;
	struct str message_id; /* without < and > */
	struct mailbox_row *mailboxes;
	size_t mailbox_count;
	uint64_t recovered; /* the mailbox for those that have no other; 0: not known */
	size_t count, failed;
	json_t *json;
};

static struct str time_text(struct ctl *ctl, int64_t unix_s)
{
	struct civil at = civil_from_unix(unix_s, 0);

	return arena_printf(&ctl->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year,
			    at.month, at.day, at.hour, at.minute, at.second);
}

/* ---- what is meant ----------------------------------------------------------------- */

static struct str id_without_angles(struct str id)
{
	id = str_trim(id);
	if (id.len >= 2 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
		return str_first(str_skip(id, 1), id.len - 2);
	return id;
}

static bool search_begin(struct ctl *ctl, struct search *search)
{
	*search = (struct search){.json = json_array()};
	ctl->json = json_pack("{s:o}", "expunged", search->json);
	const char *id = ctl_value(ctl, CTL_MESSAGE_ID);

	if (id)
		search->message_id = id_without_angles(str_c(id));
	if (!ctl_day(ctl, CTL_SINCE, &search->since))
		return false;
	enum directory_find found = directory_find_login(&ctl->directory, ctl->words[0],
							 &ctl->arena, &search->account);

	if (found == DIRECTORY_UNKNOWN) {
		ctl_fail_store(ctl, STORE_UNAVAILABLE);
	} else if (found != DIRECTORY_ACCOUNT) {
		ctl_fail(ctl,
			 "There is no account %.*s.\nNothing was changed.\n"
			 "\"postrider account list\" shows those there are.",
			 STR_FMT(ctl->words[0]));
	} else {
		enum store_outcome outcome =
			store_mailboxes(ctl->store, search->account, &ctl->arena,
					&search->mailboxes, &search->mailbox_count);

		if (outcome != STORE_OK)
			ctl_fail_store(ctl, outcome);
		return outcome == STORE_OK;
	}
	return false;
}

static struct mail mail_of(struct ctl *ctl, const struct search *search,
			   const struct undelete_row *row)
{
	struct mail mail = {.row = row};
	struct digest digest;
	struct mail_envelope envelope;

	for (size_t i = 0; i < search->mailbox_count; i++)
		if (search->mailboxes[i].id == row->mailbox)
			mail.mailbox = search->mailboxes[i].name;
	if (digest_read(&ctl->arena, row->digest, &digest) &&
	    digest_envelope(&ctl->arena, &digest, &envelope)) {
		mail.message_id = id_without_angles(envelope.message_id);
		mail.subject = envelope.subject;
	}
	return mail;
}

/* Calls visit() for each that is meant. */
static void each(struct ctl *ctl, struct search *search,
		 void (*visit)(struct ctl *ctl, struct search *search,
			       const struct mail *mail))
{
	uint64_t after = 0;
	int64_t now = clock_s();
	struct undelete_row *rows;
	size_t count;
	enum store_outcome outcome;

	while ((outcome = store_expunged(ctl->store, search->account, after, &ctl->arena,
					 &rows, &count)) == STORE_OK &&
	       count > 0) {
		for (size_t i = 0; i < count; i++) {
			struct mail mail = mail_of(ctl, search, &rows[i]);

			if (rows[i].expunged_at >= search->since && rows[i].until > now &&
			    (!ctl_value(ctl, CTL_MESSAGE_ID) ||
			     str_same(mail.message_id, search->message_id)))
				visit(ctl, search, &mail);
		}
		after = rows[count - 1].member;
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}

/* ---- listing ----------------------------------------------------------------------- */

static json_t *str_json(struct str text)
{
	/* jansson takes UTF-8 only; what is none is told by its absence */
	json_t *json = json_stringn(text.len > 0 ? text.ptr : "", text.len);

	return json ? json : json_null();
}

static void print(struct ctl *ctl, struct search *search, const struct mail *mail)
{
	struct str expunged = time_text(ctl, mail->row->expunged_at);
	struct str until = time_text(ctl, mail->row->until);

	search->count++;
	buf_printf(&ctl->out, "%.*s  until %.*s  %8llu  %.*s  <%.*s>  %.*s\n",
		   STR_FMT(expunged), STR_FMT(until), (unsigned long long)mail->row->size,
		   STR_FMT(mail->mailbox.len > 0 ? mail->mailbox : STR("(gone)")),
		   STR_FMT(mail->message_id), STR_FMT(mail->subject));
	(void)json_array_append_new(
		search->json,
		json_pack("{s:o,s:o,s:I,s:o,s:o,s:o}", "expunged", str_json(expunged),
			  "until", str_json(until), "size", (json_int_t)mail->row->size,
			  "mailbox", str_json(mail->mailbox), "message_id",
			  str_json(mail->message_id), "subject",
			  str_json(mail->subject)));
}

void undelete_list(struct ctl *ctl)
{
	struct search search;

	if (search_begin(ctl, &search))
		each(ctl, &search, print);
}

/* ---- bringing back ----------------------------------------------------------------- */

/* The mailbox Recovered at the top, made if it is not there. */
static enum store_outcome find_recovered(struct ctl *ctl, struct search *search)
{
	static const struct str name = STR("Recovered");
	struct store_op op = {.kind = OP_MAILBOX_CREATE,
			      .mailbox = {.name = name, .is_subscribed = true}};
	struct store_commit commit = {.account = search->account, .ops = &op, .count = 1};
	struct store_result result;

	for (size_t i = 0; i < search->mailbox_count; i++) {
		const struct mailbox_row *row = &search->mailboxes[i];

		if (row->parent == 0 && str_same(row->name, name) && !row->is_container)
			search->recovered = row->id;
	}
	if (search->recovered != 0)
		return STORE_OK;
	enum store_outcome outcome =
		store_commit(ctl->store, &commit, &ctl->arena, &result);

	if (outcome == STORE_OK && result.count == 1)
		search->recovered = result.ops[0].mailbox;
	return outcome;
}

static void bring_back(struct ctl *ctl, struct search *search, const struct mail *mail)
{
	struct store_op op = {.kind = OP_UNDELETE,
			      .undelete = {mail->row->member, mail->row->mailbox}};
	struct store_commit commit = {.account = search->account, .ops = &op, .count = 1};
	enum store_outcome outcome = STORE_OK;

	if (mail->mailbox.len == 0) {
		outcome = find_recovered(ctl, search);
		op.undelete.mailbox = search->recovered;
	}
	if (outcome == STORE_OK)
		outcome = store_commit(ctl->store, &commit, &ctl->arena, NULL);
	if (outcome == STORE_OK)
		print(ctl, search, mail);
	else if (search->failed++ == 0 && outcome == STORE_OVER_QUOTA)
		ctl_fail(ctl, "The account's quota is used up.\nThe mails that still "
			      "fit were brought back.\nMake room or raise the quota, "
			      "and try again.");
	else if (search->failed == 1)
		ctl_fail_store(ctl, outcome);
}

void undelete(struct ctl *ctl)
{
	struct search search;

	if (!search_begin(ctl, &search))
		return;
	each(ctl, &search, bring_back);
	buf_printf(&ctl->out, "%zu brought back.\n", search.count);
}

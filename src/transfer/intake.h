/* Messages on their way into an account: gathered, and committed many at once, each with
 * the note that it was brought, so that no message is brought twice, whatever dies.
 *
 * The notes are key-value pairs of the account, one a commit:
 *
 *   import/SOURCE/HEX     SOURCE is "maildir", "mbox", "eml" or "imap"; HEX the identity
 *                         of the commit's first message; the value those of all, 16
 *                         octets each (transfer/seen.h)
 *
 * An import holds the lock "import" of the account, so there is one at a time. */
#pragma once

#include "transfer/boxes.h"
#include "transfer/report.h"
#include "transfer/seen.h"

struct intake_options {
	struct store *store;
	account_t account;
	struct str address;         /* of the account, for people */
	const char *source;         /* "maildir"; borrowed for ever */
	uint64_t message_bytes_max; /* in our form, with CRLF */
	bool is_dry_run;            /* only counts what would be brought */
	bool keeps_names;           /* maps no mailboxes to ours */
	struct report *report;
};

/* What a source knows of a message, beside its text. */
struct incoming {
	struct ident ident;
	struct str where;     /* for people */
	uint8_t flags;        /* enum message_flag */
	struct str *keywords; /* those that cannot be are dropped */
	size_t keyword_count;
	int64_t received_at;
	int zone_minutes;
};

struct intake;

/* May suspend.  NULL, and the report says why, if there is no way in. */
struct intake *intake_open(const struct intake_options *options);
/* Commits what is left.  May suspend. */
void intake_close(struct intake **intake);
const struct intake_options *intake_options(const struct intake *intake);
/* Commits what is left.  False when the whole has to end.  May suspend. */
bool intake_flush(struct intake *intake);

/* What is added now goes here: a name of the source's, as box_path makes them, mapped to
 * ours.  False when that cannot be (noted as lost), or when the whole has to end.  May
 * suspend. */
bool intake_mailbox(struct intake *intake, struct str path, enum mailbox_role role);
/* True when nothing more can be brought. */
bool intake_is_over(const struct intake *intake);

/* Whether that message has still to be brought: counts it as present if not, and as met
 * in any case, so that it is not wanted a second time. */
bool intake_wants(struct intake *intake, const struct ident *ident);
/* Whether it was brought or met before; counts nothing. */
bool intake_has(const struct intake *intake, const struct ident *ident);
/* For sources without names: the identity of the next message with this text in this
 * mailbox, of which there may be several. */
struct ident intake_ident(struct intake *intake, struct str mailbox, struct str text);
/* Room for the next message, empty; good until intake_add(). */
struct buf *intake_text(struct intake *intake);
/* The message in that room, with CRLF.  False when the whole has to end.  May suspend. */
bool intake_add(struct intake *intake, const struct incoming *incoming);

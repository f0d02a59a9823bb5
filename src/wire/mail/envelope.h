/* What a message's header says of sender, recipients, date and identity: IMAP's ENVELOPE
 * (RFC 9051 §7.5.2), and what JMAP, sorting and threading take from the header. */
#pragma once

#include "wire/mail/address.h"
#include "wire/mail/date.h"
#include "wire/mail/header.h"

/* The lists in ENVELOPE's order. */
enum mail_list {
	MAIL_FROM_LIST,
	MAIL_SENDER_LIST,
	MAIL_REPLY_TO_LIST,
	MAIL_TO_LIST,
	MAIL_CC_LIST,
	MAIL_BCC_LIST,
	MAIL_LIST_COUNT,
};

struct mail_envelope {
	bool has_date; /* date is set: the field is there and holds one */
	struct mail_date date;
	/* Field values on one line as written, encoded words and all; "" without the
	 * field. Of a field that stands there twice, the first. */
	struct str date_text, subject, in_reply_to, message_id, references;
	/* Of a field that stands there twice, the first.  Sender and Reply-To are empty
	 * if missing: that From stands in for them is said by the reader. */
	struct mail_addresses lists[MAIL_LIST_COUNT];
	bool is_cut; /* a list is, or the arena was full */
};

/* Reads the header at the front of text.  Lists have at most addresses_max items each;
 * slices borrow the text and the arena. */
void mail_envelope_parse(struct arena *arena, struct str text, size_t addresses_max,
			 struct mail_envelope *envelope);
/* The first mailbox of the list, or NULL. */
const struct mail_address *mail_first_mailbox(const struct mail_addresses *list);

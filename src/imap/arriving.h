/* Messages that a client brings, with APPEND or REPLACE, until they are stored.  RFC 9051
 * §6.3.12; several at once are RFC 3502, in parts RFC 4469. */
#pragma once

#include "imap/mailboxes.h"

struct arrived {
	struct imap_append_message head;
	struct buf text, digest;
};

struct arriving {
	struct session *s;
	const struct imap_command *command;
	struct mailboxes own;    /* once one was looked for */
	struct mailboxes others; /* of who shares the one that was last looked for */
	account_t account;       /* where they are to go */
	uint64_t mailbox;
	struct arrived *list;
	size_t count, room;
	uint64_t bytes;
	size_t held; /* its share of what all sessions hold */
	bool is_crowded;
	struct str line; /* of the command, behind the last literal */
	size_t taken;    /* of it was read */
};

struct arriving arriving_of(struct session *s, const struct imap_command *command);
void arriving_fini(struct arriving *a);
/* Takes what the command brings, up to its end, and asks for it where it must be asked
 * for.  *is_whole: all is there, and can be stored; otherwise the command was answered.
 */
err_t arriving_take(struct arriving *a, bool *is_whole);
/* The i-th as an operation; good as long as a is. */
struct op_append arriving_op(const struct arriving *a, size_t i);
/* They are stored, as made says of each: what is \Seen in somebody else's mailbox becomes
 * so for the visitor.  May suspend. */
void arriving_seen(struct arriving *a, const struct op_result *made);
/* Instead of arriving_take(): NO and this text, BAD if is_bad, and what is on its way is
 * passed over. */
enum arriving_refusal { ARRIVING_NO, ARRIVING_BAD };
err_t arriving_refuse(struct arriving *a, enum arriving_refusal how, struct str text);
/* The same for a command that could not be read; line is what there is of it. */
err_t arriving_skip(struct session *s, struct str line);

/* For catenate.c: a mailbox by its name.  May suspend. */
enum store_outcome arriving_mailbox(struct arriving *a, struct str path,
				    struct mailbox **found);
/* waits for len octets and adds them to text, a message's. */
err_t arriving_octets(struct arriving *a, uint64_t len, struct buf *text);
/* Counts what was added to text since its room was before; if all sessions hold too much,
 * it is emptied, and a is_crowded. */
void arriving_held(struct arriving *a, struct buf *text, size_t before);
/* The line behind a literal, which was asked for if it had to be. */
err_t arriving_line(struct arriving *a);
void arriving_ask(struct arriving *a, const struct imap_literal *literal);
/* The rest of the line, to be read. */
struct imap_in arriving_rest(const struct arriving *a);
void arriving_took(struct arriving *a, const struct imap_in *in);
/* "", or why a message cannot have so many octets more. */
struct str arriving_too_big(const struct arriving *a, uint64_t len);

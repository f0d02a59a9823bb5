/* Mail for an account that has a Sieve script (sieve/): the script is run where the mail
 * is delivered, at once or from the queue, and what it says is committed.
 *
 * A script that is wrong, or fails, keeps the mail in INBOX (RFC 5228 §2.10.6); so does
 * one that redirects it to where it has been before, or to nobody.  These may suspend. */
#pragma once

#include "deliver/deliver.h"
#include "deliverd/deliverd.h"

/* A mail that is to be delivered to one of ours. */
struct scripted {
	const struct deliverd_options *options;
	const struct deliver_mail *mail; /* its envelope and connection */
	struct policed *policed;         /* its text; not suspect */
	account_t account;
	struct str recipient;    /* the address that led there, as its sender wrote it */
	struct op_append append; /* what a keep does, to which a script adds flags */
	uint8_t body_kind;       /* enum queue_body, of what is redirected */
	struct str key;          /* of the delivery, as long as SCRIPT_KEY_MAX */
	enum store_outcome (*commit)(void *arg, account_t account, struct str key,
				     const struct store_op *ops, size_t count);
	void *arg; /* of commit */
	struct arena *arena;
};

enum { SCRIPT_KEY_MAX = 62 }; /* the store's bound, and room for more */

/* OK: all that the script wants is durable, if it wants anything. */
enum store_outcome script_deliver(const struct scripted *scripted);

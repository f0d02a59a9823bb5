/* Signing a mail whose author is at a domain of ours, with all keys of that domain that
 * are active; and sealing one of others that is passed on (ARC), as the default domain.
 */
#pragma once

#include "directory/dkim.h"
#include "mailauth/arc_verify.h"

struct dkim_mailer {
	const struct directory *directory;
	struct vault *vault; /* NULL: nothing is signed */
};

enum dkim_mail {
	DKIM_MAIL_SIGNED,
	DKIM_MAIL_UNSIGNED, /* not a domain of ours, or it has no keys that sign */
	DKIM_MAIL_LATER,    /* it is to be signed, and cannot be now */
};

/* author: who has logged in and says to be the author, at that domain; NULL for what this
 * server or a program here writes (vault/vault.h).
 * mailer NULL: nothing is signed.  Appends whole DKIM-Signature fields for a message as
 * it leaves, lines ending in CRLF. May suspend. */
enum dkim_mail dkim_mail_sign(const struct dkim_mailer *mailer, struct str domain,
			      const struct vault_author *author, struct str message,
			      int64_t now_s, struct arena *arena, struct buf *fields);
/* A mail that was checked, and is passed on. */
struct dkim_passed {
	struct str message;
	enum arc_result chain; /* what checking it said */
	/* Of its whole body, relaxed; NULL: it is not known, and the body is hashed. */
	const struct dkim_body_hash *body;
	struct str results; /* as arc_seal_end() wants them */
};
/* The same, but three fields of ARC, made with one key: RSA, which all can check (RFC
 * 8617 §4.1.2).  UNSIGNED, too, if there is to be no more of the chain, or no room in
 * fields. */
enum dkim_mail dkim_mail_seal(const struct dkim_mailer *mailer,
			      const struct dkim_passed *passed, int64_t now_s,
			      struct arena *arena, struct buf *fields);

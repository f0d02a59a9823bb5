/* What a mail is worth and what it must carry, between the end of its text and the
 * commit: whether it may come in, the fields that are missing or that are ours to write,
 * and its digest.  Strangers' mail is judged; that of our own users is completed.  May
 * suspend.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "mailauth/arc_verify.h"
#include "mailauth/dmarc.h"

struct deliver_mail;
struct directory;
struct dmarc_ledger;
struct failures;
struct hearing;
struct dkim_mailer;
struct networks;

/* What may be asked. */
struct policy {
	struct str hostname; /* how we call ourselves */
	const struct directory *directory;
	struct dns_lookup dns;            /* without ask, nobody's mail is judged */
	const struct networks *friends;   /* whose mail is not judged */
	struct str forwarders;            /* whose seals count: mailauth/arc_trust.h */
	struct str exceptions;            /* who is excused: policy/exceptions.h */
	bool is_dmarc_obeyed;             /* else its result is only written down */
	struct dmarc_ledger *ledger;      /* counts what was judged, if there is one */
	struct failures *failures;        /* tells of single mails, if there is one */
	const struct dkim_mailer *mailer; /* signs what our users send */
	bool is_sealing;                  /* what is passed on will be sealed */
};

struct policy_verdict {
	unsigned code; /* 0: it may come in; else the reply that refuses it */
	const char *enhanced, *text;
	bool is_passing; /* asked again, the same mail might get another verdict */
};

/* A mail as it is to be stored. */
struct policed {
	struct str message; /* borrows the mail's text, or changed */
	struct buf changed; /* its own: the text after fields were dropped or added */
	struct buf trace; /* without Return-Path: Received, and Authentication-Results or
			   * DKIM-Signature */
	struct buf digest;
	bool is_tls_optional;     /* RFC 8689 §4.1 */
	bool is_judged;           /* a stranger's: the trace has Authentication-Results */
	enum arc_result chain;    /* of what was judged, */
	enum dmarc_onward onward; /* mailauth_onward(), */
	struct dkim_body_hash body; /* and the hash of its whole body, relaxed, for the */
	bool has_body;              /* seal, if it is to be passed on */
	bool is_suspect;            /* for the mailbox of junk, and not to be sent on */
};

/* Mail of strangers and of other servers.  hearing: of its text as far as it was heard
 * (policy/hearing.h), or NULL.  The verdict's text lives in arena. */
struct policy_verdict policy_arriving(const struct policy *policy,
				      const struct deliver_mail *mail,
				      struct hearing *hearing, struct arena *arena,
				      struct policed *out);
/* Mail of people who have logged in, and of programs here. */
struct policy_verdict policy_submitting(const struct policy *policy,
					const struct deliver_mail *mail,
					struct arena *scratch, struct policed *out);
/* After either. */
void policed_fini(struct policed *policed);

/* Mail that others have sent and that leads out again, since an alias of ours says so
 * (RFC 5321 §3.9.1).  Text and fields stay as they came, so that its signatures hold; the
 * envelope gets a sender of ours that leads back to the first one (route/srs.h), and
 * a Delivered-To field tells where it has been, so that it cannot go round.  What was
 * judged is sealed (ARC): who gets it hears what we found out.
 *
 * Only where the author's domain wants others to refuse it, since no signature of that
 * domain speaks for it (DMARC), though it was proved or excused here, it leaves in the
 * name of the address here that it was sent to (policy/rewrite.h), and signed by that
 * one's domain.  Each such address has a copy of its own, up to FORWARD_PARTS_MAX and
 * FORWARD_BYTES_MAX; those beyond share the last one. */
#pragma once

#include "deliver/deliver.h"
#include "policy/policy.h"

enum { FORWARD_PARTS_MAX = 16, FORWARD_BYTES_MAX = 64 * 1024 * 1024 };

struct forward_means {
	const struct directory *directory;
	const struct dkim_mailer *sealer;   /* NULL: nothing is sealed */
	const struct dkim_mailer *rewriter; /* signs; NULL: From always stays */
	bool is_redirect; /* a script sends it on, whoever the mail is from */
};

/* What is passed on as one. */
struct forward_part {
	const struct queue_recipient *recipients;
	size_t count;
	struct str message, trace, digest;
	struct buf changed, changed_digest; /* of what was rewritten */
};

/* The recipients of a mail, taken apart. */
struct forward {
	const struct queue_recipient
		*others; /* as they were: ours, or its sender's own */
	size_t others_count;
	const struct queue_recipient *recipients; /* passed on */
	size_t count;
	struct str sender; /* for those */
	struct forward_part parts[FORWARD_PARTS_MAX];
	size_t part_count; /* 0 of suspect mail, which is not passed on */
};

/* What it fills lives in arena, or is the mail's, until forward_end().  False: cannot
 * tell now.  May suspend. */
[[nodiscard]] bool forward_begin(const struct forward_means *means,
				 const struct deliver_mail *mail,
				 const struct policed *policed,
				 const struct queue_recipient *recipients, size_t count,
				 struct arena *arena, struct forward *forward);
/* Its parts as rows of the queue, up to FORWARD_PARTS_MAX, otherwise like that one. */
size_t forward_ops(const struct forward *forward, const struct store_op *like,
		   struct store_op *ops);
/* After forward_begin(), whatever that said. */
void forward_end(struct forward *forward);
/* The header fields of a mail that is passed on, with where it has been, once each as far
 * as there is room: the first one is enough to end a loop. */
void forward_trace(struct buf *trace, const struct queue_recipient *recipients,
		   size_t count, struct str before);
/* What stands behind the colon of our Authentication-Results in such fields, or "". */
struct str forward_results_in(struct str trace);
/* Whether any of it leads out to where its author matters: reports that go back to
 * senders whom we rewrote keep theirs. */
bool forward_needs_author(const struct deliver_mail *mail);
/* Whether a RCPT leads out alone: then nobody here would get what is not passed on. */
bool forward_is_all_of_a_rcpt(const struct deliver_mail *mail);
/* Whether an address that leads out is one where this mail has been before. */
bool forward_is_loop(const struct deliver_mail *mail);

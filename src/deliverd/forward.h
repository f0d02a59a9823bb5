/* Mail that others have sent and that leads out again, since an alias of ours says so
 * (RFC 5321 §3.9.1).  Text and fields stay as they came, so that its signatures hold; the
 * envelope gets a sender of ours that leads back to the first one (route/srs.h), and
 * a Delivered-To field tells where it has been, so that it cannot go round.  What was
 * judged is sealed (ARC): who gets it hears what we found out. */
#pragma once

#include "deliver/deliver.h"
#include "policy/policy.h"

struct forward_means {
	const struct directory *directory;
	const struct dkim_mailer *sealer; /* NULL: nothing is sealed */
};

/* The recipients of a mail, taken apart. */
struct forward {
	const struct queue_recipient
		*others; /* as they were: ours, or its sender's own */
	size_t others_count;
	const struct queue_recipient *recipients; /* passed on */
	size_t count;
	struct str sender, trace; /* for those */
};

/* What it fills lives in arena, or is the mail's.  False: cannot tell now.  May suspend.
 */
[[nodiscard]] bool forward_begin(const struct forward_means *means,
				 const struct deliver_mail *mail,
				 const struct policed *policed,
				 const struct queue_recipient *recipients, size_t count,
				 struct arena *arena, struct forward *forward);
/* Whether a RCPT leads out alone: then nobody here would get what is not passed on. */
bool forward_is_all_of_a_rcpt(const struct deliver_mail *mail);
/* Whether an address that leads out is one where this mail has been before. */
bool forward_is_loop(const struct deliver_mail *mail);

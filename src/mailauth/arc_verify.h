/* Checking the chain of ARC sets that servers on the way have left on a mail.
 * RFC 8617 §5.2.
 *
 * The mail comes through dkim_message.h, which says in which order what is called.
 *
 * What a verdict means: a chain that passes says which servers had the mail, and what
 * each of them found out about it; nothing else makes that true than trust in all of
 * them.  One that fails says no more than no chain would.  ARC_TEMPERROR is "cannot tell
 * now".
 */
#pragma once

#include "mailauth/dkim_message.h"
#include "wire/auth/arc.h"

/* RFC 8617 §4.4.  Deviates: §5.2.1 has a DNS that does not answer fail the chain for
 * ever; we say that we cannot tell, and whoever must choose one of the three chooses
 * "fail". */
enum arc_result { ARC_NONE, ARC_PASS, ARC_FAIL, ARC_TEMPERROR };
/* "none", "pass", "fail", "temperror" */
const char *arc_result_name(enum arc_result result);

/* One set. */
struct arc_verdict_one {
	unsigned instance;
	struct str domain, selector; /* of its seal; "" if that cannot be read */
	struct str signer;           /* the domain of its message signature, likewise */
	const char *cv;              /* what its seal says of the chain before; "" */
	/* Of both signatures; DKIM_NONE: it was not looked at, since something else had
	 * already decided. */
	struct dkim_proof seal, message;
	/* What that server found out: a payload as in Authentication-Results, with its
	 * authserv-id.  "" unless the whole chain passes.  Only to be believed of a
	 * server that is trusted, and only if all that sealed after it are, too. */
	struct str results;
};

struct arc_verdict {
	enum arc_result result;
	const struct arc_verdict_one *sets; /* of instance 1 and on */
	size_t count;
	unsigned oldest_pass; /* header.oldest-pass (RFC 8617 §6) of a chain that passes:
				 the oldest message signature that is still good, 0
				 if all are */
	struct str reason;    /* of ARC_FAIL and ARC_TEMPERROR, a few words; or "" */
	unsigned reason_at;   /* the instance it is about, or 0 */
	struct str sentence;  /* for people */
};

struct arc_verify;

/* Before the body comes.  message lives until the end, its header and arena until the
 * verdict has been used.  now_s: for x=.
 * Never fails: what is too big is said in the verdict. */
struct arc_verify *arc_verify_begin(struct dkim_message *message, int64_t now_s);
/* Asks the DNS for one key after the other, since the first that is wrong decides; may
 * suspend for DKIM_SECONDS.  The verdict lives as long as the arena of message. */
void arc_verify_end(struct arc_verify *verify, const struct dns_lookup *lookup,
		    struct arc_verdict *verdict);
void arc_verify_free(struct arc_verify **verify);

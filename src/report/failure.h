/* One mail that was not proved to be its author's, as the author's domain hears of it:
 * who sent it when, what failed, and its header, without what people wrote and who they
 * are.  RFC 9991, RFC 6591, RFC 5965; wire/mail/redact.h.
 *
 * Nothing here suspends. */
#pragma once

#include "mailauth/mailauth.h"
#include "wire/mail/redact.h"

/* What is reported of a mail: one thing, that which says most.  RFC 9989 §4.7, "fo". */
enum failure_kind { FAILURE_NONE, FAILURE_DMARC, FAILURE_DKIM, FAILURE_SPF };

/* A mail that was judged.  Borrowed. */
struct failure_event {
	const struct mailauth_facts *facts;
	const struct mailauth_verdicts *verdicts;
	struct str id; /* the queue id */
	int64_t received_at;
	const char *delivery; /* RFC 6591 §3.2.2: "delivered", "spam", "reject" */
};

enum {
	FAILURE_SPF_MAX = 2, /* records: the domain's own, and that of "redirect" */
	FAILURE_HEADER_MAX = 16 * 1024,
	FAILURE_ARENA_MAX = 64 * 1024,
	FAILURE_MAIL_MAX = 64 * 1024,
};

/* Lives in an arena of its own. */
struct failure {
	enum failure_kind kind;
	struct str policy_domain; /* that asks for the report */
	struct str author;        /* the domain in From */
	struct str id, source, mail_from, header;
	struct str results; /* a whole Authentication-Results field, of one method */
	const char *type, *alignment, *delivery;
	struct str dkim_domain, dkim_identity, dkim_selector; /* or "" */
	struct str spf_domains[FAILURE_SPF_MAX], spf_records[FAILURE_SPF_MAX];
	int64_t received_at;
	uint64_t incidents;
};

/* What the policy that holds for the author asks to be told, if it does. */
enum failure_kind failure_wanted(const struct mailauth_facts *facts,
				 const struct mailauth_verdicts *verdicts);
/* Fills *failure but for spf_records, which its caller asks the DNS for.  False: no room.
 */
[[nodiscard]] bool failure_fill(const struct failure_event *event, enum failure_kind kind,
				struct hash_key key, struct arena *arena,
				struct failure *failure);

struct failure_head {
	struct str hostname;  /* ours */
	struct str submitter; /* the domain that reports */
	struct str to;
	int64_t now;
};
/* The whole mail. */
void failure_mail(struct buf *mail, const struct failure_head *head,
		  const struct failure *failure);

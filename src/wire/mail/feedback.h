/* What somebody reports of one mail: the fields of message/feedback-report (ARF).  RFC
 * 5965 §3, with those of RFC 6591 §3 and RFC 9991 §4 for mail that failed to prove whose
 * it is.
 *
 * Leniencies, each for reports that exist:
 * - LF_ENDS_LINES: as wire/mail/header.h has it;
 * - NO_VERSION: Version or User-Agent may be missing;
 * - TWICE: of a field that may stand there once the first counts.
 * Fields that we do not know are passed over. */
#pragma once

#include "base/arena.h"

enum { FEEDBACK_FIELDS_MAX = 200, FEEDBACK_RCPTS_MAX = 20, FEEDBACK_TEXT_MAX = 1000 };

struct feedback {
	struct str type; /* "auth-failure", "abuse", ... */
	struct str user_agent, version;
	struct str mail_from, arrival, source_ip, envelope_id, reporting_mta;
	struct str domain; /* Reported-Domain, the first */
	struct str rcpts[FEEDBACK_RCPTS_MAX];
	size_t rcpt_count;
	uint64_t incidents;      /* how many mails it stands for; 1 if not said */
	struct str auth_failure; /* "dmarc", "spf", "signature", ... */
	struct str alignment; /* Identity-Alignment: what failed: "dkim, spf"; "none" */
	struct str results;   /* Authentication-Results */
	struct str delivery;  /* Delivery-Result */
	struct str dkim_domain, dkim_identity, dkim_selector, spf_dns;
};

/* Texts are on one line, at most FEEDBACK_TEXT_MAX octets, borrow or live in the arena;
 * they may hold anything, so do not print them as they are.  False if it does not say of
 * which type it is. */
[[nodiscard]] bool feedback_parse(struct str body, struct arena *arena,
				  struct feedback *feedback);

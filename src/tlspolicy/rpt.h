/* What came of TLS with a domain's servers in one day, as reports have it (RFC 8460 §4):
 * counted, written down for the store, and as JSON in a mail.
 *
 *   u8 version 1, u8 policies, each:  u8 kind, u8 lines, lines × string, u8 patterns,
 *   patterns × string, var sessions that were good, var bad, u8 details, each: u8 flaw,
 *   string host, address, local, why; var sessions
 *
 * Nothing here suspends.  What is added is copied into the report's arena.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "mailauth/tls_policy.h"

enum {
	RPT_POLICIES_MAX = 4, /* what is beyond counts with the last of them */
	RPT_LINES_MAX = 32,
	RPT_LINE_BYTES_MAX = 300,
	RPT_DETAILS_MAX = 20, /* what is beyond is in the sums alone */
	RPT_BYTES_MAX = 30 * 1024,
};

struct rpt_detail {
	enum tls_flaw flaw;
	struct str host, address, local, why;
	uint64_t sessions;
};

struct rpt_policy {
	enum tls_policy_kind kind;
	struct str lines[RPT_LINES_MAX]; /* "policy-string" */
	size_t line_count;
	struct str mx[RPT_LINES_MAX]; /* "mx-host" */
	size_t mx_count;
	uint64_t good, bad; /* sessions */
	struct rpt_detail details[RPT_DETAILS_MAX];
	size_t detail_count;
};

struct rpt {
	struct arena arena;
	struct rpt_policy *policies;
	size_t count;
};

void rpt_init(struct rpt *rpt);
void rpt_fini(struct rpt *rpt);
/* Adds what the policy counted.  False at a bound: not all was added. */
[[nodiscard]] bool rpt_add(struct rpt *rpt, const struct rpt_policy *policy);
/* The words of a policy that is to be added; the first borrows. */
void rpt_of_sts(struct rpt_policy *policy, struct str text,
		const struct mta_sts_policy *sts);
void rpt_of_tlsa(struct rpt_policy *policy, const struct dns_tlsa *records, size_t count,
		 struct arena *arena);

void rpt_encode(struct buf *value, const struct rpt *rpt);
/* Adds what was encoded.  False if the octets are none of ours. */
[[nodiscard]] bool rpt_decode(struct str value, struct rpt *rpt);

struct rpt_head {
	struct str domain;    /* of whom it tells */
	struct str submitter; /* our domain, which signs the mail: RFC 8460 §3 */
	struct str id;        /* of the report: letters, digits, dots */
	int64_t begin, end;   /* first and last second of the day, since 1970 */
};
/* RFC 8460 §4.4. */
void rpt_json(struct buf *json, const struct rpt_head *head, const struct rpt *rpt);
/* The whole mail (RFC 8460 §5.3) around the compressed report. */
void rpt_mail(struct buf *mail, const struct rpt_head *head, struct str to,
	      struct str gzip, int64_t now);

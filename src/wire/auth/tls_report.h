/* A report of TLS that somebody else sent (TLS-RPT): its JSON.  RFC 8460 §4.4.
 *
 * Leniencies, each for reports that exist:
 * - BYTE_ORDER_MARK in front;
 * - STRING_FOR_LIST: policy-string and mx-host that are one string;
 * - NO_DETAILS: failure-details, summary, contact-info or anything else may be missing,
 * or null;
 * - COUNT_AS_STRING: "12" for 12.
 * What we do not know is passed over. */
#pragma once

#include "base/arena.h"

enum {
	TLS_REPORT_BYTES_MAX = 10 * 1024 * 1024, /* RFC 8460 §5.2: a common limit */
	TLS_REPORT_POLICIES_MAX = 200,
	TLS_REPORT_DETAILS_MAX = 500, /* of a policy */
	TLS_REPORT_LINES_MAX = 50,
	TLS_REPORT_TEXT_MAX = 1000, /* octets; what is longer is cut */
};

struct tls_report_detail {
	struct str type; /* "certificate-expired", ... */
	struct str sending_ip, mx, helo, receiving_ip, reason, more;
	uint64_t sessions;
};

struct tls_report_policy {
	struct str type, domain; /* "sts", "tlsa", "no-policy-found" */
	struct str *lines, *mx;
	size_t line_count, mx_count;
	uint64_t good, bad; /* sessions */
	struct tls_report_detail *details;
	size_t detail_count;
};

struct tls_report {
	struct str organization, contact, id;
	int64_t begin, end; /* seconds since 1970; 0: not said */
	struct tls_report_policy *policies;
	size_t count;
	bool is_cut; /* some of it was beyond our bounds */
};

/* Texts are UTF-8, and borrow or live in the arena; they may hold anything, so do not
 * print them as they are.  False if it is no such report. */
[[nodiscard]] bool tls_report_parse(struct str json, struct arena *arena,
				    struct tls_report *report);
/* RFC 3339 §5.6, in seconds since 1970. */
[[nodiscard]] bool tls_report_time(struct str text, int64_t *at);

/* The limits that a server announces in its reply to EHLO: LIMITS (RFC 9422) and the
 * least by-time of DELIVERBY (RFC 2852 §2). */
#pragma once

#include "base/str.h"

/* 0: not said. */
struct smtp_limits {
	uint32_t mail_max;   /* transactions in a session: RFC 9422 §4.1 */
	uint32_t rcpt_max;   /* RCPT commands in a transaction: RFC 9422 §4.2 */
	uint32_t domain_max; /* domains of recipients in a session: RFC 9422 §4.3 */
};

/* What stands behind the keyword LIMITS.  A text that follows no grammar sets no limit;
 * limits that are unknown, or whose value is none, are passed over.  RFC 9422 §3.7. */
void smtp_limits_parse(struct str text, struct smtp_limits *limits);

/* What stands behind the keyword DELIVERBY: the least by-time in seconds that the server
 * takes with by-mode R; 0 if it names none. */
uint32_t smtp_by_min_parse(struct str text);

/* Reports of TLS that came from others (RFC 8460 §5): a mail, its JSON, or that packed.
 * Whoever takes arriving mail, or a file, calls this.  Bounded whatever is in it. */
#pragma once

#include "wire/auth/tls_report.h"

enum received {
	RECEIVED_REPORT,
	RECEIVED_OTHER,   /* it is no report of TLS: a mail without one, or other JSON */
	RECEIVED_DAMAGED, /* it was one, but what is packed in it cannot be unpacked */
	RECEIVED_LONG,    /* more than TLS_REPORT_BYTES_MAX, packed or not */
};

enum { RECEIVED_ARENA_MAX = 3 * TLS_REPORT_BYTES_MAX };

/* bytes outlive the report, which lives in the arena (of RECEIVED_ARENA_MAX). */
enum received received_read(struct str bytes, struct arena *arena,
			    struct tls_report *report);

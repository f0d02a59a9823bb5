/* Reports about DMARC that came from others: a mail, its file, or that packed.  Whoever
 * takes arriving mail, or a file, calls this.  Bounded whatever is in it. */
#pragma once

#include "report/dmarc_report.h"
#include "wire/mail/feedback.h"

enum received_dmarc {
	RECEIVED_DMARC_REPORT,  /* aggregate: RFC 9990, RFC 7489 */
	RECEIVED_DMARC_FAILURE, /* of one mail: RFC 9991, RFC 6591 */
	RECEIVED_DMARC_OTHER,   /* neither */
	RECEIVED_DMARC_DAMAGED, /* it was one, but cannot be unpacked, or is cut off */
	RECEIVED_DMARC_REFUSED, /* its XML is such as no report needs */
	RECEIVED_DMARC_LONG,    /* more than DMARC_REPORT_BYTES_MAX, packed or not */
};

struct received_failure {
	struct feedback feedback;
	struct str about; /* the mail, or its header, as far as it was sent along */
};

/* bytes outlive what is found, which lives in the arena (of DMARC_REPORT_ARENA_MAX). */
enum received_dmarc received_dmarc_read(struct str bytes, struct arena *arena,
					struct dmarc_report *report,
					struct received_failure *failure);

/* The record by which a domain says what to do with mail in its name that is not proved
 * to be its own: at _dmarc.DOMAIN.  RFC 9989 §4.7, §4.8.
 *
 * Unknown tags are passed over, and so are the old ones of RFC 7489 (pct, rf, ri).  What
 * does not follow the grammar counts as if it were not there (RFC 9989 §4.8); of two tags
 * of one name the first counts.
 */
#pragma once

#include "base/arena.h"

enum {
	DMARC_RECORD_BYTES_MAX = 16 * 1024,
	DMARC_URIS_MAX = 10,
	DMARC_URI_BYTES_MAX = 500
};

/* From mild to strict. */
enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };
/* "none", "quarantine", "reject" */
const char *dmarc_policy_name(enum dmarc_policy policy);
/* One level below, which is what t=y asks for. */
enum dmarc_policy dmarc_policy_milder(enum dmarc_policy policy);

enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

enum dmarc_policies {
	DMARC_POLICIES_FINE,
	DMARC_POLICIES_AS_NONE, /* p is missing or wrong, or sp or np is wrong; a report
				   is wanted, so that all count as "none" */
	DMARC_POLICIES_UNUSABLE /* the same, and no report is wanted: no DMARC for this
				   mail.  RFC 9989 §4.10.1 */
};

/* fo: what to report about a mail that fails */
enum { DMARC_FO_ALL = 1, DMARC_FO_ANY = 2, DMARC_FO_DKIM = 4, DMARC_FO_SPF = 8 };

struct dmarc_uris {
	struct str items[DMARC_URIS_MAX]; /* URIs without a size behind "!"; wrong ones
					     and those beyond are left out */
	size_t count;
};

struct dmarc_record {
	enum dmarc_policies policies;
	enum dmarc_policy p, sp, np; /* as they apply where sp or np is missing */
	bool has_sp, has_np;
	enum dmarc_psd psd;
	bool is_testing;                    /* t=y */
	bool is_dkim_strict, is_spf_strict; /* adkim=s, aspf=s */
	unsigned failure_options;           /* DMARC_FO_ALL where fo says nothing */
	struct dmarc_uris rua, ruf;
};

/* True for a TXT record that begins with the version of DMARC; others at that name are
 * passed over. */
bool dmarc_is_record(struct str text);
/* Slices borrow text.  False if it is no record, or longer than
 * DMARC_RECORD_BYTES_MAX. */
[[nodiscard]] bool dmarc_record_parse(struct str text, struct dmarc_record *record);

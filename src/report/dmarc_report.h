/* An aggregate report of DMARC that somebody else sent: its XML (RFC 9990 §3.1, Appendix
 * A), or as RFC 7489 Appendix C had it, which most still send.  Read by libxml2 piece by
 * piece, without a tree, entities, DTDs and network.
 *
 * Leniencies, each for reports that exist:
 * - NO_NAMESPACE, or any: names count without it;
 * - ANY_ORDER of elements, and any may be missing but <feedback> and one <record>;
 * - UNKNOWN_ELEMENTS and unknown words are passed over, or shown as they are. */
#pragma once

#include "base/arena.h"

enum {
	DMARC_REPORT_BYTES_MAX = 10 * 1024 * 1024,
	DMARC_REPORT_DEPTH_MAX = 32,
	DMARC_REPORT_ROWS_MAX = 50000,
	DMARC_REPORT_SIGNATURES_MAX = 100, /* of a row: RFC 9990 §3.1.3 */
	DMARC_REPORT_REASONS_MAX = 20,     /* of a row */
	DMARC_REPORT_TEXT_MAX = 1000,      /* octets; what is longer is cut */
	DMARC_REPORT_ARENA_MAX = 64 * 1024 * 1024,
};

struct dmarc_report_auth {
	struct dmarc_report_auth *next;
	struct str domain, selector, scope, result, human;
};

struct dmarc_report_reason {
	struct dmarc_report_reason *next;
	struct str type, comment;
};

struct dmarc_report_row {
	struct dmarc_report_row *next;
	struct str source_ip;
	uint64_t count;
	struct str disposition; /* "none", "pass", "quarantine", "reject" */
	struct str dkim, spf;   /* aligned: "pass", "fail" */
	struct str header_from, envelope_from, envelope_to;
	struct dmarc_report_reason *reasons;
	struct dmarc_report_auth *dkim_results, *spf_results;
};

struct dmarc_report {
	struct str organization, email, contact, id, error, generator;
	uint64_t begin, end; /* seconds since 1970; 0: not said */
	/* The policy that was published. */
	struct str domain, p, sp, np, pct, adkim, aspf, fo, testing, discovery;
	struct dmarc_report_row *rows;
	size_t row_count;
	bool is_cut; /* some of it was beyond our bounds */
};

enum dmarc_report_read {
	DMARC_REPORT_FINE,
	DMARC_REPORT_OTHER,   /* no XML, or another kind of it */
	DMARC_REPORT_DAMAGED, /* it begins as one, but is cut off or no XML */
	DMARC_REPORT_REFUSED, /* it declares a document type (for entities), or nests
				 deeper than any report */
};

/* Texts are UTF-8, live in the arena, and may hold anything, so do not print them as they
 * are. */
enum dmarc_report_read dmarc_report_parse(struct str xml, struct arena *arena,
					  struct dmarc_report *report);
/* True if DMARC passed: one of the two did. */
bool dmarc_report_is_aligned(const struct dmarc_report_row *row);

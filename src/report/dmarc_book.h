/* What came in the name of one domain in one day, as reports of DMARC have it: counted,
 * written down for the store, and as XML in a mail.  RFC 9990 §3.1.
 *
 *   u8 version 2; u8 p, sp, np, flags; string fo; var others; var rows, each: string
 *   row, var count
 *   row: u8 length of the address, its octets; u8 disposition, override, flags; string
 *   comment, header-from, envelope-from; u8 SPF result, string SPF domain; u8 signatures,
 *   each: u8 result, string domain, selector
 *
 * Nothing here suspends.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "wire/dns/ip.h"

enum {
	DMARC_BOOK_BYTES_MAX = 30 * 1024, /* of rows, in a value of the store */
	DMARC_BOOK_ROWS_MAX = 1000,
	DMARC_FACTS_COMMENT_MAX = 1000,
	DMARC_FACTS_SIGNATURES_MAX = 10, /* all that are looked at: §3.1.1.10, §3.1.3 */
};

/* A result of RFC 8601 §2.7, a disposition, a policy, ... */
struct dmarc_facts_signature {
	struct str domain, selector, result;
};

/* What was found out about one mail.  Words are as the RFCs write them, in lower case;
 * one that is not known counts as the first of its list. */
struct dmarc_facts {
	struct str policy_domain; /* where the record was found */
	bool is_wanted;           /* the record asks for reports (rua) */
	/* The record; sp and np "" where it has none. */
	struct str p, sp, np; /* "none", "quarantine", "reject" */
	bool is_dkim_strict, is_spf_strict, is_testing;
	struct str fo; /* or "" */

	struct ip source;
	struct str disposition; /* "none", "pass", "quarantine", "reject" */
	bool is_dkim_aligned, is_spf_aligned;
	/* Why the disposition is milder than the policy: "", "local_policy",
	 * "mailing_list", "other", "policy_test_mode", "trusted_forwarder" */
	struct str override;
	struct str comment; /* beside that, or "" */
	struct str header_from;
	struct str envelope_from;          /* the domain; "" for <> */
	struct str spf_domain, spf_result; /* domain "": SPF was not asked */
	/* Those that count most first: §3.1.3. */
	struct dmarc_facts_signature signatures[DMARC_FACTS_SIGNATURES_MAX];
	size_t signature_count;
};

struct dmarc_book_row;

struct dmarc_book {
	struct arena arena;
	struct str policy; /* encoded; "" before the first mail */
	struct dmarc_book_row *rows;
	size_t count, bytes; /* of the rows, encoded */
	size_t pairs;        /* its bounds are those of so many values */
	uint64_t others;     /* mails that found no room */
};

/* It holds what so many pairs of the store do; 1 if it is to become one. */
void dmarc_book_init(struct dmarc_book *book, size_t pairs);
void dmarc_book_fini(struct dmarc_book *book);
/* Beyond a bound the mail is counted among the others.  The last policy counts. */
void dmarc_book_add(struct dmarc_book *book, const struct dmarc_facts *facts);
void dmarc_book_encode(struct buf *value, const struct dmarc_book *book);
/* Adds what was encoded; a policy that is there stays.  False if the octets are none of
 * ours; what came before the flaw was added. */
[[nodiscard]] bool dmarc_book_decode(struct str value, struct dmarc_book *book);

struct dmarc_book_head {
	struct str domain;    /* of whom it tells: the policy domain */
	struct str submitter; /* our host name */
	struct str id;        /* of the report: letters, digits, dots */
	int64_t begin, end;   /* first and last second of the day, since 1970 */
};
/* RFC 9990 Appendix A. */
void dmarc_book_xml(struct buf *xml, const struct dmarc_book_head *head,
		    const struct dmarc_book *book);
/* The whole mail (RFC 9990 §3.5.2) around the compressed report. */
void dmarc_book_mail(struct buf *mail, const struct dmarc_book_head *head, struct str to,
		     struct str gzip, int64_t now);

/* For dmarc_book_xml(): one row's facts again; slices borrow the book. */
struct dmarc_book_row {
	struct dmarc_book_row *next;
	uint64_t hash, count;
	struct str bytes;
};
[[nodiscard]] bool dmarc_book_read_row(struct str bytes, struct dmarc_facts *facts);
[[nodiscard]] bool dmarc_book_read_policy(struct str bytes, struct dmarc_facts *facts);

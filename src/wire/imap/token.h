/* The small pieces of IMAP's grammar: atoms, strings, numbers, flags, dates.
 * RFC 9051 §9, RFC 3501 §9.
 *
 * All of them read from one struct imap_in, which holds a whole command with its
 * literals in place ("{3}" CRLF "abc").  On success the cursor moved past what was read;
 * on failure it has not moved, and `reason` may say why in words fit for a BAD response.
 * Slices borrow from the input, or from the arena where escapes had to be undone; both
 * must outlive them.
 */
#pragma once

#include "base/arena.h"
#include "wire/cursor.h"

enum {
	IMAP_KEYWORDS_MAX = 200,     /* in one flag list */
	IMAP_KEYWORD_BYTES_MAX = 250 /* of one keyword */
};

struct imap_in {
	struct cursor at;
	struct arena *arena;
	bool is_utf8;      /* IMAP4rev2 or UTF8=ACCEPT was enabled: mailbox names and
			    * quoted strings are UTF-8 */
	bool is_rev2;      /* IMAP4rev2 was: what it dropped is not known */
	struct str reason; /* the first thing found wrong; "" if nothing was said */
};

/* Reads from this command text, which may hold literals. */
struct imap_in imap_in_over(struct str text, struct arena *arena);
/* Notes the reason unless one is known already.  Always false. */
bool imap_fail(struct imap_in *in, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same with the next few printable octets of the input added. */
bool imap_fail_here(struct imap_in *in, const char *what);

/* Between two things.  Leniency: several spaces are as good as one, and those in front of
 * ")" or the line's end are passed over, but then it is false, as nothing follows. */
bool imap_space(struct imap_in *in);
/* Letters, digits, "." and "-": a command's or an item's name. */
bool imap_label(struct imap_in *in, struct str *label);
bool imap_tag(struct imap_in *in, struct str *tag);
bool imap_atom(struct imap_in *in, struct str *atom);
bool imap_quoted(struct imap_in *in, struct str *text);
bool imap_string(struct imap_in *in, struct str *text); /* quoted or literal */
bool imap_astring(struct imap_in *in, struct str *text);
/* NIL gives a null pointer. */
bool imap_nstring(struct imap_in *in, struct str *text);
/* list-mailbox: like astring, with wildcards. */
bool imap_list_mailbox(struct imap_in *in, struct str *text);
/* A mailbox name as UTF-8; any case of INBOX gives "INBOX".  Leniency: a "/" at its end
 * is dropped. */
bool imap_mailbox(struct imap_in *in, struct str *name);

/* A literal announced at the very end of the input: "{310}" CRLF, "{310+}" CRLF, and
 * literal8's "~{310}" CRLF. */
struct imap_literal {
	uint64_t len;
	bool is_synchronising, is_binary;
};
bool imap_literal_head(struct imap_in *in, struct imap_literal *literal);

bool imap_number(struct imap_in *in, uint64_t max, uint64_t *number);
bool imap_nz_number(struct imap_in *in, uint32_t *number);

enum imap_system_flag {
	IMAP_SEEN = 1,
	IMAP_ANSWERED = 2,
	IMAP_FLAGGED = 4,
	IMAP_DELETED = 8,
	IMAP_DRAFT = 16,
	IMAP_RECENT = 32, /* only written: imap_flag_list() does not give it */
};

struct imap_flags {
	unsigned system;      /* of enum imap_system_flag */
	struct str *keywords; /* as written */
	size_t keyword_count;
};

/* "\Seen" and so on; 0 if it is none of the five. */
unsigned imap_system_flag(struct str name);
/* "(" [flag *(SP flag)] ")".  "\Recent" is taken and dropped: clients copy it from what
 * rev1 servers told them. */
bool imap_flag_list(struct imap_in *in, struct imap_flags *flags);
/* The same without parentheses, at least one (STORE allows it). */
bool imap_flag_run(struct imap_in *in, struct imap_flags *flags);

/* date, quoted or not, as days since 1970-01-01. */
bool imap_date(struct imap_in *in, int64_t *day);

/* Leniency: the day may have one digit. */
struct imap_date_time {
	int64_t at_s; /* since 1970 */
	int zone_minutes;
};
bool imap_date_time(struct imap_in *in, struct imap_date_time *when);

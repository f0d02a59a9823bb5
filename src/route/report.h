/* Reports to senders (queue/bounce.h), from the outcome to the operation: finds out where
 * the sender of a mail is, and makes the OP_QUEUE_ADD that belongs in the same commit as
 * the settling of the rows. */
#pragma once

#include "queue/bounce.h"

struct directory;
struct dkim_mailer;

struct reporter {
	struct store *store;
	const struct directory *directory;
	const struct dkim_mailer *mailer; /* signs reports; NULL: nobody does */
	struct str hostname;
	struct str double_bounce; /* the address that hears of mail that failed and has no
				     sender to tell; "": nobody, it is logged */
};

enum report {
	REPORT_MADE,  /* *op is to be committed together with the settles */
	REPORT_NONE,  /* nobody is to be told: settle without */
	REPORT_LATER, /* cannot tell now: settle nothing, try again soon */
};

/* Tells of those rows whose senders asked to hear of what happened to them; the rows are
 * of one mail (same account and message) and under our lease.  *op and what it points to
 * live in arena (of REPORT_ARENA_MAX or more).  The op's account is that of the rows. May
 * suspend. */
enum { REPORT_ARENA_MAX = 8 * 1024 * 1024 };
enum report report_make(const struct reporter *reporter,
			const struct bounce_recipient *recipients, size_t count,
			struct arena *arena, struct store_op *op);
/* The same for a mail that never was in the queue: rows hold what is known of it, and
 * header is its header. */
enum report report_make_of(const struct reporter *reporter,
			   const struct bounce_recipient *recipients, size_t count,
			   struct str header, struct arena *arena, struct store_op *op);

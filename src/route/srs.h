/* The sender of a mail that is passed on to another server (Sender Rewriting Scheme,
 * wire/smtp/srs.h): the sender's own domain may not know us as one of its servers (SPF),
 * so it becomes an address of ours that leads back to it.  Such an address is good for
 * reports alone, for three weeks, and only if we made it.  These may suspend. */
#pragma once

#include "base/arena.h"

struct directory;

enum srs_way {
	SRS_DONE,
	SRS_NONE, /* forward: the sender stays as it is; back: it is no such address */
	SRS_FORGED,
	SRS_EXPIRED,
	SRS_LATER, /* cannot tell now */
};

enum { SRS_GOOD_DAYS = 21 };

/* The sender to pass the mail on with.  It stays if it is <> or at a domain of ours, or
 * would get too long. */
enum srs_way srs_forward(const struct directory *directory, struct str sender,
			 int64_t now_s, struct arena *arena, struct str *address);
/* Where an address of ours leads back to; local is without quotes. */
enum srs_way srs_back(const struct directory *directory, struct str local, int64_t now_s,
		      struct arena *arena, struct str *address);

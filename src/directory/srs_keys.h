/* The keys that rewritten senders are made with (wire/smtp/srs.h, route/srs.h): one pair
 * of the system account, which all read who take or carry mail.  Whoever knows them can
 * have reports passed on to where he wants, and nothing else. */
#pragma once

#include "directory/directory.h"

enum { SRS_KEY_BYTES = 32, SRS_KEYS_MAX = 3, SRS_KEY_DAYS = 30 };

struct srs_key {
	int64_t since_s;
	unsigned char octets[SRS_KEY_BYTES];
};
struct srs_keys {
	struct srs_key keys[SRS_KEYS_MAX]; /* the newest first: it is made with that */
	size_t count;
};

/* ABSENT: none were made yet.  These may suspend. */
enum store_outcome directory_srs_keys(const struct directory *directory,
				      struct srs_keys *keys);
/* Makes the first key, or a new one when the newest is old; the oldest one goes. */
enum store_outcome directory_renew_srs_keys(const struct directory *directory,
					    int64_t now_s);

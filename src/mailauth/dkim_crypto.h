/* The signatures themselves, by OpenSSL.  RFC 6376 §3.3, RFC 8301, RFC 8463. */
#pragma once

#include "wire/auth/dkim_key.h"
#include "wire/auth/dkim_signature.h"

enum {
	DKIM_RSA_BITS_MIN = 1024, /* RFC 8301 §3.2 */
	DKIM_RSA_BITS_MAX = 8192,
	DKIM_EXPONENT_BYTES_MAX = 8, /* a huge one would make checking cost seconds */
};

enum dkim_check {
	DKIM_CHECK_GOOD,
	DKIM_CHECK_WRONG,
	DKIM_CHECK_NO_KEY, /* OpenSSL makes no key of what the record says */
};

/* Whether the signature was made over that hash with the private half of key. */
enum dkim_check dkim_check(const struct dkim_key *key,
			   const unsigned char hash[DKIM_HASH_BYTES],
			   struct str signature);

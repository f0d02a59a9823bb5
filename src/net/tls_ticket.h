/* Session tickets sealed by keys that vault issues (RFC 5077 §4).  Used inside net/ only.
 */
#pragma once

#include <openssl/ssl.h>

#include "net/tls.h"

struct tls_ticket_key {
	unsigned char name[16], cipher[32], mac[32];
};

_Static_assert(sizeof(struct tls_ticket_key) == TLS_TICKET_KEY_BYTES,
	       "one blob is one key");

struct tls_tickets {
	struct tls_ticket_key keys[2]; /* the current and the previous */
	size_t count;
};

/* tickets must outlive the context's sessions. */
void tls_tickets_attach(SSL_CTX *context, struct tls_tickets *tickets);
void tls_tickets_set(struct tls_tickets *tickets, struct str current,
		     struct str previous);

/* What clients send to log in with an OAuth token: OAUTHBEARER (RFC 7628) and its elder
 * XOAUTH2, which Google and Microsoft defined.  Messages are without their base64 here.
 */
#pragma once

#include "wire/auth/gs2.h"

struct oauth_response {
	struct str user;  /* whose mail it wants; "" where OAUTHBEARER leaves it open */
	struct str token; /* the bearer token; secret */
	struct str host;  /* whom the client thinks it talks to; "" if it does not say */
	uint16_t port;    /* likewise; 0 if it does not say */
};

/* client-resp = gs2-header kvsep *kvpair kvsep, with exactly one "auth" that holds a
 * bearer token; keys we do not know are ignored.  RFC 7628 §3.1.  Slices borrow from the
 * message; user is in the arena. */
[[nodiscard]] bool oauth_bearer_parse(struct str message, struct arena *arena,
				      struct oauth_response *response);
/* "user=" name ^A "auth=Bearer " token ^A ^A.  Slices borrow from the message. */
[[nodiscard]] bool oauth_xoauth2_parse(struct str message,
				       struct oauth_response *response);
/* What the client answers to our error, so that the exchange can end: a single ^A
 * (RFC 7628 §3.2.3); with XOAUTH2 nothing at all. */
bool oauth_is_dismissal(struct str message);

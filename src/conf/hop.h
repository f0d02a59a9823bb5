/* Where mail that leads out is handed to, as the settings of mta write it.
 *
 *   HOP   = "mx" / SCHEME ":" HOST [":" PORT]
 *   HOST  = NAME, whose mail hosts are looked up
 *         / "[" NAME or ADDRESS "]", taken as it is
 *   ROUTE = PATTERN "=" HOP
 *   PATTERN = DOMAIN / "." DOMAIN, all domains below / "from:" DOMAIN, of the sender
 *
 * Slices borrow the text.
 */
#pragma once

#include "base/str.h"

enum hop_scheme {
	HOP_MX,          /* whatever the DNS says of the recipient's domain */
	HOP_SMTP,        /* TLS if it is offered */
	HOP_LMTP,        /* RFC 2033; the same */
	HOP_SUBMISSION,  /* STARTTLS, with a certificate that is trusted (RFC 6409) */
	HOP_SUBMISSIONS, /* TLS from the start, likewise (RFC 8314) */
};

struct conf_hop {
	enum hop_scheme scheme;
	struct str host; /* without brackets; "" with mx */
	bool is_literal; /* it was in brackets */
	uint16_t port;   /* 0: the scheme's own */
};
[[nodiscard]] bool conf_hop_parse(struct str text, struct conf_hop *hop);

struct conf_route {
	struct str domain;
	bool is_of_sender, is_below;
	struct conf_hop hop;
};
/* Takes the next route from the front of a list with spaces between.  False at the end,
 * or (*rest is not empty then) where there is none. */
[[nodiscard]] bool conf_route_next(struct str *rest, struct conf_route *route);
/* The next word of a list separated by spaces, tabs or commas; "" at the end. */
struct str conf_next_word(struct str *rest);

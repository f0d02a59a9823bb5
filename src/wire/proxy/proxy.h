/* The header that a proxy in front of us sends before the connection's own octets: the
 * PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt).  Only connections from
 * configured proxies are read this way; all of them must have it, none is guessed. */
#pragma once

#include "base/str.h"

enum {
	PROXY_V1_MAX = 107,               /* octets with CRLF, §2.1 */
	PROXY_HEADER_MAX = 16 + 4 * 1024, /* version 2 with all its TLVs; our bound */
};

enum proxy_result {
	PROXY_MORE,      /* so far it is the front of a header */
	PROXY_WHOLE,     /* *header is filled in */
	PROXY_MALFORMED, /* drop the connection */
};

enum proxy_family {
	PROXY_REAL_ENDS, /* the proxy's own connection (a health check), or addresses that
			  * are not TCP's: the socket's own ends count */
	PROXY_IPV4,
	PROXY_IPV6,
};

struct proxy_end {
	unsigned char address[16]; /* network order; IPv4 in the first 4 octets */
	uint16_t port;
};

struct proxy_header {
	size_t len; /* octets of input it takes; what follows is the client's */
	enum proxy_family family;
	struct proxy_end source, target; /* zero with PROXY_REAL_ENDS */
};

/* Looks at all that came so far, from the connection's first octet; call it again with
 * more after PROXY_MORE.  It never asks for more than PROXY_HEADER_MAX octets, and sees
 * at the first wrong octet that there is no header. */
enum proxy_result proxy_parse(struct str input, struct proxy_header *header);

/* Lists of addresses and networks, as settings name them. */
#pragma once

#include "net/address.h"

enum { NETWORKS_MAX = 32 };

struct networks {
	struct {
		unsigned char octets[16]; /* an IPv4 address as ::ffff:192.0.2.1 */
		unsigned bits;            /* of them count */
	} nets[NETWORKS_MAX];
	size_t count;
};

/* Words "192.0.2.1", "2001:db8::/32", separated by spaces or commas.  False if one of
 * them is neither an address nor a network, or there are too many. */
[[nodiscard]] bool networks_parse(struct str text, struct networks *networks);
bool networks_have(const struct networks *networks, const struct address *address);

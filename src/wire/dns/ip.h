/* An Internet address as mail and the DNS write it: as text, and as the name of its
 * reverse mapping. */
#pragma once

#include "base/buf.h"

enum { IP4_BYTES = 4, IP6_BYTES = 16, IP_TEXT_BYTES = 48, IP_NIBBLES_BYTES = 64 };

struct ip {
	unsigned char octets[IP6_BYTES];
	size_t len; /* IP4_BYTES or IP6_BYTES */
};

/* "192.0.2.1", without leading zeros. */
[[nodiscard]] bool ip4_parse(struct str text, struct ip *ip);
/* RFC 4291 §2.2: "2001:db8::1", "::ffff:192.0.2.1". */
[[nodiscard]] bool ip6_parse(struct str text, struct ip *ip);
/* Either; what is mapped into IPv6 (::ffff:192.0.2.1) is the IPv4 address, as RFC 7208 §5
 * wants it. */
[[nodiscard]] bool ip_parse(struct str text, struct ip *ip);
/* The data of an A or AAAA record. */
[[nodiscard]] bool ip_read(struct str data, struct ip *ip);

/* Whether they are of one kind and the first bits are the same. */
bool ip_same_prefix(const struct ip *a, const struct ip *b, unsigned bits);
static inline bool ip_same(const struct ip *a, const struct ip *b)
{
	return ip_same_prefix(a, b, (unsigned)a->len * 8);
}

/* "192.0.2.1", "2001:db8::1" */
struct str ip_text(const struct ip *ip, char text[IP_TEXT_BYTES]);
/* "192.0.2.1"; of IPv6 its 32 digits with dots between them: "2.0.0.1.0.D.B.8...".  In
 * capitals, as older verifiers have it: senders may have put it into explanations. */
struct str ip_dotted(const struct ip *ip, char text[IP_NIBBLES_BYTES]);
/* Where its PTR records are: "1.2.0.192.in-addr.arpa".  RFC 1035 §3.5, RFC 3596 §2.5. */
void ip_add_reverse_name(const struct ip *ip, struct buf *name);

/* False for addresses that lead nowhere on the Internet: of this machine, of private
 * networks (RFC 1918, RFC 4193), of providers' own (RFC 6598), of one link (RFC 3927, RFC
 * 4291 §2.5.6), and of groups. */
bool ip_is_public(const struct ip *ip);

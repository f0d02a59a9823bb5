#include "wire/dns/ip.h"

#include <arpa/inet.h>

static bool parse(struct str text, int family, size_t len, struct ip *ip)
{
	struct ip found = {.len = len};
	char room[IP_TEXT_BYTES];

	if (!str_to_c(text, room, sizeof room) ||
	    inet_pton(family, room, found.octets) != 1)
		return false;
	*ip = found;
	return true;
}

bool ip4_parse(struct str text, struct ip *ip)
{
	return parse(text, AF_INET, IP4_BYTES, ip);
}

bool ip6_parse(struct str text, struct ip *ip)
{
	return parse(text, AF_INET6, IP6_BYTES, ip);
}

bool ip_parse(struct str text, struct ip *ip)
{
	static const unsigned char mapped[IP6_BYTES - IP4_BYTES] = {[10] = 0xff, 0xff};
	struct ip found;

	if (ip4_parse(text, ip))
		return true;
	if (!ip6_parse(text, &found))
		return false;
	if (memcmp(found.octets, mapped, sizeof mapped) != 0) {
		*ip = found;
		return true;
	}
	*ip = (struct ip){.len = IP4_BYTES};
	memcpy(ip->octets, found.octets + sizeof mapped, IP4_BYTES);
	return true;
}

bool ip_read(struct str data, struct ip *ip)
{
	if (data.len != IP4_BYTES && data.len != IP6_BYTES)
		return false;
	*ip = (struct ip){.len = data.len};
	memcpy(ip->octets, data.ptr, data.len);
	return true;
}

bool ip_same_prefix(const struct ip *a, const struct ip *b, unsigned bits)
{
	size_t whole = bits / 8;
	unsigned rest = bits % 8;

	if (a->len != b->len || bits > a->len * 8 ||
	    memcmp(a->octets, b->octets, whole) != 0)
		return false;
	return rest == 0 || (a->octets[whole] ^ b->octets[whole]) >> (8 - rest) == 0;
}

struct str ip_text(const struct ip *ip, char text[IP_TEXT_BYTES])
{
	int family = ip->len == IP4_BYTES ? AF_INET : AF_INET6;

	if (!inet_ntop(family, ip->octets, text, IP_TEXT_BYTES))
		text[0] = '\0';
	return str_c(text);
}

static unsigned nibble(const struct ip *ip, size_t place)
{
	unsigned octet = ip->octets[place / 2];

	return place % 2 ? octet & 15 : octet >> 4;
}

struct str ip_dotted(const struct ip *ip, char text[IP_NIBBLES_BYTES])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = 0;

	if (ip->len == IP4_BYTES)
		return ip_text(ip, text);
	for (size_t i = 0; i < 2 * IP6_BYTES; i++) {
		if (i > 0)
			text[len++] = '.';
		text[len++] = digits[nibble(ip, i)];
	}
	return (struct str){text, len};
}

void ip_add_reverse_name(const struct ip *ip, struct buf *name)
{
	if (ip->len == IP4_BYTES) {
		buf_printf(name, "%u.%u.%u.%u.in-addr.arpa", ip->octets[3], ip->octets[2],
			   ip->octets[1], ip->octets[0]);
		return;
	}
	for (size_t i = 2 * IP6_BYTES; i > 0; i--)
		buf_printf(name, "%x.", nibble(ip, i - 1));
	buf_add_c(name, "ip6.arpa");
}

bool ip_is_public(const struct ip *ip)
{
	static const struct {
		struct ip from;
		unsigned bits;
	} others[] = {
		{{{0}, IP4_BYTES}, 8},
		{{{10}, IP4_BYTES}, 8},
		{{{100, 64}, IP4_BYTES}, 10},
		{{{127}, IP4_BYTES}, 8},
		{{{169, 254}, IP4_BYTES}, 16},
		{{{172, 16}, IP4_BYTES}, 12},
		{{{192, 168}, IP4_BYTES}, 16},
		{{{224}, IP4_BYTES}, 3},
		{{{0}, IP6_BYTES}, 96}, /* "::", "::1" */
		{{{0xfc}, IP6_BYTES}, 7},
		{{{0xfe, 0x80}, IP6_BYTES}, 9}, /* and the old ones of sites */
		{{{0xff}, IP6_BYTES}, 8},
	};

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (ip_same_prefix(ip, &others[i].from, others[i].bits))
			return false;
	}
	return true;
}

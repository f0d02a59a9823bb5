#include "net/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/num.h"

enum { V4_BITS_BEFORE = 96 };

static const unsigned char v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

static void from_v4(const void *v4, unsigned char octets[16])
{
	memcpy(octets, v4_mapped, sizeof v4_mapped);
	memcpy(octets + sizeof v4_mapped, v4, 4);
}

/* ADDRESS or ADDRESS/BITS. */
static bool net_parse(struct str word, unsigned char octets[16], unsigned *bits)
{
	struct str text = str_cut(&word, '/');
	char text_c[ADDRESS_TEXT_BYTES];
	unsigned char v4[4];
	uint64_t number;

	if (!str_to_c(text, text_c, sizeof text_c))
		return false;
	bool is_v4 = inet_pton(AF_INET, text_c, v4) == 1;

	if (is_v4)
		from_v4(v4, octets);
	else if (inet_pton(AF_INET6, text_c, octets) != 1)
		return false;
	if (word.len == 0) {
		*bits = 128;
		return true;
	}
	if (!num_parse(word, is_v4 ? 32 : 128, &number))
		return false;
	*bits = (unsigned)number + (is_v4 ? V4_BITS_BEFORE : 0);
	return true;
}

bool networks_parse(struct str text, struct networks *networks)
{
	*networks = (struct networks){0};
	while (text.len > 0) {
		size_t len = 0;

		while (len < text.len && !memchr(" ,\t", text.ptr[len], 3))
			len++;
		struct str word = str_first(text, len);

		text = str_skip(text, len + 1);
		if (word.len == 0)
			continue;
		if (networks->count == NETWORKS_MAX ||
		    !net_parse(word, networks->nets[networks->count].octets,
			       &networks->nets[networks->count].bits))
			return false;
		networks->count++;
	}
	return true;
}

static bool octets_of(const struct address *address, unsigned char octets[16])
{
	if (address->socket.ss_family == AF_INET) {
		const struct sockaddr_in *v4 =
			(const struct sockaddr_in *)&address->socket;

		from_v4(&v4->sin_addr, octets);
		return true;
	}
	if (address->socket.ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 =
			(const struct sockaddr_in6 *)&address->socket;

		memcpy(octets, &v6->sin6_addr, 16);
		return true;
	}
	return false;
}

static bool starts_same(const unsigned char a[16], const unsigned char b[16],
			unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool networks_have(const struct networks *networks, const struct address *address)
{
	unsigned char octets[16];

	if (!octets_of(address, octets))
		return false;
	for (size_t i = 0; i < networks->count; i++) {
		if (starts_same(networks->nets[i].octets, octets, networks->nets[i].bits))
			return true;
	}
	return false;
}

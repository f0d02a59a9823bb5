#include "net/proxied.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/num.h"
#include "net/conn.h"
#include "wire/proxy/proxy.h"

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

bool proxies_parse(struct str text, struct proxies *proxies)
{
	*proxies = (struct proxies){0};
	while (text.len > 0) {
		size_t len = 0;

		while (len < text.len && !memchr(" ,\t", text.ptr[len], 3))
			len++;
		struct str word = str_first(text, len);

		text = str_skip(text, len + 1);
		if (word.len == 0)
			continue;
		if (proxies->count == PROXIES_MAX ||
		    !net_parse(word, proxies->nets[proxies->count].octets,
			       &proxies->nets[proxies->count].bits))
			return false;
		proxies->count++;
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

bool proxies_have(const struct proxies *proxies, const struct address *address)
{
	unsigned char octets[16];

	if (!octets_of(address, octets))
		return false;
	for (size_t i = 0; i < proxies->count; i++) {
		if (starts_same(proxies->nets[i].octets, octets, proxies->nets[i].bits))
			return true;
	}
	return false;
}

static struct address address_from(const struct proxy_header *header)
{
	struct address address = {0};

	if (header->family == PROXY_IPV4) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)&address.socket;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(header->source.port);
		memcpy(&v4->sin_addr, header->source.address, 4);
		address.len = sizeof *v4;
	} else {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.socket;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(header->source.port);
		memcpy(&v6->sin6_addr, header->source.address, 16);
		address.len = sizeof *v6;
	}
	return address;
}

err_t proxied_accept(struct conn *conn, struct address *peer)
{
	enum proxy_result result = PROXY_MORE;
	struct proxy_header header;
	struct str input;

	conn_deadline_s(conn, PROXIED_WAIT_S);
	TRY(conn_peek(conn, &input));
	while ((result = proxy_parse(input, &header)) == PROXY_MORE)
		TRY(conn_more(conn, PROXY_HEADER_MAX, &input));
	if (result == PROXY_MALFORMED)
		return ERR_SYNTAX;
	conn_take(conn, header.len);
	if (header.family == PROXY_REAL_ENDS)
		return OK;
	*peer = address_from(&header);
	conn_set_peer(conn, peer);
	return OK;
}

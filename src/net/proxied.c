#include "net/proxied.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/conn.h"
#include "wire/proxy/proxy.h"

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

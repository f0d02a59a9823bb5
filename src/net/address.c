#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"

enum { LISTEN_BACKLOG = 1024 };

static struct sockaddr_in *as_in4(struct address *address)
{
	return (struct sockaddr_in *)&address->socket;
}

static struct sockaddr_in6 *as_in6(struct address *address)
{
	return (struct sockaddr_in6 *)&address->socket;
}

static const struct sockaddr_in *in4(const struct address *address)
{
	return (const struct sockaddr_in *)&address->socket;
}

static const struct sockaddr_in6 *in6(const struct address *address)
{
	return (const struct sockaddr_in6 *)&address->socket;
}

static bool is_mapped(const struct address *address)
{
	return address->socket.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&in6(address)->sin6_addr);
}

bool address_parse(struct str text, struct address *address)
{
	bool is_ipv6 = str_starts(text, STR("["));
	size_t colon = str_rfind_byte(text, ':');
	struct str host = str_first(text, colon);
	char host_c[ADDRESS_TEXT_BYTES];
	struct address parsed = {0};
	uint64_t port;

	if (!num_parse(str_skip(text, colon + 1), 65535, &port))
		return false;
	if (is_ipv6) {
		if (!str_ends(host, STR("]")))
			return false;
		host = str_first(str_skip(host, 1), host.len - 2);
	}
	if (!str_to_c(host, host_c, sizeof host_c))
		return false;
	parsed.socket.ss_family = is_ipv6 ? AF_INET6 : AF_INET;
	parsed.len = is_ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	void *to = is_ipv6 ? (void *)&as_in6(&parsed)->sin6_addr
			   : (void *)&as_in4(&parsed)->sin_addr;

	if (inet_pton(parsed.socket.ss_family, host_c, to) != 1)
		return false;
	if (is_ipv6)
		as_in6(&parsed)->sin6_port = htons((uint16_t)port);
	else
		as_in4(&parsed)->sin_port = htons((uint16_t)port);
	*address = parsed;
	return true;
}

bool address_parse_host(struct str text, struct address *address)
{
	bool is_ipv6 = str_find_byte(text, ':') < text.len;
	char with_port[ADDRESS_TEXT_BYTES + 8];

	if (text.len >= ADDRESS_TEXT_BYTES)
		return false;
	int len = snprintf(with_port, sizeof with_port, is_ipv6 ? "[%.*s]:0" : "%.*s:0",
			   STR_FMT(text));

	return len > 0 && address_parse(str_c(with_port), address);
}

struct str address_text(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
	const void *from = NULL;
	int family = address->socket.ss_family;

	if (family == AF_INET)
		from = &in4(address)->sin_addr;
	else if (is_mapped(address))
		from = &in6(address)->sin6_addr.s6_addr[12];
	else if (family == AF_INET6)
		from = &in6(address)->sin6_addr;
	if (is_mapped(address))
		family = AF_INET;
	if (!from || !inet_ntop(family, from, text, ADDRESS_TEXT_BYTES))
		text[0] = '\0';
	return str_c(text);
}

struct str address_text_port(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
	char host[ADDRESS_TEXT_BYTES];
	struct str shown = address_text(address, host);
	bool is_ipv6 = str_find_byte(shown, ':') < shown.len;

	(void)snprintf(text, ADDRESS_TEXT_BYTES, is_ipv6 ? "[%.*s]:%u" : "%.*s:%u",
		       STR_FMT(str_first(shown, 48)), (unsigned)address_port(address));
	return str_c(text);
}

uint16_t address_port(const struct address *address)
{
	if (address->socket.ss_family == AF_INET)
		return ntohs(in4(address)->sin_port);
	if (address->socket.ss_family == AF_INET6)
		return ntohs(in6(address)->sin6_port);
	return 0;
}

bool address_is_loopback(const struct address *address)
{
	if (address->socket.ss_family == AF_UNIX)
		return true;
	if (address->socket.ss_family == AF_INET)
		return ntohl(in4(address)->sin_addr.s_addr) >> 24 == 127;
	if (is_mapped(address))
		return in6(address)->sin6_addr.s6_addr[12] == 127;
	return address->socket.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&in6(address)->sin6_addr);
}

void address_group(const struct address *address, unsigned char group[16])
{
	memset(group, 0, 16);
	if (address->socket.ss_family == AF_INET) {
		group[10] = group[11] = 0xff; /* as it would come by IPv6 */
		memcpy(group + 12, &in4(address)->sin_addr, 4);
	} else if (is_mapped(address)) {
		memcpy(group, &in6(address)->sin6_addr, 16);
	} else if (address->socket.ss_family == AF_INET6) {
		memcpy(group, &in6(address)->sin6_addr, 8);
	}
}

bool address_site(const struct address *address, unsigned char site[16])
{
	if (address->socket.ss_family != AF_INET6 || is_mapped(address))
		return false;
	memset(site, 0, 16);
	memcpy(site, &in6(address)->sin6_addr, 6);
	site[15] = 48; /* where a group has none */
	return true;
}

bool address_of_peer(int fd, struct address *address)
{
	*address = (struct address){.len = sizeof address->socket};
	return getpeername(fd, (struct sockaddr *)&address->socket, &address->len) == 0;
}

bool address_of_local(int fd, struct address *address)
{
	*address = (struct address){.len = sizeof address->socket};
	return getsockname(fd, (struct sockaddr *)&address->socket, &address->len) == 0;
}

static bool set(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

err_t address_listen(const struct address *address, int *fd)
{
	int family = address->socket.ss_family;
	char text[ADDRESS_TEXT_BYTES];

	*fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && set(*fd, SOL_SOCKET, SO_REUSEADDR) &&
	    set(*fd, SOL_SOCKET, SO_REUSEPORT) &&
	    (family != AF_INET6 || set(*fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
	    bind(*fd, (const struct sockaddr *)&address->socket, address->len) == 0 &&
	    listen(*fd, LISTEN_BACKLOG) == 0)
		return OK;
	int error = errno;

	LOG(ERROR, "cannot listen", KV_STR("address", address_text_port(address, text)),
	    KV("reason", strerror(error)));
	if (*fd >= 0)
		(void)close(*fd); /* never used */
	*fd = -1;
	return error == EACCES || error == EPERM ? ERR_DENIED : ERR_IO;
}

/* Internet addresses as text and as the system's structs, and the sockets bound to them.
 */
#pragma once

#include <sys/socket.h>

#include "base/str.h"

enum { ADDRESS_TEXT_BYTES = 64 }; /* enough for any, with its port */

struct address {
	struct sockaddr_storage socket;
	socklen_t len;
};

/* "192.0.2.1:25" or "[2001:db8::1]:25". */
[[nodiscard]] bool address_parse(struct str text, struct address *address);
/* "192.0.2.1" or "2001:db8::1", with port 0. */
[[nodiscard]] bool address_parse_host(struct str text, struct address *address);
/* The address without port, into a NUL-terminated array: "192.0.2.1", "2001:db8::1"; an
 * IPv4 address that came by IPv6 (::ffff:192.0.2.1) is shown as IPv4; "" for others. */
struct str address_text(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
/* With the port, as address_parse() reads it. */
struct str address_text_port(const struct address *address,
			     char text[ADDRESS_TEXT_BYTES]);
uint16_t address_port(const struct address *address);
/* Of this machine: 127.0.0.0/8, ::1, or a Unix socket. */
bool address_is_loopback(const struct address *address);
/* The 16 octets by which connections of one stranger are counted: an IPv4 address, or the
 * /64 of an IPv6 address, of which one stranger has all. */
void address_group(const struct address *address, unsigned char group[16]);
/* The same for the /48 that an IPv6 address is in; never the group of any address.  False
 * if it is not IPv6. */
bool address_site(const struct address *address, unsigned char site[16]);

/* The two ends of a connected socket; false if it has none. */
[[nodiscard]] bool address_of_peer(int fd, struct address *address);
[[nodiscard]] bool address_of_local(int fd, struct address *address);

/* A listening, non-blocking TCP socket with SO_REUSEPORT, so that each process of a door
 * binds its own and the kernel spreads connections; the caller closes *fd.  IPv6 sockets
 * take IPv6 only.  ERR_DENIED, or ERR_IO; logged. */
[[nodiscard]] err_t address_listen(const struct address *address, int *fd);

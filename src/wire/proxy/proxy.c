#include "wire/proxy/proxy.h"

#include <arpa/inet.h>

#include "base/num.h"

enum {
	V2_FIXED = 16, /* signature, version and command, family, length */
	LOCAL = 0x20,
	PROXY = 0x21,
	TCP4_BYTES = 12,
	TCP6_BYTES = 36,
	ADDRESS_TEXT_MAX = 46,
};

static const struct str v1_signature = {"PROXY ", 6};
static const struct str v2_signature = {"\r\n\r\n\0\r\nQUIT\n", 12};

static bool address_read(struct str text, int family, unsigned char address[16])
{
	char text_c[ADDRESS_TEXT_MAX];

	return str_to_c(text, text_c, sizeof text_c) &&
	       inet_pton(family, text_c, address) == 1;
}

/* "Heading zeroes are not permitted." */
static bool port_read(struct str text, uint16_t *port)
{
	uint64_t number;

	if ((text.len > 1 && text.ptr[0] == '0') || !num_parse(text, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* The line without "PROXY " and CRLF: protocol SP source SP target SP port SP port. */
static bool v1_line_read(struct str line, struct proxy_header *header)
{
	struct str rest = line;
	struct str protocol = str_cut(&rest, ' ');

	if (str_same(protocol, STR("UNKNOWN")))
		return true; /* the rest must be ignored */
	if (str_same(protocol, STR("TCP4")))
		header->family = PROXY_IPV4;
	else if (str_same(protocol, STR("TCP6")))
		header->family = PROXY_IPV6;
	else
		return false;
	int family = header->family == PROXY_IPV4 ? AF_INET : AF_INET6;

	return address_read(str_cut(&rest, ' '), family, header->source.address) &&
	       address_read(str_cut(&rest, ' '), family, header->target.address) &&
	       port_read(str_cut(&rest, ' '), &header->source.port) &&
	       port_read(rest, &header->target.port);
}

/* Neither a lone CR nor a lone LF ends the line. */
static enum proxy_result v1_parse(struct str input, struct proxy_header *header)
{
	struct str seen = str_first(input, PROXY_V1_MAX);
	size_t cr = str_find_byte(seen, '\r');

	if (str_find_byte(str_first(seen, cr), '\n') < cr)
		return PROXY_MALFORMED;
	if (cr + 1 >= seen.len)
		return seen.len < PROXY_V1_MAX ? PROXY_MORE : PROXY_MALFORMED;
	if (seen.ptr[cr + 1] != '\n' ||
	    !v1_line_read(str_skip(str_first(seen, cr), v1_signature.len), header))
		return PROXY_MALFORMED;
	header->len = cr + 2;
	return PROXY_WHOLE;
}

static uint16_t u16_at(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void ends_read(const unsigned char *at, size_t address_bytes,
		      struct proxy_header *header)
{
	memcpy(header->source.address, at, address_bytes);
	memcpy(header->target.address, at + address_bytes, address_bytes);
	header->source.port = u16_at(at + 2 * address_bytes);
	header->target.port = u16_at(at + 2 * address_bytes + 2);
}

/* What the address block of a PROXY command holds.  Datagrams and Unix sockets are valid
 * but nothing we could use, so they count as unspecified. */
static bool v2_block_read(unsigned char family, const unsigned char *block, size_t len,
			  struct proxy_header *header)
{
	if (family >> 4 > 3 || (family & 15) > 2)
		return false;
	if (family == 0x11) {
		if (len < TCP4_BYTES)
			return false;
		header->family = PROXY_IPV4;
		ends_read(block, 4, header);
	} else if (family == 0x21) {
		if (len < TCP6_BYTES)
			return false;
		header->family = PROXY_IPV6;
		ends_read(block, 16, header);
	}
	return true;
}

static enum proxy_result v2_parse(struct str input, struct proxy_header *header)
{
	const unsigned char *at = (const unsigned char *)input.ptr;

	if (input.len > 12 && at[12] != LOCAL && at[12] != PROXY)
		return PROXY_MALFORMED;
	if (input.len < V2_FIXED)
		return PROXY_MORE;
	header->len = (size_t)V2_FIXED + u16_at(at + 14);
	if (header->len > PROXY_HEADER_MAX)
		return PROXY_MALFORMED;
	if (input.len < header->len)
		return PROXY_MORE;
	if (at[12] == PROXY &&
	    !v2_block_read(at[13], at + V2_FIXED, header->len - V2_FIXED, header))
		return PROXY_MALFORMED;
	return PROXY_WHOLE;
}

/* True if one begins with the other. */
static bool agrees(struct str input, struct str signature)
{
	size_t len = input.len < signature.len ? input.len : signature.len;

	return str_same(str_first(input, len), str_first(signature, len));
}

enum proxy_result proxy_parse(struct str input, struct proxy_header *header)
{
	struct proxy_header found = {.family = PROXY_REAL_ENDS};
	enum proxy_result result = PROXY_MALFORMED;

	if (agrees(input, v1_signature))
		result = v1_parse(input, &found);
	else if (agrees(input, v2_signature))
		result = v2_parse(input, &found);
	if (result == PROXY_WHOLE)
		*header = found;
	return result;
}

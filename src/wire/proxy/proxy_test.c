#include "wire/proxy/proxy.h"

#include "base/test.h"

#define V2  "\r\n\r\n\0\r\nQUIT\n"
#define A16 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define B16 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"

/* The header is the same in whatever pieces it comes, and nothing after it matters. */
static enum proxy_result parse(struct str input, struct proxy_header *h)
{
	enum proxy_result result = PROXY_MORE;

	for (size_t len = 0; len <= input.len && result == PROXY_MORE; len++)
		result = proxy_parse(str_first(input, len), h);
	struct proxy_header at_once;

	CHECK(proxy_parse(input, &at_once) == result);
	if (result == PROXY_WHOLE)
		CHECK(memcmp(&at_once.source, &h->source, sizeof h->source) == 0 &&
		      at_once.len == h->len);
	return result;
}

TEST(reads_version_1)
{
	struct proxy_header h;

	CHECK(parse(STR("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nEHLO"), &h) ==
	      PROXY_WHOLE);
	CHECK(h.len == 47 && h.family == PROXY_IPV4);
	CHECK(memcmp(h.source.address, "\xc0\xa8\0\1", 4) == 0);
	CHECK(memcmp(h.target.address, "\xc0\xa8\0\13", 4) == 0);
	CHECK(h.source.port == 56324 && h.target.port == 443);
	CHECK(parse(STR("PROXY TCP6 2001:db8::1 2001:DB8::2 0 65535\r\n"), &h) ==
	      PROXY_WHOLE);
	CHECK(h.family == PROXY_IPV6 && h.source.port == 0 && h.target.port == 65535);
	CHECK(memcmp(h.source.address, A16, 16) == 0);
	CHECK(memcmp(h.target.address, B16, 16) == 0);
	CHECK(parse(STR("PROXY UNKNOWN\r\n"), &h) == PROXY_WHOLE);
	CHECK(h.family == PROXY_REAL_ENDS && h.len == 15);
	CHECK(parse(STR("PROXY UNKNOWN what ever\r\nx"), &h) == PROXY_WHOLE);
	CHECK(h.len == 25);
}

TEST(refuses_bad_version_1)
{
	static const char *const bad[] = {
		"EHLO",
		"PROXX",
		"PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\rx",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
		"PROXY TCP4 1.2.3.4\r\n",
		"PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n",
		"PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
		"PROXY TCP4 ::1 ::1 1 1\r\n",
		"PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY TCP6 ::1::2 ::1 1 1\r\n",
		"PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n",
		"PROXY unknown\r\n",
		"PROXY UNKNOWN\n",
		"proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
	};
	struct proxy_header h;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(parse(str_c(bad[i]), &h) == PROXY_MALFORMED);
	CHECK(parse(STR("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 1\r\n"), &h) == PROXY_MALFORMED);
}

TEST(a_version_1_line_has_107_octets_at_most)
{
	char line[200] = "PROXY UNKNOWN ";
	struct proxy_header h;

	memset(line + 14, 'x', sizeof line - 14);
	CHECK(parse((struct str){line, PROXY_V1_MAX - 1}, &h) == PROXY_MORE);
	CHECK(parse((struct str){line, PROXY_V1_MAX}, &h) == PROXY_MALFORMED);
	memcpy(line + 105, "\r\n", 2);
	CHECK(parse((struct str){line, sizeof line}, &h) == PROXY_WHOLE);
	CHECK(h.len == PROXY_V1_MAX);
	memcpy(line + 105, "x\r\n", 3);
	CHECK(parse((struct str){line, sizeof line}, &h) == PROXY_MALFORMED);
}

TEST(reads_version_2)
{
	struct proxy_header h;

	CHECK(parse(STR(V2 "\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\0\x19\1\0EHLO"), &h) ==
	      PROXY_WHOLE);
	CHECK(h.len == 28 && h.family == PROXY_IPV4);
	CHECK(memcmp(h.source.address, "\1\2\3\4", 4) == 0);
	CHECK(memcmp(h.target.address, "\5\6\7\x08", 4) == 0);
	CHECK(h.source.port == 25 && h.target.port == 256);
	CHECK(parse(STR(V2 "\x21\x21\0\x28" A16 B16 "\0\x19\xff\xff\4\0\1x"), &h) ==
	      PROXY_WHOLE);
	CHECK(h.len == 56 && h.family == PROXY_IPV6 && h.target.port == 65535);
	CHECK(memcmp(h.source.address, A16, 16) == 0);
}

TEST(local_and_unusable_addresses_mean_the_real_ends)
{
	static const char unix_block[216] = {1};
	static char unix_header[16 + 216] = V2 "\x21\x31\0\xd8";
	struct proxy_header h;

	CHECK(parse(STR(V2 "\x20\0\0\0"), &h) == PROXY_WHOLE);
	CHECK(h.len == 16 && h.family == PROXY_REAL_ENDS);
	CHECK(parse(STR(V2 "\x20\x11\0\x0c\1\2\3\4\5\6\7\x08\0\x19\1\0"), &h) ==
	      PROXY_WHOLE);
	CHECK(h.len == 28 && h.family == PROXY_REAL_ENDS && h.source.port == 0);
	CHECK(parse(STR(V2 "\x20\xff\0\1x"), &h) == PROXY_WHOLE);
	CHECK(h.len == 17);
	CHECK(parse(STR(V2 "\x21\0\0\3abc"), &h) == PROXY_WHOLE);
	CHECK(h.len == 19 && h.family == PROXY_REAL_ENDS);
	CHECK(parse(STR(V2 "\x21\x12\0\x0c\1\2\3\4\5\6\7\x08\0\x19\1\0"), &h) ==
	      PROXY_WHOLE);
	CHECK(h.family == PROXY_REAL_ENDS);
	memcpy(unix_header + 16, unix_block, sizeof unix_block);
	CHECK(parse((struct str){unix_header, sizeof unix_header}, &h) == PROXY_WHOLE);
	CHECK(h.family == PROXY_REAL_ENDS && h.len == 232);
}

TEST(refuses_bad_version_2)
{
	struct proxy_header h;

	CHECK(parse(STR("\r\n\r\nx"), &h) == PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x11\x11"), &h) == PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x22\x11"), &h) == PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x21\x41\0\0"), &h) == PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x21\x13\0\0"), &h) == PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x21\x11\0\x0b\1\2\3\4\5\6\7\x08\0\x19\1"), &h) ==
	      PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x21\x21\0\x0c\1\2\3\4\5\6\7\x08\0\x19\1\0"), &h) ==
	      PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x21\x11\x10\0"), &h) == PROXY_MORE);
	CHECK(parse(STR(V2 "\x21\x11\x10\1"), &h) == PROXY_MALFORMED);
	CHECK(parse(STR(V2 "\x21\x11\0\x0c"), &h) == PROXY_MORE);
}

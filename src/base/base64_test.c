#include "base/base64.h"

#include "base/mem.h"
#include "base/test.h"

/* RFC 4648 §10. */
static const struct {
	struct str bytes, text;
} vectors[] = {
	{STR(""), STR("")},
	{STR("f"), STR("Zg==")},
	{STR("fo"), STR("Zm8=")},
	{STR("foo"), STR("Zm9v")},
	{STR("foob"), STR("Zm9vYg==")},
	{STR("fooba"), STR("Zm9vYmE=")},
	{STR("foobar"), STR("Zm9vYmFy")},
	{STR("\xff\xfb\xef\0"), STR("//vvAA==")},
};

TEST(base64_goes_there_and_back)
{
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		buf_reset(&buf);
		base64_add(&buf, vectors[i].bytes);
		CHECK_STR(buf_str(&buf), vectors[i].text);
		buf_reset(&buf);
		CHECK(base64_decode(vectors[i].text, &buf));
		CHECK_STR(buf_str(&buf), vectors[i].bytes);
	}
	buf_fini(&buf);
}

/* The letter of six bits, said in another way than in base64.c. */
static char letter_of(unsigned six)
{
	static const char others[] = "0123456789+/";

	if (six < 26)
		return (char)('A' + six);
	return six < 52 ? (char)('a' + six - 26) : others[six - 52];
}

static void write_slowly(char *to, const unsigned char *from, size_t len)
{
	for (size_t i = 0; i < (len + 2) / 3 * 4; i++) {
		size_t at = i * 6 / 8, shift = i * 6 % 8;
		unsigned two = (at < len ? from[at] : 0u) << 8 |
			       (at + 1 < len ? from[at + 1] : 0u);

		to[i] = at < len ? letter_of(two >> (10 - shift) & 63) : '=';
	}
}

/* From any place behind, too, as long as the room does not end behind the octets. */
TEST(base64_of_any_length_may_be_written_over_its_octets)
{
	enum { MOST = 300, GAP = 4 };
	unsigned char bytes[MOST];
	char want[MOST * 2], room[MOST * 2];
	uint32_t x = 1;

	for (size_t i = 0; i < MOST; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	for (size_t len = 0; len <= MOST; len++) {
		size_t letters = (len + 2) / 3 * 4;

		write_slowly(want, bytes, len);
		for (size_t gap = 0; gap <= GAP; gap++) {
			char *from = room + (letters - len) + gap;

			memcpy(from, bytes, len);
			CHECK(base64_write(room, (struct str){from, len}) == letters);
			CHECK(memcmp(room, want, letters) == 0);
		}
	}
}

/* Nothing outside is read or written: each on memory of its own, for the sanitizer. */
TEST(base64_stays_inside)
{
	for (size_t len = 1; len < 200; len++) {
		char *from = mem_zeroed(len, 1), *to = mem_zeroed((len + 2) / 3, 4);

		CHECK(base64_write(to, (struct str){from, len}) == (len + 2) / 3 * 4);
		mem_free(from);
		mem_free(to);
	}
}

TEST(strict_base64_refuses_what_is_not_canonical)
{
	static const struct str bad[] = {
		STR("Zg"),       STR("Zg="),  STR("Zh=="),     STR("Zm9="),
		STR("Z==="),     STR("===="), STR("Zg==Zg=="), STR("Zm 9"),
		STR("Zm9v\r\n"), STR("Zm-v"), STR("Zg=a"),
	};
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(!base64_decode(bad[i], &buf));
		CHECK(buf.len == 0 && buf_ok(&buf));
	}
	buf.max = 2;
	CHECK(!base64_decode(STR("Zm9v"), &buf) && buf_ok(&buf));
	buf_fini(&buf);
}

TEST(a_base64_body_is_the_same_in_any_pieces)
{
	static const struct {
		struct str text, bytes;
	} cases[] = {
		{STR("Zm9v\r\nYmFy\r\n"), STR("foobar")},
		{STR("Z m!9\0v"), STR("foo")},
		{STR("Zg==Zm8=Zm9v"), STR("ffofoo")},
		{STR("Zm9vYg"), STR("foob")},
		{STR("Zm9vY"), STR("foo")},
		{STR("===="), STR("")},
	};
	struct buf buf = BUF(100);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t cut = 0; cut <= cases[i].text.len; cut++) {
			struct base64_body body = {0};

			buf_reset(&buf);
			base64_body_add(&body, str_first(cases[i].text, cut), &buf);
			base64_body_add(&body, str_skip(cases[i].text, cut), &buf);
			base64_body_end(&body, &buf);
			CHECK_STR(buf_str(&buf), cases[i].bytes);
		}
	}
	buf_fini(&buf);
}

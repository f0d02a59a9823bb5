#include "wire/auth/dkim_signature.h"

#include "base/test.h"

#define BH    "bh=4bLNXImK9drULnmePzZNEBleUanJCX5PIsDIFoH4KTQ=;"
#define SHORT "bh=AAECAwQFBgcICQoLDA0ODxAREhM=;" /* 20 octets */
#define GOOD                                                                             \
	"v=1; a=rsa-sha256; d=a.example; s=s1; h=From:To; " BH " b=AA"                   \
	"EC"
#define WITH(more) STR(GOOD "; " more)

static const struct {
	struct str value;
	enum dkim_flaw flaw;
} cases[] = {
	{STR(GOOD), DKIM_FINE},
	{WITH("c=relaxed/simple; q=dns/txt; t=1; x=2; l=7; i=@a.example"), DKIM_FINE},
	{WITH("i=joe@b.A.example; z=From:x|To:y; unknown=7"), DKIM_FINE},
	{WITH("q=dns/txt:other; l=000000000000000000000000007"), DKIM_FINE},
	{WITH("c="), DKIM_FINE},
	{STR(""), DKIM_MISSING},
	{STR("no tags"), DKIM_TAGS},
	{WITH("v=1"), DKIM_TAGS_TWICE},
	{STR("v=2; a=rsa-sha256; d=a.example; s=s1; h=From; " BH " b=AAEC"),
	 DKIM_VERSION},
	{STR("v=1; a=dsa-sha256; d=a.example; s=s1; h=From; " BH " b=AAEC"),
	 DKIM_ALGORITHM},
	{STR("v=1; a=rsa-sha1; d=a.example; s=s1; h=From; " SHORT " b=AAEC"), DKIM_FINE},
	{STR("v=1; a=rsa-sha1; d=a.example; s=s1; h=From; " BH " b=AAEC"), DKIM_BASE64},
	{STR("v=1; a=ed25519-sha256; d=a.example; s=s1; h=From; " SHORT " b=AAEC"),
	 DKIM_BASE64},
	{STR("v=1; a=rsa-sha256; d=a.example; s=s1; h=From; " BH " b="), DKIM_BASE64},
	{STR("v=1; a=rsa-sha256; d=a.example; s=s1; h=From; " BH " b=!"), DKIM_BASE64},
	{STR("v=1; a=rsa-sha256; d=a..example; s=s1; h=From; " BH " b=AAEC"),
	 DKIM_DOMAIN},
	{STR("v=1; a=rsa-sha256; d=; s=s1; h=From; " BH " b=AAEC"), DKIM_DOMAIN},
	{STR("v=1; a=rsa-sha256; d=a.example; s=; h=From; " BH " b=AAEC"), DKIM_DOMAIN},
	{STR("v=1; a=rsa-sha256; d=a b; s=x; h=From; " BH " b=AAEC"), DKIM_DOMAIN},
	{STR("v=1; a=rsa-sha256; d=\xc3\xa4.example; s=s; h=From; " BH " b=AAEC"),
	 DKIM_FINE}, /* RFC 8616 §5 */
	{STR("v=1; a=rsa-sha256; s=s1; h=From; " BH " b=AAEC"), DKIM_MISSING},
	{STR("v=1; a=rsa-sha256; d=a.example; s=s1; h=To; " BH " b=AAEC"), DKIM_FROM},
	{STR("v=1; a=rsa-sha256; d=a.example; s=s1; h=From::To; " BH " b=AAEC"),
	 DKIM_NAMES},
	{STR("v=1; a=rsa-sha256; d=a.example; s=s1; h=Fr om; " BH " b=AAEC"), DKIM_NAMES},
	{STR("v=1; a=rsa-sha256; d=a.example; s=s1; h= from : x\r\n\t: y; " BH " b=AAEC"),
	 DKIM_FINE},
	{WITH("i=joe"), DKIM_IDENTITY},
	{WITH("i=joe@example"), DKIM_IDENTITY},
	{WITH("i=joe@ba.example"), DKIM_IDENTITY},
	{WITH("i=joe@.a.example.org"), DKIM_IDENTITY},
	{WITH("c=strict"), DKIM_CANON},
	{WITH("c=simple/strict"), DKIM_CANON},
	{WITH("c=simple/"), DKIM_CANON},
	{WITH("q=http"), DKIM_QUERY},
	{WITH("q="), DKIM_QUERY},
	{WITH("l=-1"), DKIM_LENGTH},
	{WITH("l="), DKIM_LENGTH},
	{WITH("l=1234567890123456789012345678901234567890123456789012345678901234567890"
	      "1234567"),
	 DKIM_LENGTH},
	{WITH("t=x"), DKIM_TIME},
	{WITH("x=9999999999999999999x"), DKIM_TIME},
	{WITH("t=2; x=2"), DKIM_TIME},
};

TEST(dkim_signatures_are_read)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct dkim_signature signature;
		enum dkim_flaw flaw =
			dkim_signature_parse(cases[i].value, &arena, &signature);

		CHECK_STR(str_c(dkim_flaw_text(flaw)),
			  str_c(dkim_flaw_text(cases[i].flaw)));
	}
	arena_fini(&arena);
}

TEST(a_signature_says_what_it_covers)
{
	struct dkim_signature s;
	struct buf bare = BUF(1000);
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CHECK(dkim_signature_parse(STR(" v=1; a=Rsa-SHA256; d=a.example; b= AA\r\n EC ;"
				       " s=s1; h=From : to; " BH
				       " c=Relaxed; l=99999999999999999999999999;"
				       " t=12; x=13; i=joe@b.a.example"),
				   &arena, &s) == DKIM_FINE);
	CHECK(s.algorithm == DKIM_RSA_SHA256);
	CHECK_STR(str_c(dkim_algorithm_name(s.algorithm)), STR("rsa-sha256"));
	CHECK(s.header == DKIM_RELAXED && s.body == DKIM_SIMPLE);
	CHECK_STR(s.domain, STR("a.example"));
	CHECK_STR(s.selector, STR("s1"));
	CHECK_STR(s.identity, STR("joe@b.a.example"));
	CHECK_STR(s.identity_domain, STR("b.a.example"));
	CHECK(s.name_count == 2 && str_same(s.names[1], STR("to")));
	CHECK_STR(s.signature, STR("\0\1\2"));
	CHECK(s.body_hash.len == 32);
	CHECK(s.has_length && s.length == UINT64_MAX);
	CHECK(s.has_time && s.time == 12 && s.has_expiry && s.expiry == 13);
	dkim_signature_bare(&s, &bare);
	CHECK(str_starts(buf_str(&bare), STR(" v=1; a=Rsa-SHA256; d=a.example; b=; s=")));
	buf_fini(&bare);
	arena_fini(&arena);
}

TEST(a_signature_names_a_bounded_number_of_fields)
{
	struct buf value = BUF(10000);
	struct dkim_signature s;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	buf_add_c(&value, "v=1; a=rsa-sha256; d=a.example; s=s1; " BH " b=AAEC; h=From");
	for (int i = 1; i < DKIM_NAMES_MAX; i++)
		buf_add_c(&value, ":x");
	CHECK(dkim_signature_parse(buf_str(&value), &arena, &s) == DKIM_FINE);
	buf_add_c(&value, ":x");
	CHECK(dkim_signature_parse(buf_str(&value), &arena, &s) == DKIM_TOO_BIG);
	for (int i = 0; i < 100; i++)
		buf_printf(&value, "; x%d=", i);
	CHECK(dkim_signature_parse(buf_str(&value), &arena, &s) == DKIM_TOO_BIG);
	arena_fini(&arena);
	arena_init(&arena, 100);
	CHECK(dkim_signature_parse(STR(GOOD), &arena, &s) == DKIM_TOO_BIG);
	arena_fini(&arena);
	buf_fini(&value);
}

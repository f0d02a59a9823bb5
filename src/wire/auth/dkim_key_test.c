#include "wire/auth/dkim_key.h"

#include "base/test.h"

/* An RSA key of 1,024 bits, as SubjectPublicKeyInfo and as RSAPublicKey. */
#define RSA_KEY                                                                          \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6"               \
	"Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/"               \
	"e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G"               \
	"+2kryOTIKT+l/K4w3QIDAQAB"
#define BARE_RSA_KEY                                                                     \
	"MIGJAoGBAOQeU5CgFPNZGIazlXo2k/eJ1jpaTTxrmqF1HrDLlt04pvaMtCJj8nXo"               \
	"liLRC/H9vJjMI1vdb3XLcW60AIN/PBD8EL97/y4GwJH7LPUvGP48vqUe+owqszes"               \
	"biGy1PlCO8c70/OjFnJVgvMF87YR4Lcincb7aSvI5MgpP6X8rjDdAgMBAAE="
/* RFC 8463 §A.2 */
#define ED25519_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const struct {
	struct str record;
	enum dkim_key_flaw flaw;
	enum dkim_key_type type;
	bool is_testing, is_strict;
} cases[] = {
	{STR("v=DKIM1; g=*; k=rsa; p=" RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 0, 0},
	{STR("p=" RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 0, 0},
	{STR("p=" BARE_RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 0, 0},
	{STR("v=DKIM1;k=ed25519;p=" ED25519_KEY), DKIM_KEY_FINE, DKIM_KEY_ED25519, 0, 0},
	{STR("k=rsa; t=y:s; p=" RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 1, 1},
	{STR("t=s:other; p=" RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 0, 1},
	{STR("t=Y; p=" RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 0, 0},
	{STR("s=tlsrpt:email; h=sha1:sha256; n=no; p=" RSA_KEY), DKIM_KEY_FINE,
	 DKIM_KEY_RSA, 0, 0},
	{STR("s=*; p=" RSA_KEY), DKIM_KEY_FINE, DKIM_KEY_RSA, 0, 0},
	{STR("s=tlsrpt; p=" RSA_KEY), DKIM_KEY_OTHER_SERVICE, DKIM_KEY_RSA, 0, 0},
	{STR("h=sha1; p=" RSA_KEY), DKIM_KEY_OTHER_HASH, DKIM_KEY_RSA, 0, 0},
	{STR("k=ed25519-sha256; p=" RSA_KEY), DKIM_KEY_OTHER_TYPE, DKIM_KEY_RSA, 0, 0},
	{STR("v=DKIM1: g=*; p=" RSA_KEY), DKIM_KEY_OTHER_VERSION, DKIM_KEY_RSA, 0, 0},
	{STR("v=DKIM2; p=" RSA_KEY), DKIM_KEY_OTHER_VERSION, DKIM_KEY_RSA, 0, 0},
	{STR("p=" RSA_KEY "; v=DKIM1"), DKIM_KEY_OTHER_VERSION, DKIM_KEY_RSA, 0, 0},
	{STR("v=DKIM1; k=rsa"), DKIM_KEY_MISSING, DKIM_KEY_RSA, 0, 0},
	{STR(""), DKIM_KEY_MISSING, DKIM_KEY_RSA, 0, 0},
	{STR("v=DKIM1; p="), DKIM_KEY_REVOKED, DKIM_KEY_RSA, 0, 0},
	{STR("v=spf1 -all"), DKIM_KEY_OTHER_VERSION, DKIM_KEY_RSA, 0, 0},
	{STR("some words"), DKIM_KEY_SYNTAX, DKIM_KEY_RSA, 0, 0},
	{STR("p=?"), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0},
	{STR("p=AAAA"), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0},
	{STR("p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN"), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0},
	{STR("p=MIQAAAAA"), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0},
	{STR("p=MIAAAA=="), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0},
	{STR("p=MAYCAQACAQA="), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0}, /* 0, 0 */
	{STR("p=MAYCAYECAQM="), DKIM_KEY_DAMAGED, DKIM_KEY_RSA, 0, 0}, /* negative */
	{STR("k=ed25519; p=" RSA_KEY), DKIM_KEY_DAMAGED, DKIM_KEY_ED25519, 0, 0},
};

TEST(dkim_keys_are_read)
{
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct dkim_key key;
		enum dkim_key_flaw flaw = dkim_key_parse(cases[i].record, &arena, &key);

		CHECK(flaw == cases[i].flaw);
		CHECK(dkim_key_flaw_text(flaw)[0]);
		if (flaw != DKIM_KEY_FINE)
			continue;
		CHECK(key.type == cases[i].type);
		CHECK(key.is_testing == cases[i].is_testing);
		CHECK(key.is_strict == cases[i].is_strict);
		CHECK(dkim_key_bits(&key) == (key.type == DKIM_KEY_RSA ? 1024 : 256));
		if (key.type == DKIM_KEY_RSA)
			CHECK_STR(key.exponent, STR("\1\0\1"));
	}
	arena_fini(&arena);
}

TEST(bits_of_a_modulus_are_counted)
{
	struct dkim_key key = {.modulus = STR("\x7f\xff")};

	CHECK(dkim_key_bits(&key) == 15);
	key.modulus = STR("\1");
	CHECK(dkim_key_bits(&key) == 1);
	key.modulus = STR("\x80");
	CHECK(dkim_key_bits(&key) == 8);
}

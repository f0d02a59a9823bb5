#include "vaultd/scram_keys.h"

#include "base/base64.h"
#include "base/test.h"

static void decode(const char *text, void *to, size_t len)
{
	SCOPED(buf_fini) struct buf raw = BUF(100);

	CHECK(base64_decode(str_c(text), &raw) && raw.len == len);
	memcpy(to, raw.ptr, len);
}

/* RFC 7677 §3. */
TEST(the_example_of_rfc_7677_is_proved)
{
	struct scram_keys keys = {.iterations = 4096};
	unsigned char proof[32], want[32], got[32];
	struct str auth =
		STR("n=user,r=rOprNGfwEbeRWgbNEkqO,"
		    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
		    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");

	decode("W22ZaJ0SNY7soEsUEjb6gQ==", keys.salt, sizeof keys.salt);
	decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", proof, sizeof proof);
	decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", want, sizeof want);
	CHECK(scram_keys_derive(STR("pencil"), &keys));
	CHECK(scram_keys_prove(&keys, auth, proof, got));
	CHECK(memcmp(got, want, sizeof want) == 0);
	proof[31] ^= 1;
	CHECK(!scram_keys_prove(&keys, auth, proof, got));
	proof[31] ^= 1;
	CHECK(!scram_keys_prove(&keys, str_first(auth, auth.len - 1), proof, got));
}

TEST(invented_salts_stay_the_same)
{
	static const unsigned char secret[32] = "secret", other[32] = "other";
	struct scram_keys a, b;

	scram_keys_invent(secret, STR("Nobody"), &a);
	scram_keys_invent(secret, STR("nobody"), &b);
	CHECK(memcmp(a.salt, b.salt, sizeof a.salt) == 0);
	CHECK(a.iterations == SCRAM_ITERATIONS);
	CHECK(memcmp(a.stored_key, b.stored_key, sizeof a.stored_key) != 0);
	scram_keys_invent(secret, STR("nobody2"), &b);
	CHECK(memcmp(a.salt, b.salt, sizeof a.salt) != 0);
	scram_keys_invent(other, STR("nobody"), &b);
	CHECK(memcmp(a.salt, b.salt, sizeof a.salt) != 0);
}

TEST(a_nonce_is_good_for_its_own_exchange_and_a_while)
{
	static const unsigned char secret[32] = "secret";
	const struct scram_occasion mine = {1, 2, 3};
	const struct scram_occasion others[] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}};
	char letters[SCRAM_NONCE_BYTES];
	struct str nonce = {letters, sizeof letters};

	scram_nonce_make(secret, &mine, 1000000, letters);
	CHECK(scram_nonce_is_good(secret, &mine, 1000000, nonce));
	CHECK(scram_nonce_is_good(secret, &mine, 1000000 + SCRAM_NONCE_S, nonce));
	CHECK(!scram_nonce_is_good(secret, &mine, 1000001 + SCRAM_NONCE_S, nonce));
	CHECK(!scram_nonce_is_good(secret, &mine, 999999, nonce));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		CHECK(!scram_nonce_is_good(secret, &others[i], 1000000, nonce));
	CHECK(!scram_nonce_is_good(secret, &mine, 1000000, str_skip(nonce, 4)));
	letters[47] = letters[47] == 'A' ? 'B' : 'A';
	CHECK(!scram_nonce_is_good(secret, &mine, 1000000, nonce));
}

#include "wire/auth/scram.h"

#include "base/base64.h"
#include "base/test.h"

/* The example of RFC 7677 §3. */
#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define CLIENT_BARE  "n=user,r=" CLIENT_NONCE
#define SERVER_FIRST "r=" CLIENT_NONCE SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define FINAL_BARE   "c=biws,r=" CLIENT_NONCE SERVER_NONCE
#define PROOF        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SIGNATURE    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static void check_hash(const unsigned char hash[SCRAM_HASH_BYTES], struct str base64)
{
	struct buf buf = BUF(100);

	base64_add(&buf, (struct str){(const char *)hash, SCRAM_HASH_BYTES});
	CHECK_STR(buf_str(&buf), base64);
	buf_fini(&buf);
}

TEST(plays_the_example_as_the_server)
{
	struct scram_client_first first;
	struct scram_client_final final;
	struct buf buf = BUF(1000);
	struct arena arena;

	arena_init(&arena, 4096);
	CHECK(scram_client_first_parse(STR("n,," CLIENT_BARE), &arena, &first) ==
	      SCRAM_FINE);
	CHECK_STR(first.username, STR("user"));
	CHECK_STR(first.nonce, STR(CLIENT_NONCE));
	CHECK_STR(first.bare, STR(CLIENT_BARE));
	CHECK(scram_binding_check(&first, SCRAM_SHA_256, SCRAM_SHA_256_PLUS) ==
	      SCRAM_FINE);
	scram_server_first_add(
		&buf, first.nonce, STR(SERVER_NONCE),
		STR("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81"),
		4096);
	CHECK_STR(buf_str(&buf), STR(SERVER_FIRST));
	CHECK(scram_client_final_parse(STR(FINAL_BARE ",p=" PROOF), &final) ==
	      SCRAM_FINE);
	CHECK(scram_final_check(&final, &first, STR(CLIENT_NONCE SERVER_NONCE),
				STR("")) == SCRAM_FINE);
	check_hash(final.proof, STR(PROOF));
	buf_reset(&buf);
	scram_auth_message_add(&buf, first.bare, STR(SERVER_FIRST), final.without_proof);
	CHECK_STR(buf_str(&buf), STR(CLIENT_BARE "," SERVER_FIRST "," FINAL_BARE));
	buf_reset(&buf);
	scram_server_final_add(&buf, final.proof);
	CHECK_STR(buf_str(&buf), STR("v=" PROOF));
	arena_fini(&arena);
	buf_fini(&buf);
}

TEST(plays_the_example_as_the_client)
{
	struct scram_server_first first;
	struct scram_server_final final;
	struct buf buf = BUF(1000);
	struct arena arena;

	arena_init(&arena, 4096);
	gs2_header_add(&buf, GS2_NO_BINDING, GS2_CHANNEL_OTHER, STR(""));
	scram_client_first_bare_add(&buf, STR("user"), STR(CLIENT_NONCE));
	CHECK_STR(buf_str(&buf), STR("n,," CLIENT_BARE));
	CHECK(scram_server_first_parse(STR(SERVER_FIRST), STR(CLIENT_NONCE), &arena,
				       &first) == SCRAM_FINE);
	CHECK(first.iterations == 4096 && first.salt.len == 16);
	CHECK_STR(first.nonce, STR(CLIENT_NONCE SERVER_NONCE));
	buf_reset(&buf);
	scram_final_without_proof_add(&buf, STR("n,,"), STR(""), first.nonce);
	CHECK_STR(buf_str(&buf), STR(FINAL_BARE));
	CHECK(scram_server_final_parse(STR("v=" SIGNATURE ",x=y"), &final));
	CHECK(final.error == SCRAM_FINE);
	check_hash(final.signature, STR(SIGNATURE));
	buf_reset(&buf);
	scram_proof_add(&buf, final.signature);
	CHECK_STR(buf_str(&buf), STR(",p=" SIGNATURE));
	arena_fini(&arena);
	buf_fini(&buf);
}

static enum scram_error first_of(struct str message, struct scram_client_first *first)
{
	static struct arena arena;

	arena_reset(&arena);
	arena.max = 1 << 16;
	return scram_client_first_parse(message, &arena, first);
}

TEST(reads_names_and_extensions_of_the_first_message)
{
	struct scram_client_first f;

	CHECK(first_of(STR("y,a=x=2Cy,n=a=3Db\xc3\xa4,r=n,x=1,y=2=,z=\xc3\xa4"), &f) ==
	      SCRAM_FINE);
	CHECK_STR(f.gs2.authzid, STR("x,y"));
	CHECK_STR(f.username, STR("a=b\xc3\xa4"));
	CHECK_STR(f.nonce, STR("n"));
	CHECK_STR(f.gs2.text, STR("y,a=x=2Cy,"));
}

TEST(refuses_bad_first_messages)
{
	static const struct {
		struct str text;
		enum scram_error error;
	} cases[] = {
		{{"", 0}, SCRAM_INVALID_ENCODING},
		{{"n,,", 3}, SCRAM_INVALID_ENCODING},
		{{"x,,n=a,r=b", 10}, SCRAM_INVALID_ENCODING},
		{{"n,,m=a,n=a,r=b", 14}, SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{{"n,,n=a,r=b,m=a", 14}, SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{{"n,,n=a,r=b,x=a,m=a", 18}, SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{{"n,,n=a=,r=b", 11}, SCRAM_INVALID_USERNAME_ENCODING},
		{{"n,,n=a=2c,r=b", 13}, SCRAM_INVALID_USERNAME_ENCODING},
		{{"n,,n=a=41,r=b", 13}, SCRAM_INVALID_USERNAME_ENCODING},
		{{"n,,n=\xff,r=b", 9}, SCRAM_INVALID_USERNAME_ENCODING},
		{{"n,,n=\0,r=b", 9}, SCRAM_INVALID_USERNAME_ENCODING},
		{{"n,,n=,r=b", 9}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a", 6}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=", 9}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=a b", 12}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=\xc3\xa4", 11}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=\x7f", 10}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=b,", 11}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=b,x", 12}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=b,x=", 13}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=b,1=a", 14}, SCRAM_INVALID_ENCODING},
		{{"n,,n=a,r=b,x=\xff", 14}, SCRAM_INVALID_ENCODING},
		{{"n,,r=b,n=a", 10}, SCRAM_INVALID_ENCODING},
		{{"n,,N=a,r=b", 10}, SCRAM_INVALID_ENCODING},
	};
	struct scram_client_first f;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(first_of(cases[i].text, &f) == cases[i].error);
}

TEST(a_full_arena_is_no_fault_of_the_client)
{
	struct scram_client_first f;
	struct arena arena;

	arena_init(&arena, 3);
	CHECK(scram_client_first_parse(STR("n,,n=user,r=b"), &arena, &f) ==
	      SCRAM_NO_RESOURCES);
	arena_fini(&arena);
}

TEST(channel_binding_cannot_be_talked_down)
{
	struct scram_client_first f;

	CHECK(first_of(STR("y,,n=a,r=b"), &f) == SCRAM_FINE);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256, SCRAM_SHA_256_PLUS) ==
	      SCRAM_SERVER_DOES_SUPPORT_BINDING);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256, SCRAM_SHA_256) == SCRAM_FINE);
	CHECK(first_of(STR("n,,n=a,r=b"), &f) == SCRAM_FINE);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256_PLUS, SCRAM_SHA_256_PLUS) ==
	      SCRAM_BINDINGS_DONT_MATCH);
	CHECK(first_of(STR("p=tls-exporter,,n=a,r=b"), &f) == SCRAM_FINE);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256_PLUS, SCRAM_SHA_256_PLUS) ==
	      SCRAM_FINE);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256, SCRAM_SHA_256_PLUS) ==
	      SCRAM_BINDING_NOT_SUPPORTED);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256, SCRAM_SHA_256) ==
	      SCRAM_BINDING_NOT_SUPPORTED);
	CHECK(first_of(STR("p=tls-unique,,n=a,r=b"), &f) == SCRAM_FINE);
	CHECK(scram_binding_check(&f, SCRAM_SHA_256_PLUS, SCRAM_SHA_256_PLUS) ==
	      SCRAM_UNSUPPORTED_BINDING_TYPE);
}

TEST(the_final_message_must_fit_the_first_and_the_channel)
{
	struct scram_client_first first;
	struct scram_client_final final;
	struct buf buf = BUF(1000);

	CHECK(first_of(STR("p=tls-exporter,a=x,n=a,r=b"), &first) == SCRAM_FINE);
	scram_final_without_proof_add(&buf, first.gs2.text, STR("\1\2\3"), STR("bc"));
	buf_add(&buf, STR(",p=" PROOF));
	CHECK(scram_client_final_parse(buf_str(&buf), &final) == SCRAM_FINE);
	CHECK(scram_final_check(&final, &first, STR("bc"), STR("\1\2\3")) == SCRAM_FINE);
	CHECK(scram_final_check(&final, &first, STR("bd"), STR("\1\2\3")) ==
	      SCRAM_OTHER_ERROR);
	CHECK(scram_final_check(&final, &first, STR("bc"), STR("\1\2\4")) ==
	      SCRAM_BINDINGS_DONT_MATCH);
	CHECK(scram_final_check(&final, &first, STR("bc"), STR("")) ==
	      SCRAM_BINDINGS_DONT_MATCH);
	CHECK(first_of(STR("p=tls-exporter,a=y,n=a,r=b"), &first) == SCRAM_FINE);
	CHECK(scram_final_check(&final, &first, STR("bc"), STR("\1\2\3")) ==
	      SCRAM_BINDINGS_DONT_MATCH);
	buf_fini(&buf);
}

TEST(a_binding_beyond_all_bounds_does_not_match)
{
	static char much[20000];
	struct scram_client_first first;
	struct scram_client_final final;
	struct buf buf = BUF(100);

	memset(much, 'x', sizeof much);
	CHECK(first_of(STR("n,,n=a,r=b"), &first) == SCRAM_FINE);
	CHECK(scram_client_final_parse(STR("c=biws,r=bc,p=" PROOF), &final) ==
	      SCRAM_FINE);
	CHECK(scram_final_check(&final, &first, STR("bc"),
				(struct str){much, sizeof much}) ==
	      SCRAM_BINDINGS_DONT_MATCH);
	scram_final_without_proof_add(&buf, STR("n,,"), (struct str){much, sizeof much},
				      STR("bc"));
	CHECK(!buf_ok(&buf));
	buf_fini(&buf);
}

TEST(refuses_bad_final_messages)
{
	static const struct {
		const char *text;
		enum scram_error error;
	} cases[] = {
		{"", SCRAM_INVALID_ENCODING},
		{"c=biws", SCRAM_INVALID_ENCODING},
		{"c=biws,r=a", SCRAM_INVALID_ENCODING},
		{"r=a,c=biws,p=" PROOF, SCRAM_INVALID_ENCODING},
		{"c=biws,p=" PROOF, SCRAM_INVALID_ENCODING},
		{"c=biws,r=a b,p=" PROOF, SCRAM_INVALID_ENCODING},
		{"c=biws,r=a,p=" PROOF ",x=y", SCRAM_INVALID_ENCODING},
		{"c=biws,r=a,x,p=" PROOF, SCRAM_INVALID_ENCODING},
		{"c=biws,r=a,x=\xff,p=" PROOF, SCRAM_INVALID_ENCODING},
		{"m=a,c=biws,r=a,p=" PROOF, SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{"c=biws,r=a,m=b,p=" PROOF, SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{"c=biws,r=a,p=", SCRAM_INVALID_PROOF},
		{"c=biws,r=a,p=YQ==", SCRAM_INVALID_PROOF},
		{"c=biws,r=a,p=!HzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		 SCRAM_INVALID_PROOF},
		{"c=biws,r=a,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQa",
		 SCRAM_INVALID_PROOF},
		{"c=biws,r=a,x=y,p=" PROOF, SCRAM_FINE},
	};
	struct scram_client_final final;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(scram_client_final_parse(str_c(cases[i].text), &final) ==
		      cases[i].error);
}

TEST(a_client_refuses_bad_server_messages)
{
	static const struct {
		const char *text;
		enum scram_error error;
	} cases[] = {
		{"r=abc,s=YQ==,i=1,x=y", SCRAM_FINE},
		{"r=ab,s=YQ==,i=1", SCRAM_OTHER_ERROR},
		{"r=bbc,s=YQ==,i=1", SCRAM_OTHER_ERROR},
		{"m=x,r=abc,s=YQ==,i=1", SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{"r=abc,s=YQ==,i=1,m=x", SCRAM_EXTENSIONS_NOT_SUPPORTED},
		{"r=abc,s=YQ==,i=1,", SCRAM_INVALID_ENCODING},
		{"r=abc,s=YQ==,i=0", SCRAM_INVALID_ENCODING},
		{"r=abc,s=YQ==,i=01", SCRAM_INVALID_ENCODING},
		{"r=abc,s=YQ==,i=16777217", SCRAM_INVALID_ENCODING},
		{"r=abc,s=YQ,i=1", SCRAM_INVALID_ENCODING},
		{"r=abc,s=,i=1", SCRAM_INVALID_ENCODING},
		{"r=abc,i=1,s=YQ==", SCRAM_INVALID_ENCODING},
		{"r=abc\xff,s=YQ==,i=1", SCRAM_INVALID_ENCODING},
		{"e=other-error", SCRAM_INVALID_ENCODING},
	};
	struct scram_server_first first;
	struct scram_server_final final;
	struct arena arena;

	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(scram_server_first_parse(str_c(cases[i].text), STR("ab"), &arena,
					       &first) == cases[i].error);
	CHECK(!scram_server_final_parse(STR(""), &final));
	CHECK(!scram_server_final_parse(STR("v="), &final));
	CHECK(!scram_server_final_parse(STR("v=YQ=="), &final));
	CHECK(!scram_server_final_parse(STR("v=" SIGNATURE ",m=x"), &final));
	CHECK(!scram_server_final_parse(STR("e=other-error\xff"), &final));
	arena_fini(&arena);
}

TEST(errors_are_written_and_read)
{
	struct scram_server_final final;
	struct buf buf = BUF(1000);

	for (int i = SCRAM_FINE + 1; i <= SCRAM_OTHER_ERROR; i++) {
		buf_reset(&buf);
		scram_error_add(&buf, (enum scram_error)i);
		CHECK(scram_server_final_parse(buf_str(&buf), &final));
		CHECK(final.error == (enum scram_error)i);
	}
	CHECK_STR(buf_str(&buf), STR("e=other-error"));
	CHECK(scram_server_final_parse(STR("e=something-new,x=y"), &final));
	CHECK(final.error == SCRAM_OTHER_ERROR);
	buf_fini(&buf);
}

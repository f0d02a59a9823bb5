#include "vault/codec.h"

#include "base/test.h"

static struct vault_request round_trip(const struct vault_request *request,
				       struct buf *body)
{
	struct vault_request got = {0};

	buf_reset(body);
	vault_encode_request(body, request);
	CHECK(vault_decode_request((uint16_t)request->call, buf_str(body), &got));
	return got;
}

TEST(every_call_survives_its_way)
{
	SCOPED(buf_fini) struct buf body = BUF(4096);
	struct vault_request request = {
		.account = 7,
		.from_account = 8,
		.session = 1ull << 40,
		.password = STR("p\0w"),
		.peer = STR("192.0.2.1"),
		.host = STR("mail.example"),
		.chain_pem = STR("chain"),
		.key_pem = STR("key"),
		.key_id = STR("id"),
		.input = STR("digest"),
		.kind = VAULT_SIGN_RSA_RAW,
		.name = STR("ann"),
		.scram = {STR("n=ann,r=x"), STR("xyz"), STR("c=biws,r=xyz"),
			  STR("proof")},
		.proof = {STR("der"), STR("hash"), 0x0403, STR("signed")},
		.dkim = {STR("a.example"), STR("s1")},
		.dkim_kind = VAULT_DKIM_ED25519,
		.author = {9, STR("grant"), STR("ann")}};
	struct vault_request got;

	request.call = VAULT_CALL_VERIFY;
	got = round_trip(&request, &body);
	CHECK(got.account == 7 && got.session == 1ull << 40);
	CHECK_STR(got.password, STR("p\0w"));
	CHECK_STR(got.peer, STR("192.0.2.1"));
	request.call = VAULT_CALL_SHARE_PASSWORD;
	got = round_trip(&request, &body);
	CHECK(got.account == 7 && got.from_account == 8);
	request.call = VAULT_CALL_IMPORT;
	got = round_trip(&request, &body);
	CHECK_STR(got.host, STR("mail.example"));
	CHECK_STR(got.key_pem, STR("key"));
	request.call = VAULT_CALL_SIGN;
	got = round_trip(&request, &body);
	CHECK(got.kind == VAULT_SIGN_RSA_RAW);
	CHECK_STR(got.input, STR("digest"));
	request.call = VAULT_CALL_SCRAM_BEGIN;
	got = round_trip(&request, &body);
	CHECK(got.account == 7 && got.session == 1ull << 40);
	CHECK_STR(got.name, STR("ann"));
	request.call = VAULT_CALL_SCRAM_PROVE;
	got = round_trip(&request, &body);
	CHECK_STR(got.scram.client_first_bare, STR("n=ann,r=x"));
	CHECK_STR(got.scram.nonce, STR("xyz"));
	CHECK_STR(got.scram.final_without_proof, STR("c=biws,r=xyz"));
	CHECK_STR(got.scram.proof, STR("proof"));
	request.call = VAULT_CALL_PROVE_CERTIFICATE;
	got = round_trip(&request, &body);
	CHECK(got.session == 1ull << 40 && got.proof.scheme == 0x0403);
	CHECK_STR(got.proof.certificate, STR("der"));
	CHECK_STR(got.proof.transcript, STR("hash"));
	CHECK_STR(got.proof.signature, STR("signed"));
	request.call = VAULT_CALL_REMOVE_CERTIFICATE;
	got = round_trip(&request, &body);
	CHECK(got.account == 7);
	CHECK_STR(got.chain_pem, STR("chain"));
	request.call = VAULT_CALL_SIGN_DKIM;
	got = round_trip(&request, &body);
	CHECK(got.dkim_kind == VAULT_DKIM_ED25519);
	CHECK_STR(got.dkim.domain, STR("a.example"));
	CHECK_STR(got.dkim.selector, STR("s1"));
	CHECK_STR(got.input, STR("digest"));
	CHECK(got.author.account == 9);
	CHECK_STR(got.author.grant, STR("grant"));
	CHECK_STR(got.author.local, STR("ann"));
}

TEST(refuses_requests_that_are_too_long_or_too_much)
{
	SCOPED(buf_fini) struct buf body = BUF(4096);
	char password[VAULT_PASSWORD_MAX + 1] = {0};
	struct vault_request request = {.call = VAULT_CALL_SET_PASSWORD,
					.password = {password, sizeof password}};
	struct vault_request got;

	vault_encode_request(&body, &request);
	CHECK(!vault_decode_request(VAULT_CALL_SET_PASSWORD, buf_str(&body), &got));
	CHECK(!vault_decode_request(VAULT_CALL_TICKET_KEYS, STR("x"), &got));
	CHECK(!vault_decode_request(0, STR(""), &got));
	CHECK(!vault_decode_request(VAULT_REPLY, STR(""), &got));
	CHECK(!vault_decode_request(VAULT_CALL_SIGN, STR("\0\x02\0"), &got));
	CHECK(!vault_decode_request(VAULT_CALL_MAKE_DKIM, STR("\0\0\x02\0"), &got));
}

TEST(refuses_replies_with_no_known_outcome)
{
	struct vault_reply reply;

	CHECK(vault_decode_reply(STR("\x03\0\0"), &reply) &&
	      reply.outcome == VAULT_DENIED);
	CHECK(!vault_decode_reply(STR("\x06\0\0"), &reply));
	CHECK(!vault_decode_reply(STR("\0\0"), &reply));
	CHECK(!vault_decode_reply(STR(""), &reply));
}

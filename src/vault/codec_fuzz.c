#include "vault/codec.h"

/* What decodes is encoded again to octets that decode to the same. */
static void check_request(uint16_t type, struct str body)
{
	struct vault_request request, again;
	struct buf encoded = BUF(1 << 20);

	if (!vault_decode_request(type, body, &request))
		return;
	vault_encode_request(&encoded, &request);
	ASSERT(buf_ok(&encoded));
	ASSERT(vault_decode_request(type, buf_str(&encoded), &again));
	ASSERT(again.account == request.account && again.session == request.session);
	ASSERT(again.from_account == request.from_account && again.kind == request.kind);
	ASSERT(str_same(again.password, request.password));
	ASSERT(str_same(again.peer, request.peer) && str_same(again.host, request.host));
	ASSERT(str_same(again.chain_pem, request.chain_pem));
	ASSERT(str_same(again.key_pem, request.key_pem));
	ASSERT(str_same(again.key_id, request.key_id));
	ASSERT(str_same(again.input, request.input));
	ASSERT(str_same(again.name, request.name));
	ASSERT(str_same(again.scram.client_first_bare, request.scram.client_first_bare));
	ASSERT(str_same(again.scram.nonce, request.scram.nonce));
	ASSERT(str_same(again.scram.final_without_proof,
			request.scram.final_without_proof));
	ASSERT(str_same(again.scram.proof, request.scram.proof));
	ASSERT(str_same(again.proof.certificate, request.proof.certificate));
	ASSERT(str_same(again.proof.transcript, request.proof.transcript));
	ASSERT(again.proof.scheme == request.proof.scheme);
	ASSERT(str_same(again.proof.signature, request.proof.signature));
	ASSERT(str_same(again.dkim.domain, request.dkim.domain));
	ASSERT(str_same(again.dkim.selector, request.dkim.selector));
	ASSERT(again.dkim_kind == request.dkim_kind);
	ASSERT(again.author.account == request.author.account);
	ASSERT(str_same(again.author.grant, request.author.grant));
	ASSERT(str_same(again.author.local, request.author.local));
	buf_fini(&encoded);
}

static void check_reply(struct str body)
{
	struct vault_reply reply, again;
	struct buf encoded = BUF(1 << 20);

	if (!vault_decode_reply(body, &reply))
		return;
	vault_encode_reply(&encoded, &reply);
	ASSERT(vault_decode_reply(buf_str(&encoded), &again));
	ASSERT(again.outcome == reply.outcome && str_same(again.first, reply.first) &&
	       str_same(again.second, reply.second));
	buf_fini(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union {
		const uint8_t *octets;
		const char *text;
	} input = {data};

	if (size == 0)
		return 0;
	struct str body = {input.text + 1, size - 1};
	check_request(data[0], body);
	check_reply(body);
	return 0;
}

#include "vault/codec.h"

static void encode_scram(struct buf *body, const struct vault_request *request)
{
	enc_u32(body, request->account);
	enc_u64(body, request->session);
	enc_str(body, request->peer);
	enc_str(body, request->scram.client_first_bare);
	enc_str(body, request->scram.nonce);
	enc_str(body, request->scram.final_without_proof);
	enc_str(body, request->scram.proof);
}

static void encode_certificate(struct buf *body, const struct vault_request *request)
{
	enc_u64(body, request->session);
	enc_str(body, request->peer);
	enc_str(body, request->proof.certificate);
	enc_str(body, request->proof.transcript);
	enc_u16(body, request->proof.scheme);
	enc_str(body, request->proof.signature);
}

static void encode_dkim(struct buf *body, const struct vault_request *request)
{
	enc_str(body, request->dkim.domain);
	enc_str(body, request->dkim.selector);
	enc_u8(body, (uint8_t)request->dkim_kind);
	enc_str(body, request->input);
	enc_u32(body, request->author.account);
	enc_str(body, request->author.grant);
	enc_str(body, request->author.local);
}

void vault_encode_request(struct buf *body, const struct vault_request *request)
{
	switch (request->call) {
	case VAULT_CALL_VERIFY:
		enc_u32(body, request->account);
		enc_u64(body, request->session);
		enc_str(body, request->password);
		enc_str(body, request->peer);
		break;
	case VAULT_CALL_SET_PASSWORD:
		enc_u32(body, request->account);
		enc_str(body, request->password);
		break;
	case VAULT_CALL_SHARE_PASSWORD:
		enc_u32(body, request->account);
		enc_u32(body, request->from_account);
		break;
	case VAULT_CALL_FORGET:
		enc_u32(body, request->account);
		break;
	case VAULT_CALL_CERTIFICATE:
		enc_str(body, request->host);
		break;
	case VAULT_CALL_IMPORT:
		enc_str(body, request->host);
		enc_str(body, request->chain_pem);
		enc_str(body, request->key_pem);
		break;
	case VAULT_CALL_TICKET_KEYS:
	case VAULT_CALL_COPY:
	case VAULT_CALL_HOT_COUNTS:
		break;
	case VAULT_CALL_COUNTS:
		enc_str(body, request->counts);
		break;
	case VAULT_CALL_SIGN:
		enc_str(body, request->key_id);
		enc_u8(body, (uint8_t)request->kind);
		enc_str(body, request->input);
		break;
	case VAULT_CALL_SCRAM_BEGIN:
		enc_u32(body, request->account);
		enc_u64(body, request->session);
		enc_str(body, request->peer);
		enc_str(body, request->name);
		break;
	case VAULT_CALL_SCRAM_PROVE:
		encode_scram(body, request);
		break;
	case VAULT_CALL_PROVE_CERTIFICATE:
		encode_certificate(body, request);
		break;
	case VAULT_CALL_ADD_CERTIFICATE:
	case VAULT_CALL_REMOVE_CERTIFICATE:
		enc_u32(body, request->account);
		enc_str(body, request->chain_pem);
		break;
	case VAULT_CALL_LIST_CERTIFICATES:
		enc_u32(body, request->account);
		break;
	case VAULT_CALL_MAKE_DKIM:
	case VAULT_CALL_DKIM_RECORD:
	case VAULT_CALL_SIGN_DKIM:
	case VAULT_CALL_FORGET_DKIM:
		encode_dkim(body, request);
		break;
	case VAULT_REPLY:
		ASSERT(false); /* not a request */
	}
}

static struct str bounded(struct dec *dec, size_t max)
{
	struct str s = dec_str(dec);

	if (s.len > max)
		dec->failed = true;
	return s;
}

static enum vault_sign_kind decode_kind(struct dec *dec)
{
	uint8_t kind = dec_u8(dec);

	if (kind != VAULT_SIGN_ECDSA && kind != VAULT_SIGN_RSA_RAW)
		dec->failed = true;
	return kind == VAULT_SIGN_ECDSA ? VAULT_SIGN_ECDSA : VAULT_SIGN_RSA_RAW;
}

static void decode_scram(struct dec *dec, struct vault_request *request)
{
	request->account = dec_u32(dec);
	request->session = dec_u64(dec);
	request->peer = bounded(dec, VAULT_PEER_MAX);
	request->scram.client_first_bare = bounded(dec, VAULT_SCRAM_MAX);
	request->scram.nonce = bounded(dec, VAULT_SCRAM_MAX);
	request->scram.final_without_proof = bounded(dec, VAULT_SCRAM_MAX);
	request->scram.proof = bounded(dec, VAULT_SCRAM_PROOF_BYTES);
}

static void decode_certificate(struct dec *dec, struct vault_request *request)
{
	request->session = dec_u64(dec);
	request->peer = bounded(dec, VAULT_PEER_MAX);
	request->proof.certificate = bounded(dec, TLS_PROOF_CERTIFICATE_MAX);
	request->proof.transcript = bounded(dec, TLS_PROOF_HASH_MAX);
	request->proof.scheme = dec_u16(dec);
	request->proof.signature = bounded(dec, TLS_PROOF_SIGNATURE_MAX);
}

static void decode_dkim(struct dec *dec, struct vault_request *request)
{
	request->dkim.domain = bounded(dec, VAULT_HOST_MAX);
	request->dkim.selector = bounded(dec, VAULT_SELECTOR_MAX);
	uint8_t kind = dec_u8(dec);

	if (kind != VAULT_DKIM_RSA && kind != VAULT_DKIM_ED25519)
		dec->failed = true;
	request->dkim_kind = kind == VAULT_DKIM_RSA ? VAULT_DKIM_RSA : VAULT_DKIM_ED25519;
	request->input = bounded(dec, VAULT_DKIM_HASH_BYTES);
	request->author.account = dec_u32(dec);
	request->author.grant = bounded(dec, VAULT_GRANT_MAX);
	request->author.local = bounded(dec, VAULT_LOCAL_MAX);
}

static void decode_counts(struct dec *dec, struct vault_request *request)
{
	request->counts = bounded(dec, (size_t)VAULT_COUNTS_MAX * VAULT_COUNT_BYTES);
	if (request->counts.len % VAULT_COUNT_BYTES != 0)
		dec->failed = true;
}

static bool decode_fields(struct dec *dec, uint16_t type, struct vault_request *request)
{
	switch (type) {
	case VAULT_CALL_VERIFY:
		request->account = dec_u32(dec);
		request->session = dec_u64(dec);
		request->password = bounded(dec, VAULT_PASSWORD_MAX);
		request->peer = bounded(dec, VAULT_PEER_MAX);
		return true;
	case VAULT_CALL_SET_PASSWORD:
		request->account = dec_u32(dec);
		request->password = bounded(dec, VAULT_PASSWORD_MAX);
		return true;
	case VAULT_CALL_SHARE_PASSWORD:
		request->account = dec_u32(dec);
		request->from_account = dec_u32(dec);
		return true;
	case VAULT_CALL_FORGET:
	case VAULT_CALL_LIST_CERTIFICATES:
		request->account = dec_u32(dec);
		return true;
	case VAULT_CALL_CERTIFICATE:
		request->host = bounded(dec, VAULT_HOST_MAX);
		return true;
	case VAULT_CALL_IMPORT:
		request->host = bounded(dec, VAULT_HOST_MAX);
		request->chain_pem = bounded(dec, VAULT_PEM_MAX);
		request->key_pem = bounded(dec, VAULT_PEM_MAX);
		return true;
	case VAULT_CALL_TICKET_KEYS:
	case VAULT_CALL_COPY:
	case VAULT_CALL_HOT_COUNTS:
		return true;
	case VAULT_CALL_COUNTS:
		decode_counts(dec, request);
		return true;
	case VAULT_CALL_SIGN:
		request->key_id = bounded(dec, VAULT_KEY_ID_MAX);
		request->kind = decode_kind(dec);
		request->input = bounded(dec, VAULT_SIGN_INPUT_MAX);
		return true;
	case VAULT_CALL_SCRAM_BEGIN:
		request->account = dec_u32(dec);
		request->session = dec_u64(dec);
		request->peer = bounded(dec, VAULT_PEER_MAX);
		request->name = bounded(dec, VAULT_NAME_MAX);
		return true;
	case VAULT_CALL_SCRAM_PROVE:
		decode_scram(dec, request);
		return true;
	case VAULT_CALL_PROVE_CERTIFICATE:
		decode_certificate(dec, request);
		return true;
	case VAULT_CALL_ADD_CERTIFICATE:
	case VAULT_CALL_REMOVE_CERTIFICATE:
		request->account = dec_u32(dec);
		request->chain_pem = bounded(dec, VAULT_PEM_MAX);
		return true;
	case VAULT_CALL_MAKE_DKIM:
	case VAULT_CALL_DKIM_RECORD:
	case VAULT_CALL_SIGN_DKIM:
	case VAULT_CALL_FORGET_DKIM:
		decode_dkim(dec, request);
		return true;
	default: /* a number from outside, no enum */
		return false;
	}
}

bool vault_decode_request(uint16_t type, struct str body, struct vault_request *request)
{
	struct dec dec = dec_over(body);
	struct vault_request found = {0};

	if (!decode_fields(&dec, type, &found) || !dec_done(&dec))
		return false;
	found.call = (enum vault_call)type;
	*request = found;
	return true;
}

void vault_encode_reply(struct buf *body, const struct vault_reply *reply)
{
	enc_u8(body, (uint8_t)reply->outcome);
	enc_str(body, reply->first);
	enc_str(body, reply->second);
}

bool vault_decode_reply(struct str body, struct vault_reply *reply)
{
	struct dec dec = dec_over(body);
	uint8_t outcome = dec_u8(&dec);
	struct vault_reply found = {.first = bounded(&dec, VAULT_REPLY_MAX),
				    .second = bounded(&dec, VAULT_REPLY_MAX)};

	if (!dec_done(&dec) || outcome > VAULT_OUTCOME_LAST)
		return false;
	found.outcome = (enum vault_outcome)outcome;
	*reply = found;
	return true;
}

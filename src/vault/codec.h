/* The messages between the others and the vault process: what vault.h's calls look like
 * on a channel (rt/ipc.h).
 *
 * A request's frame type is the call, its body the fields that the call needs.  A reply
 * is of type VAULT_REPLY: one octet of enum vault_outcome, then two strings, empty where
 * the call gives less; a refusal's first may be how many ms late to answer it.  Decoders
 * take any octets and enforce the bounds below; what they give borrows the input.
 */
#pragma once

#include "base/codec.h"
#include "net/tls_proof.h"
#include "vault/vault.h"

enum vault_call {
	VAULT_CALL_VERIFY = 1,     /* account, password, peer, session -> grant, or u32 */
	VAULT_CALL_SET_PASSWORD,   /* account, password */
	VAULT_CALL_SHARE_PASSWORD, /* account, from_account */
	VAULT_CALL_FORGET,         /* account */
	VAULT_CALL_CERTIFICATE,    /* host -> chain, key id */
	VAULT_CALL_IMPORT,         /* host, chain, key */
	VAULT_CALL_TICKET_KEYS,    /* -> keys */
	VAULT_CALL_SIGN,           /* key id, kind, input -> signature */
	VAULT_CALL_SCRAM_BEGIN,    /* account, peer, session, name -> enc of struct
				    * vault_scram */
	VAULT_CALL_SCRAM_PROVE,    /* account, peer, session, bare, nonce, final, proof ->
				    * grant and signature, or u32 */
	VAULT_CALL_COPY,           /* comes with a descriptor */
	VAULT_CALL_PROVE_CERTIFICATE,  /* peer, session, certificate, transcript, scheme,
					* signature -> grant and u32 account, or u32 */
	VAULT_CALL_ADD_CERTIFICATE,    /* account, chain */
	VAULT_CALL_REMOVE_CERTIFICATE, /* account, chain */
	VAULT_CALL_LIST_CERTIFICATES,  /* account -> fingerprints */
	VAULT_CALL_COUNTS,             /* {16 octets, u32} ... -> u32 ... */
	VAULT_CALL_HOT_COUNTS,         /* -> {16 octets, u32} ... */
	/* These four alike: domain, selector, kind, hash, author's account, grant, local,
	 * empty where one is not needed: */
	VAULT_CALL_MAKE_DKIM,   /* -> record */
	VAULT_CALL_DKIM_RECORD, /* -> record */
	VAULT_CALL_SIGN_DKIM,   /* -> signature */
	VAULT_CALL_FORGET_DKIM,
	VAULT_REPLY = 64,
};

enum {
	VAULT_PASSWORD_MAX = 1024,
	VAULT_PEER_MAX = 64,
	VAULT_HOST_MAX = 253,
	VAULT_PEM_MAX = 64 * 1024,
	VAULT_KEY_ID_MAX = 64,
	VAULT_SIGN_INPUT_MAX = 1024,
	VAULT_SELECTOR_MAX = 128,
	VAULT_GRANT_MAX = 256,
	VAULT_LOCAL_MAX = 1024,
	VAULT_NAME_MAX = 1024,
	VAULT_SCRAM_MAX = 16 * 1024, /* one of its messages */
	VAULT_COUNT_BYTES = 20,      /* of a count, with its key */
	VAULT_REPLY_MAX = 2 * VAULT_PEM_MAX,
};

struct vault_request {
	enum vault_call call;
	uint32_t account, from_account;
	uint64_t session;
	struct str password, peer, host, chain_pem, key_pem, key_id, input;
	enum vault_sign_kind kind;
	struct str name;
	struct vault_scram_proof scram;
	struct tls_proof proof;
	struct str counts;      /* whole ones */
	struct vault_dkim dkim; /* with input: the hash */
	struct vault_author author;
	enum vault_dkim_kind dkim_kind;
};

struct vault_reply {
	enum vault_outcome outcome;
	struct str first, second;
};

void vault_encode_request(struct buf *body, const struct vault_request *request);
[[nodiscard]] bool vault_decode_request(uint16_t type, struct str body,
					struct vault_request *request);
void vault_encode_reply(struct buf *body, const struct vault_reply *reply);
[[nodiscard]] bool vault_decode_reply(struct str body, struct vault_reply *reply);

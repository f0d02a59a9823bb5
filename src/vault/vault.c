#include "vault/vault.h"

#include "base/log.h"
#include "base/mem.h"
#include "rt/ipc.h"
#include "text/saslprep.h"
#include "vault/codec.h"

enum {
	CALL_SECONDS = 30, /* a crowd waits for its hashes */
	SIGN_MS = 5000,
	REQUEST_BYTES_MAX = 3 * VAULT_PEM_MAX,
};

struct vault {
	struct ipc *ipc; /* NULL while there is no vault process */
	struct waiters connected;
};

static void on_gone(struct ipc *ipc, void *arg)
{
	struct vault *vault = arg;

	if (vault->ipc == ipc)
		ipc_close(&vault->ipc);
}

struct vault *vault_open(int fd)
{
	struct vault *vault = NEW(struct vault);

	if (fd >= 0)
		vault_reconnect(vault, fd);
	return vault;
}

void vault_close(struct vault **vault)
{
	if (!*vault)
		return;
	ipc_close(&(*vault)->ipc);
	mem_free(*vault);
	*vault = NULL;
}

void vault_reconnect(struct vault *vault, int fd)
{
	ipc_close(&vault->ipc);
	vault->ipc = ipc_open("vault", fd, NULL, on_gone, vault);
	wake_all(&vault->connected);
}

/* Every request may be repeated after a restart: none does more the second time, except
 * raising a generation once more, which harms nobody. */
static enum vault_outcome exchange(struct vault *vault, uint16_t type, struct str body,
				   int fd, struct buf *answer, struct vault_reply *reply)
{
	deadline_t deadline = deadline_s(CALL_SECONDS);
	uint16_t reply_type;
	err_t err;

	do {
		while (!vault->ipc || !ipc_is_open(vault->ipc)) {
			if (wait_on(&vault->connected, deadline) != OK)
				return VAULT_LATER;
		}
		buf_reset(answer);
		err = ipc_call(vault->ipc, type, body, fd, deadline, &reply_type, answer,
			       NULL);
	} while (err == ERR_CLOSED);
	if (err == OK && reply_type == VAULT_REPLY &&
	    vault_decode_reply(buf_str(answer), reply))
		return reply->outcome;
	LOG(WARN, "vault does not answer", KV("error", err_text(err)));
	return VAULT_LATER;
}

static void wipe(struct buf *buf)
{
	if (buf->ptr)
		explicit_bzero(buf->ptr, buf->room);
	buf_fini(buf);
}

/* fd goes with it, if not -1; first and second may be NULL. */
static enum vault_outcome call_with(struct vault *vault,
				    const struct vault_request *request, int fd,
				    struct buf *first, struct buf *second)
{
	SCOPED(wipe) struct buf body = BUF(REQUEST_BYTES_MAX);
	SCOPED(wipe) struct buf answer = BUF(2 * VAULT_REPLY_MAX);
	struct vault_reply reply = {0};

	/* In one piece, so that no copy of a secret is left behind by growing. */
	(void)buf_room(&body, 64 + request->password.len + request->peer.len +
				      request->host.len + request->chain_pem.len +
				      request->key_pem.len + request->counts.len);
	vault_encode_request(&body, request);
	if (!buf_ok(&body))
		return VAULT_REFUSED;
	enum vault_outcome outcome = exchange(vault, (uint16_t)request->call,
					      buf_str(&body), fd, &answer, &reply);
	if (first) /* a refusal may have something to say too */
		buf_add(first, reply.first);
	if (outcome == VAULT_OK && second)
		buf_add(second, reply.second);
	return outcome;
}

static enum vault_outcome call(struct vault *vault, const struct vault_request *request,
			       struct buf *first, struct buf *second)
{
	return call_with(vault, request, -1, first, second);
}

enum vault_outcome vault_copy(struct vault *vault, int fd)
{
	const struct vault_request request = {.call = VAULT_CALL_COPY};

	return call_with(vault, &request, fd, NULL, NULL);
}

/* A password as it is compared, RFC 4616 §2; where none is left, it is nobody's. */
static bool prepare(struct str password, struct buf *prepared)
{
	return buf_room(prepared, 4 * VAULT_PASSWORD_MAX) &&
	       saslprep_add(prepared, password) && prepared->len <= VAULT_PASSWORD_MAX;
}

static struct vault_request request_of(enum vault_call call,
				       const struct vault_caller *caller)
{
	return (struct vault_request){.call = call,
				      .account = caller->account,
				      .peer = str_first(caller->peer, VAULT_PEER_MAX),
				      .session = caller->session};
}

/* A secret was shown. */
static enum vault_outcome show(struct vault *vault, const struct vault_request *request,
			       struct vault_answer *answer)
{
	SCOPED(wipe) struct buf first = BUF(VAULT_REPLY_MAX);
	enum vault_outcome outcome = call(vault, request, &first, answer->signature);

	if (outcome == VAULT_OK)
		buf_add(answer->grant, buf_str(&first));
	if (outcome == VAULT_REFUSED && first.len > 0) {
		struct dec dec = dec_over(buf_str(&first));

		answer->delay_ms = dec_u32(&dec);
	}
	return outcome;
}

enum vault_outcome vault_verify(struct vault *vault, const struct vault_caller *caller,
				struct str password, struct vault_answer *answer)
{
	SCOPED(wipe) struct buf prepared = BUF(4 * VAULT_PASSWORD_MAX);
	struct vault_request request = request_of(VAULT_CALL_VERIFY, caller);

	if (!prepare(password, &prepared))
		return VAULT_REFUSED; /* nobody has such a one */
	request.password = buf_str(&prepared);
	return show(vault, &request, answer);
}

enum vault_outcome vault_scram_begin(struct vault *vault,
				     const struct vault_caller *caller, struct str name,
				     struct vault_scram *begun)
{
	struct vault_request request = request_of(VAULT_CALL_SCRAM_BEGIN, caller);
	SCOPED(buf_fini) struct buf first = BUF(VAULT_REPLY_MAX);

	request.name = str_first(name, VAULT_NAME_MAX);
	enum vault_outcome outcome = call(vault, &request, &first, NULL);

	if (outcome != VAULT_OK)
		return outcome;
	struct dec dec = dec_over(buf_str(&first));

	begun->iterations = dec_u32(&dec);
	struct str salt = dec_bytes(&dec, sizeof begun->salt);
	struct str nonce = dec_bytes(&dec, sizeof begun->nonce);

	if (!dec_done(&dec) || begun->iterations == 0)
		return VAULT_LATER;
	memcpy(begun->salt, salt.ptr, salt.len);
	memcpy(begun->nonce, nonce.ptr, nonce.len);
	return VAULT_OK;
}

enum vault_outcome vault_scram_prove(struct vault *vault,
				     const struct vault_caller *caller,
				     const struct vault_scram_proof *proof,
				     struct vault_answer *answer)
{
	struct vault_request request = request_of(VAULT_CALL_SCRAM_PROVE, caller);

	request.scram = *proof;
	return show(vault, &request, answer);
}

struct tally_key vault_account_key(uint32_t account)
{
	struct tally_key key = {{[8] = 'a'}}; /* no address has that (net/address.h) */

	memcpy(key.octets + 12, &account, sizeof account);
	return key;
}

enum vault_outcome vault_counts(struct vault *vault, struct tally_item *items,
				size_t count)
{
	SCOPED(buf_fini) struct buf told = BUF(VAULT_COUNTS_MAX * VAULT_COUNT_BYTES);
	SCOPED(buf_fini) struct buf heard = BUF(VAULT_COUNTS_MAX * sizeof(uint32_t));

	for (size_t i = 0; i < count; i++) {
		buf_add(&told,
			(struct str){(const char *)items[i].key.octets, TALLY_KEY_BYTES});
		enc_u32(&told, items[i].count);
	}
	const struct vault_request request = {.call = VAULT_CALL_COUNTS,
					      .counts = buf_str(&told)};
	enum vault_outcome outcome = call(vault, &request, &heard, NULL);
	struct dec dec = dec_over(buf_str(&heard));

	if (outcome != VAULT_OK)
		return outcome;
	for (size_t i = 0; i < count; i++)
		items[i].count = dec_u32(&dec);
	return dec_done(&dec) ? VAULT_OK : VAULT_LATER;
}

enum vault_outcome vault_prove_certificate(struct vault *vault,
					   const struct tls_proof *proof,
					   const struct vault_caller *caller,
					   uint32_t *account, struct vault_answer *answer)
{
	struct vault_request request = request_of(VAULT_CALL_PROVE_CERTIFICATE, caller);
	SCOPED(buf_fini) struct buf owner = BUF(VAULT_REPLY_MAX);
	struct vault_answer got = {.grant = answer->grant, .signature = &owner};

	request.proof = *proof;
	enum vault_outcome outcome = show(vault, &request, &got);

	answer->delay_ms = got.delay_ms;
	if (outcome != VAULT_OK)
		return outcome;
	struct dec dec = dec_over(buf_str(&owner));

	*account = dec_u32(&dec);
	return dec_done(&dec) && *account != 0 ? VAULT_OK : VAULT_LATER;
}

static enum vault_outcome change_certificate(struct vault *vault, enum vault_call how,
					     uint32_t account, struct str pem)
{
	const struct vault_request request = {
		.call = how, .account = account, .chain_pem = pem};

	if (pem.len > VAULT_PEM_MAX)
		return VAULT_REFUSED;
	return call(vault, &request, NULL, NULL);
}

enum vault_outcome vault_add_certificate(struct vault *vault, uint32_t account,
					 struct str pem)
{
	return change_certificate(vault, VAULT_CALL_ADD_CERTIFICATE, account, pem);
}

enum vault_outcome vault_remove_certificate(struct vault *vault, uint32_t account,
					    struct str pem)
{
	return change_certificate(vault, VAULT_CALL_REMOVE_CERTIFICATE, account, pem);
}

enum vault_outcome vault_list_certificates(struct vault *vault, uint32_t account,
					   struct buf *fingerprints)
{
	const struct vault_request request = {.call = VAULT_CALL_LIST_CERTIFICATES,
					      .account = account};

	return call(vault, &request, fingerprints, NULL);
}

enum vault_outcome vault_hot_counts(struct vault *vault, struct tally_item *items,
				    size_t *count)
{
	const struct vault_request request = {.call = VAULT_CALL_HOT_COUNTS};
	SCOPED(buf_fini) struct buf hot = BUF(VAULT_COUNTS_MAX * VAULT_COUNT_BYTES);
	enum vault_outcome outcome = call(vault, &request, &hot, NULL);
	struct dec dec = dec_over(buf_str(&hot));

	for (*count = 0; dec_ok(&dec) && dec.rest.len > 0; (*count)++) {
		struct str octets = dec_bytes(&dec, TALLY_KEY_BYTES);

		items[*count].count = dec_u32(&dec);
		if (dec_ok(&dec))
			memcpy(items[*count].key.octets, octets.ptr, TALLY_KEY_BYTES);
	}
	return outcome == VAULT_OK && !dec_ok(&dec) ? VAULT_LATER : outcome;
}

enum vault_outcome vault_set_password(struct vault *vault, uint32_t account,
				      struct str password)
{
	SCOPED(wipe) struct buf prepared = BUF(4 * VAULT_PASSWORD_MAX);
	struct vault_request request = {.call = VAULT_CALL_SET_PASSWORD,
					.account = account};

	if (!prepare(password, &prepared))
		return VAULT_REFUSED;
	request.password = buf_str(&prepared);
	return call(vault, &request, NULL, NULL);
}

enum vault_outcome vault_share_password(struct vault *vault, uint32_t account,
					uint32_t from_account)
{
	const struct vault_request request = {.call = VAULT_CALL_SHARE_PASSWORD,
					      .account = account,
					      .from_account = from_account};

	return call(vault, &request, NULL, NULL);
}

enum vault_outcome vault_forget(struct vault *vault, uint32_t account)
{
	const struct vault_request request = {.call = VAULT_CALL_FORGET,
					      .account = account};

	return call(vault, &request, NULL, NULL);
}

enum vault_outcome vault_certificate(struct vault *vault, struct str host,
				     struct buf *chain_pem, struct buf *key_id)
{
	const struct vault_request request = {.call = VAULT_CALL_CERTIFICATE,
					      .host = host};

	return call(vault, &request, chain_pem, key_id);
}

enum vault_outcome vault_make_dkim(struct vault *vault, const struct vault_dkim *name,
				   enum vault_dkim_kind kind, struct buf *record)
{
	const struct vault_request request = {
		.call = VAULT_CALL_MAKE_DKIM, .dkim = *name, .dkim_kind = kind};

	return call(vault, &request, record, NULL);
}

enum vault_outcome vault_dkim_record(struct vault *vault, const struct vault_dkim *name,
				     struct buf *record)
{
	const struct vault_request request = {.call = VAULT_CALL_DKIM_RECORD,
					      .dkim = *name};

	return call(vault, &request, record, NULL);
}

enum vault_outcome vault_sign_dkim(struct vault *vault, const struct vault_dkim *name,
				   const struct vault_author *author,
				   const unsigned char hash[VAULT_DKIM_HASH_BYTES],
				   struct buf *signature)
{
	const struct vault_request request = {
		.call = VAULT_CALL_SIGN_DKIM,
		.dkim = *name,
		.author = author ? *author : (struct vault_author){.account = 0},
		.input = {(const char *)hash, VAULT_DKIM_HASH_BYTES}};

	return call(vault, &request, signature, NULL);
}

enum vault_outcome vault_forget_dkim(struct vault *vault, const struct vault_dkim *name)
{
	const struct vault_request request = {.call = VAULT_CALL_FORGET_DKIM,
					      .dkim = *name};

	return call(vault, &request, NULL, NULL);
}

enum vault_outcome vault_import_certificate(struct vault *vault, struct str host,
					    struct str chain_pem, struct str key_pem)
{
	const struct vault_request request = {.call = VAULT_CALL_IMPORT,
					      .host = host,
					      .chain_pem = chain_pem,
					      .key_pem = key_pem};

	if (chain_pem.len > VAULT_PEM_MAX || key_pem.len > VAULT_PEM_MAX)
		return VAULT_REFUSED;
	return call(vault, &request, NULL, NULL);
}

enum vault_outcome vault_ticket_keys(struct vault *vault, struct buf *keys)
{
	const struct vault_request request = {.call = VAULT_CALL_TICKET_KEYS};

	return call(vault, &request, keys, NULL);
}

bool vault_sign(int sign_fd, struct str key_id, enum vault_sign_kind kind,
		struct str input, struct buf *signature)
{
	const struct vault_request request = {
		.call = VAULT_CALL_SIGN, .key_id = key_id, .kind = kind, .input = input};
	SCOPED(buf_fini) struct buf body = BUF(REQUEST_BYTES_MAX);
	SCOPED(buf_fini) struct buf answer = BUF(VAULT_REPLY_MAX);
	struct vault_reply reply;
	uint16_t type;

	vault_encode_request(&body, &request);
	if (!buf_ok(&body) ||
	    ipc_call_blocking(sign_fd, VAULT_CALL_SIGN, buf_str(&body), SIGN_MS, &type,
			      &answer) != OK ||
	    type != VAULT_REPLY || !vault_decode_reply(buf_str(&answer), &reply) ||
	    reply.outcome != VAULT_OK)
		return false;
	buf_add(signature, reply.first);
	return true;
}

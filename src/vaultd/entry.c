/* Logging in: is the secret right, may one try at all, and is there room? */
#include <time.h>

#include "base/hash.h"
#include "vaultd/client_certificate.h"
#include "vaultd/state.h"

static void give_grant(const struct channel *channel, const struct vault_request *request,
		       uint32_t account, uint32_t generation, struct buf *grant)
{
	const struct grant made = {.account = account,
				   .generation = generation,
				   .rights = GRANT_ALL,
				   .channel = channel->number,
				   .session = request->session,
				   .expires_at = (int64_t)time(NULL) + GRANT_SECONDS};

	grant_make(channel->vaultd->grant_key, &made, grant);
}

static enum vault_outcome admit(struct channel *channel,
				const struct vault_request *request, uint32_t account,
				uint32_t generation, struct buf *grant)
{
	guard_succeeded(channel->vaultd->guard, account, request->peer);
	if (channel->door && !guard_door_enter(channel->door, account, request->peer))
		return VAULT_CROWDED;
	give_grant(channel, request, account, generation, grant);
	return VAULT_OK;
}

static enum vault_outcome refuse(const struct channel *channel,
				 const struct vault_request *request, struct str shown,
				 struct buf *delay_ms)
{
	uint64_t guess = hash64_number(request->account) ^ hash64(shown);

	enc_u32(delay_ms, guard_failed(channel->vaultd->guard, request->account,
				       request->peer, guess));
	return VAULT_REFUSED;
}

enum vault_outcome on_verify(struct channel *channel, const struct vault_request *request,
			     struct buf *first)
{
	struct vaultd *vaultd = channel->vaultd;
	uint32_t generation;

	if (guard_refuses(vaultd->guard, request->account, request->peer))
		return VAULT_BANNED;
	enum vault_outcome outcome =
		verifier_ask(vaultd->verifier, request->account, request->password,
			     request->peer, &generation);

	if (outcome == VAULT_REFUSED)
		return refuse(channel, request, request->password, first);
	if (outcome != VAULT_OK)
		return outcome;
	/* Who tries many at once must not learn which was right. */
	if (guard_refuses(vaultd->guard, request->account, request->peer))
		return VAULT_BANNED;
	return admit(channel, request, request->account, generation, first);
}

static struct scram_occasion occasion_of(const struct channel *channel,
					 const struct vault_request *request)
{
	return (struct scram_occasion){channel->number, request->session,
				       request->account};
}

/* The account's record, with invented keys if it has none.  False if it cannot be read.
 */
static bool scram_record(struct vaultd *vaultd, const struct vault_request *request,
			 struct password *record)
{
	*record = (struct password){0};
	if (request->account != 0 &&
	    secrets_password(vaultd->secrets, request->account, record) != OK)
		return false;
	if (!record->is_set || record->scram.iterations == 0)
		scram_keys_invent(vaultd->scram_key, request->name, &record->scram);
	return true;
}

enum vault_outcome on_scram_begin(struct channel *channel,
				  const struct vault_request *request, struct buf *begun)
{
	struct vaultd *vaultd = channel->vaultd;
	struct scram_occasion occasion = occasion_of(channel, request);
	char nonce[SCRAM_NONCE_BYTES];
	struct password record;

	if (guard_refuses(vaultd->guard, request->account, request->peer))
		return VAULT_BANNED;
	if (!scram_record(vaultd, request, &record))
		return VAULT_LATER;
	scram_nonce_make(vaultd->scram_key, &occasion, (int64_t)time(NULL), nonce);
	enc_u32(begun, record.scram.iterations);
	buf_add(begun, (struct str){(const char *)record.scram.salt, SCRAM_SALT_BYTES});
	buf_add(begun, (struct str){nonce, sizeof nonce});
	explicit_bzero(&record, sizeof record);
	return VAULT_OK;
}

/* The server's first message is made again from what is stored, never taken from the
 * door. */
static void auth_message_add(struct buf *out, const struct vault_scram_proof *said,
			     const struct scram_keys *keys)
{
	SCOPED(buf_fini) struct buf server_first = BUF(2 * VAULT_SCRAM_MAX);
	size_t client_len = said->nonce.len - SCRAM_NONCE_BYTES;

	scram_server_first_add(&server_first, str_first(said->nonce, client_len),
			       str_skip(said->nonce, client_len),
			       (struct str){(const char *)keys->salt, SCRAM_SALT_BYTES},
			       keys->iterations);
	scram_auth_message_add(out, said->client_first_bare, buf_str(&server_first),
			       said->final_without_proof);
}

enum vault_outcome on_scram_prove(struct channel *channel,
				  const struct vault_request *request, struct buf *first,
				  struct buf *signature)
{
	struct vaultd *vaultd = channel->vaultd;
	const struct vault_scram_proof *said = &request->scram;
	struct scram_occasion occasion = occasion_of(channel, request);
	SCOPED(buf_fini) struct buf auth_message = BUF(5 * VAULT_SCRAM_MAX);
	unsigned char proof[SCRAM_KEY_BYTES], shown[SCRAM_KEY_BYTES];
	struct password record;

	if (guard_refuses(vaultd->guard, request->account, request->peer))
		return VAULT_BANNED;
	if (said->proof.len != sizeof proof || said->nonce.len <= SCRAM_NONCE_BYTES ||
	    !scram_nonce_is_valid(said->nonce) ||
	    !scram_nonce_is_good(
		    vaultd->scram_key, &occasion, (int64_t)time(NULL),
		    str_skip(said->nonce, said->nonce.len - SCRAM_NONCE_BYTES)))
		return refuse(channel, request, said->proof, first);
	if (!scram_record(vaultd, request, &record))
		return VAULT_LATER;
	memcpy(proof, said->proof.ptr, sizeof proof);
	auth_message_add(&auth_message, said, &record.scram);
	bool is_right =
		buf_ok(&auth_message) &&
		scram_keys_prove(&record.scram, buf_str(&auth_message), proof, shown);

	explicit_bzero(&record.scram, sizeof record.scram);
	if (!is_right) /* one password gives another proof each time, so all count */
		return refuse(channel, request, said->proof, first);
	buf_add(signature, (struct str){(const char *)shown, sizeof shown});
	return admit(channel, request, request->account, record.generation, first);
}

/* Nobody guesses a certificate of somebody's, so only the address can have failed too
 * often. */
enum vault_outcome on_prove_certificate(struct channel *channel,
					const struct vault_request *request,
					struct buf *first, struct buf *owner)
{
	struct secrets *secrets = channel->vaultd->secrets;
	SCOPED(buf_fini) struct buf fingerprint = BUF(FINGERPRINT_BYTES);
	struct password record;
	uint32_t account = 0;

	if (guard_refuses(channel->vaultd->guard, 0, request->peer))
		return VAULT_BANNED;
	if (!client_certificate_name(&request->proof, &fingerprint))
		return VAULT_LATER;
	err_t err =
		secrets_certificate(secrets, buf_str(&fingerprint), &account, &record);
	uint32_t generation = err == OK ? record.generation : 0;

	explicit_bzero(&record, sizeof record);
	if (err != OK && err != ERR_ABSENT && err != ERR_DENIED)
		return VAULT_LATER;
	if (err != OK || !client_certificate_proves(&request->proof))
		return refuse(channel, request, buf_str(&fingerprint), first);
	enc_u32(owner, account);
	return admit(channel, request, account, generation, first);
}

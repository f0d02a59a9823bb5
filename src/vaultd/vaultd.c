#include "vaultd/vaultd.h"

#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "vault/link.h"
#include "vaultd/client_certificate.h"
#include "vaultd/state.h"

enum {
	REVOKE_WAIT_S = 3,
	WAITING_MAX = 256, /* some seconds of work */
	PAIR_BYTES = 8,
	FIND_AGAIN_MS = 1000,
};
_Static_assert((int)LINK_KEY_BYTES == (int)GRANT_KEY_BYTES, "one key");
_Static_assert((int)SCRAM_KEY_BYTES == (int)GRANT_KEY_BYTES, "open_key() makes both");
_Static_assert((int)SCRAM_NONCE_BYTES == (int)VAULT_SCRAM_NONCE_BYTES &&
		       (int)SCRAM_SALT_BYTES == (int)VAULT_SCRAM_SALT_BYTES &&
		       (int)SCRAM_KEY_BYTES == (int)VAULT_SCRAM_PROOF_BYTES,
	       "what vault.h promises");

/* ---- the link to the store --------------------------------------------------------- */

static bool tell_store(struct vaultd *vaultd, uint16_t type, struct str body,
		       deadline_t deadline)
{
	SCOPED(buf_fini) struct buf nothing = BUF(64);
	uint16_t reply;

	return vaultd->store && ipc_call(vaultd->store, type, body, -1, deadline, &reply,
					 &nothing, NULL) == OK;
}

/* A store that cannot be told now has no grants that matter: it learns of all changes
 * when its next link is made, before doors present theirs again. */
static void revoke_older(struct vaultd *vaultd, uint32_t account, uint32_t generation)
{
	SCOPED(buf_fini) struct buf pair = BUF(PAIR_BYTES);

	verifier_forget(vaultd->verifier, account);
	if (generation < 2)
		return; /* there was nothing before */
	enc_u32(&pair, account);
	enc_u32(&pair, generation);
	if (!tell_store(vaultd, LINK_REVOKE, buf_str(&pair), deadline_s(REVOKE_WAIT_S)))
		LOG(WARN, "store not told of revocation", KV_INT("account", account));
}

/* What is dead, as far as a grant that is not might still name it; ERR_CANCELED when we
 * end.  Without it the store may let nobody in, so there is nothing but trying again. */
static err_t find_dead(struct vaultd *vaultd, struct buf *pairs)
{
	int64_t since = (int64_t)time(NULL) - GRANT_SECONDS;

	while (secrets_changed_since(vaultd->secrets, since, pairs) != OK) {
		LOG(ERROR, "revocations unknown");
		buf_reset(pairs);
		TRY(task_sleep_ms(FIND_AGAIN_MS));
	}
	return OK;
}

/* First what is dead, then the key: without it no grant is good.  A store may take its
 * time, since it opens its files before it listens; only a newer link ends the wait. */
static void greet_store(void *arg)
{
	struct vaultd *vaultd = arg;
	SCOPED(buf_fini) struct buf pairs = BUF(SIZE_MAX);
	uint64_t link = vaultd->links;

	if (find_dead(vaultd, &pairs) != OK)
		return;
	struct str rest = buf_str(&pairs);
	while (rest.len > 0 && vaultd->links == link) {
		struct str some = str_first(rest, LINK_REVOKE_MAX * PAIR_BYTES);

		if (!tell_store(vaultd, LINK_REVOKE, some, NEVER))
			return;
		rest = str_skip(rest, some.len);
	}
	if (vaultd->links == link)
		(void)tell_store(
			vaultd, LINK_GRANT_KEY,
			(struct str){(const char *)vaultd->grant_key, GRANT_KEY_BYTES},
			NEVER); /* if it is gone, its next link is greeted */
}

static void on_store_gone(struct ipc *ipc, void *arg)
{
	struct vaultd *vaultd = arg;

	if (vaultd->store == ipc)
		ipc_close(&vaultd->store);
}

void vaultd_link(struct vaultd *vaultd, int fd)
{
	ipc_close(&vaultd->store);
	vaultd->links++;
	vaultd->store = ipc_open("store link", fd, NULL, on_store_gone, vaultd);
	(void)task_start("greet store", greet_store, vaultd);
}

/* ---- calls ------------------------------------------------------------------------- */

static enum vault_outcome on_counts(struct channel *channel,
				    const struct vault_request *request,
				    struct buf *elsewhere)
{
	return channel->door && guard_door_tell(channel->door, request->counts, elsewhere)
		       ? VAULT_OK
		       : VAULT_DENIED;
}

static enum vault_outcome outcome_of(err_t err)
{
	if (err == OK)
		return VAULT_OK;
	return err == ERR_ABSENT || err == ERR_DENIED ? VAULT_REFUSED : VAULT_LATER;
}

static enum vault_outcome on_change_certificate(struct vaultd *vaultd,
						const struct vault_request *request)
{
	SCOPED(buf_fini) struct buf fingerprint = BUF(FINGERPRINT_BYTES);
	uint32_t generation = 0;

	if (request->account == 0 ||
	    !client_certificate_read(request->chain_pem, &fingerprint))
		return VAULT_REFUSED;
	if (request->call == VAULT_CALL_ADD_CERTIFICATE)
		return outcome_of(secrets_add_certificate(
			vaultd->secrets, request->account, buf_str(&fingerprint)));
	err_t err = secrets_remove_certificate(vaultd->secrets, request->account,
					       buf_str(&fingerprint), &generation);
	if (err == OK)
		revoke_older(vaultd, request->account, generation);
	return outcome_of(err);
}

static enum vault_outcome on_set_password(struct vaultd *vaultd,
					  const struct vault_request *request)
{
	struct password fresh = {.scram.iterations = SCRAM_ITERATIONS};
	uint32_t generation = 0;

	if (request->account == 0)
		return VAULT_REFUSED;
	rand_bytes(fresh.salt, sizeof fresh.salt);
	err_t err = hasher_run(vaultd->hasher, STR("ctl"), request->password, fresh.salt,
			       fresh.hash);
	rand_bytes(fresh.scram.salt, sizeof fresh.scram.salt);
	if (err == OK)
		err = hasher_derive(vaultd->hasher, STR("ctl"), request->password,
				    &fresh.scram);
	if (err == OK)
		err = secrets_set_password(vaultd->secrets, request->account, &fresh,
					   &generation);
	explicit_bzero(&fresh, sizeof fresh);
	if (err == OK)
		revoke_older(vaultd, request->account, generation);
	return outcome_of(err);
}

static enum vault_outcome on_share_password(struct vaultd *vaultd,
					    const struct vault_request *request)
{
	uint32_t generation = 0;

	if (request->account == 0)
		return VAULT_REFUSED;
	err_t err = secrets_share_password(vaultd->secrets, request->account,
					   request->from_account, &generation);
	if (err == OK)
		revoke_older(vaultd, request->account, generation);
	return outcome_of(err);
}

static enum vault_outcome on_forget(struct vaultd *vaultd,
				    const struct vault_request *request)
{
	uint32_t generation = 0;
	err_t err = secrets_forget(vaultd->secrets, request->account, &generation);

	if (err == OK)
		revoke_older(vaultd, request->account, generation);
	return outcome_of(err);
}

static enum vault_outcome on_ticket_keys(struct vaultd *vaultd, struct buf *keys)
{
	tickets_renew(&vaultd->tickets, loop_now());
	buf_add(keys, (struct str){(const char *)vaultd->tickets.keys,
				   sizeof vaultd->tickets.keys});
	return VAULT_OK;
}

void vaultd_set_reports(struct vaultd *vaultd, struct str domain)
{
	vaultd->reports = domain;
}

void vaultd_set_directory(struct vaultd *vaultd, const struct directory *directory)
{
	vaultd->directory = directory;
}

static bool is_door(enum vaultd_role role)
{
	return role == VAULTD_DOOR;
}

static bool may(enum vaultd_role role, enum vault_call call)
{
	switch (call) {
	case VAULT_CALL_VERIFY:
	case VAULT_CALL_SCRAM_BEGIN:
	case VAULT_CALL_SCRAM_PROVE:
	case VAULT_CALL_PROVE_CERTIFICATE:
	case VAULT_CALL_CERTIFICATE:
	case VAULT_CALL_TICKET_KEYS:
		return is_door(role) || role == VAULTD_CTL;
	case VAULT_CALL_COUNTS:
	case VAULT_CALL_HOT_COUNTS:
		return is_door(role);
	case VAULT_CALL_SET_PASSWORD:
	case VAULT_CALL_SHARE_PASSWORD:
	case VAULT_CALL_FORGET:
	case VAULT_CALL_IMPORT:
	case VAULT_CALL_COPY:
	case VAULT_CALL_ADD_CERTIFICATE:
	case VAULT_CALL_REMOVE_CERTIFICATE:
	case VAULT_CALL_LIST_CERTIFICATES:
	case VAULT_CALL_MAKE_DKIM:
		return role == VAULTD_CTL;
	case VAULT_CALL_DKIM_RECORD:
	case VAULT_CALL_FORGET_DKIM:
		return role == VAULTD_CTL || role == VAULTD_MAILER;
	case VAULT_CALL_SIGN_DKIM: /* author.c looks at the domain */
		return role == VAULTD_MAILER || role == VAULTD_REPORTER;
	case VAULT_CALL_SIGN:
		return role == VAULTD_SIGNER;
	case VAULT_REPLY:
		return false;
	}
	return false;
}

/* fd came with the request; -1: none did. */
static enum vault_outcome answer(struct channel *channel,
				 const struct vault_request *request, int fd,
				 struct buf *first, struct buf *second)
{
	struct vaultd *vaultd = channel->vaultd;

	switch (request->call) {
	case VAULT_CALL_VERIFY:
		return on_verify(channel, request, first);
	case VAULT_CALL_SET_PASSWORD:
		return on_set_password(vaultd, request);
	case VAULT_CALL_SHARE_PASSWORD:
		return on_share_password(vaultd, request);
	case VAULT_CALL_FORGET:
		return on_forget(vaultd, request);
	case VAULT_CALL_CERTIFICATE:
		return keys_certificate(vaultd->keys, request->host, first, second);
	case VAULT_CALL_IMPORT:
		return keys_import(vaultd->keys, request->host, request->chain_pem,
				   request->key_pem);
	case VAULT_CALL_TICKET_KEYS:
		return on_ticket_keys(vaultd, first);
	case VAULT_CALL_SIGN:
		return keys_sign(vaultd->keys, request->key_id, request->kind,
				 request->input, first);
	case VAULT_CALL_COUNTS:
		return on_counts(channel, request, first);
	case VAULT_CALL_HOT_COUNTS:
		return channel->door && guard_door_hot(channel->door, first)
			       ? VAULT_OK
			       : VAULT_DENIED;
	case VAULT_CALL_SCRAM_BEGIN:
		return on_scram_begin(channel, request, first);
	case VAULT_CALL_SCRAM_PROVE:
		return on_scram_prove(channel, request, first, second);
	case VAULT_CALL_COPY:
		return fd < 0 ? VAULT_DENIED
			      : outcome_of(secrets_copy(vaultd->secrets, fd));
	case VAULT_CALL_PROVE_CERTIFICATE:
		return on_prove_certificate(channel, request, first, second);
	case VAULT_CALL_ADD_CERTIFICATE:
	case VAULT_CALL_REMOVE_CERTIFICATE:
		return on_change_certificate(vaultd, request);
	case VAULT_CALL_LIST_CERTIFICATES:
		return outcome_of(
			secrets_certificates(vaultd->secrets, request->account, first));
	case VAULT_CALL_MAKE_DKIM:
		return dkim_keys_make(vaultd->dkim_keys, &request->dkim,
				      request->dkim_kind, first);
	case VAULT_CALL_DKIM_RECORD:
		return dkim_keys_record(vaultd->dkim_keys, &request->dkim, first);
	case VAULT_CALL_SIGN_DKIM:
		return on_sign_dkim(channel, request, first);
	case VAULT_CALL_FORGET_DKIM:
		return dkim_keys_forget(vaultd->dkim_keys, &request->dkim);
	case VAULT_REPLY:
		break;
	}
	return VAULT_DENIED;
}

/* ---- channels ---------------------------------------------------------------------- */

static void channel_unref(struct channel *channel)
{
	if (--channel->refs == 0)
		mem_free(channel);
}

/* The channel may end while an answer is awaited. */
static void serve(struct ipc *ipc, const struct ipc_message *message,
		  struct channel *channel)
{
	SCOPED(buf_fini) struct buf first = BUF(VAULT_REPLY_MAX);
	SCOPED(buf_fini) struct buf second = BUF(VAULT_REPLY_MAX);
	SCOPED(buf_fini) struct buf body = BUF(3 * VAULT_REPLY_MAX);
	struct vault_reply reply = {.outcome = VAULT_DENIED};
	struct vault_request request;

	if (!ipc_is_open(ipc))
		return; /* its channel has ended, and arg may be gone */
	if (vault_decode_request(message->type, message->body, &request) &&
	    may(channel->role, request.call)) {
		channel->refs++;
		reply.outcome = answer(channel, &request, message->fd, &first, &second);
		channel_unref(channel);
	} else
		LOG(WARN, "vault request denied", KV_INT("type", message->type));
	if (reply.outcome == VAULT_OK || reply.outcome == VAULT_REFUSED)
		reply.first = buf_str(&first);
	if (reply.outcome == VAULT_OK)
		reply.second = buf_str(&second);
	vault_encode_reply(&body, &reply);
	ipc_reply(ipc, message->id, VAULT_REPLY, buf_str(&body), -1);
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	serve(ipc, message, arg);
	if (message->fd >= 0)
		(void)close(message->fd); /* its owner sees to what was written */
}

static void channel_end(struct channel *channel)
{
	list_remove(&channel->vaultd->channels, &channel->in_channels);
	ipc_close(&channel->ipc);
	guard_door_free(&channel->door);
	channel_unref(channel);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	(void)ipc;
	channel_end(arg);
}

void vaultd_serve(struct vaultd *vaultd, enum vaultd_role role, uint64_t number, int fd)
{
	LIST_EACH(&vaultd->channels, link)
	{
		struct channel *before = CONTAINER_OF(link, struct channel, in_channels);

		/* A process that keeps the other ends open must not fill our table. */
		if (before->role == role && before->number == number)
			channel_end(before);
	}
	struct channel *channel = NEW(struct channel);

	channel->vaultd = vaultd;
	channel->role = role;
	channel->refs = 1;
	channel->number = number;
	if (is_door(role))
		channel->door = guard_door_new(vaultd->guard);
	list_add_last(&vaultd->channels, &channel->in_channels);
	channel->ipc = ipc_open("vault channel", fd, on_message, on_gone, channel);
}

/* A key of 32 octets, made at the first start. */
static err_t open_key(struct vaultd *vaultd, struct str name,
		      unsigned char key[GRANT_KEY_BYTES])
{
	SCOPED(buf_fini) struct buf value = BUF(GRANT_KEY_BYTES);
	err_t err = secrets_get(vaultd->secrets, name, &value);

	if (err == OK && value.len == GRANT_KEY_BYTES) {
		memcpy(key, value.ptr, GRANT_KEY_BYTES);
		return OK;
	}
	if (err != ERR_ABSENT)
		return err == OK ? ERR_SYNTAX : err;
	rand_bytes(key, GRANT_KEY_BYTES);
	const struct secret_pair pair = {name, {(const char *)key, GRANT_KEY_BYTES}};
	return secrets_put(vaultd->secrets, &pair, 1, true);
}

err_t vaultd_open(const char *folder, const struct guard_options *limits,
		  struct vaultd **result)
{
	struct vaultd *vaultd = NEW(struct vaultd);
	err_t err = secrets_open(folder, &vaultd->secrets);

	if (err == OK)
		err = open_key(vaultd, STR("g"), vaultd->grant_key);
	if (err == OK)
		err = open_key(vaultd, STR("s"), vaultd->scram_key);
	if (err != OK) {
		vaultd_close(&vaultd);
		return err;
	}
	vaultd->hasher = hasher_new(0, WAITING_MAX);
	vaultd->verifier = verifier_new(vaultd->secrets, vaultd->hasher);
	vaultd->keys = keys_new(vaultd->secrets);
	vaultd->dkim_keys = dkim_keys_new(vaultd->secrets);
	vaultd->guard = guard_new(limits);
	*result = vaultd;
	return OK;
}

void vaultd_close(struct vaultd **pointer)
{
	struct vaultd *vaultd = *pointer;

	if (!vaultd)
		return;
	LIST_EACH(&vaultd->channels, link)
	channel_end(CONTAINER_OF(link, struct channel, in_channels));
	ipc_close(&vaultd->store);
	dkim_keys_free(&vaultd->dkim_keys);
	keys_free(&vaultd->keys);
	guard_free(&vaultd->guard);
	verifier_free(&vaultd->verifier);
	hasher_free(&vaultd->hasher);
	secrets_close(&vaultd->secrets);
	explicit_bzero(vaultd, sizeof *vaultd);
	mem_free(vaultd);
	*pointer = NULL;
}

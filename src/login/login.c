#include "login/login.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "directory/directory.h"
#include "directory/name.h"
#include "login/throttle.h"
#include "net/tls_proof.h"
#include "rt/task.h"
#include "store/grant.h"
#include "store/store.h"
#include "vault/vault.h"

enum {
	NAME_MAX_BYTES = 320, /* local part, "@", domain */
	PASSWORD_MAX_BYTES = 1024,
	GRANT_MAX_BYTES = 4096,
	TENURE_BUCKETS = 1024,
};
#define NOBODY_FIRST ((account_t)1 << 31) /* accounts are counted from 1 */

/* One a process, made at its first failure, for all its sessions. */
static struct throttle *throttle;

/* A session that is logged in here. */
struct tenure {
	struct list_link in_bucket;
	account_t account;
	uint32_t generation; /* of the credentials it came in with */
	uint64_t task;
};

static struct list tenures[TENURE_BUCKETS];

static struct list *tenures_of(account_t account)
{
	return &tenures[account % TENURE_BUCKETS];
}

static struct tenure *tenure_new(account_t account, uint32_t generation)
{
	struct tenure *tenure = NEW(struct tenure);

	tenure->account = account;
	tenure->generation = generation;
	tenure->task = task_id(task_self());
	list_add_last(tenures_of(account), &tenure->in_bucket);
	return tenure;
}

void login_cancel_older(account_t account, uint32_t generation)
{
	LIST_EACH(tenures_of(account), link)
	{
		struct tenure *tenure = CONTAINER_OF(link, struct tenure, in_bucket);

		if (tenure->account != account || tenure->generation >= generation)
			continue;
		LOG(INFO, "session ended, its credentials have changed",
		    KV_INT("account", account));
		task_cancel(tenure->task);
	}
}

/* What to count repeated attempts by; keyed, so that it tells nothing. */
static uint64_t guess_hash(struct str name, struct str password)
{
	return hash64(name) ^ hash64_number(hash64(password));
}

/* May suspend: the answer to a failure comes late. */
static enum login_outcome login_failed(struct str name, struct str password,
				       struct str peer, bool is_unlimited,
				       uint64_t session)
{
	LOG(INFO, "login refused", KV_INT("session", session), KV_STR("name", name),
	    KV_STR("peer", peer));
	if (is_unlimited)
		return LOGIN_REFUSED;
	if (!throttle)
		throttle = throttle_new();
	if (task_sleep_ms(throttle_failed(throttle, peer, guess_hash(name, password),
					  loop_now())) != OK)
		return LOGIN_LATER; /* the session is being stopped */
	return LOGIN_REFUSED;
}

static enum login_outcome login_later(const char *why, uint64_t session)
{
	LOG(WARN, "login not possible now", KV_INT("session", session), KV("why", why));
	return LOGIN_LATER;
}

static void tenure_end(struct tenure *tenure)
{
	list_remove(tenures_of(tenure->account), &tenure->in_bucket);
	mem_free(tenure);
}

/* The password was right: shows the store the grant, and reads who it is. */
static enum login_outcome login_enter(const struct login_service *service,
				      account_t account, struct str grant,
				      uint64_t session, struct arena *arena,
				      struct login *login)
{
	/* The store shares what it allows among all sessions of an account; those that it
	 * has shut out must not come in again behind this one. */
	login_cancel_older(account, grant_generation(grant));

	struct tenure *tenure = tenure_new(account, grant_generation(grant));
	struct directory_account record;
	enum store_outcome outcome = store_enter(service->store, account, grant);

	if (outcome != STORE_OK) {
		tenure_end(tenure);
		return login_later(store_outcome_text(outcome), session);
	}
	if (directory_account(service->directory, account, arena, &record) !=
	    DIRECTORY_ACCOUNT) {
		tenure_end(tenure);
		store_leave(service->store, account);
		return login_later("the directory does not answer", session);
	}
	*login = (struct login){account, record.address, record.is_admin, tenure};
	return LOGIN_OK;
}

/* The name in the one spelling of all that lead to the same account, so that the vault
 * answers for nobody as for somebody: alike for all of them. */
static struct str one_spelling(const struct login_service *service, struct str name,
			       struct arena *arena)
{
	struct str local, domain, plain;

	name_split(name, &local, &domain);
	if (domain.len == 0)
		domain = service->directory->default_domain;
	if (!name_local(local, arena, &plain) || !name_domain(domain, arena, &domain))
		return name;
	return arena_printf(arena, "%.*s@%.*s", STR_FMT(plain), STR_FMT(domain));
}

/* For whom the vault is asked when there is nobody of that name: a number that no account
 * has. */
static account_t stand_in(const struct login_service *service, struct str name,
			  struct arena *arena)
{
	return NOBODY_FIRST | (account_t)hash64(one_spelling(service, name, arena));
}

static bool is_banned(struct str peer, bool is_unlimited, uint64_t session)
{
	if (!throttle || is_unlimited || !throttle_is_banned(throttle, peer, loop_now()))
		return false;
	LOG(INFO, "login banned", KV_INT("session", session), KV_STR("peer", peer));
	return true;
}

/* The secret was right; account 0 cannot have come here. */
static enum login_outcome welcome(const struct login_service *service, account_t account,
				  struct buf *grant, const struct login_client *client,
				  struct login *login)
{
	enum login_outcome outcome = LOGIN_LATER;

	if (account != ACCOUNT_SYSTEM)
		outcome = login_enter(service, account, buf_str(grant), client->session,
				      client->arena, login);
	explicit_bzero(grant->ptr, grant->len);
	if (outcome == LOGIN_OK)
		LOG(INFO, "login", KV_INT("session", client->session),
		    KV_STR("address", login->address), KV_STR("peer", client->peer));
	return outcome;
}

enum login_outcome login_try(const struct login_service *service, struct str name,
			     struct str password, struct str peer, bool is_unlimited,
			     uint64_t session, struct arena *arena, struct login *login)
{
	SCOPED(buf_fini) struct buf grant = BUF(GRANT_MAX_BYTES);
	const struct login_client client = {peer, is_unlimited, session, arena};
	account_t account = ACCOUNT_SYSTEM;

	*login = (struct login){0};
	if (is_banned(peer, is_unlimited, session))
		return LOGIN_BANNED;
	if (name.len > NAME_MAX_BYTES || password.len > PASSWORD_MAX_BYTES)
		return login_failed(str_first(name, 64), password, peer, is_unlimited,
				    session);
	if (directory_find_login(service->directory, name, arena, &account) ==
	    DIRECTORY_UNKNOWN)
		return login_later("the directory does not answer", session);
	account_t asked =
		account == ACCOUNT_SYSTEM ? stand_in(service, name, arena) : account;
	switch (vault_verify(service->vault, asked, password, peer, session, &grant)) {
	case VAULT_OK:
		return welcome(service, account, &grant, &client, login);
	case VAULT_REFUSED:
		return login_failed(name, password, peer, is_unlimited, session);
	case VAULT_LATER:
		return login_later("the vault is busy", session);
	case VAULT_DENIED:
		break;
	}
	return login_later("the vault does not answer this process", session);
}

enum login_outcome login_scram_begin(const struct login_service *service, struct str name,
				     const struct login_client *client,
				     account_t *account, struct vault_scram *begun)
{
	*account = ACCOUNT_SYSTEM;
	if (is_banned(client->peer, client->is_unlimited, client->session))
		return LOGIN_BANNED;
	if (name.len <= NAME_MAX_BYTES &&
	    directory_find_login(service->directory, name, client->arena, account) ==
		    DIRECTORY_UNKNOWN)
		return login_later("the directory does not answer", client->session);
	struct str spelling = one_spelling(service, name, client->arena);

	if (vault_scram_begin(service->vault, *account, spelling, client->session,
			      begun) != VAULT_OK)
		return login_later("the vault does not answer", client->session);
	return LOGIN_OK;
}

enum login_outcome login_scram_prove(const struct login_service *service, struct str name,
				     const struct login_client *client, account_t account,
				     const struct vault_scram_proof *proof,
				     struct buf *signature, struct login *login)
{
	SCOPED(buf_fini) struct buf grant = BUF(GRANT_MAX_BYTES);

	*login = (struct login){0};
	switch (vault_scram_prove(service->vault, account, client->session, proof, &grant,
				  signature)) {
	case VAULT_OK:
		return welcome(service, account, &grant, client, login);
	case VAULT_REFUSED: /* one password gives another proof each time, so all count */
		return login_failed(str_first(name, NAME_MAX_BYTES), proof->proof,
				    client->peer, client->is_unlimited, client->session);
	case VAULT_LATER:
	case VAULT_DENIED:
		break;
	}
	return login_later("the vault does not answer", client->session);
}

/* RFC 4422 appendix A.1.1: the authorization identity may be left out; a certificate
 * stands for one account, so that another one is not given. */
enum login_outcome login_external(const struct login_service *service, struct str authzid,
				  const struct login_client *client,
				  const struct tls_proof *proof, struct login *login)
{
	SCOPED(buf_fini) struct buf grant = BUF(GRANT_MAX_BYTES);
	account_t account = ACCOUNT_SYSTEM, wanted = ACCOUNT_SYSTEM;

	*login = (struct login){0};
	if (is_banned(client->peer, client->is_unlimited, client->session))
		return LOGIN_BANNED;
	if (authzid.len > 0 && authzid.len <= NAME_MAX_BYTES &&
	    directory_find_login(service->directory, authzid, client->arena, &wanted) ==
		    DIRECTORY_UNKNOWN)
		return login_later("the directory does not answer", client->session);
	switch (vault_prove_certificate(service->vault, proof, client->session, &account,
					&grant)) {
	case VAULT_OK:
		if (authzid.len == 0 || wanted == account)
			return welcome(service, account, &grant, client, login);
		break;
	case VAULT_REFUSED:
		break;
	case VAULT_LATER:
	case VAULT_DENIED:
		return login_later("the vault does not answer", client->session);
	}
	return login_failed(str_first(authzid, NAME_MAX_BYTES), proof->certificate,
			    client->peer, client->is_unlimited, client->session);
}

void login_end(const struct login_service *service, struct login *login)
{
	if (login->account != ACCOUNT_SYSTEM) {
		tenure_end(login->tenure);
		store_leave(service->store, login->account);
	}
	*login = (struct login){0};
}

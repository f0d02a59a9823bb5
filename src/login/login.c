#include "login/login.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "directory/directory.h"
#include "directory/name.h"
#include "net/conn.h"
#include "net/tls_proof.h"
#include "rt/task.h"
#include "store/grant.h"
#include "store/store.h"
#include "vault/vault.h"

enum {
	NAME_MAX_BYTES = 320, /* local part, "@", domain */
	DELAY_MAX_MS = 10 * 1000,
	GRANT_MAX_BYTES = 4096,
	TENURE_BUCKETS = 1024,
};
#define NOBODY_FIRST ((account_t)1 << 31) /* accounts are counted from 1 */

/* A session that is logged in here. */
struct tenure {
	struct list_link in_bucket;
	account_t account;
	uint32_t generation; /* of the credentials it came in with */
	uint64_t task;
	struct conn *conn;
};

static struct list tenures[TENURE_BUCKETS];

static struct list *tenures_of(account_t account)
{
	return &tenures[account % TENURE_BUCKETS];
}

static struct tenure *tenure_new(const struct login_service *service, account_t account,
				 uint32_t generation, struct conn *conn)
{
	struct tenure *tenure = NEW(struct tenure);
	struct tally_key key = vault_account_key(account);

	tenure->account = account;
	tenure->generation = generation;
	tenure->task = task_id(task_self());
	tenure->conn = conn;
	list_add_last(tenures_of(account), &tenure->in_bucket);
	tally_add(service->tally, &key, 1);
	tally_doubt(service->tally, &key); /* the vault counted it with the grant */
	conn_known(conn, true);
	return tenure;
}

static void tenure_end(const struct login_service *service, struct tenure *tenure)
{
	struct tally_key key = vault_account_key(tenure->account);

	tally_add(service->tally, &key, -1);
	conn_known(tenure->conn, false);
	list_remove(tenures_of(tenure->account), &tenure->in_bucket);
	mem_free(tenure);
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

/* May suspend: the answer to a failure comes late. */
static enum login_outcome login_failed(struct str name, const struct login_client *client,
				       uint64_t delay_ms)
{
	LOG(INFO, "login refused", KV_INT("session", client->session),
	    KV_STR("name", name), KV_STR("peer", conn_peer(client->conn)));
	if (delay_ms > 0 && task_sleep_ms(num_min(delay_ms, DELAY_MAX_MS)) != OK)
		return LOGIN_LATER; /* the session is being stopped */
	return LOGIN_REFUSED;
}

static enum login_outcome login_later(const char *why, uint64_t session)
{
	LOG(WARN, "login not possible now", KV_INT("session", session), KV("why", why));
	return LOGIN_LATER;
}

/* The password was right: shows the store the grant, and reads who it is. */
static enum login_outcome login_enter(const struct login_service *service,
				      account_t account, struct str grant,
				      const struct login_client *client,
				      struct login *login)
{
	/* The store shares what it allows among all sessions of an account; those that it
	 * has shut out must not come in again behind this one. */
	login_cancel_older(account, grant_generation(grant));

	struct tenure *tenure =
		tenure_new(service, account, grant_generation(grant), client->conn);
	struct directory_account record;
	enum store_outcome outcome = store_enter(service->store, account, grant);

	if (outcome != STORE_OK) {
		tenure_end(service, tenure);
		return login_later(store_outcome_text(outcome), client->session);
	}
	if (directory_account(service->directory, account, client->arena, &record) !=
	    DIRECTORY_ACCOUNT) {
		tenure_end(service, tenure);
		store_leave(service->store, account);
		return login_later("the directory does not answer", client->session);
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

/* The secret was right; account 0 cannot have come here. */
static enum login_outcome welcome(const struct login_service *service, account_t account,
				  struct buf *grant, const struct login_client *client,
				  struct login *login)
{
	enum login_outcome outcome = LOGIN_LATER;

	if (account != ACCOUNT_SYSTEM)
		outcome = login_enter(service, account, buf_str(grant), client, login);
	explicit_bzero(grant->ptr, grant->len);
	if (outcome == LOGIN_OK)
		LOG(INFO, "login", KV_INT("session", client->session),
		    KV_STR("address", login->address),
		    KV_STR("peer", conn_peer(client->conn)));
	return outcome;
}

/* A secret was shown: what the vault said of it. */
static enum login_outcome judge(const struct login_service *service,
				enum vault_outcome outcome, struct str name,
				const struct login_client *client, account_t account,
				struct vault_answer *answer, struct login *login)
{
	struct str peer = conn_peer(client->conn);
	struct tally_key key = vault_account_key(account);

	switch (outcome) {
	case VAULT_OK:
		return welcome(service, account, answer->grant, client, login);
	case VAULT_REFUSED:
		return login_failed(str_first(name, NAME_MAX_BYTES), client,
				    answer->delay_ms);
	case VAULT_BANNED:
		LOG(INFO, "login banned", KV_INT("session", client->session),
		    KV_STR("name", str_first(name, NAME_MAX_BYTES)),
		    KV_STR("peer", peer));
		return LOGIN_BANNED;
	case VAULT_CROWDED:
		LOG(INFO, "login refused, too many sessions",
		    KV_INT("session", client->session), KV_INT("account", account),
		    KV_STR("peer", peer));
		tally_doubt(service->tally, &key);
		return LOGIN_CROWDED;
	case VAULT_LATER:
		return login_later("the vault is busy", client->session);
	case VAULT_DENIED:
		break;
	}
	return login_later("the vault does not answer this process", client->session);
}

/* Whose name it is; for nobody's a number that is as good as any. */
static bool find_account(const struct login_service *service, struct str name,
			 struct arena *arena, account_t *account)
{
	*account = ACCOUNT_SYSTEM;
	if (name.len <= NAME_MAX_BYTES &&
	    directory_find_login(service->directory, name, arena, account) ==
		    DIRECTORY_UNKNOWN)
		return false;
	if (*account == ACCOUNT_SYSTEM)
		*account = stand_in(service, str_first(name, NAME_MAX_BYTES), arena);
	return true;
}

static struct vault_caller caller_of(const struct login_client *client, account_t account)
{
	return (struct vault_caller){account, conn_peer(client->conn), client->session};
}

enum login_outcome login_try(const struct login_service *service, struct str name,
			     struct str password, const struct login_client *client,
			     struct login *login)
{
	SCOPED(buf_fini) struct buf grant = BUF(GRANT_MAX_BYTES);
	struct vault_answer answer = {.grant = &grant};
	account_t account;

	*login = (struct login){0};
	if (!find_account(service, name, client->arena, &account))
		return login_later("the directory does not answer", client->session);
	const struct vault_caller caller = caller_of(client, account);
	enum vault_outcome outcome =
		vault_verify(service->vault, &caller, password, &answer);

	return judge(service, outcome, name, client, account, &answer, login);
}

enum login_outcome login_scram_begin(const struct login_service *service, struct str name,
				     const struct login_client *client,
				     account_t *account, struct vault_scram *begun)
{
	struct vault_answer none = {0};

	if (!find_account(service, name, client->arena, account))
		return login_later("the directory does not answer", client->session);
	struct str spelling = one_spelling(service, name, client->arena);
	const struct vault_caller caller = caller_of(client, *account);
	enum vault_outcome outcome =
		vault_scram_begin(service->vault, &caller, spelling, begun);

	return outcome == VAULT_OK
		       ? LOGIN_OK
		       : judge(service, outcome, name, client, *account, &none, NULL);
}

enum login_outcome login_scram_prove(const struct login_service *service, struct str name,
				     const struct login_client *client, account_t account,
				     const struct vault_scram_proof *proof,
				     struct buf *signature, struct login *login)
{
	SCOPED(buf_fini) struct buf grant = BUF(GRANT_MAX_BYTES);
	struct vault_answer answer = {.grant = &grant, .signature = signature};
	const struct vault_caller caller = caller_of(client, account);

	*login = (struct login){0};
	return judge(service, vault_scram_prove(service->vault, &caller, proof, &answer),
		     name, client, account, &answer, login);
}

/* RFC 4422 appendix A.1.1: the authorization identity may be left out; a certificate
 * stands for one account, so that another one is not given. */
enum login_outcome login_external(const struct login_service *service, struct str authzid,
				  const struct login_client *client,
				  const struct tls_proof *proof, struct login *login)
{
	SCOPED(buf_fini) struct buf grant = BUF(GRANT_MAX_BYTES);
	struct vault_answer answer = {.grant = &grant};
	const struct vault_caller caller = caller_of(client, ACCOUNT_SYSTEM);
	account_t account = ACCOUNT_SYSTEM, wanted = ACCOUNT_SYSTEM;

	*login = (struct login){0};
	if (authzid.len > 0 && authzid.len <= NAME_MAX_BYTES &&
	    directory_find_login(service->directory, authzid, client->arena, &wanted) ==
		    DIRECTORY_UNKNOWN)
		return login_later("the directory does not answer", client->session);
	enum vault_outcome outcome = vault_prove_certificate(service->vault, proof,
							     &caller, &account, &answer);

	if (outcome == VAULT_OK && authzid.len > 0 && wanted != account) {
		struct tally_key key = vault_account_key(account);

		tally_doubt(service->tally, &key); /* the vault has counted it */
		outcome = VAULT_REFUSED;
	}
	return judge(service, outcome, authzid, client, account, &answer, login);
}

void login_end(const struct login_service *service, struct login *login)
{
	if (login->account != ACCOUNT_SYSTEM) {
		tenure_end(service, login->tenure);
		store_leave(service->store, login->account);
	}
	*login = (struct login){0};
}

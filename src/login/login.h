/* One way in for all protocols: name and password in, an account that may be used on this
 * process's store channel out.  Answers to failures come late; the vault counts them, and
 * the sessions of each account, for all doors together (vaultd/guard.h).  Calls may
 * suspend.
 *
 * A session that came in with credentials that have changed since is canceled: its task,
 * which is the one that called login_try().
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "store/types.h"

struct conn;
struct directory;
struct tls_proof;
struct tally;
struct vault_scram;
struct vault_scram_proof;
struct store;
struct vault;

struct login_service {
	struct store *store;
	struct vault *vault;
	const struct directory *directory;
	struct tally *tally; /* where sessions of accounts are counted */
};

enum login_outcome {
	LOGIN_OK,
	LOGIN_REFUSED, /* name or password wrong: never says which */
	LOGIN_LATER,   /* cannot tell now */
	LOGIN_BANNED,  /* too many failures from this address, or for this account */
	LOGIN_CROWDED, /* the account has too many sessions */
};

struct tenure;

struct login {
	account_t account;  /* 0: nobody */
	struct str address; /* the account's primary address */
	bool is_admin;
	struct tenure *tenure; /* login's own */
};

/* Who tries. */
struct login_client {
	struct conn *conn;
	uint64_t session;
	struct arena *arena; /* as old as the session */
};

/* On OK the account is entered on the store channel, and the connection is no stranger's
 * (conn_known()), until login_end().  Slices live in the client's arena. */
enum login_outcome login_try(const struct login_service *service, struct str name,
			     struct str password, const struct login_client *client,
			     struct login *login);

/* SCRAM's two steps, for login/sasl.h.  For a name that does not exist all goes on the
 * same way.  The first never says REFUSED. */
enum login_outcome login_scram_begin(const struct login_service *service, struct str name,
				     const struct login_client *client,
				     account_t *account, struct vault_scram *begun);
/* On OK as after login_try(); the server's signature is appended. */
enum login_outcome login_scram_prove(const struct login_service *service, struct str name,
				     const struct login_client *client, account_t account,
				     const struct vault_scram_proof *proof,
				     struct buf *signature, struct login *login);
/* By a client's certificate (net/tls_proof.h); authzid "" or a name of the account that
 * it is registered for. */
enum login_outcome login_external(const struct login_service *service, struct str authzid,
				  const struct login_client *client,
				  const struct tls_proof *proof, struct login *login);
/* By the session that has it; login may be a copy, and of nobody. */
void login_end(const struct login_service *service, struct login *login);
/* Cancels the account's sessions whose grant is of an older generation; for
 * store_on_ended(). */
void login_cancel_older(account_t account, uint32_t generation);

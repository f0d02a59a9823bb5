/* One way in for all protocols: name and password in, an account that may be used on this
 * process's store channel out.  Delays failures and, after too many from one address,
 * refuses (unless is_unlimited, for loopback in dev).  Calls may suspend.
 *
 * A session that came in with credentials that have changed since is canceled: its task,
 * which is the one that called login_try().
 */
#pragma once

#include "base/arena.h"
#include "store/types.h"

struct directory;
struct store;
struct vault;

struct login_service {
	struct store *store;
	struct vault *vault;
	const struct directory *directory;
};

enum login_outcome {
	LOGIN_OK,
	LOGIN_REFUSED, /* name or password wrong: never says which */
	LOGIN_LATER,   /* cannot tell now */
	LOGIN_BANNED,  /* too many failures from this address */
};

struct tenure;

struct login {
	account_t account;  /* 0: nobody */
	struct str address; /* the account's primary address */
	bool is_admin;
	struct tenure *tenure; /* login's own */
};

/* On OK the account is entered on the store channel until login_end().  Slices live in
 * arena, which must live as long as the session. */
enum login_outcome login_try(const struct login_service *service, struct str name,
			     struct str password, struct str peer, bool is_unlimited,
			     uint64_t session, struct arena *arena, struct login *login);
/* By the session that has it; login may be a copy. */
void login_end(const struct login_service *service, struct login *login);
/* Cancels the account's sessions whose grant is of an older generation; for
 * store_on_ended(). */
void login_cancel_older(account_t account, uint32_t generation);

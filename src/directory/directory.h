/* Who lives here: domains, accounts and aliases, kept as small key-value pairs of the
 * system account.
 *
 *   d/dom/DOMAIN          a domain of ours
 *   d/adr/LOCAL@DOMAIN    where an address leads: an account, or the targets of an alias
 *   d/dkm/DOMAIN          its DKIM keys (directory/dkim.h)
 *   d/srs                 the keys of rewritten senders (directory/srs_keys.h)
 *   d/acc/00000007        an account's record: its name, primary address, rights
 *   d/next                the next account number
 *
 * Names are compared without case (ASCII) and domains in their A-label form.  "user+tag"
 * leads where "user" leads.  A look-up costs one or two reads of the store, whatever the
 * number of accounts.  Calls may suspend.
 */
#pragma once

#include "base/arena.h"
#include "store/types.h"

struct store;

struct directory {
	struct store *store;
	struct str default_domain; /* for names without one; A-label, lower case */
};

enum directory_find {
	DIRECTORY_ACCOUNT,
	DIRECTORY_ALIAS,
	DIRECTORY_NOBODY,  /* our domain, but no such address */
	DIRECTORY_FOREIGN, /* not a domain of ours */
	DIRECTORY_UNKNOWN, /* cannot tell now */
};

struct directory_entry {
	account_t account;         /* DIRECTORY_ACCOUNT */
	const struct str *targets; /* DIRECTORY_ALIAS: addresses */
	size_t target_count;
};

/* Where local@domain leads; domain "" is the default domain. */
enum directory_find directory_find(const struct directory *directory, struct str local,
				   struct str domain, struct arena *arena,
				   struct directory_entry *entry);
/* The account a person logs in to by name or address. */
enum directory_find directory_find_login(const struct directory *directory,
					 struct str name, struct arena *arena,
					 account_t *account);

struct directory_account {
	account_t account;
	struct str address; /* primary, lower case */
	bool is_admin;
	bool is_shared; /* nobody logs in to it; others have rights in its mailboxes */
};
enum directory_find directory_account(const struct directory *directory,
				      account_t account, struct arena *arena,
				      struct directory_account *record);
/* True if mail that lands at local@domain reaches the account, so that it may send as it;
 * *is_sure false if that cannot be told now. */
bool directory_may_send_as(const struct directory *directory, account_t account,
			   struct str local, struct str domain, struct arena *arena,
			   bool *is_sure);

/* Administration.  CONFLICT: it exists; ABSENT: no such domain (account); INVALID: not a
 * name that can be. */
enum store_outcome directory_add_domain(const struct directory *directory,
					struct str domain);
enum store_outcome directory_remove_domain(const struct directory *directory,
					   struct str domain);
enum directory_role { DIRECTORY_PERSON, DIRECTORY_ADMIN, DIRECTORY_SHARED };
enum store_outcome directory_add_account(const struct directory *directory,
					 struct str address, enum directory_role role,
					 account_t *account);
/* Gives many addresses their account numbers in one commit, all or none; after it each
 * needs its directory_add_account(), which then only makes the mailboxes.  CONFLICT if
 * one of them is taken or somebody else adds accounts now: add them one by one.  The
 * domains must exist. */
enum { DIRECTORY_RESERVE_MAX = 500 };
enum store_outcome directory_reserve(const struct directory *directory,
				     const struct str *addresses, size_t count);
enum store_outcome directory_remove_account(const struct directory *directory,
					    struct str address);
enum store_outcome directory_add_alias(const struct directory *directory,
				       struct str address, const struct str *targets,
				       size_t count);
enum store_outcome directory_remove_alias(const struct directory *directory,
					  struct str address);
enum directory_kind { DIRECTORY_DOMAINS, DIRECTORY_ACCOUNTS, DIRECTORY_ALIASES };
struct directory_item {
	struct str name; /* domain or address */
	struct directory_entry entry;
	bool is_admin, is_shared;
};
/* Up to limit names after the given one ("" from the start), in order. */
enum store_outcome directory_list(const struct directory *directory,
				  enum directory_kind kind, struct str after,
				  size_t limit, struct arena *arena,
				  struct directory_item **items, size_t *count);

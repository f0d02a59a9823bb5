#include "directory/directory.h"

#include "base/log.h"
#include "directory/expand.h"
#include "directory/name.h"
#include "directory/record.h"
#include "store/store.h"

/* What the address row says; NOBODY if there is none. */
static enum directory_find find_address(const struct directory *directory,
					struct str local, struct str domain,
					struct arena *arena,
					struct directory_entry *entry)
{
	struct str key = record_address_key(arena, local, domain), value;
	enum store_outcome outcome;
	enum directory_find found;

	if (key.len == 0)
		return DIRECTORY_UNKNOWN;
	outcome = store_kv_get(directory->store, ACCOUNT_SYSTEM, key, arena, &value);
	if (outcome == STORE_ABSENT)
		return DIRECTORY_NOBODY;
	if (outcome != STORE_OK)
		return DIRECTORY_UNKNOWN;
	found = record_address(value, arena, entry);
	if (found == DIRECTORY_UNKNOWN)
		LOG(ERROR, "directory row unreadable", KV_STR("key", key));
	return found;
}

/* NOBODY if the domain is ours. */
static enum directory_find find_domain(const struct directory *directory,
				       struct str domain, struct arena *arena)
{
	struct str key = record_domain_key(arena, domain), value;

	if (key.len == 0)
		return DIRECTORY_UNKNOWN;
	switch (store_kv_get(directory->store, ACCOUNT_SYSTEM, key, arena, &value)) {
	case STORE_OK:
		return DIRECTORY_NOBODY;
	case STORE_ABSENT:
		return DIRECTORY_FOREIGN;
	case STORE_CONFLICT:
	case STORE_OVER_QUOTA:
	case STORE_DENIED:
	case STORE_INVALID:
	case STORE_DAMAGED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		break;
	}
	return DIRECTORY_UNKNOWN;
}

/* RFC 5321 §4.5.1: mail to postmaster MUST be taken at every domain we serve. */
static enum directory_find find_postmaster(const struct directory *directory,
					   struct arena *arena,
					   struct directory_entry *entry)
{
	struct str value;
	enum store_outcome outcome = store_kv_get(directory->store, ACCOUNT_SYSTEM,
						  RECORD_POSTMASTER, arena, &value);

	if (outcome == STORE_ABSENT)
		return DIRECTORY_NOBODY;
	if (outcome != STORE_OK || !record_number(value, &entry->account))
		return DIRECTORY_UNKNOWN;
	return DIRECTORY_ACCOUNT;
}

enum directory_find directory_find(const struct directory *directory, struct str local,
				   struct str domain, struct arena *arena,
				   struct directory_entry *entry)
{
	enum directory_find found = DIRECTORY_NOBODY;
	struct str name;
	bool may_exist = name_local(local, arena, &name);

	*entry = (struct directory_entry){0};
	if (domain.len == 0)
		domain = directory->default_domain;
	if (!name_domain(domain, arena, &domain))
		return DIRECTORY_FOREIGN;
	/* Address rows exist only in domains of ours, so that one read finds most. */
	if (may_exist)
		found = find_address(directory, name, domain, arena, entry);
	if (found == DIRECTORY_NOBODY)
		found = find_domain(directory, domain, arena);
	if (found == DIRECTORY_NOBODY && may_exist && str_same(name, STR("postmaster")))
		found = find_postmaster(directory, arena, entry);
	return found;
}

enum directory_find directory_find_login(const struct directory *directory,
					 struct str name, struct arena *arena,
					 account_t *account)
{
	struct directory_entry entry;
	struct str local, domain;
	enum directory_find found;

	name_split(name, &local, &domain);
	found = directory_find(directory, local, domain, arena, &entry);
	*account = found == DIRECTORY_ACCOUNT ? entry.account : ACCOUNT_SYSTEM;
	if (found == DIRECTORY_ALIAS || found == DIRECTORY_FOREIGN)
		return DIRECTORY_NOBODY; /* nobody can log in as that */
	return found;
}

enum directory_find directory_account(const struct directory *directory,
				      account_t account, struct arena *arena,
				      struct directory_account *record)
{
	struct str key = record_account_key(arena, account), value;
	struct account_record found;
	enum store_outcome outcome;

	*record = (struct directory_account){.account = account};
	if (key.len == 0)
		return DIRECTORY_UNKNOWN;
	outcome = store_kv_get(directory->store, ACCOUNT_SYSTEM, key, arena, &value);
	if (outcome == STORE_ABSENT)
		return DIRECTORY_NOBODY;
	if (outcome != STORE_OK)
		return DIRECTORY_UNKNOWN;
	if (!record_account(value, &found)) {
		LOG(ERROR, "directory row unreadable", KV_STR("key", key));
		return DIRECTORY_UNKNOWN;
	}
	if (found.state == ACCOUNT_REMOVED)
		return DIRECTORY_NOBODY;
	record->address = found.address;
	record->is_admin = found.role == DIRECTORY_ADMIN;
	record->is_shared = found.role == DIRECTORY_SHARED;
	return DIRECTORY_ACCOUNT;
}

bool directory_may_send_as(const struct directory *directory, account_t account,
			   struct str local, struct str domain, struct arena *arena,
			   bool *is_sure)
{
	struct expansion expansion;

	directory_expand(directory, local, domain, arena, &expansion);
	*is_sure = expansion.found != DIRECTORY_UNKNOWN;
	for (size_t i = 0; *is_sure && i < expansion.count; i++) {
		if (expansion.leaves[i].find == DIRECTORY_ACCOUNT &&
		    expansion.leaves[i].account == account)
			return true;
	}
	return false;
}

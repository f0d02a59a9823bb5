#include "daemon/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "control/folder.h"
#include "daemon/supervisor.h"
#include "directory/directory.h"
#include "store/store.h"
#include "vault/vault.h"

enum { WORKERS = 256, SCRATCH_MAX = 256 * 1024, NAME_MAX_BYTES = 64 };

static const char *const first_people[] = {"admin", "alice", "bob"};

struct people {
	const struct supervisor *supervisor;
	struct store *store;
	struct vault *vault;
	struct directory directory;
	unsigned next, total; /* places in the row: first_people, then users */
	unsigned reserved;    /* those before it have an account number */
	account_t template;   /* whose password the others share; 0: none yet */
	unsigned workers;
	bool has_failed;
	struct waiters finished;
};

static bool is_over(const struct people *people)
{
	return people->has_failed || supervisor_is_stopping(people->supervisor);
}

static void failed(struct people *people, const char *what, const char *name)
{
	if (!people->has_failed)
		LOG(ERROR, "account not made", KV("operation", what),
		    KV("account", name));
	people->has_failed = true;
}

static void name_of(unsigned place, char name[NAME_MAX_BYTES])
{
	if (place < COUNT_OF(first_people))
		(void)snprintf(name, NAME_MAX_BYTES, "%s", first_people[place]);
	else
		(void)snprintf(name, NAME_MAX_BYTES, "user%u",
			       place - (unsigned)COUNT_OF(first_people) + 1);
}

static bool find(struct people *people, struct str name, account_t *account)
{
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, SCRATCH_MAX);
	return directory_find_login(&people->directory, name, &arena, account) ==
	       DIRECTORY_ACCOUNT;
}

static void add_one(struct people *people, unsigned place)
{
	char name[NAME_MAX_BYTES], address[NAME_MAX_BYTES + sizeof DEV_DOMAIN + 1];
	account_t account = 0;
	enum vault_outcome outcome;

	name_of(place, name);
	(void)snprintf(address, sizeof address, "%s@" DEV_DOMAIN, name);
	enum store_outcome made = directory_add_account(
		&people->directory, str_c(address),
		place == 0 ? DIRECTORY_ADMIN : DIRECTORY_PERSON, &account);
	if (made == STORE_CONFLICT && !find(people, str_c(address), &account))
		made = STORE_UNAVAILABLE;
	if (made != STORE_OK && made != STORE_CONFLICT) {
		failed(people, store_outcome_text(made), name);
		return;
	}
	if (people->template == 0) {
		outcome = vault_set_password(people->vault, account, STR(DEV_PASSWORD));
		people->template = account;
	} else
		outcome = vault_share_password(people->vault, account, people->template);
	if (outcome != VAULT_OK)
		failed(people, "password", name);
}

static void work(void *arg)
{
	struct people *people = arg;

	while (people->next < people->total && !is_over(people))
		add_one(people, people->next++);
	if (--people->workers == 0)
		wake_all(&people->finished);
}

/* Numbers for up to DIRECTORY_RESERVE_MAX of them at once; if that cannot be, each gets
 * its own below. */
static void reserve(struct people *people)
{
	static struct str addresses[DIRECTORY_RESERVE_MAX];
	SCOPED(arena_fini) struct arena arena;
	size_t count = 0;
	char name[NAME_MAX_BYTES];

	arena_init(&arena, SCRATCH_MAX);
	/* The first admin is more than an address, so place 0 is not among them. */
	for (unsigned place = people->reserved;
	     place < people->total && count < COUNT_OF(addresses); place++) {
		name_of(place, name);
		addresses[count++] = arena_printf(&arena, "%s@" DEV_DOMAIN, name);
	}
	(void)directory_reserve(&people->directory, addresses, count); /* see above */
	people->reserved += (unsigned)count;
}

/* One first, since the others share its password; then many at a time, which costs the
 * store few flushes. */
static void add_all(struct people *people)
{
	add_one(people, people->next++);
	people->reserved = people->next;
	while (people->reserved < people->total && !is_over(people))
		reserve(people);
	for (unsigned i = 0; i < WORKERS && people->next + i < people->total; i++) {
		if (task_start("add account", work, people))
			people->workers++;
	}
	while (people->workers > 0)
		(void)wait_on(&people->finished, NEVER);
}

/* RFC 5321 §4.5.1: postmaster is always there; here it is admin's. */
static void add_postmaster(struct people *people)
{
	const struct str admin = STR("admin@" DEV_DOMAIN);
	SCOPED(arena_fini) struct arena arena;
	struct directory_entry entry;

	arena_init(&arena, SCRATCH_MAX);
	if (directory_find(&people->directory, STR("postmaster"), STR(DEV_DOMAIN), &arena,
			   &entry) == DIRECTORY_NOBODY &&
	    directory_add_alias(&people->directory, STR("postmaster@" DEV_DOMAIN), &admin,
				1) != STORE_OK)
		failed(people, "alias", "postmaster");
}

/* How many were there at the end of an earlier start. */
static unsigned read_done(const char *path)
{
	char text[32] = "";
	uint64_t number = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return 0;
	size_t len = fread(text, 1, sizeof text, file);
	(void)fclose(file);
	if (!num_parse(str_trim((struct str){text, len}), UINT32_MAX, &number))
		return 0;
	return (unsigned)number;
}

static void write_done(const char *path, unsigned number)
{
	FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%u\n", number) < 0)
		LOG(WARN, "accounts not noted", KV("path", path));
	if (file)
		(void)fclose(file);
}

static bool reach(struct people *people, struct supervisor *supervisor)
{
	int store_fd, vault_fd;

	if (supervisor_channels(supervisor, &store_fd, &vault_fd) != OK)
		return false;
	people->store = store_open(store_fd);
	people->vault = vault_open(vault_fd);
	people->directory = (struct directory){.store = people->store,
					       .default_domain = STR(DEV_DOMAIN)};
	return true;
}

bool people_add(struct supervisor *supervisor, const char *folder, unsigned users)
{
	struct people people = {.supervisor = supervisor,
				.total = users + (unsigned)COUNT_OF(first_people)};
	char path[FOLDER_PATH_MAX];

	if (folder_path(path, folder, "run/dev-accounts") != OK)
		return false;
	unsigned done = read_done(path);

	people.next = done;
	if (people.next >= people.total)
		return true;
	if (!reach(&people, supervisor))
		return false;
	enum store_outcome outcome =
		directory_add_domain(&people.directory, STR(DEV_DOMAIN));
	if (outcome != STORE_OK && outcome != STORE_CONFLICT)
		failed(&people, store_outcome_text(outcome), DEV_DOMAIN);
	else
		add_all(&people);
	if (!is_over(&people) && done == 0)
		add_postmaster(&people);
	if (!is_over(&people))
		write_done(path, people.total);
	store_close(&people.store);
	vault_close(&people.vault);
	return !is_over(&people);
}

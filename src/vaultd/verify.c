#include "vaultd/verify.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"
#include "vaultd/recent.h"

struct verifier {
	struct secrets *secrets;
	struct hasher *hasher;
	struct recent *recent;
	struct list flights; /* computations under way */
	unsigned char nobodys_salt[HASHER_SALT_BYTES];
};

/* Lives on the stack of the task that computes, until all who joined have gone on. */
struct flight {
	struct list_link in_flights;
	uint32_t account, generation;
	struct recent_tag tag;
	bool is_over;
	enum vault_outcome outcome;
	unsigned joined;
	struct waiters over, left;
};

struct verifier *verifier_new(struct secrets *secrets, struct hasher *hasher)
{
	struct verifier *verifier = NEW(struct verifier);

	verifier->secrets = secrets;
	verifier->hasher = hasher;
	verifier->recent = recent_new();
	rand_bytes(verifier->nobodys_salt, HASHER_SALT_BYTES);
	return verifier;
}

void verifier_free(struct verifier **verifier)
{
	if (!*verifier)
		return;
	recent_free(&(*verifier)->recent);
	mem_free(*verifier);
	*verifier = NULL;
}

static struct flight *flight_of(struct verifier *verifier, const struct flight *like)
{
	LIST_EACH(&verifier->flights, link)
	{
		struct flight *flight = CONTAINER_OF(link, struct flight, in_flights);

		if (flight->account == like->account &&
		    flight->generation == like->generation &&
		    memcmp(&flight->tag, &like->tag, sizeof like->tag) == 0)
			return flight;
	}
	return NULL;
}

static enum vault_outcome join(struct flight *flight)
{
	enum vault_outcome outcome = VAULT_LATER;

	flight->joined++;
	if (wait_on(&flight->over, NEVER) == OK)
		outcome = flight->outcome;
	if (--flight->joined == 0)
		wake_all(&flight->left);
	return outcome;
}

/* The flight's struct ends with the stack, so it waits for those who look at it. */
static void land(struct verifier *verifier, struct flight *flight)
{
	list_remove(&verifier->flights, &flight->in_flights);
	wake_all(&flight->over);
	while (flight->joined > 0)
		(void)wait_on(&flight->left, NEVER); /* they leave without waiting */
}

static enum vault_outcome compute(struct verifier *verifier,
				  const struct password *record, struct str password,
				  struct str peer)
{
	unsigned char hash[HASHER_HASH_BYTES];
	const unsigned char *salt =
		record->is_set ? record->salt : verifier->nobodys_salt;
	struct str got = {(const char *)hash, sizeof hash};
	struct str want = {(const char *)record->hash, sizeof record->hash};

	if (hasher_run(verifier->hasher, peer, password, salt, hash) != OK)
		return VAULT_LATER;
	bool is_right = str_same_secret(got, want);
	explicit_bzero(hash, sizeof hash);
	return is_right && record->is_set ? VAULT_OK : VAULT_REFUSED;
}

static enum vault_outcome ask(struct verifier *verifier, const struct password *record,
			      uint32_t account, struct str password, struct str peer)
{
	struct flight flight = {.account = account, .generation = record->generation};

	flight.tag = recent_tag(verifier->recent, account, password);
	if (record->is_set && recent_has(verifier->recent, account, record->generation,
					 &flight.tag, loop_now()))
		return VAULT_OK;
	/* Those about nobody meet as well, or else what a crowd waits for would tell who
	 * exists. */
	struct flight *same = flight_of(verifier, &flight);
	if (same)
		return join(same);
	list_add_last(&verifier->flights, &flight.in_flights);
	flight.outcome = compute(verifier, record, password, peer);
	if (flight.outcome == VAULT_OK)
		recent_add(verifier->recent, account, record->generation, &flight.tag,
			   loop_now());
	land(verifier, &flight);
	return flight.outcome;
}

enum vault_outcome verifier_ask(struct verifier *verifier, uint32_t account,
				struct str password, struct str peer,
				uint32_t *generation)
{
	struct password record = {0};

	if (account != 0 && secrets_password(verifier->secrets, account, &record) != OK)
		return VAULT_LATER;
	enum vault_outcome outcome = ask(verifier, &record, account, password, peer);
	*generation = record.generation;
	explicit_bzero(&record, sizeof record);
	return outcome;
}

void verifier_forget(struct verifier *verifier, uint32_t account)
{
	recent_forget(verifier->recent, account);
}

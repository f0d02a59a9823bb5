#include "directory/dkim_rollover.h"

#include "base/civil.h"
#include "base/log.h"
#include "rt/clock.h"
#include "wire/auth/dkim_key.h"

enum { RECORD_MAX = 4096, DAY_S = 86400, TRIES_MAX = 26 };

enum store_outcome dkim_rollover_load(struct dkim_rollover *rollover)
{
	struct directory_dkim *found;
	enum store_outcome outcome =
		directory_dkim(rollover->directory, &rollover->domain, rollover->arena,
			       &found, &rollover->count);

	if (outcome != STORE_OK)
		return outcome;
	rollover->keys =
		ARENA_ARRAY(rollover->arena, struct directory_dkim, DIRECTORY_DKIM_MAX);
	if (!rollover->keys || rollover->count > DIRECTORY_DKIM_MAX)
		return STORE_UNAVAILABLE;
	for (size_t i = 0; i < rollover->count; i++)
		rollover->keys[i] = found[i];
	return STORE_OK;
}

bool dkim_rollover_has(const struct dkim_rollover *rollover, enum dkim_key_state state)
{
	for (size_t i = 0; i < rollover->count; i++)
		if (rollover->keys[i].state == state)
			return true;
	return false;
}

enum store_outcome dkim_rollover_save(struct dkim_rollover *rollover)
{
	if (!rollover->is_changed)
		return STORE_OK;
	return directory_set_dkim(rollover->directory, rollover->domain, rollover->keys,
				  rollover->count);
}

/* ---- new keys ---------------------------------------------------------------------- */

/* A selector that tells the day, and what was first free on it: 20261122ra. */
static bool make_one(struct dkim_rollover *rollover, enum vault_dkim_kind kind)
{
	SCOPED(buf_fini) struct buf record = BUF(RECORD_MAX);
	struct civil day = civil_from_unix(clock_s(), 0);
	struct vault_dkim name = {.domain = rollover->domain};
	enum vault_outcome outcome = VAULT_REFUSED;

	if (rollover->count == DIRECTORY_DKIM_MAX)
		return false;
	for (int i = 0; i < TRIES_MAX && outcome == VAULT_REFUSED; i++) {
		name.selector = arena_printf(rollover->arena, "%04d%02d%02d%c%c",
					     day.year, day.month, day.day,
					     kind == VAULT_DKIM_RSA ? 'r' : 'e', 'a' + i);
		outcome = vault_make_dkim(rollover->vault, &name, kind, &record);
	}
	if (outcome != VAULT_OK)
		return false;
	rollover->keys[rollover->count++] =
		(struct directory_dkim){name.selector, kind, DKIM_KEY_NEXT, clock_s()};
	rollover->is_changed = true;
	return true;
}

bool dkim_rollover_make(struct dkim_rollover *rollover)
{
	return make_one(rollover, VAULT_DKIM_RSA) &&
	       make_one(rollover, VAULT_DKIM_ED25519);
}

/* ---- what the DNS shows ------------------------------------------------------------ */

struct str dkim_rollover_name(const struct dkim_rollover *rollover,
			      const struct directory_dkim *key)
{
	return arena_printf(rollover->arena, "%.*s._domainkey.%.*s",
			    STR_FMT(key->selector), STR_FMT(rollover->domain));
}

struct str dkim_rollover_record(const struct dkim_rollover *rollover,
				const struct directory_dkim *key)
{
	SCOPED(buf_fini) struct buf record = BUF(RECORD_MAX);
	const struct vault_dkim name = {rollover->domain, key->selector};
	struct str copy;

	if (vault_dkim_record(rollover->vault, &name, &record) != VAULT_OK ||
	    !arena_copy(rollover->arena, buf_str(&record), &copy))
		return STR("");
	return copy;
}

bool dkim_rollover_is_same(struct str shown, struct str ours, struct arena *arena)
{
	struct dkim_key theirs, key;

	return dkim_key_parse(shown, arena, &theirs) == DKIM_KEY_FINE &&
	       dkim_key_parse(ours, arena, &key) == DKIM_KEY_FINE &&
	       theirs.type == key.type && str_same(theirs.modulus, key.modulus) &&
	       str_same(theirs.exponent, key.exponent) &&
	       str_same(theirs.public_key, key.public_key);
}

static bool is_shown(const struct dkim_rollover *rollover,
		     const struct dns_lookup *lookup, const struct directory_dkim *key)
{
	struct str ours = dkim_rollover_record(rollover, key), text;
	struct dns_answer answer;

	dns_ask(lookup, dkim_rollover_name(rollover, key), DNS_TXT, rollover->arena,
		&answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++)
		if (ours.len > 0 &&
		    dns_txt_read(answer.records[i], rollover->arena, &text) &&
		    dkim_rollover_is_same(text, ours, rollover->arena))
			return true;
	return false;
}

struct looking {
	const struct dkim_rollover *rollover;
	const struct dns_lookup *lookup;
	const struct directory_dkim *key;
	bool is_shown;
};

static void look(void *arg)
{
	struct looking *looking = arg;

	looking->is_shown = is_shown(looking->rollover, looking->lookup, looking->key);
}

/* All that wait for it; asked for at a time. */
static bool are_shown(const struct dkim_rollover *rollover)
{
	struct errand list[DIRECTORY_DKIM_MAX];
	struct looking lookings[DIRECTORY_DKIM_MAX];
	struct errands errands = {.list = list};
	struct dns_errands dns = {&rollover->lookup, &errands};
	const struct dns_lookup lookup = dns_errands_lookup(&dns);
	bool are_shown = true;

	for (size_t i = 0; i < rollover->count; i++) {
		struct looking *looking = &lookings[errands.count];

		if (rollover->keys[i].state != DKIM_KEY_NEXT)
			continue;
		*looking = (struct looking){rollover, &lookup, &rollover->keys[i], false};
		list[errands.count++] = (struct errand){.run = look, .arg = looking};
	}
	errands_run(&errands);
	for (size_t i = 0; i < errands.count; i++)
		are_shown = are_shown && lookings[i].is_shown;
	return are_shown;
}

static void change(struct dkim_rollover *rollover, enum dkim_key_state from,
		   enum dkim_key_state to)
{
	for (size_t i = 0; i < rollover->count; i++) {
		struct directory_dkim *key = &rollover->keys[i];

		if (key->state != from)
			continue;
		key->state = to;
		key->since_s = clock_s();
		rollover->is_changed = true;
		LOG(INFO, to == DKIM_KEY_ACTIVE ? "DKIM key signs" : "DKIM key retired",
		    KV_STR("key", key->selector), KV_STR("host", rollover->domain));
	}
}

void dkim_rollover_promote(struct dkim_rollover *rollover)
{
	if (!dkim_rollover_has(rollover, DKIM_KEY_NEXT) || !are_shown(rollover))
		return;
	change(rollover, DKIM_KEY_ACTIVE, DKIM_KEY_RETIRED);
	change(rollover, DKIM_KEY_NEXT, DKIM_KEY_ACTIVE);
}

/* ---- old keys ---------------------------------------------------------------------- */

/* Nobody needs to see it any more.  The vault forgets it first: were it asked afterwards,
 * and died, nobody would ask again. */
static bool is_forgotten(const struct dkim_rollover *rollover,
			 const struct directory_dkim *key)
{
	const struct vault_dkim name = {rollover->domain, key->selector};

	return key->state == DKIM_KEY_RETIRED &&
	       clock_s() - key->since_s > DKIM_RETIRED_DAYS * DAY_S &&
	       vault_forget_dkim(rollover->vault, &name) == VAULT_OK;
}

void dkim_rollover_forget(struct dkim_rollover *rollover)
{
	size_t kept = 0;

	for (size_t i = 0; i < rollover->count; i++)
		if (!is_forgotten(rollover, &rollover->keys[i]))
			rollover->keys[kept++] = rollover->keys[i];
	rollover->is_changed |= kept < rollover->count;
	rollover->count = kept;
}

#include <jansson.h>

#include "base/civil.h"
#include "ctl/word.h"
#include "directory/dkim.h"
#include "publish/check.h"
#include "resolver/resolver.h"
#include "rt/clock.h"
#include "vault/vault.h"

enum { RECORD_MAX = 4096, DAY_S = 86400, TRIES_MAX = 26 };

struct keys {
	struct str domain;
	struct directory_dkim *keys; /* room for DIRECTORY_DKIM_MAX */
	size_t count;
	bool is_changed;
};

/* ---- the list ---------------------------------------------------------------------- */

static bool load(struct ctl *ctl, struct keys *keys)
{
	keys->domain = ctl->words[0];
	enum store_outcome outcome = directory_dkim(
		&ctl->directory, &keys->domain, &ctl->arena, &keys->keys, &keys->count);

	if (outcome == STORE_ABSENT || outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "%.*s is not a domain of ours.\nNothing was changed.\n"
			 "\"postrider domain list\" shows those that are.",
			 STR_FMT(ctl->words[0]));
	else if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	if (outcome == STORE_OK && !keys->keys)
		keys->keys = ARENA_ARRAY(&ctl->arena, struct directory_dkim,
					 DIRECTORY_DKIM_MAX);
	return outcome == STORE_OK && keys->keys;
}

static bool save(struct ctl *ctl, struct keys *keys)
{
	if (!keys->is_changed)
		return true;
	enum store_outcome outcome = directory_set_dkim(&ctl->directory, keys->domain,
							keys->keys, keys->count);

	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	return outcome == STORE_OK;
}

static bool has(const struct keys *keys, enum dkim_key_state state)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].state == state)
			return true;
	return false;
}

static void change(struct keys *keys, enum dkim_key_state from, enum dkim_key_state to)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->keys[i].state != from)
			continue;
		keys->keys[i].state = to;
		keys->keys[i].since_s = clock_s();
		keys->is_changed = true;
	}
}

/* ---- new keys ---------------------------------------------------------------------- */

/* A selector that tells the day, and what was first free on it: 20261122ra. */
static bool make_one(struct ctl *ctl, struct keys *keys, enum vault_dkim_kind kind)
{
	SCOPED(buf_fini) struct buf record = BUF(RECORD_MAX);
	struct civil day = civil_from_unix(clock_s(), 0);
	struct vault_dkim name = {.domain = keys->domain};
	enum vault_outcome outcome = VAULT_REFUSED;

	for (int i = 0; i < TRIES_MAX && outcome == VAULT_REFUSED; i++) {
		name.selector = arena_printf(&ctl->arena, "%04d%02d%02d%c%c", day.year,
					     day.month, day.day,
					     kind == VAULT_DKIM_RSA ? 'r' : 'e', 'a' + i);
		outcome = vault_make_dkim(ctl->vault, &name, kind, &record);
	}
	if (outcome != VAULT_OK || keys->count == DIRECTORY_DKIM_MAX) {
		ctl_fail(ctl,
			 "The vault cannot make a key for %.*s now.\nThe keys there "
			 "were stay as they are.\nTry again tomorrow; the log says why.",
			 STR_FMT(keys->domain));
		return false;
	}
	keys->keys[keys->count++] =
		(struct directory_dkim){name.selector, kind, DKIM_KEY_NEXT, clock_s()};
	keys->is_changed = true;
	return true;
}

static bool make_pair(struct ctl *ctl, struct keys *keys)
{
	return make_one(ctl, keys, VAULT_DKIM_RSA) &&
	       make_one(ctl, keys, VAULT_DKIM_ED25519);
}

/* ---- what the DNS shows ------------------------------------------------------------ */

static struct str name_of(struct ctl *ctl, const struct keys *keys,
			  const struct directory_dkim *key)
{
	return arena_printf(&ctl->arena, "%.*s._domainkey.%.*s", STR_FMT(key->selector),
			    STR_FMT(keys->domain));
}

static struct str record_of(struct ctl *ctl, const struct keys *keys,
			    const struct directory_dkim *key)
{
	SCOPED(buf_fini) struct buf record = BUF(RECORD_MAX);
	const struct vault_dkim name = {keys->domain, key->selector};
	struct str copy;

	if (vault_dkim_record(ctl->vault, &name, &record) != VAULT_OK ||
	    !arena_copy(&ctl->arena, buf_str(&record), &copy))
		return STR("");
	return copy;
}

static bool is_shown(struct ctl *ctl, const struct keys *keys,
		     const struct directory_dkim *key)
{
	struct str ours = record_of(ctl, keys, key), text;
	struct dns_answer answer;

	resolver_ask(ctl->resolver, name_of(ctl, keys, key), DNS_TXT, &ctl->arena,
		     &answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++)
		if (ours.len > 0 && dns_txt_read(answer.records[i], &ctl->arena, &text) &&
		    publish_is_same_dkim(text, ours, &ctl->arena))
			return true;
	return false;
}

/* New keys sign when the DNS shows all of them; then those before them retire. */
static void promote(struct ctl *ctl, struct keys *keys)
{
	if (!has(keys, DKIM_KEY_NEXT))
		return;
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].state == DKIM_KEY_NEXT &&
		    !is_shown(ctl, keys, &keys->keys[i]))
			return;
	change(keys, DKIM_KEY_ACTIVE, DKIM_KEY_RETIRED);
	change(keys, DKIM_KEY_NEXT, DKIM_KEY_ACTIVE);
}

/* Nobody needs to see them any more. */
static void forget_retired(struct keys *keys)
{
	size_t kept = 0;

	for (size_t i = 0; i < keys->count; i++) {
		const struct directory_dkim *key = &keys->keys[i];

		if (key->state == DKIM_KEY_RETIRED &&
		    clock_s() - key->since_s > DKIM_RETIRED_DAYS * DAY_S)
			keys->is_changed = true;
		else
			keys->keys[kept++] = *key;
	}
	keys->count = kept;
}

/* ---- in words ---------------------------------------------------------------------- */

static const char *state_name(enum dkim_key_state state)
{
	switch (state) {
	case DKIM_KEY_NEXT:
		return "next";
	case DKIM_KEY_ACTIVE:
		return "active";
	case DKIM_KEY_RETIRED:
		return "retired";
	}
	return "";
}

static const char *advice(enum dkim_key_state state)
{
	switch (state) {
	case DKIM_KEY_NEXT:
		return "publish it; it signs once the DNS shows it and this command was "
		       "run again";
	case DKIM_KEY_ACTIVE:
		return "it signs; keep it published";
	case DKIM_KEY_RETIRED:
		return "it signs no more; keep it published until it is not listed here";
	}
	return "";
}

static void print(struct ctl *ctl, const struct keys *keys)
{
	json_t *all = json_array();

	for (size_t i = 0; i < keys->count; i++) {
		const struct directory_dkim *key = &keys->keys[i];
		struct str name = name_of(ctl, keys, key),
			   record = record_of(ctl, keys, key);

		buf_printf(&ctl->out, "; %s: %s\n", state_name(key->state),
			   advice(key->state));
		buf_printf(&ctl->out, "%.*s. TXT ( ", STR_FMT(name));
		publish_print_text(record, &ctl->out);
		buf_add_c(&ctl->out, " )\n");
		(void)json_array_append_new(
			all, json_pack("{s:s%,s:s%,s:s,s:I}", "name", name.ptr, name.len,
				       "record", record.ptr ? record.ptr : "", record.len,
				       "state", state_name(key->state), "since",
				       (json_int_t)key->since_s));
	}
	ctl->json = json_pack("{s:s%,s:o}", "domain", keys->domain.ptr, keys->domain.len,
			      "keys", all);
}

bool domain_dkim_prepare(struct ctl *ctl)
{
	struct keys keys = {.count = 0};

	if (!load(ctl, &keys) || (keys.count == 0 && !make_pair(ctl, &keys)))
		return false;
	promote(ctl, &keys);
	return save(ctl, &keys);
}

void domain_dkim_show(struct ctl *ctl)
{
	struct keys keys = {.count = 0};

	if (!load(ctl, &keys) || (keys.count == 0 && !make_pair(ctl, &keys)))
		return;
	promote(ctl, &keys);
	forget_retired(&keys);
	if (save(ctl, &keys))
		print(ctl, &keys);
}

void domain_dkim_rotate(struct ctl *ctl)
{
	struct keys keys = {.count = 0};

	if (!load(ctl, &keys))
		return;
	promote(ctl, &keys);
	forget_retired(&keys);
	if (!has(&keys, DKIM_KEY_NEXT) && !make_pair(ctl, &keys))
		return;
	if (save(ctl, &keys))
		print(ctl, &keys);
}

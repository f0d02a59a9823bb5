#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/word.h"
#include "directory/dkim_rollover.h"
#include "publish/check.h"

static struct dkim_rollover rollover_of(struct ctl *ctl)
{
	return (struct dkim_rollover){.directory = &ctl->directory,
				      .vault = ctl->vault,
				      .lookup = *ctl_lookup(ctl, LOOKUPS_SECONDS),
				      .arena = &ctl->arena,
				      .domain = ctl->words[0]};
}

static bool load(struct ctl *ctl, struct dkim_rollover *keys)
{
	*keys = rollover_of(ctl);
	enum store_outcome outcome = dkim_rollover_load(keys);

	if (outcome == STORE_ABSENT || outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "%.*s is not a domain of ours.\nNothing was changed.\n"
			 "\"postrider domain list\" shows those that are.",
			 STR_FMT(ctl->words[0]));
	else if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	return outcome == STORE_OK;
}

static bool save(struct ctl *ctl, struct dkim_rollover *keys)
{
	enum store_outcome outcome = dkim_rollover_save(keys);

	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	return outcome == STORE_OK;
}

static bool make_pair(struct ctl *ctl, struct dkim_rollover *keys)
{
	if (dkim_rollover_make(keys))
		return true;
	ctl_fail(ctl,
		 "The vault cannot make a key for %.*s now.\nThe keys there were stay as "
		 "they are.\nTry again tomorrow; the log says why.",
		 STR_FMT(keys->domain));
	return false;
}

bool domain_dkim_begin(struct ctl *ctl)
{
	struct dkim_rollover keys = rollover_of(ctl);

	return dkim_rollover_load(&keys) == STORE_OK &&
	       (keys.count > 0 || dkim_rollover_make(&keys)) &&
	       dkim_rollover_save(&keys) == STORE_OK;
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
		return "publish it; it signs within the hour after the DNS shows it, or "
		       "when this command is run again";
	case DKIM_KEY_ACTIVE:
		return "it signs; keep it published";
	case DKIM_KEY_RETIRED:
		return "it signs no more; keep it published until it is not listed here";
	}
	return "";
}

static void print(struct ctl *ctl, const struct dkim_rollover *keys)
{
	json_t *all = json_array();

	for (size_t i = 0; i < keys->count; i++) {
		const struct directory_dkim *key = &keys->keys[i];
		struct str name = dkim_rollover_name(keys, key),
			   record = dkim_rollover_record(keys, key);

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
	struct dkim_rollover keys;

	if (!load(ctl, &keys) || (keys.count == 0 && !make_pair(ctl, &keys)))
		return false;
	dkim_rollover_promote(&keys);
	return save(ctl, &keys);
}

void domain_dkim_show(struct ctl *ctl)
{
	struct dkim_rollover keys;

	if (!load(ctl, &keys) || (keys.count == 0 && !make_pair(ctl, &keys)))
		return;
	dkim_rollover_promote(&keys);
	dkim_rollover_forget(&keys);
	if (save(ctl, &keys))
		print(ctl, &keys);
}

void domain_dkim_rotate(struct ctl *ctl)
{
	struct dkim_rollover keys;

	if (!load(ctl, &keys))
		return;
	dkim_rollover_promote(&keys);
	dkim_rollover_forget(&keys);
	if (!dkim_rollover_has(&keys, DKIM_KEY_NEXT) && !make_pair(ctl, &keys))
		return;
	if (save(ctl, &keys))
		print(ctl, &keys);
}

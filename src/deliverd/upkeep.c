#include "deliverd/upkeep.h"

#include "base/log.h"
#include "base/rand.h"
#include "directory/dkim_rollover.h"
#include "directory/srs_keys.h"
#include "report/kept.h"
#include "rt/clock.h"
#include "rt/task.h"
#include "store/store.h"

enum {
	PAUSE_MS = 3600 * 1000,
	SPREAD_MS = 300 * 1000, /* that not all processes ask at once */
	DOMAINS_PAGE = 100,
	LIST_ARENA_BYTES = 256 * 1024,
	DOMAIN_ARENA_BYTES = 1024 * 1024,
};

static bool is_same(const struct dkim_rollover *a, const struct dkim_rollover *b)
{
	bool is_same = a->count == b->count;

	for (size_t i = 0; is_same && i < a->count; i++)
		is_same = str_same(a->keys[i].selector, b->keys[i].selector) &&
			  a->keys[i].state == b->keys[i].state;
	return is_same;
}

/* Answers of the DNS take their time: if somebody else has changed the list meanwhile,
 * theirs stands, and ours is found out again. */
static void save(struct dkim_rollover *rollover, const struct dkim_rollover *before)
{
	struct dkim_rollover now = *before;
	enum store_outcome outcome = dkim_rollover_load(&now);

	if (outcome == STORE_OK && is_same(&now, before))
		outcome = dkim_rollover_save(rollover);
	if (outcome != STORE_OK)
		LOG(WARN, "DKIM keys not updated", KV_STR("host", rollover->domain),
		    KV("reason", store_outcome_text(outcome)));
}

static void look_at(const struct upkeep *upkeep, struct str domain)
{
	SCOPED(arena_fini) struct arena arena;
	struct dkim_rollover before = {.directory = upkeep->directory,
				       .vault = upkeep->vault,
				       .lookup = dns_lookup_by(upkeep->resolver),
				       .arena = &arena,
				       .domain = domain};

	arena_init(&arena, DOMAIN_ARENA_BYTES);
	struct dkim_rollover now = before;

	if (dkim_rollover_load(&before) != STORE_OK ||
	    dkim_rollover_load(&now) != STORE_OK || now.count == 0)
		return;
	dkim_rollover_promote(&now);
	dkim_rollover_forget(&now);
	if (now.is_changed)
		save(&now, &before);
}

/* Copies the last name of the page into last; false: there is no more. */
static bool look_at_page(const struct upkeep *upkeep, struct buf *last)
{
	SCOPED(arena_fini) struct arena arena;
	struct directory_item *items;
	size_t count;

	arena_init(&arena, LIST_ARENA_BYTES);
	if (directory_list(upkeep->directory, DIRECTORY_DOMAINS, buf_str(last),
			   DOMAINS_PAGE, &arena, &items, &count) != STORE_OK ||
	    count == 0)
		return false;
	for (size_t i = 0; i < count && !task_is_canceled(); i++)
		look_at(upkeep, items[i].name);
	buf_reset(last);
	buf_add(last, items[count - 1].name);
	return count == DOMAINS_PAGE;
}

static void renew_srs_keys(const struct upkeep *upkeep)
{
	enum store_outcome outcome =
		directory_renew_srs_keys(upkeep->directory, clock_s());

	if (outcome != STORE_OK)
		LOG(WARN, "SRS keys not renewed",
		    KV("reason", store_outcome_text(outcome)));
}

void upkeep_look(const struct upkeep *upkeep)
{
	SCOPED(buf_fini) struct buf last = BUF(1024);

	renew_srs_keys(upkeep);
	kept_purge(upkeep->directory->store);
	while (!task_is_canceled() && look_at_page(upkeep, &last)) {
	}
}

void upkeep_task(void *arg)
{
	renew_srs_keys(arg);
	while (task_sleep_ms(PAUSE_MS + rand_u64() % SPREAD_MS) == OK)
		upkeep_look(arg);
}

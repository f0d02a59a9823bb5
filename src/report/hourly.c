#include "report/hourly.h"

#include "base/hash.h"
#include "base/mem.h"

enum { HOUR_S = 3600, BUCKETS = 256 };

struct entry {
	struct entry *next;
	unsigned count; /* of this hour */
	uint64_t passed_over;
	bool is_wanted; /* in this hour */
	char name[HOURLY_NAME_MAX + 1];
};

struct hourly {
	unsigned limit, all;
	size_t names;
	int64_t hour;
	struct entry *buckets[BUCKETS];
};

struct hourly *hourly_new(unsigned limit)
{
	struct hourly *hourly = NEW(struct hourly);

	hourly->limit = limit;
	return hourly;
}

/* Those stay that are still to be told what was passed over in the last hour, unless all
 * are to go. */
static void forget(struct hourly *hourly, bool is_all)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry **at = &hourly->buckets[i]; *at;) {
			struct entry *entry = *at;

			if (!is_all && entry->is_wanted && entry->passed_over > 0) {
				entry->is_wanted = false;
				entry->count = 0;
				at = &entry->next;
				continue;
			}
			*at = entry->next;
			hourly->names--;
			mem_free(entry);
		}
	}
}

void hourly_free(struct hourly **hourly)
{
	if (*hourly)
		forget(*hourly, true);
	mem_free(*hourly);
	*hourly = NULL;
}

static struct entry *find(struct hourly *hourly, struct str name)
{
	struct entry **bucket = &hourly->buckets[hash64(name) % BUCKETS];

	for (struct entry *entry = *bucket; entry; entry = entry->next)
		if (str_same(str_c(entry->name), name))
			return entry;
	if (hourly->names == HOURLY_NAMES_MAX)
		return NULL;
	struct entry *entry = NEW(struct entry);

	if (!str_to_c(name, entry->name, sizeof entry->name)) {
		mem_free(entry);
		return NULL;
	}
	entry->next = *bucket;
	*bucket = entry;
	hourly->names++;
	return entry;
}

bool hourly_take(struct hourly *hourly, struct str name, int64_t now_s,
		 uint64_t *passed_over)
{
	*passed_over = 0;
	if (now_s / HOUR_S != hourly->hour) {
		forget(hourly, false);
		hourly->hour = now_s / HOUR_S;
		hourly->all = 0;
	}
	struct entry *entry = find(hourly, name);

	if (!entry)
		return false;
	entry->is_wanted = true;
	if (entry->count == hourly->limit || hourly->all == HOURLY_ALL_MAX) {
		entry->passed_over++;
		return false;
	}
	entry->count++;
	hourly->all++;
	*passed_over = entry->passed_over;
	entry->passed_over = 0;
	return true;
}

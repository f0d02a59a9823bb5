#include "imap/roster.h"

#include <stdlib.h>

#include "base/mem.h"

static void text_free(struct str text)
{
	mem_free((void *)(uintptr_t)text.ptr);
}

static struct str text_new(struct str text)
{
	char *copy = mem_zeroed(text.len + 1, 1);

	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	return (struct str){copy, text.len};
}

void roster_root(struct roster *roster, struct str root)
{
	struct str copy = text_new(root);

	text_free(roster->root);
	roster->root = copy;
}

void roster_fini(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		text_free(roster->list[i].name);
	text_free(roster->root);
	mem_free(roster->list);
	*roster = (struct roster){0};
}

/* Where the number stands, or would. */
static size_t place_of(const struct roster *roster, uint64_t id)
{
	size_t low = 0, high = roster->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roster->list[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct roster_entry *roster_find(const struct roster *roster, uint64_t id)
{
	size_t at = place_of(roster, id);

	return at < roster->count && roster->list[at].id == id ? &roster->list[at] : NULL;
}

static void count_child(struct roster *roster, uint64_t parent, int by)
{
	struct roster_entry *entry = roster_find(roster, parent);

	if (entry && (by > 0 || entry->children > 0))
		entry->children += (uint32_t)by;
}

static void entry_set(struct roster_entry *entry, const struct mailbox_row *row)
{
	struct str name = text_new(row->name);

	text_free(entry->name);
	entry->id = row->id;
	entry->parent = row->parent;
	entry->name = name;
	entry->role = row->role;
	entry->is_container = row->is_container;
	entry->is_subscribed = row->is_subscribed;
	entry->rights = row->rights;
}

static int by_id(const void *a, const void *b)
{
	const struct roster_entry *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

void roster_add(struct roster *roster, const struct mailbox_row *row)
{
	MEM_ROOM(roster->list, roster->count, roster->room);
	roster->list[roster->count] = (struct roster_entry){0};
	entry_set(&roster->list[roster->count++], row);
}

void roster_settle(struct roster *roster)
{
	if (roster->count > 0)
		qsort(roster->list, roster->count, sizeof *roster->list, by_id);
	for (size_t i = 0; i < roster->count; i++)
		roster->list[i].children = 0;
	for (size_t i = 0; i < roster->count; i++)
		count_child(roster, roster->list[i].parent, 1);
}

struct roster_entry *roster_put(struct roster *roster, const struct mailbox_row *row)
{
	size_t at = place_of(roster, row->id);
	bool is_new = at == roster->count || roster->list[at].id != row->id;

	if (is_new) {
		MEM_ROOM(roster->list, roster->count, roster->room);
		memmove(&roster->list[at + 1], &roster->list[at],
			(roster->count++ - at) * sizeof *roster->list);
		roster->list[at] = (struct roster_entry){0};
	} else {
		count_child(roster, roster->list[at].parent, -1);
	}
	entry_set(&roster->list[at], row);
	count_child(roster, row->parent, 1);
	return &roster->list[at];
}

void roster_remove(struct roster *roster, uint64_t id)
{
	size_t at = place_of(roster, id);

	ASSERT(at < roster->count && roster->list[at].id == id);
	count_child(roster, roster->list[at].parent, -1);
	text_free(roster->list[at].name);
	memmove(&roster->list[at], &roster->list[at + 1],
		(--roster->count - at) * sizeof *roster->list);
}

void roster_path(const struct roster *roster, const struct roster_entry *entry,
		 struct buf *path)
{
	const struct roster_entry *levels[MAILBOX_DEPTH_MAX + 1];
	size_t count = 0;

	while (entry && count < COUNT_OF(levels)) {
		levels[count++] = entry;
		entry = entry->parent != 0 ? roster_find(roster, entry->parent) : NULL;
	}
	if (roster->root.len > 0) {
		buf_add(path, roster->root);
		buf_add_byte(path, '/');
	}
	while (count > 0) {
		buf_add(path, levels[--count]->name);
		if (count > 0)
			buf_add_byte(path, '/');
	}
}

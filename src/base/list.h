/* A doubly linked list whose links live in its items: nothing is allocated, and an item
 * leaves in constant time.
 *
 *   struct session { …; struct list_link in_all; };
 *   LIST_EACH(&all, link) { struct session *s = CONTAINER_OF(link, struct session,
 * in_all); }
 */
#pragma once

#include "base/base.h"

struct list_link {
	struct list_link *prev, *next; /* both NULL: in no list */
};

/* Zero-initialised is empty. */
struct list {
	struct list_link *first, *last;
};

static inline bool list_is_empty(const struct list *list)
{
	return !list->first;
}

/* link must be in no list. */
static inline void list_add_last(struct list *list, struct list_link *link)
{
	link->prev = list->last;
	link->next = NULL;
	*(list->last ? &list->last->next : &list->first) = link;
	list->last = link;
}

static inline void list_add_first(struct list *list, struct list_link *link)
{
	link->next = list->first;
	link->prev = NULL;
	*(list->first ? &list->first->prev : &list->last) = link;
	list->first = link;
}

/* link must be in this list. */
static inline void list_remove(struct list *list, struct list_link *link)
{
	*(link->prev ? &link->prev->next : &list->first) = link->next;
	*(link->next ? &link->next->prev : &list->last) = link->prev;
	*link = (struct list_link){NULL, NULL};
}

/* The first link, taken out; NULL if empty. */
static inline struct list_link *list_take_first(struct list *list)
{
	struct list_link *link = list->first;

	if (link)
		list_remove(list, link);
	return link;
}

/* The body may remove link itself, but no other. */
#define LIST_EACH(list, link)                                                            \
	for (struct list_link *link = (list)->first, *link##_next_ = NULL;               \
	     link && (link##_next_ = link->next, true); link = link##_next_)

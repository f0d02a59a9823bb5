/* Makes the search index: takes messages from the store, a few at a time, finds their
 * words, and gives those back.  It has no account's grant: what it may read is what the
 * store has handed out. */
#pragma once

#include "store/store.h"

struct extract;

struct indexd {
	struct store *store;
	struct extract *extract;       /* who reads attached documents, */
	bool are_attachments_searched; /* if anybody shall */
};

/* A task: goes on until it is canceled.  arg is a struct indexd. */
void indexd_task(void *arg);

/* What it takes to decide whether a message matches a search key. */
#pragma once

#include "imap/narrow.h"

/* Cheapest first. */
enum cost { FROM_ROW, FROM_KEYWORDS, FROM_THREAD, FROM_MESSAGE, FROM_DIGEST, FROM_BODY };

/* is_open: of messages that the index leaves open. */
enum cost cost_of(const struct narrow *narrow, const struct imap_search_key *key,
		  bool is_open);
/* The columns of the rows that it needs. */
unsigned cost_columns(const struct narrow *narrow, const struct imap_search_key *key,
		      bool is_open);
/* Sorts its children by cost; those of equal cost stay in their order. */
void cost_sort(const struct narrow *narrow, struct imap_search_key *key);

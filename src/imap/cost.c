#include "imap/cost.h"

#include "store/types.h"

enum cost cost_of(const struct narrow *narrow, const struct imap_search_key *key,
		  bool is_open)
{
	enum cost most = FROM_ROW;

	if (!is_open && narrow_is_whole(narrow, key))
		return FROM_ROW;
	switch (key->kind) {
	case IMAP_SEARCH_SEQUENCE:
	case IMAP_SEARCH_UID:
	case IMAP_SEARCH_FLAG:
	case IMAP_SEARCH_MODSEQ:
	case IMAP_SEARCH_RECENT:
	case IMAP_SEARCH_NEW:
		return FROM_ROW;
	case IMAP_SEARCH_THREADID:
		return FROM_THREAD;
	case IMAP_SEARCH_KEYWORD:
		return FROM_KEYWORDS;
	case IMAP_SEARCH_LARGER:
	case IMAP_SEARCH_SMALLER:
	case IMAP_SEARCH_BEFORE:
	case IMAP_SEARCH_ON:
	case IMAP_SEARCH_SINCE:
	case IMAP_SEARCH_SAVED_BEFORE:
	case IMAP_SEARCH_SAVED_ON:
	case IMAP_SEARCH_SAVED_SINCE:
	case IMAP_SEARCH_EMAILID:
	case IMAP_SEARCH_OLDER:
	case IMAP_SEARCH_YOUNGER:
		return FROM_MESSAGE;
	case IMAP_SEARCH_HEADER:
	case IMAP_SEARCH_SENT_BEFORE:
	case IMAP_SEARCH_SENT_ON:
	case IMAP_SEARCH_SENT_SINCE:
		return FROM_DIGEST;
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		return FROM_BODY;
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
	case IMAP_SEARCH_NOT:
		break;
	}
	for (const struct imap_search_key *child = key->child; child;
	     child = child->next) {
		enum cost cost = cost_of(narrow, child, is_open);

		most = cost > most ? cost : most;
	}
	return most;
}

static bool has_kind(const struct imap_search_key *key, enum imap_search_kind kind)
{
	bool found = key->kind == kind;

	for (const struct imap_search_key *child = key->child; child && !found;
	     child = child->next)
		found = has_kind(child, kind);
	return found;
}

unsigned cost_columns(const struct narrow *narrow, const struct imap_search_key *key,
		      bool is_open)
{
	unsigned columns = has_kind(key, IMAP_SEARCH_THREADID) ? ROW_THREAD : 0;

	if (has_kind(key, IMAP_SEARCH_MODSEQ)) /* which is also told of what is found */
		columns |= ROW_MODSEQ;
	switch (cost_of(narrow, key, is_open)) {
	case FROM_BODY:
	case FROM_DIGEST:
		columns |= ROW_DIGEST;
		__attribute__((fallthrough));
	case FROM_MESSAGE:
		columns |= ROW_MESSAGE;
		__attribute__((fallthrough));
	case FROM_THREAD:
	case FROM_KEYWORDS:
		columns |= ROW_KEYWORDS;
		__attribute__((fallthrough));
	case FROM_ROW:
		break;
	}
	return columns;
}

void cost_sort(const struct narrow *narrow, struct imap_search_key *key)
{
	struct imap_search_key *buckets[FROM_BODY + 1] = {NULL};
	struct imap_search_key **ends[FROM_BODY + 1];

	for (size_t i = 0; i <= FROM_BODY; i++)
		ends[i] = &buckets[i];
	for (struct imap_search_key *child = key->child, *next; child; child = next) {
		enum cost cost = cost_of(narrow, child, true);

		next = child->next;
		child->next = NULL;
		*ends[cost] = child;
		ends[cost] = &child->next;
	}
	struct imap_search_key **end = &key->child;

	for (size_t i = 0; i <= FROM_BODY; i++) {
		*end = buckets[i];
		if (buckets[i])
			end = ends[i];
	}
}

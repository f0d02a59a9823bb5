/* The maildrop: what INBOX held when the client logged in, numbered from 1, locked
 * against other POP3 sessions.  RFC 1939 §4, §5.  Calls that name the store may suspend.
 */
#pragma once

#include "store/store.h"

enum { MAILDROP_MESSAGES_MAX = 1000000 };

struct maildrop_item {
	uint64_t member; /* never changes, never given again: RFC 1939 §7, UIDL */
	uint64_t message;
	uint64_t bytes;
	uint32_t uid;
	bool is_deleted; /* at QUIT */
};

struct maildrop {
	struct store *store;
	account_t account; /* 0: there is none open */
	struct maildrop_item *items;
	size_t count, room;
	size_t live_count; /* not marked as deleted */
	uint64_t live_bytes;
};

/* Locks and reads it.  CONFLICT: another session has it. */
enum store_outcome maildrop_open(struct maildrop *drop, struct store *store,
				 account_t account);
/* Unlocks and forgets; nothing is deleted. */
void maildrop_close(struct maildrop *drop);
/* The message of that number; NULL if there is none or it is marked as deleted. */
struct maildrop_item *maildrop_item(struct maildrop *drop, uint32_t number);
void maildrop_delete(struct maildrop *drop, struct maildrop_item *item);
void maildrop_undelete_all(struct maildrop *drop);
/* The UPDATE state: removes what is marked.  All of it, or the outcome says why not. */
enum store_outcome maildrop_update(struct maildrop *drop);

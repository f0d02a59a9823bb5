/* What the check of a store found, kept to be said at the end.  Private to ctl/. */
#pragma once

#include "ctl/word.h"
#include "storage/check.h"

enum { HEAL_KEPT_MAX = 5000 }; /* findings that are listed; the rest is counted */

struct heal_found {
	enum check_what what;
	const char *text;
	account_t account;
	uint64_t mailbox, size, offset;
	uint32_t uid, pack;
	int64_t at; /* when the mail was received, or found to be damaged */
	bool is_set_aside;
	struct str mailbox_name, subject, from, address;
};

struct heal {
	struct ctl *ctl;
	struct heal_found *found;
	size_t count, room;
	struct check_report report;
	bool is_online;
	int progress_fd;
	uint64_t started_ms, said_ms;
};

/* In a process of its own, with the rights of the store's owner: looks at folder, a copy
 * of the index with the packs of a running server, and prints what it finds. */
void heal_look_at_copy(struct ctl *ctl, const char *folder);
/* heal_online.c: check --online.  May suspend. */
void heal_online(struct ctl *ctl);

/* Subject and author, as far as the digest can be read. */
void heal_describe(struct heal *heal, struct str digest, struct heal_found *found);
/* The verdict, and each finding, into ctl->out and ctl->json. */
void heal_say_check(struct heal *heal);
void heal_say_rebuild(struct heal *heal);
void heal_say_damaged(struct heal *heal);

/* Rows in memory and the mails they are of. */
#pragma once

#include "mta/run.h"

/* The row that we have already, or NULL. */
struct entry *table_find(struct run *run, account_t account, uint64_t row);
/* Takes a leased row in, for that destination. */
struct entry *table_add(struct run *run, const struct queue_row *row,
			struct destination *destination);
/* The entry leaves its mail, to be settled. */
void table_decide(struct entry *entry);
/* Forgets it; its mail goes with the last. */
void table_forget(struct run *run, struct entry *entry);
/* In and out of the mails that wait at its destination, to which rows may be added. */
void mail_enter(struct mail *mail, bool is_first);
void mail_leave(struct mail *mail);
void mail_ref(struct mail *mail);
void mail_unref(struct mail *mail);

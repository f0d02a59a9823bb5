/* The verbs "account share", "unshare" and "shares". */
#pragma once

#include "ctl/word.h"

/* For the owner's account: gives rights in a mailbox, takes them all, prints them. */
void sharing_give(struct ctl *ctl, account_t owner);
void sharing_take(struct ctl *ctl, account_t owner);
void sharing_show(struct ctl *ctl, account_t owner);

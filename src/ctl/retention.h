/* The verb "account retention". */
#pragma once

#include "ctl/word.h"

/* For the account: prints for how long its mailboxes keep messages, or sets that. */
void retention(struct ctl *ctl, account_t account);

/* The verb "account sieve". */
#pragma once

#include "ctl/word.h"

/* For the account: prints its Sieve script, or sets it from a file, or removes it. */
void script(struct ctl *ctl, account_t account);

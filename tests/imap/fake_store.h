/* A store in memory with one account, for trying the IMAP door alone.  It implements the
 * calls of store/store.h and login/login.h that the door uses; pages and pieces are small
 * on purpose. */
#pragma once

#include "store/store.h"

enum { FAKE_ACCOUNT = 7 };

/* Makes INBOX and Sent.  In a mailbox "slow" STORE, COPY, MOVE and EXPUNGE take 25 s. */
void fake_store_init(void);

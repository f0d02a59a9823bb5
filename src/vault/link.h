/* What the vault tells the store, on a channel of their own: the key that grants are made
 * with, then which account's credentials have a new generation, so that older grants die.
 * Each is a call, answered with LINK_DONE and an empty body once it holds.
 */
#pragma once

#include "base/codec.h"

enum {
	LINK_GRANT_KEY = 1, /* 32 octets */
	LINK_REVOKE,        /* any number of {u32 account, u32 lowest good generation} */
	LINK_DONE = 64,

	LINK_KEY_BYTES = 32,
	LINK_REVOKE_MAX = 10000, /* pairs in one message */
};

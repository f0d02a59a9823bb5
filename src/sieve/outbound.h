/* Addresses that a script sends mail to: "sieve-address" of RFC 5228 §2.4.2.3, an
 * addr-spec, alone or in brackets behind a name.  Stricter than what is read in mails,
 * since nobody would hear of a mail that went to another address than was meant. */
#pragma once

#include "base/arena.h"

/* *address is then "local@domain" in its shortest form, in the arena.  False if text is
 * none, or at the arena's bound. */
[[nodiscard]] bool outbound_parse(struct arena *arena, struct str text,
				  struct str *address);

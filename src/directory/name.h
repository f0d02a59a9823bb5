/* The one spelling of domains and addresses in the directory: domains as lower-case
 * A-labels (RFC 5891 §5), local parts with ASCII letters lower.  Nothing suspends; slices
 * live in arena.
 */
#pragma once

#include "base/arena.h"

enum {
	NAME_DOMAIN_MAX = 253, /* RFC 1035 §2.3.4, as text */
	NAME_LOCAL_MAX = 64,   /* RFC 5321 §4.5.3.1.1 */
};

/* The domain's one spelling; false if it is no domain name (address literals are none).
 */
[[nodiscard]] bool name_domain(struct str text, struct arena *arena, struct str *domain);
/* The local part that an arriving one means: lower, prepared (text/saslprep.h), and
 * without "+tag".  False if nobody can be called that. */
[[nodiscard]] bool name_local(struct str text, struct arena *arena, struct str *local);
/* The same for one we are asked to create: a dot-atom or UTF-8, without "+". */
[[nodiscard]] bool name_new_local(struct str text, struct arena *arena,
				  struct str *local);
/* Takes "local@domain" apart at its last "@"; without one the domain is "". */
void name_split(struct str address, struct str *local, struct str *domain);

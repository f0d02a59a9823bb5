/* Received-SPF: what a server found out by SPF.  RFC 7208 §9.1.
 *
 * Leniencies, each for fields that exist:
 * - ANY_VALUE: a value goes up to white space or ";" ("envelope-from=<ann@x.example>"),
 *   in any charset; brackets of a path are removed;
 * - NO_SEPARATOR: pairs without ";" between them (Exchange);
 * - WORD_ONLY: a result without anything else.
 */
#pragma once

#include "base/str.h"

enum { RECEIVED_SPF_BYTES_MAX = 8 * 1024 }; /* what follows is not looked at */

/* Slices borrow the value; "" where it says nothing. */
struct received_spf {
	struct str result; /* "pass"; compare without case */
	struct str receiver, client_ip, sender, helo;
};

/* value is what stands behind the colon.  False if it does not begin with a result. */
[[nodiscard]] bool received_spf_parse(struct str value, struct received_spf *spf);

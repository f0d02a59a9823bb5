/* The resolver process: answers resolver.h's questions on the channels it is given, with
 * libunbound, which validates (DNSSEC) and remembers.  It holds nothing of anybody, and
 * never takes another server's word for a validation.
 */
#pragma once

#include "base/str.h"

struct resolverd;

struct resolverd_options {
	struct str server; /* "ADDRESS" or "ADDRESS:PORT" to ask; "": the root servers */
	struct str zones;  /* "ZONE=ADDRESS[:PORT] ...": who is asked about them */
	bool is_validating;
	struct str anchors; /* trust anchors, a record on each line; "": the root's */
};

/* The working directory is the process's own: the root's keys are kept there as they
 * change (RFC 5011).  On failure *why is a sentence, in static memory. */
[[nodiscard]] err_t resolverd_open(const struct resolverd_options *options,
				   struct resolverd **resolverd, const char **why);
/* After the last task has ended. */
void resolverd_close(struct resolverd **resolverd);
/* Serves a channel until the other side closes it; fd is owned from here on. */
void resolverd_serve(struct resolverd *resolverd, int fd);

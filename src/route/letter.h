/* A mail that the server itself writes, from <>, on its way into the queue: where it
 * leads, and the operation that puts it there. */
#pragma once

#include "route/report.h"
#include "route/route.h"

struct letter {
	struct str hostname;
	struct str to;      /* an address */
	struct str id;      /* of the queue */
	struct str message; /* header and text; its Received field is made here, and its
			       signature, */
	const struct dkim_mailer *mailer; /* if there is one */
	struct str domain;                /* of its author */
	uint8_t kind;                     /* enum queue_body */
	int64_t now;
	struct route_target *targets; /* letter_find() fills them, in the arena */
	size_t count;
};

/* May suspend.  REPORT_MADE: it leads somewhere; REPORT_NONE: nowhere. */
enum report letter_find(struct letter *letter, const struct directory *directory,
			struct arena *arena);
/* False if the arena is full, or it cannot be signed now.  What *op leads to lives there.
 * May suspend. */
[[nodiscard]] bool letter_op(const struct letter *letter, struct arena *arena,
			     struct store_op *op);
/* Both, for a report that is to be queued once: false if it leads nowhere, to more
 * recipients than LETTER_RCPTS_MAX, or where cannot be told now.  May suspend. */
enum { LETTER_RCPTS_MAX = 10 }; /* of one address: storaged/gate.h */
[[nodiscard]] bool letter_queue(struct letter *letter, const struct directory *directory,
				struct arena *arena, struct store_op *op);

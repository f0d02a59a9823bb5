/* A mail on its way in: from MAIL to the end of DATA.  Nobody answers for it until it is
 * committed. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "route/route.h"
#include "store/types.h"
#include "wire/smtp/param.h"

struct draft {
	struct arena arena;
	struct str sender; /* reverse-path without brackets; "" is <> */
	struct smtp_mail_params params;
	size_t given;                       /* how many recipients the client named */
	struct str first_rcpt;              /* the first of them, as it was written */
	struct queue_recipient *recipients; /* where they lead, each place once */
	size_t count, room;
};

struct draft *draft_new(void);
/* Forgets it; serves SCOPED. */
void draft_drop(struct draft **draft);
/* The mail will also go to these, which a recipient led to; original and params are what
 * RCPT said, in memory as old as the draft.  ERR_LIMIT: too many, nothing was added. */
[[nodiscard]] err_t draft_add(struct draft *draft, const struct route_target *targets,
			      size_t count, struct str original,
			      const struct smtp_rcpt_params *params);

/* A mail on its way in: from MAIL to the end of its text.  Nobody answers for it until it
 * is committed. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "deliver/deliver.h"
#include "route/route.h"
#include "smtpd/body.h"
#include "store/types.h"
#include "wire/smtp/param.h"

struct draft {
	struct arena arena;
	struct str sender; /* reverse-path without brackets; "" is <> */
	struct smtp_mail_params params;
	int64_t deliver_by; /* Unix time, if params have SMTP_PARAM_BY */
	bool is_each;       /* each RCPT is answered for on its own (LMTP) */
	struct deliver_rcpt *rcpts;
	size_t given, rcpt_room;            /* how many recipients the client named */
	struct queue_recipient *recipients; /* where they lead; each place once, */
	size_t count, room;                 /* or with is_each once for each RCPT */
	struct body body;
	struct deliver_ahead ahead; /* what of its text has gone on already */
};

struct draft *draft_new(void);
/* Forgets it; serves SCOPED. */
void draft_drop(struct draft **draft);
/* The mail will also go to these, which a recipient led to; original and params are what
 * RCPT said, in memory as old as the draft.  ERR_LIMIT: too many, nothing was added. */
[[nodiscard]] err_t draft_add(struct draft *draft, const struct route_target *targets,
			      size_t count, struct str original,
			      const struct smtp_rcpt_params *params);

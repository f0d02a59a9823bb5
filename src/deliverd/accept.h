/* What doors hand over, one by one: judged, completed and committed.  These suspend. */
#pragma once

#include "deliver/deliver.h"
#include "deliverd/deliverd.h"

/* Fills deliver_answers(mail) answers, whose texts live in arena; 250 only after the
 * commit is durable.  hearing: of its text, or NULL.  True: it is for all, and the mail
 * is not suspect. */
bool accept_mail(const struct deliverd_options *options, const struct deliver_mail *mail,
		 struct hearing *hearing, struct arena *arena,
		 struct deliver_answer *answers);
/* Tells the sender of a program's mail what was refused; see deliver_report(). */
bool accept_report(const struct deliverd_options *options,
		   const struct deliver_report *report, struct arena *arena);

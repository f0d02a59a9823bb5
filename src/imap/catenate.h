/* CATENATE: a message put together from texts that come and parts of messages that are
 * there.  RFC 4469. */
#pragma once

#include "imap/arriving.h"

/* Takes the parts up to the ")" behind them; adds them to arrived->text.  *why is "", or
 * what the command is to be answered with, NO or BAD. */
err_t catenate_take(struct arriving *a, struct arrived *arrived, struct str *why,
		    enum arriving_refusal *how);

/* Connections that we begin: to the next mail server, or to a test's own door. */
#pragma once

#include "net/address.h"
#include "net/conn.h"

/* May suspend until connected; *conn is the caller's on OK.  from, if not NULL, is the
 * address of ours to come from (its port may be 0).  ERR_TIMEOUT, ERR_CANCELED,
 * ERR_CLOSED if nobody answers there or it cannot be reached, ERR_IO for our own trouble
 * (logged). */
[[nodiscard]] err_t conn_connect(const struct address *to, const struct address *from,
				 deadline_t deadline, struct conn **conn);

/* One request by libcurl; inside fetchd/ only. */
#pragma once

#include "base/buf.h"
#include "fetch/fetch.h"

struct transfer {
	const struct fetch_request *request;
	struct str roots_pem;
	struct buf body; /* of the reply */
	struct fetch_reply reply;
	char media_type[100], why[256];
};

/* Blocks; any thread may call it.  reply's slices live in the transfer. */
void transfer_run(void *transfer);
/* Those under way, and all that come, end with BROKEN within a second. */
void transfer_stop_all(void);

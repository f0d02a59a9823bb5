/* The supervisor: binds ports, starts the other processes, joins them by channels, and
 * starts again what has died.  It parses nothing from the network.
 */
#pragma once

#include "conf/conf.h"
#include "control/child.h"

struct supervisor;

struct supervisor_options {
	bool is_dev; /* everything on loopback, no system users, faults may be injected */
	unsigned
		hurry; /* dev: how many times as fast time passes in the children; or 0 */
	struct conf *conf; /* data_directory is absolute and exists */
	/* Run within a task: when store and vault are ready, before the doors start; and
	 * when everything is.  False ends the server with status 1. */
	bool (*when_stored)(struct supervisor *supervisor, void *arg);
	bool (*when_ready)(struct supervisor *supervisor, void *arg);
	void *arg;
};

/* True once it was told to end; whoever works for it then stops soon. */
bool supervisor_is_stopping(const struct supervisor *supervisor);

/* Runs until SIGTERM or SIGINT; the exit status. */
int supervisor_run(const struct supervisor_options *options);

/* Channels with the rights of the command line.  May suspend until store and vault run;
 * ERR_TIMEOUT, ERR_CANCELED, ERR_IO. */
[[nodiscard]] err_t supervisor_channels(struct supervisor *supervisor, int *store_fd,
					int *vault_fd);

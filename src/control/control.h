/* The way of the command line to the store and the vault: through the control socket of
 * the server that runs on the data directory, or, when none runs, a store and a vault
 * started for this command alone.
 *
 * On the socket a client sends one octet (CONTROL_HELLO); the server answers with one
 * octet each that carries a descriptor: the channel to the store, then the one to the
 * vault.  A refusal is a closed connection.
 */
#pragma once

#include <sys/un.h>

#include "rt/ipc.h"

enum { CONTROL_HELLO = 'P' };

struct control;

/* May suspend (at most some ten seconds).  *store_fd and *vault_fd are the caller's.
 * ERR_ABSENT: no such data directory; ERR_DENIED: not for this user; ERR_LIMIT: another
 * command or a starting server has the folder; ERR_SYNTAX: the data is not for this
 * program as it is (format.h); ERR_IO and others: logged. */
[[nodiscard]] err_t control_open(const char *folder, struct control **control,
				 int *store_fd, int *vault_fd);
/* May suspend, until private processes have ended. */
void control_close(struct control **control);

/* The address of the control socket, however long the folder's path is.  It is good while
 * *run_fd, the caller's, is open.  ERR_ABSENT: there is no DIR/run, or not for us. */
[[nodiscard]] err_t control_address(const char *folder, struct sockaddr_un *address,
				    int *run_fd);

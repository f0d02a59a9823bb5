/* What the files of the supervisor share; nobody else includes it. */
#pragma once

#include "daemon/listeners.h"
#include "daemon/poison.h"
#include "daemon/supervisor.h"

enum { SLOTS_MAX = 7 + 3 * 64 }; /* smtpd, imapd and deliverd, one a core */

/* The place of one process, whichever runs there now. */
struct slot {
	struct supervisor *supervisor;
	enum child_role role;
	unsigned index;   /* among those of its role */
	uint64_t channel; /* the number its grants carry; new at each start */
	struct child child;
	bool is_ready, is_over; /* over: it will not be started again */
	unsigned failures;      /* in a row */
	deadline_t sign_given_at;
};

struct supervisor {
	struct supervisor_options options;
	struct buf config;    /* the body of CHILD_CONFIG */
	struct buf client_ca; /* and of CHILD_CLIENT_CA; empty: nobody is asked */
	struct slot slots[SLOTS_MAX];
	size_t slot_count;
	struct listeners listeners;
	struct poison poison;
	struct drops *drops;
	int lock_fd;
	unsigned failures; /* before everything was ready */
	bool is_ready, is_stopping;
	int status;
	struct waiters changed; /* a slot became ready or over, or we are stopping */
};

/* The first slot of a role that there is only one of. */
struct slot *slot_of(struct supervisor *supervisor, enum child_role role);

/* joints.c: a process has been started; makes channels between it and the others. */
void joints_make(struct slot *slot);
void joints_sign(struct slot *door);
/* Whether it asks the store, and so starts last and stops first. */
bool joints_is_door(const struct slot *slot);
/* Whether clients from the network come to it, who may want TLS and to log in. */
bool joints_is_for_clients(const struct slot *slot);

/* admission.c: serves DIR/run/control. */
[[nodiscard]] err_t admission_open(struct supervisor *supervisor);

/* drops.c: gives smtpd what lies in DIR/drop. */
[[nodiscard]] err_t drops_open(struct supervisor *supervisor);
void drops_on_end(struct slot *slot, struct str body);

/* users.c */
void user_of(const struct supervisor_options *options, enum child_role role, uid_t *uid,
	     gid_t *gid);

/* upgrading.c: what stands in the data directory is of this program's format when it
 * returns OK, else why is told.  Before there are tasks. */
[[nodiscard]] err_t upgrading_run(const char *folder, uint32_t snapshot_days,
				  struct buf *why);
/* A task: forgets the snapshot when it is too old. */
void upgrading_watch(void *arg);

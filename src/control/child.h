/* The processes of a server as those who start them see them: the supervisor, and the
 * command line when no server runs.  A child is this same program, executed afresh as
 * "postrider child ROLE" with an empty environment; descriptor 3 is its control channel
 * (rt/ipc.h), descriptor 4 takes its panic record.  All else comes as messages.
 */
#pragma once

#include <sys/types.h>

#include "rt/ipc.h"
#include "rt/panic.h"

enum child_role {
	CHILD_STORAGED,
	CHILD_VAULTD,
	CHILD_RESOLVERD,
	CHILD_FETCHD,
	CHILD_SMTPD,
	CHILD_IMAPD,
	CHILD_MTA,
	CHILD_DELIVERD,
	CHILD_INDEXD,
	CHILD_EXTRACTD,
};
enum { CHILD_ROLES = CHILD_EXTRACTD + 1, CHILD_CONTROL_FD = 3, CHILD_REPORT_FD = 4 };

/* "storaged"; good for ever. */
const char *child_role_name(enum child_role role);
[[nodiscard]] bool child_role_find(struct str name, enum child_role *role);

/* What goes over the control channel, all of it events. */
enum child_message {
	CHILD_CONFIG = 1, /* struct child_config */
	CHILD_POISON,     /* u64 keys */
	CHILD_KEEP,       /* a descriptor to hold while it lives: the folder's lock */
	CHILD_LISTEN,     /* u8 service, u8 is proxied; a listening socket */
	CHILD_STORE,      /* a channel to the store, new at each of its starts */
	CHILD_VAULT,      /* a channel to the vault, likewise */
	CHILD_RESOLVER,   /* a channel to the resolver, likewise */
	CHILD_FETCH,      /* a channel to fetchd, likewise */
	CHILD_DELIVER,    /* to smtpd: a channel to its deliverd, likewise */
	CHILD_EXTRACT,    /* to imapd and indexd: a channel to extractd, likewise */
	CHILD_SIGN,       /* the socket of vault_sign(), likewise */
	CHILD_SERVE, /* to those that serve others: u8 enum child_client, u64 channel; the
			channel to serve */
	CHILD_LINK,  /* to store and vault: the link between them */
	CHILD_CLIENT_CA, /* to doors: the PEM text of tls.client-ca */
	CHILD_ANCHORS,   /* to the resolver: the file of trust anchors */
	CHILD_ROOTS,     /* to fetchd and mta: the file of tls.trusted-roots */
	CHILD_LOGINS,    /* to the mta: the file of mta.logins */
	CHILD_DROP,      /* to smtpd: u32 uid, name; a file of the drop folder */
	CHILD_GO,   /* that was all: begin; u8: which of its role it is, 0 if there is one
		     */
	CHILD_STOP, /* end in good order */

	CHILD_READY = 64, /* from the child: it serves */
	CHILD_DROP_END,   /* from smtpd: u8 the file may go, name */
	CHILD_WANT_SIGN,  /* its signing socket has failed; it needs another */
};

/* Who is at the other end of a channel that store or vault are to serve. */
enum child_client {
	CLIENT_SMTPD,
	CLIENT_IMAPD,
	CLIENT_CTL,
	CLIENT_MTA,
	CLIENT_DELIVERD,
	CLIENT_VAULTD,
	CLIENT_SIGNER,
	CLIENT_INDEXD,
};
enum { CHILD_CLIENTS = CLIENT_INDEXD + 1 };

struct child_config {
	bool is_dev;
	uint8_t log_level;        /* enum log_level */
	uint32_t connections_max; /* of a door */
	uint32_t hurry;           /* dev: clock_hurry(); 0: not at all */
	struct str conf; /* as conf_encode() wrote it; "" for those who need none */
};
void child_config_encode(const struct child_config *config, struct buf *body);
[[nodiscard]] bool child_config_decode(struct str body, struct child_config *config);

/* CHILD_SERVE: channel is the number that grants for that client carry. */
struct child_serve {
	enum child_client client;
	uint64_t channel;
};
enum { CHILD_SERVE_BYTES = 9 };
struct str child_serve_encode(char room[CHILD_SERVE_BYTES],
			      const struct child_serve *serve);
[[nodiscard]] bool child_serve_decode(struct str body, struct child_serve *serve);

struct child {
	pid_t pid;        /* 0: not running */
	struct poll exit; /* of its pidfd: readable when it has ended */
	struct ipc *control;
	int report_fd;
};

struct child_options {
	enum child_role role;
	const char *folder; /* its working directory, where its files are; "/" if none */
	uid_t uid;          /* as whom, if we are root */
	gid_t gid;
	const char *fault;        /* dev only: rt/fault.h's words; may be NULL */
	bool is_sandbox_optional; /* dev: go on if the kernel cannot sandbox */
};

/* Starts it.  handler gets what the child says.  Logs its failures. */
[[nodiscard]] err_t child_start(const struct child_options *options, ipc_handler *handler,
				void *arg, struct child *child);
/* Sends an event; fd (-1: none) is closed here in any case.  May suspend.  A child that
 * has gone is no failure: its end is seen by who waits for it. */
void child_send(struct child *child, enum child_message type, struct str body, int fd);
/* May suspend until it has ended: OK, or ERR_TIMEOUT, ERR_CANCELED. */
[[nodiscard]] err_t child_wait(struct child *child, deadline_t deadline);
/* After it ended (it is killed if it has not): how, as waitpid() says, and whether it
 * left a panic record. */
int child_end(struct child *child, struct panic_record *record, bool *is_recorded);

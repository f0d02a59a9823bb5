/* What smtpd and imapd share: the clients of store and vault, TLS, and the ports. */
#pragma once

#include "daemon/self.h"
#include "daemon/service.h"
#include "deliver/deliver.h"
#include "directory/directory.h"
#include "extract/extract.h"
#include "imap/imap.h"
#include "login/login.h"
#include "net/limits.h"
#include "net/proxied.h"
#include "net/tls.h"
#include "pop3/pop3.h"
#include "smtpd/smtpd.h"

struct conn;
struct listener;

enum { DOOR_PORTS_MAX = SERVICES * CONF_LISTENERS_MAX };

/* One service as its sessions see it. */
struct offer {
	struct door *door;
	enum service service;
	union {
		struct smtpd_service smtp;
		struct imap_service imap;
		struct pop3_service pop3;
	};
};

struct door {
	struct self *self;
	struct store *store;
	struct vault *vault;
	struct deliver *deliver; /* smtpd: who takes the mails */
	struct extract *extract; /* imapd: who reads documents */
	struct directory directory;
	struct login_service login;
	struct smtpd_service local; /* smtpd: programs on this machine */

	int sign_fd; /* -1: none now */
	bool is_sign_wanted;
	struct str client_ca;             /* PEM; "": nobody is asked for a certificate */
	struct tls_server *tls[SERVICES]; /* of those that are this role's */

	struct networks proxies, exempt;
	struct tally *tally;
	struct limits *limits, *lmtp_limits; /* LMTP's, and all others' together */
	struct offer offers[SERVICES];
	struct {
		enum service service;
		bool is_proxied;
		int fd;
		struct listener *listener;
	} ports[DOOR_PORTS_MAX];
	size_t port_count;
};

/* The certificate and ticket keys from the vault; suspends until it has them.  False if
 * they cannot be used, or the process is ending. */
bool door_tls_begin(struct door *door);
/* Starts telling the vault of door->tally; false if there is no room for a task. */
bool door_tally_begin(struct door *door);
/* drop_in.c: smtpd was given a file of DIR/drop, which is its own to close. */
void door_take_drop(struct door *door, const struct ipc_message *message);
/* Fills door->offers; then one may door_session(). */
void door_offer_all(struct door *door);
/* A listen_handler; arg is the offer. */
void door_session(struct conn *conn, void *arg);

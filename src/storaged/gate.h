/* The gate: who may do what, in one place.  Each request is allowed or refused by the
 * role of its channel, the grants presented on it, and the queue rows it holds. */
#pragma once

#include "store/codec.h"
#include "store/grant.h"

enum gate_role {
	GATE_DOOR,     /* imapd, httpd: accounts whose grant was presented */
	GATE_SMTPD,    /* reads the directory, and has people's grants looked at */
	GATE_CTL,      /* administration: everything but message bodies */
	GATE_VAULT,    /* reads the directory, to know whose an author is */
	GATE_MTA,      /* carries what leads out: has what it leases, and nothing else */
	GATE_DELIVERD, /* delivers to anyone, sends for whom a door has let in, reads what
			  it leases and the directory */
	GATE_INDEXD,   /* has the messages that it is to index, a few at a time */
	GATE_ROLES,
};

/* Bounds of a report that the mta queues without having leased anything. */
enum {
	GATE_REPORTS_MAX = 4, /* in a commit */
	GATE_REPORT_RCPTS_MAX = 10,
	GATE_REPORT_BYTES_MAX = 512 * 1024,
};

/* What the gate asks about the request's channel. */
struct gate_view {
	enum gate_role role;
	void *arg;
	bool (*is_granted)(void *arg, account_t account, enum grant_right right);
	/* A queue row, or the message of one, that this channel has under lease. */
	bool (*is_leased_row)(void *arg, account_t account, uint64_t row);
	bool (*is_leased_message)(void *arg, account_t account, uint64_t message);
};

[[nodiscard]] bool gate_allows(const struct gate_view *view,
			       const struct store_request *request);

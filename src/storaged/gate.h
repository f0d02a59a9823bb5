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
			  it leases, the directory and people's scripts */
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
	/* What the list of the owner's mailbox gives to a visitor, of enum acl_right;
	 * whether that message is there. */
	uint32_t (*rights)(void *arg, account_t owner, account_t visitor,
			   uint64_t mailbox);
	bool (*sees)(void *arg, account_t owner, const struct message_ref *ref);
};

/* OK, DENIED, or ABSENT for what a visitor may not even know of.  Takes out of a
 * visitor's operations what he has no right for where the rest may be done. */
[[nodiscard]] enum store_outcome gate_judge(const struct gate_view *view,
					    const struct store_request *request);

/* gate_visit.c and gate.c: their own. */
enum store_outcome gate_visit(const struct gate_view *view,
			      const struct store_request *request);
bool gate_visit_source(const struct gate_view *view, const struct store_body *body);
bool gate_source_allowed(const struct gate_view *view, const struct store_body *body);

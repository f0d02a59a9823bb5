/* Delivery status notifications: what the sender of a mail is told of its failure, its
 * delay or its delivery.  RFC 3461 §6, RFC 3464, RFC 6522, RFC 6533.
 *
 * A report is a mail of ours: reverse-path <>, so that nobody answers it with a report.
 * It goes into the queue in the same commit that settles the rows it tells of, so it is
 * sent exactly once.  Where it goes is for route/report.h, which does the whole; here it
 * is composed.  Whatever strangers wrote (replies, addresses, headers) stays inside its
 * field, its line or its part. */
#pragma once

#include "base/buf.h"
#include "store/types.h"
#include "wire/smtp/reply.h"

struct store;

enum bounce_action {
	BOUNCE_FAILED,
	BOUNCE_DELAYED,
	BOUNCE_DELIVERED,
	BOUNCE_RELAYED,  /* to a server that will send no report of the delivery */
	BOUNCE_EXPANDED, /* an alias of ours led to several */
};

/* One recipient's outcome. */
struct bounce_recipient {
	const struct queue_row *row;
	enum bounce_action action;
	struct smtp_enhanced status; /* class 0: the action's usual one */
	/* The reply that decided it, as it came: "550 5.1.1 No such user", lines
	 * separated by LF; or our own words when host is "".  "": nothing was said. */
	struct str said;
	struct str host;     /* the server that said it, by name; "": it was us */
	int64_t tried_at;    /* the last try; 0: there was none */
	int64_t retry_until; /* BOUNCE_DELAYED */
};

enum {
	BOUNCE_RECIPIENTS_MAX = 1000,       /* of one report */
	BOUNCE_ORIGINAL_MAX = 1024 * 1024,  /* with more, its header only */
	BOUNCE_HEADER_MAX = 64 * 1024,      /* and of that so much */
	BOUNCE_BYTES_MAX = 4 * 1024 * 1024, /* of a whole report */
};

struct bounce {
	struct str hostname; /* how we call ourselves: the Reporting-MTA */
	struct str domain;   /* of the postmaster in From */
	struct str to;       /* the sender of the mail, or who hears of it instead */
	struct str id;       /* the report's queue id, and so its Message-ID */
	int64_t now;
	const struct bounce_recipient *recipients; /* rows of one mail */
	size_t count;                              /* 1 to BOUNCE_RECIPIENTS_MAX */
	struct str original;                       /* from bounce_original() */
	bool is_whole;
};

/* "failed" and the like: the Action field. */
struct str bounce_action_name(enum bounce_action action);
/* Whether the sender asked to hear of that (RFC 3461 §4.1, RFC 2852 §4.1.4); the mail
 * may still be one of those that nobody is told of, with reverse-path <>. */
bool bounce_is_wanted(const struct queue_row *row, enum bounce_action action);
/* What the report gives back of a mail under lease: with RET=FULL and a failure all of
 * it, if that is small, else its header, trace in front.  May suspend.  Appends to
 * original, whose max is BOUNCE_ORIGINAL_MAX at least. */
enum store_outcome bounce_original(struct store *store, const struct queue_row *row,
				   bool is_failure, struct buf *original, bool *is_whole);
/* Appends the whole report, CRLF lines, to message (of BOUNCE_BYTES_MAX); returns how it
 * must travel, enum queue_body. */
uint8_t bounce_write(const struct bounce *bounce, struct buf *message);

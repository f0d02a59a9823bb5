/* Handing mail over to the deliverd process, which judges it, completes it and commits
 * it to the store.  A door knows nothing of that but the reply to give.
 *
 * A mail is handed over under the queue id that the door made for it.  If the process
 * dies in between, the mail is handed over again to the next one: what was committed
 * before is known by the id, and happens once.  Calls may suspend.
 */
#pragma once

#include "base/arena.h"
#include "rt/task.h"
#include "store/types.h"
#include "wire/smtp/param.h"
#include "wire/smtp/reply.h"

struct deliver;
struct deliver_ahead;

enum {
	DELIVER_RCPTS_MAX = 1000,
	DELIVER_PLACES_MAX = 2000,
	DELIVER_SAID_MAX = 2000,
	DELIVER_ENHANCED_BYTES = 16,
};
#define DELIVER_TEXT_MAX ((uint64_t)256 << 20)

/* How it came in. */
enum deliver_source {
	DELIVER_STRANGER, /* port 25 */
	DELIVER_PERSON,   /* somebody who has logged in */
	DELIVER_PROGRAM,  /* a program on this machine */
	DELIVER_LMTP,
};

/* One RCPT, and where it leads: a run of the mail's places. */
struct deliver_rcpt {
	struct str address; /* as it was written: each place's original */
	size_t first, count;
};

struct deliver_mail {
	enum deliver_source source;
	uint64_t session;    /* the door's, for logs */
	struct str peer;     /* its address, as text */
	struct str client;   /* how it called itself */
	bool is_host_valid;  /* and that is a domain or an address literal */
	struct str protocol; /* "ESMTPS": RFC 3848, RFC 6531 §4.3 */
	struct str tls;      /* its version and cipher, or "" */
	account_t account;   /* a person's, else ACCOUNT_SYSTEM, */
	struct str grant;    /* and what the vault gave the door for it */
	uint32_t uid;        /* a program's */
	struct str id;       /* the queue id */
	int64_t received_at; /* Unix time; the same when it is handed over again */
	struct str sender;   /* reverse-path without brackets; "" is <> */
	struct smtp_mail_params params; /* but for size and auth */
	int64_t deliver_by;             /* Unix time, if params have SMTP_PARAM_BY */
	bool is_each;                   /* each RCPT is answered for on its own (LMTP) */
	const struct deliver_rcpt *rcpts;
	size_t rcpt_count;
	const struct queue_recipient *places; /* in the order of the RCPTs */
	size_t place_count;
	struct str text;
	struct deliver_ahead *ahead; /* of that text, or NULL */
	bool is_again; /* it may have been committed already.  The client's to set */
};

/* The reply to make. */
struct deliver_answer {
	unsigned code; /* 0: neither yes nor no would be true; close without a reply */
	char enhanced[DELIVER_ENHANCED_BYTES];
	struct str text;
};

/* A recipient of a program's mail that was refused before the mail was handed over. */
struct deliver_refused {
	struct str original; /* as RCPT TO gave it */
	struct str orcpt;    /* as in struct queue_recipient */
	uint8_t notify;
	struct smtp_enhanced status;
	struct str said; /* the reply to RCPT, or to the text */
};

/* What the sender of such a mail is told. */
struct deliver_report {
	struct str id; /* of the mail: it is reported once */
	int64_t received_at;
	struct str sender, envid;
	uint8_t body_kind; /* enum queue_body */
	const struct deliver_refused *refused;
	size_t count; /* 1 to DELIVER_RCPTS_MAX */
	struct str header;
};

/* fd is a channel to the deliverd process, owned from here on; -1: not yet. */
struct deliver *deliver_open(int fd);
void deliver_close(struct deliver **deliver);
void deliver_reconnect(struct deliver *deliver, int fd);

/* A text that is handed over while it comes in: parts of it go ahead, so that the other
 * side has looked at them when it is whole.  {0} at first.  What could not go ahead, or
 * went to a process that died, goes with the whole. */
struct deliver_ahead {
	struct deliver *deliver; /* NULL: nothing went ahead */
	uint64_t channel, number;
	size_t text, fields; /* octets that went */
	bool is_lost;
};
/* text is all that has come so far.  May suspend while a part is taken. */
void deliver_ahead(struct deliver *deliver, struct deliver_ahead *ahead, struct str text);
/* There will be no mail of that text, or it was handed over. */
void deliver_ahead_drop(struct deliver_ahead *ahead);

/* Fills deliver_answers(mail) answers; their texts live in arena.  A yes means that the
 * mail is durable.  Lasts up to a few minutes where it is not known whether it is. */
void deliver_mail(struct deliver *deliver, const struct deliver_mail *mail,
		  struct arena *arena, struct deliver_answer *answers);
static inline size_t deliver_answers(const struct deliver_mail *mail)
{
	return mail->is_each ? mail->rcpt_count : 1;
}
/* True: the sender is told, or nobody is to be; false: not now. */
bool deliver_report(struct deliver *deliver, const struct deliver_report *report);

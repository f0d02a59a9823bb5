/* What the files of mta/ share: rows under lease, grouped as mails and destinations. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "mta/client.h"
#include "mta/mta.h"
#include "mta/route.h"
#include "queue/bounce.h"
#include "rt/task.h"
#include "store/store.h"

enum {
	TABLE_BUCKETS_MTA = 4096, /* powers of two */
	REMOTE_BUCKETS = 512,
	ROWS_MAX = 10000,        /* in memory, of some 1 KB */
	DESTINATION_ROWS = 1250, /* of one destination, unless it is fast */
	MAIL_RCPTS_MAX = 100,    /* in one transaction: RFC 5321 §4.5.3.1.8 */
	CONNECTIONS_TOTAL_MAX = 1000,
	DESTINATIONS_MAX = 10000, /* remembered, in use or not */
	REASON_MAX = 500,
};

/* What became of a recipient. */
enum verdict_kind {
	VERDICT_NONE,
	VERDICT_DONE,
	VERDICT_RETRY,
	VERDICT_FAILED, /* for good */
	VERDICT_AGAIN,  /* at once, in another transaction; it does not count */
};

struct verdict {
	enum verdict_kind kind;
	int code; /* of the peer's reply; 0: nobody replied */
	struct smtp_enhanced status;
	struct str text; /* the peer's words or ours */
};

/* What settling a row will say. */
struct fate {
	enum queue_outcome outcome;
	int64_t due_at;
	bool is_told; /* its sender may want to hear of it: */
	enum bounce_action action;
	int64_t retry_until;
	uint8_t tell; /* enum queue_told */
};

/* A row under our lease. */
struct entry {
	struct list_link in_table, in_mail, in_finished;
	struct mail *mail;
	struct queue_row row;   /* slices lead here and into the mail */
	bool is_settling;       /* it is in the hands of settle.c */
	uint64_t settled_lease; /* the row's when that was last said to the store */
	bool is_orphan; /* settled, but its lease was lost; waits to be leased again */
	int64_t leased_until, finished_at;
	struct fate fate; /* once it is settling */
	struct smtp_enhanced status;
	enum queue_cause cause;
	struct str reason;     /* of it, in reason_bytes */
	struct str said, host; /* for a report: who said what; "" host: we did */
	char reason_bytes[REASON_MAX], host_bytes[256];
	char bytes[]; /* address, original, orcpt, reason, route */
};

/* A message on its way to one destination, with its recipients there. */
struct mail {
	struct list_link in_table,
		in_destination;          /* waiting; or the latter in under_way */
	struct destination *destination; /* while it has entries */
	size_t refs;                     /* entries that live, and the transaction */
	struct list entries;             /* not yet decided */
	size_t count;
	bool is_waiting;      /* rows may be added */
	struct queue_row row; /* what all have in common; slices lead here */
	char bytes[];         /* sender, id, trace, envid */
};

enum destination_tls { DESTINATION_USUAL, DESTINATION_REQUIRETLS, DESTINATION_OPTIONAL };

/* Where mails go together: a domain, or a hop of the settings. */
struct destination {
	struct list_link in_table, in_hungry, in_idle, in_ages;
	struct run *run;
	struct conf_hop hop; /* host: in key, or the domain with mx */
	struct str name;     /* the domain or host, for logs */
	enum destination_tls tls;
	struct list mails; /* waiting */
	size_t waiting;
	size_t entry_count; /* rows here, waiting or under way */
	unsigned window, window_gain;
	unsigned workers, open, idle; /* tasks; those connected; with nothing to do */
	bool is_hungry;
	struct remote *parked_at;   /* no place is free there: no worker is started */
	struct remote *promised_at; /* a place is kept there for the next worker */
	struct list_link in_parked;
	struct waiters arrived;
	unsigned failures;      /* in a row: nobody could be reached */
	deadline_t dead_until;  /* 0: not dead */
	struct verdict trouble; /* why; its text is the next */
	char trouble_text[CLIENT_TEXT_MAX], trouble_host[256];
	deadline_t next_at; /* by the rate: when the next mail may begin */
	deadline_t busy_since, speed_at;
	unsigned speed, speed_count; /* rows finished a second, and since speed_at */
	uint64_t return_at; /* when the last row for which it had no room returns; µs */
	size_t key_len;
	char key[];
};

struct run {
	const struct mta_options *options;
	struct tls_client *tls; /* NULL: none can be had */
	struct policy *policy;
	struct ledger *ledger; /* NULL: reports are not wanted */
	struct list rows[TABLE_BUCKETS_MTA], mails[TABLE_BUCKETS_MTA],
		destinations[TABLE_BUCKETS_MTA];
	struct list remotes[REMOTE_BUCKETS];
	struct list under_way; /* mails in transactions, by in_destination */
	struct list ages;      /* of destinations, the latest used last */
	struct list hungry;    /* destinations that wait for a connection to be free */
	struct list idle;      /* those that have one they do not need, longest first */
	size_t row_count, destination_count, connections;
	struct waiters room;   /* rows have gone */
	struct waiters sooner; /* a row is due before look_at: */
	uint64_t put_back;     /* how often rows were made due again */
	int64_t look_at;       /* when the queue will be asked next; 0: it is now */
	struct list finished, orphans;
	size_t finished_count;
	unsigned settlers;
	size_t users; /* tasks */
};

/* The carrier of mail that leads out: takes due rows of the queue under lease, groups
 * them by destination, finds its hosts, speaks SMTP (or LMTP) to one, and settles.  RFC
 * 5321 §5, §4.5.4.
 *
 * What cannot be sent is tried again as queue/schedule.h says; its sender hears of that,
 * and of failure, by a report in the commit that settles the row.
 *
 * A row is settled after the final reply.  Who dies between the two sends the mail again:
 * twice rather than never (RFC 5321 §4.5.4.1, §6.1).
 */
#pragma once

#include "net/address.h"
#include "queue/schedule.h"
#include "route/report.h"

struct store;
struct resolver;
struct fetch;

struct mta_options {
	struct store *store;
	struct resolver *resolver;
	struct fetch *fetch;
	unsigned tls_uses; /* enum tls_use */
	uint16_t sts_port;
	bool is_tls_reported;
	unsigned tls_report_s;     /* how often */
	struct str hostname;       /* ours */
	struct str hello;          /* what we call ourselves to others */
	struct str smarthost;      /* conf/hop.h; "": none */
	struct str routes;         /* likewise */
	struct str logins;         /* lines of HOST NAME PASSWORD */
	struct str roots_pem;      /* "": no certificate is trusted */
	const struct address *own; /* where we take mail ourselves */
	size_t own_count;
	bool is_loopback_only; /* connects to this machine alone */
	bool has_source4, has_source6;
	struct address source4, source6;           /* where connections come from */
	uint16_t port;                             /* of mail servers */
	unsigned connections_max, rate_per_minute; /* of a destination */
	unsigned address_connections_max; /* to an address of other domains' servers */
	struct schedule schedule;
	struct reporter reporter; /* with the same store */
	unsigned patience_s;      /* the longest wait for a peer */
};

struct mta;

/* options, and all they lead to, live as long as the mta. */
struct mta *mta_open(const struct mta_options *options);
/* A task's body; arg is the mta.  Ends when canceled. */
void mta_task(void *arg);
/* After the last task has ended. */
void mta_close(struct mta **mta);

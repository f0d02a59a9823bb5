/* What a domain of ours should show in the DNS, and why: from facts, which somebody else
 * has found out, to records.  Pure; slices live in the arena or borrow from the facts.
 *
 * Names are A-labels in lower case without the final dot.  A record's data is as a zone
 * file writes it, with final dots; that of a TXT record is its text, which
 * publish_print() takes apart and quotes.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "wire/dns/ip.h"
#include "wire/dns/rdata.h"

enum {
	PUBLISH_ADDRESSES_MAX = 16,
	PUBLISH_KEYS_MAX = 20,
	PUBLISH_PINS_MAX = 4,
	PUBLISH_RECORDS_MAX = 128,
	PUBLISH_TTL_S = 3600,
};

enum publish_kind {
	PUBLISH_MX,
	PUBLISH_ADDRESS,
	PUBLISH_PTR,
	PUBLISH_SPF,
	PUBLISH_DKIM,
	PUBLISH_DMARC,
	PUBLISH_TLSA,
	PUBLISH_MTA_STS,
	PUBLISH_TLS_RPT,
	PUBLISH_SRV,
	PUBLISH_CAA,
	PUBLISH_AUTOCONFIG,
	PUBLISH_DNSSEC, /* a finding only */
};
/* "mx", "address", "ptr", ... */
const char *publish_kind_name(enum publish_kind kind);

enum publish_place {
	PUBLISH_HERE,      /* to be pasted */
	PUBLISH_ELSEWHERE, /* somebody else's zone: the reverse one, the mail host's */
	PUBLISH_LATER,     /* good to have, once what its reason says is there */
};

struct publish_key { /* of DKIM */
	struct str selector, record;
	bool is_retired; /* it signs no more */
	bool is_over;    /* so long that nobody needs to see it */
};

struct publish_service {
	const char *name; /* "_imaps" */
	uint16_t port;
};

struct publish_facts {
	struct str domain, host; /* the domain; the name of this server */
	struct ip addresses[PUBLISH_ADDRESSES_MAX];
	size_t address_count;                     /* 0: not known */
	struct ip sources[PUBLISH_ADDRESSES_MAX]; /* mail is sent from these as well */
	size_t source_count;
	struct str relay; /* the host that takes our mail to others; "": none */
	struct publish_key keys[PUBLISH_KEYS_MAX];
	size_t key_count;
	/* SHA-256 of public keys: the certificate's of now, then the next one's. */
	unsigned char pins[PUBLISH_PINS_MAX][32];
	size_t pin_count;
	const struct publish_service *services;
	size_t service_count;
};

struct publish_record {
	enum publish_kind kind;
	enum publish_place place;
	enum dns_type type;
	struct str name, data;
	const struct ip *ip; /* ADDRESS, PTR */
	bool is_over;        /* to be taken away: a DKIM key that has had its time */
	struct str why;      /* one line */
};

struct publish_plan {
	const struct publish_facts *facts;
	struct publish_record *records;
	size_t count;
	struct str sts_policy; /* the text to be served */
};

/* False: the arena is full. */
[[nodiscard]] bool publish_plan(const struct publish_facts *facts, struct arena *arena,
				struct publish_plan *plan);
/* The SPF record for these facts. */
struct str publish_spf(const struct publish_facts *facts, struct arena *arena);
/* An SPF record of somebody's with what is missing for us put in front; ours if it cannot
 * be understood. */
struct str publish_spf_with(struct str record, const struct publish_facts *facts,
			    struct arena *arena);
/* "v=spf1", "v=DMARC1": by which records of one kind are told from other texts at that
 * name; "" for DKIM, where all are. */
struct str publish_version(enum publish_kind kind);

/* "A", "TXT", ... */
const char *publish_type_name(enum dns_type type);
bool publish_find_type(struct str name, enum dns_type *type);
/* One line of a zone file. */
void publish_print(const struct publish_record *record, struct buf *out);
/* A TXT record's data: strings of at most 255 octets in quotes (RFC 1035 §3.3.14, §5.1).
 */
void publish_print_text(struct str text, struct buf *out);
/* Record data in wire form as a zone file has it, for comparing and for people: TXT as
 * its text. */
struct str publish_data(enum dns_type type, struct str data, struct arena *arena);
/* Whether the name is the domain, or below it. */
bool publish_is_within(struct str name, struct str domain);

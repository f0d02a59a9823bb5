/* The hosts that take a domain's mail, and their addresses.  RFC 5321 §5.1, RFC 7505. */
#pragma once

#include "base/arena.h"
#include "net/address.h"

struct mta_options;

enum { MX_HOSTS_MAX = 100, MX_ADDRESSES_MAX = 20 };

struct mx_host {
	struct str name;
	uint16_t preference;
};

enum mx_outcome {
	MX_FOUND,
	MX_UNKNOWN, /* cannot tell now */
	MX_NOWHERE, /* a fact: mail for it can go nowhere */
};

struct mx_answer {
	enum mx_outcome outcome;
	struct mx_host *hosts; /* best first */
	size_t count;
	bool is_secure;      /* by DNSSEC; also that there are no MX records */
	struct str expanded; /* what the domain is an alias of; or "" */
	const char *status; /* of UNKNOWN and NOWHERE: an enhanced code, and a sentence */
	struct str why;
};

/* May suspend.  domain is in A-labels.  Hosts behind ourselves are left out by name; by
 * address whoever looks the addresses up must do it. */
void mx_find(const struct mta_options *mta, struct str domain, struct arena *arena,
	     struct mx_answer *answer);

struct mx_addresses {
	enum mx_outcome outcome;
	struct address at[MX_ADDRESSES_MAX]; /* IPv6 and IPv4 in turn */
	size_t count;
	bool is_secure;
	bool is_own; /* one of them is where we take mail ourselves */
	struct str why;
};

/* May suspend.  Of a host name, or of an address as text. */
void mx_addresses_find(const struct mta_options *mta, struct str host, uint16_t port,
		       struct arena *arena, struct mx_addresses *found);

/* Sorts by preference, at random among equals.  RFC 5321 §5.1. */
void mx_sort(struct mx_host *hosts, size_t count);
/* How many of the sorted hosts are better than the one of that name; all, if none is.
 * RFC 5321 §5.1: the others lead back to us. */
size_t mx_before_own(const struct mx_host *hosts, size_t count, struct str own);
/* The same for the place of one of them. */
size_t mx_before(const struct mx_host *hosts, size_t place);

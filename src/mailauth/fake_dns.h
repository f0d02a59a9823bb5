/* Answers of the DNS, made up for tests: a table instead of a resolver. */
#pragma once

#include "mailauth/dns_lookup.h"

struct fake_record {
	const char *name; /* lower case; of several records of one name and type, all */
	enum dns_type type;
	/* A, AAAA: the address; MX: the host, "" the null one; PTR: the name; TXT: the
	 * text.  NULL: no answer; "BOGUS": wrong signatures. */
	const char *data;
};

struct fake_dns {
	const struct fake_record *records;
	size_t count;
	unsigned asked;    /* questions so far */
	uint64_t takes_ms; /* each, by the clock of tests; in a task others go on */
};

struct dns_lookup fake_dns_lookup(struct fake_dns *dns);

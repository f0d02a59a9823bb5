/* Finding out what a domain should have in the DNS: from the settings, the directory, the
 * vault, and what this machine and the DNS say of its addresses. */
#pragma once

#include "conf/conf.h"
#include "directory/directory.h"
#include "mailauth/dns_lookup.h"
#include "publish/plan.h"

struct vault;

struct publish_sources {
	const struct conf *conf;
	const struct directory *directory;
	struct vault *vault;
	struct dns_lookup lookup;
	struct str next_pem; /* the next certificate, or its public key; "": none */
};

/* May suspend.  Slices live in arena, or borrow from the settings.  On failure *why is
 * sentences.  ERR_ABSENT: no domain of ours; ERR_SYNTAX: a setting, or next_pem, cannot
 * serve; ERR_IO: store or vault do not answer now; ERR_LIMIT. */
[[nodiscard]] err_t publish_learn(const struct publish_sources *sources,
				  struct str domain, struct arena *arena,
				  struct publish_facts *facts, struct str *why);
/* Whether others on the Internet can reach it. */
bool publish_is_public(const struct ip *ip);

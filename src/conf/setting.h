/* The table of settings and the reading and writing of their values; inside conf/ only.
 */
#pragma once

#include "conf/conf.h"

enum setting_type {
	SETTING_PATH,      /* struct str: an absolute path, or "" */
	SETTING_DOMAIN,    /* struct str: a host name, lower case */
	SETTING_LISTENERS, /* struct conf_listeners: ADDRESS:PORT ... */
	SETTING_BYTES,     /* uint64_t: octets; KiB, MiB, GiB */
	SETTING_COUNT,     /* uint32_t */
	SETTING_DAYS,      /* uint32_t: NUMBER days, or "" for 0 */
	SETTING_NETWORKS,  /* struct str: ADDRESS or ADDRESS/BITS ..., or "" */
	SETTING_SERVER,    /* struct str: ADDRESS or ADDRESS:PORT, or "" */
	SETTING_ZONES,     /* struct str: ZONE=ADDRESS[:PORT] ..., or "" */
	SETTING_ANCHORS,   /* struct str: an absolute path, "none" or "" */
	SETTING_SWITCH,    /* bool: yes, no */
	SETTING_SPAN,      /* uint64_t: seconds; s, min, h, d */
	SETTING_ADDRESS,   /* struct str: LOCAL@DOMAIN, or "" */
	SETTING_NAMES,     /* struct str: NAME ..., or "*", or "" */
	SETTING_HOP,       /* struct str: conf/hop.h's HOP, or "" */
	SETTING_ROUTES,    /* struct str: ROUTE ..., or "" */
	SETTING_DOMAINS, /* struct str: NAME ..., lower case, one blank between, or "" */
	SETTING_SOURCES, /* struct str: NETWORK, DOMAIN, [LOCAL]@DOMAIN ..., likewise */
	SETTING_ADDRESSES, /* struct str: ADDRESS ..., or "" */
	SETTING_LEVEL,     /* enum log_level */
};

struct setting {
	const char *section, *name;
	enum setting_type type;
	size_t offset;     /* in struct conf */
	uint64_t min, max; /* of numbers */
	const char *value; /* the default */
	const char *unset; /* what "" means, in words; NULL if it may not be empty */
	const char *help;  /* whole sentences */
};

extern const struct setting settings[];
extern const size_t setting_count;

/* The one called "section.name", or NULL. */
const struct setting *setting_find(struct str name);
/* Reads the value into conf.  On failure *why says what was wrong with it. */
[[nodiscard]] err_t setting_read(const struct setting *setting, struct str value,
				 struct conf *conf, struct arena *arena, struct str *why);
/* Appends the value as the file writes it. */
void setting_write(const struct setting *setting, const struct conf *conf,
		   struct buf *out);
/* What to write in place of the value: "ADDRESS:PORT ...". */
const char *setting_placeholder(const struct setting *setting);

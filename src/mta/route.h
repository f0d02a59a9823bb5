/* Which way a mail goes on: by the routes of the settings, to the smarthost, or to the
 * recipient's own mail servers. */
#pragma once

#include "base/arena.h"
#include "conf/hop.h"

struct mta_options;

/* sender and rcpt are addresses; slices of hop lead into the options. */
struct conf_hop route_next_hop(const struct mta_options *mta, struct str sender,
			       struct str rcpt_domain);
/* The next hop that a person chose for a row: "HOST", "HOST:PORT", or as in the
 * settings.  False if that is "", or cannot be read; slices live in arena. */
bool route_of_person(struct str route, struct arena *arena, struct conf_hop *hop);
/* The domain of an address behind its last "@"; "" without. */
struct str route_domain(struct str address);
/* What logs in there, from mta->logins; false if nothing does. */
bool route_login(const struct mta_options *mta, struct str host, struct str *name,
		 struct str *password);

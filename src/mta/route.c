#include "mta/route.h"

#include "mta/mta.h"

struct str route_domain(struct str address)
{
	return str_skip(address, str_rfind_byte(address, '@') + 1);
}

static bool fits(const struct conf_route *route, struct str domain)
{
	if (!route->is_below)
		return str_same_nocase(route->domain, domain);
	if (domain.len <= route->domain.len + 1)
		return false;
	struct str end = str_skip(domain, domain.len - route->domain.len - 1);

	return end.ptr[0] == '.' && str_same_nocase(str_skip(end, 1), route->domain);
}

static bool find(struct str routes, bool is_of_sender, struct str domain,
		 struct conf_hop *hop)
{
	struct conf_route route;

	while (conf_route_next(&routes, &route)) {
		if (route.is_of_sender != is_of_sender || !fits(&route, domain))
			continue;
		*hop = route.hop;
		return true;
	}
	return false;
}

struct conf_hop route_next_hop(const struct mta_options *mta, struct str sender,
			       struct str rcpt_domain)
{
	struct conf_hop hop = {HOP_MX, STR(""), false, 0};

	if (!find(mta->routes, false, rcpt_domain, &hop) &&
	    !find(mta->routes, true, route_domain(sender), &hop) &&
	    mta->smarthost.len > 0 && !conf_hop_parse(mta->smarthost, &hop))
		hop.scheme = HOP_MX; /* conf/ has read it before */
	return hop;
}

bool route_of_person(struct str route, struct arena *arena, struct conf_hop *hop)
{
	size_t colon = str_rfind_byte(route, ':');
	struct str host = str_first(route, colon), port = str_skip(route, colon);

	if (route.len == 0 || conf_hop_parse(route, hop))
		return route.len > 0;
	/* It is meant as it is: no MX records are looked up. */
	bool is_bare = !str_starts(route, STR("["));
	struct str whole =
		arena_printf(arena, is_bare ? "smtp:[%.*s]%.*s" : "smtp:%.*s%.*s",
			     STR_FMT(host), STR_FMT(port));

	return conf_hop_parse(whole, hop);
}

bool route_login(const struct mta_options *mta, struct str host, struct str *name,
		 struct str *password)
{
	struct str rest = mta->logins;

	while (rest.len > 0) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (!str_same_nocase(conf_next_word(&line), host))
			continue;
		*name = conf_next_word(&line);
		*password = str_trim(line);
		return name->len > 0;
	}
	return false;
}

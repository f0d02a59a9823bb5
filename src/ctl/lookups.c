#include "ctl/lookups.h"

#include "control/resolve.h"
#include "ctl/word.h"
#include "fetch/fetch.h"
#include "resolver/resolver.h"

/* Whom to ask, as --dns says; such a server does not lead down from the root's keys. */
static bool set_server(struct ctl *ctl)
{
	struct str why;

	if (!ctl_value(ctl, CTL_DNS))
		return true;
	ctl->conf.dns_anchors = STR("none");
	if (conf_set(&ctl->conf, &ctl->arena, STR("dns.server"),
		     str_c(ctl_value(ctl, CTL_DNS)), &why) == OK)
		return true;
	ctl_fail(ctl, "--dns: %.*s.\nNothing was asked.", STR_FMT(why));
	return false;
}

bool ctl_open_lookups(struct ctl *ctl, bool is_fetching)
{
	SCOPED(buf_fini) struct buf conf = BUF(CONF_BLOB_MAX);
	int fd;

	if (!set_server(ctl))
		return false;
	conf_encode(&ctl->conf, &conf);
	if (!buf_ok(&conf) || lookups_open(buf_str(&conf), ctl->conf.dns_anchors,
					   &ctl->lookups, &fd) != OK) {
		ctl_fail(ctl, "The resolver could not be started.\nNothing was asked.\n"
			      "It has said why above.");
		return false;
	}
	ctl->resolver = resolver_open(fd);
	ctl->patience = (struct dns_patience){.lookup = dns_lookup_by(ctl->resolver)};
	if (!is_fetching)
		return true;
	if (lookups_fetch(ctl->lookups, buf_str(&conf), ctl->conf.tls_roots, &fd) != OK) {
		ctl_fail(ctl,
			 "The process that fetches could not be started.\nNothing was "
			 "asked.\n"
			 "It has said why above.");
		return false;
	}
	ctl->fetch = fetch_open(fd);
	return true;
}

void ctl_close_lookups(struct ctl *ctl)
{
	fetch_close(&ctl->fetch);
	resolver_close(&ctl->resolver);
	lookups_close(&ctl->lookups);
}

#include "ctl/lookups.h"

#include "control/resolve.h"
#include "ctl/word.h"
#include "fetch/fetch.h"
#include "resolver/resolver.h"
#include "rt/progress.h"

enum { PROGRESS_MS = 200 };

/* ---- asking ------------------------------------------------------------------------ */

static void ask(void *context, const struct dns_question *question, struct arena *arena,
		struct dns_answer *answer)
{
	struct ctl *ctl = context;

	ctl->asked++;
	resolver_ask_until(ctl->resolver, question, arena, answer);
	ctl->answered++;
}

static bool recall(void *context, const struct dns_question *question,
		   struct arena *arena, struct dns_answer *answer)
{
	const struct ctl *ctl = context;

	return resolver_recall(ctl->resolver, question, arena, answer);
}

const struct dns_lookup *ctl_lookup(struct ctl *ctl, unsigned seconds)
{
	if (ctl->lookup.until == 0)
		ctl->lookup = dns_lookup_within(&ctl->lookup, seconds);
	return &ctl->lookup;
}

static void tell_progress(void *arg)
{
	const struct ctl *ctl = arg;
	struct progress progress = {.began_us = 0};

	do {
		SCOPED(buf_fini) struct buf text = BUF(200);

		if (!progress_is_due(&progress) || ctl->asked == ctl->answered)
			continue;
		buf_printf(&text, "Waiting for the DNS; %u of %u questions were answered",
			   ctl->answered, ctl->asked);
		progress_say(&progress, buf_str(&text));
	} while (task_sleep_ms(PROGRESS_MS) == OK);
	progress_end(&progress);
}

/* ---- the way there ----------------------------------------------------------------- */

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
	ctl->lookup = (struct dns_lookup){ask, ctl, recall, 0};
	struct task *progress = task_start("progress", tell_progress, ctl);

	ctl->progress = progress ? task_id(progress) : 0;
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
	task_cancel(ctl->progress);
	fetch_close(&ctl->fetch);
	resolver_close(&ctl->resolver);
	lookups_close(&ctl->lookups);
}

#include <jansson.h>

#include "ctl/relay.h"
#include "ctl/word.h"
#include "net/address.h"
#include "net/tls.h"

/* How the tricks at one door went. */
struct count {
	size_t refused, accepted, unsure, skipped;
};

static const char *outcome_text(enum relay_outcome outcome)
{
	switch (outcome) {
	case RELAY_REFUSED:
		return "refused";
	case RELAY_ACCEPTED:
		return "relays";
	case RELAY_UNSURE:
		return "unsure";
	case RELAY_SKIPPED:
		break;
	}
	return "skipped";
}

static void add_up(struct count *count, enum relay_outcome outcome)
{
	count->refused += outcome == RELAY_REFUSED;
	count->accepted += outcome == RELAY_ACCEPTED;
	count->unsure += outcome == RELAY_UNSURE;
	count->skipped += outcome == RELAY_SKIPPED;
}

static void say_trick(struct ctl *ctl, json_t *tricks, const struct relay_trick *trick,
		      enum relay_outcome outcome, struct str said)
{
	bool is_bad = outcome == RELAY_ACCEPTED || outcome == RELAY_UNSURE;

	if (is_bad)
		buf_printf(&ctl->out, "  %s \"%.*s\": %.*s\n",
			   outcome == RELAY_ACCEPTED ? "RELAYS with" : "cannot be told:",
			   STR_FMT(trick->name), STR_FMT(said));
	(void)json_array_append_new(tricks, json_pack("{s:o,s:s,s:o}", "trick",
						      ctl_json(trick->name), "outcome",
						      outcome_text(outcome), "reply",
						      ctl_json(said)));
}

static void say_summary(struct ctl *ctl, const struct count *count)
{
	buf_printf(&ctl->out, "  %zu tricks refused", count->refused);
	if (count->accepted > 0)
		buf_printf(&ctl->out, ", %zu worked", count->accepted);
	if (count->unsure > 0)
		buf_printf(&ctl->out, ", %zu cannot be told", count->unsure);
	if (count->skipped > 0)
		buf_printf(&ctl->out, ", %zu say nothing here", count->skipped);
	buf_add(&ctl->out, STR("\n"));
}

/* All tricks at one listener. */
static void check_door(struct ctl *ctl, struct relay_door *door, const char *service,
		       struct count *all)
{
	char room[ADDRESS_TEXT_BYTES];
	struct str at = address_text_port(door->at, room), why = STR("");
	struct count count = {0};
	json_t *tricks = json_array();
	bool is_there = relay_look(door, &ctl->arena, &why);

	buf_printf(&ctl->out, "%.*s (%s):\n", STR_FMT(at), service);
	if (!is_there) {
		buf_printf(&ctl->out, "  cannot be told: %.*s\n", STR_FMT(why));
		count.unsure = 1;
	}
	for (size_t i = 0; is_there && i < relay_trick_count; i++) {
		enum relay_outcome outcome =
			relay_try(door, &relay_tricks[i], &ctl->arena, &why);

		say_trick(ctl, tricks, &relay_tricks[i], outcome, why);
		add_up(&count, outcome);
	}
	if (is_there)
		say_summary(ctl, &count);
	(void)json_array_append_new(json_object_get(ctl->json, "listeners"),
				    json_pack("{s:o,s:s,s:b,s:o}", "address",
					      ctl_json(at), "service", service, "reached",
					      (int)is_there, "tricks", tricks));
	all->refused += count.refused;
	all->accepted += count.accepted;
	all->unsure += count.unsure;
}

/* Where a listener on all addresses is reached from here. */
static bool address_of(struct ctl *ctl, const struct conf_listener *listener,
		       struct address *address)
{
	bool is_v6 = str_find_byte(listener->address, ':') < listener->address.len;
	struct str host = listener->address;

	if (str_same(host, STR("0.0.0.0")))
		host = STR("127.0.0.1");
	if (str_same(host, STR("::")))
		host = STR("::1");
	return address_parse(arena_printf(&ctl->arena, is_v6 ? "[%.*s]:%u" : "%.*s:%u",
					  STR_FMT(host), listener->port),
			     address);
}

static void check_doors(struct ctl *ctl, const struct conf_listeners *listeners,
			const char *service, bool is_tls_first, struct tls_client *tls,
			struct count *all)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct address at;
		struct relay_door door = {.at = &at,
					  .is_tls_first = is_tls_first,
					  .tls = tls,
					  .domain = ctl->conf.default_domain};

		/* A proxy stands in front of the others: nobody else is let in. */
		if (!listeners->at[i].is_proxied &&
		    address_of(ctl, &listeners->at[i], &at))
			check_door(ctl, &door, service, all);
	}
}

static void say_verdict(struct ctl *ctl, const struct count *all)
{
	const char *verdict = "closed";
	json_t *found = ctl->json;

	ctl->json = NULL; /* a failure would put its words in place of it */

	if (all->accepted > 0) {
		verdict = "open";
		ctl_fail(ctl,
			 "This server is an OPEN RELAY: %zu of the tricks make it take "
			 "mail of strangers for others.\nNothing was sent.\nTake it "
			 "off the network until that is put right; it will be used for "
			 "spam within hours.",
			 all->accepted);
	} else if (all->unsure > 0 || all->refused == 0) {
		verdict = "unsure";
		ctl_fail(ctl, "Whether this server relays cannot be told.\nNothing was "
			      "sent.\nLook whether it runs, and at the lines above; then "
			      "try again.");
	} else
		buf_add(&ctl->out, STR("This server relays nothing for strangers.\n"));
	ctl->is_partial = true;
	(void)json_object_update_missing(found, ctl->json);
	json_decref(ctl->json);
	ctl->json = found;
	(void)json_object_set_new(ctl->json, "verdict", json_string(verdict));
}

static void relay(struct ctl *ctl)
{
	struct tls_client *tls = tls_client_new(TLS_VERIFY_NOTHING, STR(""));
	const struct conf *conf = &ctl->conf;
	struct count all = {0};

	ctl->json = json_pack("{s:o,s:[]}", "domain", ctl_json(conf->default_domain),
			      "listeners");
	if (tls) {
		check_doors(ctl, &conf->smtp, "smtp", false, tls, &all);
		check_doors(ctl, &conf->submission, "submission", false, tls, &all);
		check_doors(ctl, &conf->submissions, "submissions", true, tls, &all);
	}
	say_verdict(ctl, &all);
	tls_client_free(&tls);
}

static const struct ctl_verb verbs[] = {
	{"relay", "",
	 "Try all the classic tricks by which strangers make careless servers pass on "
	 "mail, on each listener of the configuration, as any client would.  No mail is "
	 "sent.",
	 0, 0, 0, CTL_NEEDS_TASKS, relay},
};

const struct ctl_word ctl_check = {
	.name = "check",
	.summary = "Whether the running server is safe to be on the network.",
	.examples = "  postrider check relay\n  postrider check relay --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};

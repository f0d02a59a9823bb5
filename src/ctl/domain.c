#include <jansson.h>

#include "ctl/word.h"

static void add(struct ctl *ctl)
{
	struct str domain = ctl->words[0];
	enum store_outcome outcome = directory_add_domain(&ctl->directory, domain);

	if (outcome == STORE_OK)
		buf_printf(&ctl->out, "%.*s is now a domain of ours.\n%s",
			   STR_FMT(domain),
			   domain_dkim_begin(ctl)
				   ? ""
				   : "Its DKIM keys could not be made now; \"postrider "
				     "domain dkim\" makes them.\n");
	else if (outcome == STORE_CONFLICT)
		ctl_fail(ctl, "%.*s is a domain of ours already.\nNothing was changed.",
			 STR_FMT(domain));
	else if (outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "\"%.*s\" cannot be a domain.\nNothing was changed.\nA "
			 "domain looks like example.com.",
			 STR_FMT(domain));
	else
		ctl_fail_store(ctl, outcome);
}

static void remove_one(struct ctl *ctl)
{
	struct str domain = ctl->words[0];
	enum store_outcome outcome = directory_remove_domain(&ctl->directory, domain);

	if (outcome == STORE_OK)
		buf_printf(&ctl->out, "%.*s is no longer a domain of ours.\n",
			   STR_FMT(domain));
	else if (outcome == STORE_CONFLICT)
		ctl_fail(ctl,
			 "%.*s still has accounts or aliases.\nNothing was changed.\n"
			 "Remove them first; \"postrider account list\" and "
			 "\"postrider alias list\" show them.",
			 STR_FMT(domain));
	else if (outcome == STORE_ABSENT || outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "%.*s is not a domain of ours.\nNothing was changed.\n"
			 "\"postrider domain list\" shows those that are.",
			 STR_FMT(domain));
	else
		ctl_fail_store(ctl, outcome);
}

static void list(struct ctl *ctl)
{
	json_t *domains = json_array();
	struct str after = STR("");
	struct directory_item *items;
	size_t count;
	enum store_outcome outcome;

	ctl->json = json_pack("{s:o}", "domains", domains);
	while ((outcome = directory_list(&ctl->directory, DIRECTORY_DOMAINS, after,
					 CTL_PAGE, &ctl->arena, &items, &count)) ==
		       STORE_OK &&
	       count > 0) {
		for (size_t i = 0; i < count; i++) {
			buf_printf(&ctl->out, "%.*s\n", STR_FMT(items[i].name));
			(void)json_array_append_new(
				domains,
				json_stringn(items[i].name.ptr, items[i].name.len));
		}
		after = items[count - 1].name;
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}

static const struct ctl_verb verbs[] = {
	{"add", "DOMAIN", "Take mail for DOMAIN, and make the keys that sign its mail.",
	 1, 1, 0, CTL_NEEDS_SERVER, add},
	{"remove", "DOMAIN", "Stop taking mail for DOMAIN, which must be empty.", 1, 1, 0,
	 CTL_NEEDS_SERVER, remove_one},
	{"dkim", "DOMAIN",
	 "Print what the DNS must show so that mail of DOMAIN can be signed, and what of "
	 "it it shows.  Keys that it shows begin to sign.",
	 1, 1, CTL_DNS, CTL_NEEDS_SERVER | CTL_NEEDS_RESOLVER, domain_dkim_show},
	{"rotate-dkim", "DOMAIN",
	 "Make new keys for DOMAIN; they follow the present ones when the DNS shows "
	 "them.",
	 1, 1, CTL_DNS, CTL_NEEDS_SERVER | CTL_NEEDS_RESOLVER, domain_dkim_rotate},
	{"list", "", "Print the domains of ours.", 0, 0, 0, CTL_NEEDS_SERVER, list},
};

const struct ctl_word ctl_domain = {
	.name = "domain",
	.summary = "The domains we take mail for.",
	.examples = "  postrider domain add example.com\n"
		    "  postrider domain dkim example.com\n"
		    "  postrider domain list --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};

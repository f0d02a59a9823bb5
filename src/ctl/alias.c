#include <jansson.h>

#include "ctl/word.h"

static void add(struct ctl *ctl)
{
	struct str address = ctl->words[0];
	enum store_outcome outcome = directory_add_alias(
		&ctl->directory, address, ctl->words + 1, ctl->word_count - 1);

	if (outcome == STORE_OK)
		buf_printf(&ctl->out, "Mail to %.*s now goes on to %zu address%s.\n",
			   STR_FMT(address), ctl->word_count - 1,
			   ctl->word_count == 2 ? "" : "es");
	else if (outcome == STORE_CONFLICT)
		ctl_fail(ctl,
			 "%.*s exists already.\nNothing was changed.\nTo change an "
			 "alias, remove it and add it again.",
			 STR_FMT(address));
	else if (outcome == STORE_ABSENT)
		ctl_fail(ctl,
			 "The domain of %.*s is not one of ours.\nNothing was "
			 "changed.\nAdd it first: postrider domain add DOMAIN",
			 STR_FMT(address));
	else if (outcome == STORE_INVALID)
		ctl_fail(ctl, "One of these cannot be an address, or there are more than "
			      "1000 or too long ones.\nNothing was changed.\nAn address "
			      "looks like ann@example.com.");
	else
		ctl_fail_store(ctl, outcome);
}

static void remove_one(struct ctl *ctl)
{
	struct str address = ctl->words[0];
	enum store_outcome outcome = directory_remove_alias(&ctl->directory, address);

	if (outcome == STORE_OK)
		buf_printf(&ctl->out, "%.*s is removed.\n", STR_FMT(address));
	else if (outcome == STORE_ABSENT || outcome == STORE_INVALID)
		ctl_fail(ctl,
			 "There is no alias %.*s.\nNothing was changed.\n"
			 "\"postrider alias list\" shows those there are.",
			 STR_FMT(address));
	else
		ctl_fail_store(ctl, outcome);
}

static void list_one(struct ctl *ctl, const struct directory_item *item, json_t *aliases)
{
	json_t *targets = json_array();

	buf_printf(&ctl->out, "%.*s:", STR_FMT(item->name));
	for (size_t i = 0; i < item->entry.target_count; i++) {
		struct str target = item->entry.targets[i];

		buf_printf(&ctl->out, " %.*s", STR_FMT(target));
		(void)json_array_append_new(targets,
					    json_stringn(target.ptr, target.len));
	}
	buf_add_byte(&ctl->out, '\n');
	(void)json_array_append_new(aliases,
				    json_pack("{s:s%,s:o}", "address", item->name.ptr,
					      item->name.len, "targets", targets));
}

static void list(struct ctl *ctl)
{
	json_t *aliases = json_array();
	struct str after = STR("");
	struct directory_item *items;
	size_t count;
	enum store_outcome outcome;

	ctl->json = json_pack("{s:o}", "aliases", aliases);
	while ((outcome = directory_list(&ctl->directory, DIRECTORY_ALIASES, after,
					 CTL_PAGE, &ctl->arena, &items, &count)) ==
		       STORE_OK &&
	       count > 0) {
		for (size_t i = 0; i < count; i++)
			list_one(ctl, &items[i], aliases);
		after = items[count - 1].name;
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}

static const struct ctl_verb verbs[] = {
	{"add", "ADDRESS TARGET ...", "Send mail to ADDRESS on to each TARGET.", 2,
	 CTL_WORDS_MAX, 0, CTL_NEEDS_SERVER, add},
	{"remove", "ADDRESS", "Remove an alias.", 1, 1, 0, CTL_NEEDS_SERVER, remove_one},
	{"list", "", "Print the aliases and where they lead.", 0, 0, 0, CTL_NEEDS_SERVER,
	 list},
};

const struct ctl_word ctl_alias = {
	.name = "alias",
	.summary = "Addresses that lead to other addresses.",
	.examples = "  postrider alias add info@example.com ann@example.com "
		    "bob@example.org\n"
		    "  postrider alias remove info@example.com\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};

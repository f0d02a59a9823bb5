#include <jansson.h>

#include "ctl/word.h"

static void show(struct ctl *ctl)
{
	struct conf_item item;

	conf_print(&ctl->conf, &ctl->out);
	ctl->json = json_object();
	for (size_t i = 0; conf_item(&ctl->conf, i, &ctl->arena, &item); i++)
		(void)json_object_setn_new(ctl->json, item.name.ptr, item.name.len,
					   json_stringn(item.value.ptr, item.value.len));
}

/* Reading it was the check: a bad file has been refused before. */
static void check(struct ctl *ctl)
{
	buf_add_c(&ctl->out, "The configuration is good.\n");
}

static void man(struct ctl *ctl)
{
	conf_print_man(&ctl->out);
}

static const struct ctl_verb verbs[] = {
	{"show", "", "Print every setting as it is in force.", 0, 0, 0, 0, show},
	{"check", "", "Say whether the file is good, or what is wrong in which line.", 0,
	 0, 0, 0, check},
	{"man", "", "Print the SETTINGS section of postrider.conf(5).", 0, 0, 0, 0, man},
};

const struct ctl_word ctl_config = {
	.name = "config",
	.summary = "The configuration file.",
	.examples = "  postrider -c new.conf config check\n"
		    "  postrider config show --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};

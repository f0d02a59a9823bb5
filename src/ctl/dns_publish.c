/* "dns publish": puts what is missing into the zone, by dynamic update. */
#include <jansson.h>

#include "ctl/dns_domain.h"
#include "ctl/lookups.h"
#include "ctl/word.h"
#include "publish/update.h"
#include "rt/file.h"

/* "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53" */
static bool read_server(struct ctl *ctl, struct address *server)
{
	const char *text = ctl_value(ctl, CTL_SERVER);
	struct str whole = arena_printf(&ctl->arena, "%s%s", text ? text : "", ":53");

	if (text && (address_parse(str_c(text), server) || address_parse(whole, server)))
		return true;
	ctl_fail(ctl, "Which name server?\nNothing was changed.\n--server is the "
		      "address of the zone's primary, such as 192.0.2.53 or "
		      "[2001:db8::53]:53.");
	return false;
}

static bool read_key(struct ctl *ctl, struct update_key *key)
{
	SCOPED(buf_fini) struct buf text = BUF(UPDATE_KEY_FILE_MAX);
	const char *path = ctl_value(ctl, CTL_KEY);
	bool is_read = path && file_read(path, &text) == OK &&
		       update_key_parse(buf_str(&text), &ctl->arena, key);

	if (text.ptr)
		explicit_bzero(text.ptr, text.room);
	if (!is_read)
		ctl_fail(ctl,
			 "%s holds no key for hmac-sha256.\nNothing was changed.\n--key "
			 "names a file as tsig-keygen writes it, or with a line "
			 "hmac-sha256:NAME:SECRET.",
			 path ? path : "No file was named, so it");
	return is_read;
}

/* Answers of before the change are in the resolver's memory, so another one is asked. */
static bool look_again(struct ctl *ctl, const struct publish_plan *plan,
		       struct publish_report *report)
{
	ctl_close_lookups(ctl);
	return ctl_open_lookups(ctl, true) && dns_domain_check(ctl, plan, report);
}

/* What would be changed, and what nobody can tell of. */
static void show(struct ctl *ctl, const struct update *update,
		 const struct publish_report *report)
{
	update_print(update, &ctl->out);
	ctl->json = json_pack("{s:I,s:o,s:i}", "count", (json_int_t)update_count(update),
			      "changes", ctl_json(buf_str(&ctl->out)), "unknown",
			      (int)report->unknown);
	if (report->unknown > 0)
		buf_printf(&ctl->out,
			   "%u records cannot be told of now, and are left as they "
			   "are.\n",
			   report->unknown);
}

static void change(struct ctl *ctl, struct update *update,
		   const struct publish_plan *plan)
{
	struct publish_report report;
	struct str why;

	if (update_count(update) == 0) {
		buf_add_c(&ctl->out, "There is nothing to change.\n");
		return;
	}
	if (!(ctl->options & CTL_YES)) {
		buf_add_c(&ctl->out, "Nothing was changed; --yes changes it.\n");
		return;
	}
	err_t err = update_send(update, &ctl->arena, &why);

	if (err == ERR_DENIED)
		ctl_fail(ctl,
			 "%.*s.\nNothing was changed.\nRun the command again after "
			 "putting that right; it shows what it would change.",
			 STR_FMT(why));
	else if (err != OK)
		ctl_fail(ctl,
			 "%.*s.\nThe change may have been made or not, but not by "
			 "half.\nRun the command again: it shows what is still to do.",
			 STR_FMT(why));
	if (err != OK)
		return;
	buf_add_c(&ctl->out, "This was changed.  What the DNS says now:\n");
	if (look_again(ctl, plan, &report))
		dns_domain_say(ctl, &report);
}

void dns_domain_publish(struct ctl *ctl)
{
	struct publish_facts facts;
	struct publish_plan plan;
	struct publish_report report;
	struct address server;
	struct update_key key;
	struct update *update = NULL;
	struct str why;

	if (!read_server(ctl, &server) || !read_key(ctl, &key) ||
	    !dns_domain_plan(ctl, &facts, &plan) ||
	    !dns_domain_check(ctl, &plan, &report))
		return;
	if (update_open(&server, &key, facts.domain, &ctl->arena, &update, &why) != OK ||
	    update_prepare(update, &plan, &report, &ctl->arena, &why) != OK)
		ctl_fail(ctl, "%.*s.\nNothing was changed.", STR_FMT(why));
	else {
		show(ctl, update, &report);
		change(ctl, update, &plan);
	}
	update_close(&update);
}

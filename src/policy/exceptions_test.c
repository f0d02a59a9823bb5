#include "policy/exceptions.h"

#include "base/test.h"

static struct arena arena;
static struct dkim_verdict_one signature;

/* A mail from 192.0.2.7 that SPF proves to be from lists.example, and DKIM, unless told
 * otherwise, from sign.example. */
static struct mailauth_verdicts verdicts_of(struct mailauth_facts *facts,
					    const char *more)
{
	struct mailauth_verdicts verdicts = {
		.spf = {.result = SPF_PASS, .domain = STR("Lists.example")},
		.dkim = {.signatures = &signature, .count = 1}};

	signature = (struct dkim_verdict_one){.result = DKIM_PASS,
					      .domain = STR("sign.example")};
	*facts = (struct mailauth_facts){
		.header = arena_printf(&arena, "From: A <Ann@Author.example>\r\n%s\r\n",
				       more)};
	CHECK(ip_parse(STR("192.0.2.7"), &facts->ip));
	dmarc_authors_find(facts->header, &arena, &verdicts.authors);
	return verdicts;
}

static void check(const char *list, const char *more, const char *word, const char *type)
{
	struct mailauth_facts facts;
	struct mailauth_verdicts verdicts = verdicts_of(&facts, more);
	struct exception found = exceptions_find(str_c(list), &facts, &verdicts, &arena);

	CHECK_STR(found.word, str_c(word));
	CHECK_STR(str_c(found.type), str_c(type));
}

TEST(sources_that_are_listed_are_excused)
{
	static const char list_id[] = "List-Id: <x.lists.example>\r\n";

	arena_init(&arena, 1 << 20);
	check("", "", "", "");
	check("192.0.2.0/24", "", "192.0.2.0/24", "trusted_forwarder");
	check("192.0.2.7", list_id, "192.0.2.7", "mailing_list");
	check("192.0.3.0/24 2001:db8::/32", "", "", "");
	check("a.example lists.example", "", "lists.example", "trusted_forwarder");
	check("lists.example", list_id, "lists.example", "mailing_list");
	check("sign.example", "list-post: NO\r\n", "sign.example", "mailing_list");
	check("example", "", "", ""); /* those below are others */
	check("x.lists.example", "", "", "");
	check("author.example", "", "", ""); /* nothing proves it */
	check("@author.example", list_id, "@author.example", "local_policy");
	check("ann@author.example", "", "ann@author.example", "local_policy");
	check("bob@author.example @example @lists.example", "", "", "");
	check("@author.example", "From: b@author.example\r\n", "", "");
	arena_fini(&arena);
}

TEST(what_is_not_proved_is_nobody_listed)
{
	struct mailauth_facts facts;

	arena_init(&arena, 1 << 20);
	struct mailauth_verdicts verdicts = verdicts_of(&facts, "");

	verdicts.spf.result = SPF_SOFTFAIL;
	signature.result = DKIM_FAIL;
	CHECK(exceptions_find(STR("lists.example sign.example"), &facts, &verdicts,
			      &arena)
		      .word.len == 0);
	facts.header = STR("From: ann@author.example, eve@author.example\r\n\r\n");
	dmarc_authors_find(facts.header, &arena, &verdicts.authors);
	CHECK(exceptions_find(STR("ann@author.example @author.example"), &facts,
			      &verdicts, &arena)
		      .word.len == 0);
	arena_fini(&arena);
}

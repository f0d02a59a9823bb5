#include "policy/exceptions.h"

#include "net/networks.h"
#include "wire/mail/address.h"
#include "wire/mail/header.h"

static bool is_proved(struct str word, const struct mailauth_verdicts *verdicts,
		      struct arena *arena)
{
	struct str domain;

	if (verdicts->spf.result == SPF_PASS &&
	    dmarc_domain(verdicts->spf.domain, arena, &domain) && str_same(domain, word))
		return true;
	for (size_t i = 0; i < verdicts->dkim.count; i++) {
		const struct dkim_verdict_one *one = &verdicts->dkim.signatures[i];

		if (one->result == DKIM_PASS &&
		    dmarc_domain(one->domain, arena, &domain) && str_same(domain, word))
			return true;
	}
	return false;
}

static bool is_author(struct str word, const struct mail_address *author,
		      struct arena *arena)
{
	size_t at = str_rfind_byte(word, '@');
	struct str domain;

	return dmarc_domain(author->domain, arena, &domain) &&
	       str_same(domain, str_skip(word, at + 1)) &&
	       (at == 0 || str_same_nocase(author->local, str_first(word, at)));
}

/* What the header tells. */
struct look {
	struct mail_address author; /* domain "" unless there is one alone */
	bool is_list;               /* RFC 2919, RFC 2369 */
};

static struct mail_address only_one(struct str value, struct arena *arena)
{
	struct mail_addresses all =
		mail_addresses_parse(arena, value, DMARC_FROM_ADDRESSES_MAX);
	struct mail_address only = {.domain = STR("")};
	size_t count = 0;

	for (size_t i = 0; i < all.count; i++)
		if (all.items[i].kind == MAIL_MAILBOX && count++ == 0)
			only = all.items[i];
	return count == 1 && !all.is_cut ? only
					 : (struct mail_address){.domain = STR("")};
}

static struct look look_at(const struct mailauth_facts *facts,
			   const struct mailauth_verdicts *verdicts, struct arena *arena)
{
	struct mail_fields fields = mail_fields_over(facts->header);
	struct look look = {.is_list = false};
	struct mail_field field;

	while (mail_fields_next(&fields, &field)) {
		if (str_same_nocase(field.name, STR("List-Id")) ||
		    str_same_nocase(field.name, STR("List-Post")))
			look.is_list = true;
		if (verdicts->authors.from == DMARC_FROM_ONE &&
		    str_same_nocase(field.name, STR("From")))
			look.author = only_one(field.value, arena);
	}
	return look;
}

static bool is_from(struct str word, const struct ip *ip)
{
	char text[IP_TEXT_BYTES];
	struct networks network;
	struct address client;

	return networks_parse(word, &network) &&
	       address_parse_host(ip_text(ip, text), &client) &&
	       networks_have(&network, &client);
}

struct exception exceptions_find(struct str exceptions,
				 const struct mailauth_facts *facts,
				 const struct mailauth_verdicts *verdicts,
				 struct arena *arena)
{
	if (exceptions.len == 0)
		return (struct exception){STR(""), ""};
	struct look look = look_at(facts, verdicts, arena);
	const char *passed_on = look.is_list ? "mailing_list" : "trusted_forwarder";

	while (exceptions.len > 0) {
		struct str word = str_cut(&exceptions, ' ');

		if (str_find_byte(word, '@') < word.len) {
			if (is_author(word, &look.author, arena))
				return (struct exception){word, "local_policy"};
		} else if (word.len > 0 && (is_from(word, &facts->ip) ||
					    is_proved(word, verdicts, arena)))
			return (struct exception){word, passed_on};
	}
	return (struct exception){STR(""), ""};
}

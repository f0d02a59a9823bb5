#include "mailauth/arc_trust.h"

#include "wire/auth/authres.h"

/* The sealer in our spelling, if it is one of them. */
static bool is_trusted(struct str forwarders, struct str sealer, struct arena *arena,
		       struct str *domain)
{
	if (!dmarc_domain(sealer, arena, domain))
		return false;
	while (forwarders.len > 0) {
		struct str word = str_cut(&forwarders, ' ');

		if (word.len > 0 && str_same_nocase(word, *domain))
			return true;
	}
	return false;
}

/* The domain that was found proved, or "". */
static struct str domain_of(const struct authres_result *result)
{
	struct str sender;

	if (str_same_nocase(result->method, STR("dmarc")))
		return authres_value(result, "header", "from");
	if (str_same_nocase(result->method, STR("dkim")))
		return authres_value(result, "header", "d");
	if (!str_same_nocase(result->method, STR("spf")))
		return STR("");
	sender = authres_value(result, "smtp", "mailfrom");
	size_t at = str_rfind_byte(sender, '@');

	return at == sender.len ? sender : str_skip(sender, at + 1);
}

/* Of DKIM and SPF only the author's very domain counts, which is aligned however its
 * record wants that. */
static bool proves(const struct authres_result *result, struct str author,
		   struct arena *arena)
{
	struct str domain;

	return str_same_nocase(result->result, STR("pass")) &&
	       dmarc_domain(domain_of(result), arena, &domain) &&
	       str_same(domain, author);
}

/* What proves the author, DMARC's own result before others; or NULL. */
static const char *proof_in(struct str results, struct str author, struct arena *arena)
{
	static const char *const methods[] = {"dmarc", "dkim", "spf"};
	struct authres found;

	if (!authres_parse(results, arena, &found))
		return NULL;
	for (size_t m = 0; m < COUNT_OF(methods); m++)
		for (size_t i = 0; i < found.count; i++)
			if (str_same_nocase(found.results[i].method, str_c(methods[m])) &&
			    proves(&found.results[i], author, arena))
				return methods[m];
	return NULL;
}

void arc_trust_find(const struct arc_verdict *chain, struct str forwarders,
		    const struct dmarc_authors *authors, struct arena *arena,
		    struct arc_trust *trust)
{
	*trust = (struct arc_trust){.result = ARC_UNTRUSTED, .found = ""};
	if (authors->from != DMARC_FROM_ONE || authors->is_cut || authors->count != 1 ||
	    (chain->result != ARC_PASS && chain->result != ARC_TEMPERROR))
		return;
	for (size_t i = chain->count; i-- > 0;) {
		const struct arc_verdict_one *set = &chain->sets[i];
		struct str sealer;

		if (!is_trusted(forwarders, set->domain, arena, &sealer))
			return;
		if (chain->result == ARC_TEMPERROR) {
			trust->result = ARC_UNSURE;
			return;
		}
		const char *found = proof_in(set->results, authors->domains[0], arena);

		if (found) {
			*trust = (struct arc_trust){ARC_TRUSTED, set->instance, sealer,
						    found};
			return;
		}
	}
}

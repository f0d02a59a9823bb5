#include "report/dmarc_wishes.h"

#include "base/log.h"
#include "mailauth/dmarc_from.h"
#include "mailauth/dmarc_walk.h"

/* Whom, and of which of the two. */
struct asking {
	const struct dns_lookup *lookup;
	const char *tag;
};

/* The records of DMARC at that name: *count of them, the last in *rua. */
static enum dns_outcome ask(const struct asking *asking, struct str name,
			    struct arena *arena, struct dmarc_rua *rua, size_t *count)
{
	struct dns_answer answer;
	struct dmarc_rua found;
	struct str text;

	*count = 0;
	dns_ask(asking->lookup, name, DNS_TXT, arena, &answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++) {
		if (!dns_txt_read(answer.records[i], arena, &text) ||
		    !dmarc_rua_parse(text, asking->tag, arena, &found))
			continue;
		*rua = found;
		*count += 1;
	}
	return answer.outcome;
}

/* The tree of the DNS says who belongs together (RFC 9989 §4.10). */
static enum dns_outcome is_own(const struct asking *asking, struct str domain,
			       struct str host, struct arena *arena)
{
	struct dmarc_tree tree;
	struct dmarc_walk ours, theirs;
	struct str name;

	if (!dmarc_domain(host, arena, &name))
		return DNS_NONE;
	if (str_same(name, domain)) /* what is below may be another's: a public suffix */
		return DNS_FOUND;
	dmarc_tree_init(&tree, asking->lookup, arena);
	dmarc_tree_walk(&tree, domain, &ours);
	dmarc_tree_walk(&tree, name, &theirs);
	if (ours.is_unsure || theirs.is_unsure)
		return DNS_UNKNOWN;
	return str_same_nocase(ours.organizational, theirs.organizational) ? DNS_FOUND
									   : DNS_NONE;
}

/* RFC 9990 §4: whoever gets reports of others must have agreed.  It may say where it
 * wants them, at the same host. */
static enum dns_outcome agree(const struct asking *asking, struct str domain,
			      struct arena *arena, struct dmarc_rua_uri *uri)
{
	struct str name = arena_printf(arena, "%.*s._report._dmarc.%.*s", STR_FMT(domain),
				       STR_FMT(uri->host));
	struct dmarc_rua own;
	size_t count;

	enum dns_outcome outcome = is_own(asking, domain, uri->host, arena);

	if (outcome != DNS_NONE)
		return outcome;
	outcome = ask(asking, name, arena, &own, &count);

	if (outcome == DNS_FOUND && count == 0)
		return DNS_NONE;
	if (outcome != DNS_FOUND || own.count == 0)
		return outcome;
	if (!str_same_nocase(own.uris[0].host, uri->host))
		return DNS_NONE;
	uri->address = own.uris[0].address;
	return DNS_FOUND;
}

enum dns_outcome dmarc_wishes_find(const struct dns_lookup *lookup, const char *tag,
				   struct str domain, struct arena *arena,
				   struct dmarc_rua *rua)
{
	const struct asking made = {lookup, tag}, *asking = &made;
	struct str name = arena_printf(arena, "_dmarc.%.*s", STR_FMT(domain));
	struct dmarc_rua all;
	size_t count;
	enum dns_outcome outcome = ask(asking, name, arena, &all, &count);

	rua->count = 0;
	if (outcome != DNS_FOUND)
		return outcome == DNS_BOGUS ? DNS_UNKNOWN : outcome;
	for (size_t i = 0; count == 1 && i < all.count; i++) {
		switch (agree(asking, domain, arena, &all.uris[i])) {
		case DNS_FOUND:
			rua->uris[rua->count++] = all.uris[i];
			break;
		case DNS_NONE:
			LOG(INFO, "DMARC report not wanted there", KV_STR("name", domain),
			    KV_STR("rcpt", all.uris[i].address));
			break;
		case DNS_BOGUS:
		case DNS_UNKNOWN:
			outcome = DNS_UNKNOWN;
			break;
		}
	}
	if (outcome == DNS_UNKNOWN)
		return DNS_UNKNOWN;
	return rua->count > 0 ? DNS_FOUND : DNS_NONE;
}

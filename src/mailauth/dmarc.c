#include "mailauth/dmarc.h"

#include "mailauth/dmarc_say.h"

struct check {
	const struct dns_lookup *lookup;
	const struct dmarc_query *query;
	struct arena *arena;
	struct dmarc_tree *tree;
	struct dmarc_walk walk; /* of the author, if it was needed */
	bool has_walk;
	struct dmarc_verdict *verdict;
};

const char *dmarc_result_name(enum dmarc_result result)
{
	switch (result) {
	case DMARC_NONE:
		return "none";
	case DMARC_PASS:
		return "pass";
	case DMARC_FAIL:
		return "fail";
	case DMARC_TEMPERROR:
		return "temperror";
	case DMARC_PERMERROR:
		break;
	}
	return "permerror";
}

const char *dmarc_alignment_name(enum dmarc_alignment alignment)
{
	switch (alignment) {
	case DMARC_UNALIGNED:
		return "unaligned";
	case DMARC_RELAXED:
		return "relaxed";
	case DMARC_STRICT:
		return "strict";
	case DMARC_UNSURE:
		break;
	}
	return "unsure";
}

const char *dmarc_tag_name(enum dmarc_tag tag)
{
	switch (tag) {
	case DMARC_TAG_P:
		return "p";
	case DMARC_TAG_SP:
		return "sp";
	case DMARC_TAG_NP:
		break;
	}
	return "np";
}

const char *dmarc_onward_name(enum dmarc_onward onward)
{
	switch (onward) {
	case DMARC_ONWARD_FINE:
		return "fine";
	case DMARC_ONWARD_UNSURE:
		return "unsure";
	case DMARC_ONWARD_FAILS:
		break;
	}
	return "fails";
}

static void unsure(struct check *check, struct str why)
{
	check->verdict->result = DMARC_TEMPERROR;
	check->verdict->why = why;
}

/* ---- the policy -------------------------------------------------------------------- */

static const struct dmarc_walk *walk_of_author(struct check *check)
{
	if (!check->has_walk)
		dmarc_tree_walk(check->tree, check->verdict->author, &check->walk);
	check->has_walk = true;
	check->verdict->organizational = check->walk.organizational;
	return &check->walk;
}

/* The domain's own record, else that of its organizational domain, else that of the
 * public suffix.  NULL: there is none, or cannot tell now.  RFC 9989 §4.10.1. */
static const struct dmarc_node *find_policy(struct check *check)
{
	struct str author = check->verdict->author;
	const struct dmarc_node *own = dmarc_tree_find(check->tree, author);

	if (own->known == DMARC_KNOWN)
		return own;
	const struct dmarc_walk *walk = walk_of_author(check);

	if (walk->is_unsure) {
		unsure(check, check->tree->why);
		return NULL;
	}
	for (size_t i = 0; i < walk->count; i++)
		if (str_same(walk->found[i]->domain, walk->organizational))
			return walk->found[i];
	/* Without one there the walk ended at a public suffix with psd=y, or found
	 * nothing. */
	return walk->count > 0 ? walk->found[walk->count - 1] : NULL;
}

/* RFC 9989 §3.2.13: no such name at all.  An alias is something, wherever it leads. */
static enum dmarc_known exists(struct check *check, struct str domain)
{
	SCOPED(arena_fini) struct arena scratch;
	struct dns_answer answer;

	arena_init(&scratch, DNS_SCRATCH_BYTES);
	dns_ask(check->lookup, domain, DNS_A, &scratch, &answer);
	switch (answer.outcome) {
	case DNS_FOUND:
		return DMARC_KNOWN;
	case DNS_NONE:
		return answer.is_name_gone && (answer.name.len == 0 ||
					       str_same_nocase(answer.name, domain))
			       ? DMARC_KNOWN_NONE
			       : DMARC_KNOWN;
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		break;
	}
	return DMARC_KNOWN_NOT_NOW;
}

/* Which tag holds; false if that cannot be told now. */
static bool choose_tag(struct check *check)
{
	struct dmarc_verdict *verdict = check->verdict;
	const struct dmarc_record *record = &verdict->record;

	verdict->published = record->p;
	if (str_same(verdict->policy_domain, verdict->author))
		return true;
	verdict->tag = record->has_sp ? DMARC_TAG_SP : DMARC_TAG_P;
	verdict->published = record->sp;
	if (!record->has_np || record->np == record->sp)
		return true;
	switch (exists(check, verdict->author)) {
	case DMARC_KNOWN:
		return true;
	case DMARC_KNOWN_NONE:
		verdict->tag = DMARC_TAG_NP;
		verdict->published = record->np;
		return true;
	case DMARC_KNOWN_NOT_NOW:
		break;
	}
	return false;
}

/* ---- alignment --------------------------------------------------------------------- */

/* RFC 9989 §4.10.2.  Only what lies within the author's organizational domain can have
 * the same, so that strangers' domains cost no questions. */
static enum dmarc_alignment align(struct check *check, struct str domain, bool is_strict)
{
	struct dmarc_walk walk;

	if (str_same(domain, check->verdict->author))
		return DMARC_STRICT;
	if (is_strict)
		return DMARC_UNALIGNED;
	const struct dmarc_walk *author = walk_of_author(check);

	if (author->is_unsure)
		return DMARC_UNSURE;
	if (!dmarc_is_within(domain, author->organizational))
		return DMARC_UNALIGNED;
	dmarc_tree_walk(check->tree, domain, &walk);
	if (walk.is_unsure)
		return DMARC_UNSURE;
	return str_same(walk.organizational, author->organizational) ? DMARC_RELAXED
								     : DMARC_UNALIGNED;
}

static void add_identifier(struct check *check, struct dmarc_identifier identifier)
{
	struct dmarc_verdict *verdict = check->verdict;
	bool is_spf = identifier.method == DMARC_BY_SPF;
	struct str domain;

	if (!dmarc_domain(identifier.domain, check->arena, &domain) ||
	    verdict->identifier_count == DMARC_IDENTIFIERS_MAX)
		return;
	identifier.domain = domain;
	if (identifier.is_proved || identifier.is_unsure)
		identifier.alignment = align(check, domain,
					     is_spf ? verdict->record.is_spf_strict
						    : verdict->record.is_dkim_strict);
	if (identifier.is_proved && (identifier.alignment == DMARC_RELAXED ||
				     identifier.alignment == DMARC_STRICT))
		*(is_spf ? &verdict->is_spf_aligned : &verdict->is_dkim_aligned) = true;
	verdict->identifiers[verdict->identifier_count++] = identifier;
}

static void add_identifiers(struct check *check)
{
	const struct spf_verdict *spf = check->query->spf;
	const struct dkim_verdict *dkim = check->query->dkim;

	if (spf)
		add_identifier(check, (struct dmarc_identifier){
					      .method = DMARC_BY_SPF,
					      .domain = spf->domain,
					      .is_proved = spf->result == SPF_PASS,
					      .is_unsure = spf->result == SPF_TEMPERROR,
				      });
	for (size_t i = 0; dkim && i < dkim->count; i++) {
		const struct dkim_verdict_one *one = &dkim->signatures[i];

		add_identifier(check, (struct dmarc_identifier){
					      .method = DMARC_BY_DKIM,
					      .domain = one->domain,
					      .is_proved = one->result == DKIM_PASS,
					      .is_unsure = one->result == DKIM_TEMPERROR,
				      });
	}
}

static bool is_open(const struct dmarc_identifier *one)
{
	return one->alignment == DMARC_UNSURE ||
	       (one->is_unsure && one->alignment != DMARC_UNALIGNED);
}

/* The identifier that might have made it pass, had all questions been answered. */
static const struct dmarc_identifier *open_question(const struct dmarc_verdict *verdict)
{
	for (size_t i = 0; i < verdict->identifier_count; i++)
		if (is_open(&verdict->identifiers[i]))
			return &verdict->identifiers[i];
	return NULL;
}

/* What the domain wants to be done with mail that fails. */
static enum dmarc_policy wanted(const struct dmarc_verdict *verdict)
{
	return verdict->record.is_testing ? dmarc_policy_milder(verdict->published)
					  : verdict->published;
}

/* Without SPF.  A policy is there. */
static enum dmarc_onward go_on(const struct dmarc_verdict *verdict, bool has_tag)
{
	if (verdict->is_dkim_aligned || (has_tag && wanted(verdict) == DMARC_POLICY_NONE))
		return DMARC_ONWARD_FINE;
	for (size_t i = 0; i < verdict->identifier_count; i++)
		if (verdict->identifiers[i].method == DMARC_BY_DKIM &&
		    is_open(&verdict->identifiers[i]))
			return DMARC_ONWARD_UNSURE;
	return has_tag ? DMARC_ONWARD_FAILS : DMARC_ONWARD_UNSURE;
}

/* ---- the verdict ------------------------------------------------------------------- */

/* RFC 9989 §5.3.5, §5.3.6 */
static void conclude(struct check *check, bool has_tag)
{
	struct dmarc_verdict *verdict = check->verdict;
	const struct dmarc_identifier *open = open_question(verdict);

	if (verdict->is_spf_aligned || verdict->is_dkim_aligned) {
		verdict->result = DMARC_PASS;
		return;
	}
	if (open && open->alignment == DMARC_UNSURE) {
		unsure(check, check->tree->why);
		return;
	}
	if (open) {
		unsure(check,
		       arena_printf(check->arena, "%s of %.*s could not be checked",
				    open->method == DMARC_BY_SPF ? "SPF" : "DKIM",
				    STR_FMT(open->domain)));
		return;
	}
	if (!has_tag) {
		unsure(check, arena_printf(check->arena,
					   "the DNS does not say whether %.*s is there",
					   STR_FMT(verdict->author)));
		return;
	}
	verdict->result = DMARC_FAIL;
	verdict->disposition = wanted(verdict);
}

static void judge_author(struct check *check, struct str author)
{
	struct dmarc_verdict *verdict = check->verdict;

	*verdict = (struct dmarc_verdict){.author = author,
					  .from = check->query->authors->from,
					  .author_count = check->query->authors->count};
	check->has_walk = false;
	const struct dmarc_node *policy = find_policy(check);

	if (!policy) {
		if (verdict->result == DMARC_TEMPERROR)
			verdict->onward = DMARC_ONWARD_UNSURE;
		return;
	}
	verdict->policy_domain = policy->domain;
	verdict->record = policy->record;
	if (policy->record.policies == DMARC_POLICIES_UNUSABLE) {
		verdict->result = DMARC_PERMERROR;
		verdict->why = arena_printf(
			check->arena, "the DMARC record of %.*s has no usable policy",
			STR_FMT(policy->domain));
		return;
	}
	bool has_tag = choose_tag(check);

	add_identifiers(check);
	verdict->onward = go_on(verdict, has_tag);
	conclude(check, has_tag);
}

/* How much one author's verdict counts beside another's; of failures, the stricter. */
static unsigned weight(const struct dmarc_verdict *verdict)
{
	static const unsigned weights[] = {
		[DMARC_PASS] = 0,      [DMARC_NONE] = 1, [DMARC_PERMERROR] = 2,
		[DMARC_TEMPERROR] = 3, [DMARC_FAIL] = 4,
	};

	return weights[verdict->result] + (unsigned)verdict->disposition;
}

/* What is wrong with From, whoever is named there; NULL: nothing. */
static const char *flaw_of(const struct dmarc_authors *authors)
{
	switch (authors->from) {
	case DMARC_FROM_ONE:
		break;
	case DMARC_FROM_SEVERAL:
		return authors->is_cut ? "From names too many addresses" : NULL;
	case DMARC_FROM_REPEATED:
		return "there are several From fields";
	case DMARC_FROM_ABSENT:
		return "there is no From field";
	case DMARC_FROM_NOBODY:
		return "From names no domain";
	}
	return NULL;
}

void dmarc_foresee(const struct dmarc_authors *authors, struct dmarc_tree *tree)
{
	for (size_t i = 0; i < authors->count; i++) {
		struct dmarc_walk walk;

		if (dmarc_tree_find(tree, authors->domains[i])->known != DMARC_KNOWN)
			dmarc_tree_walk(tree, authors->domains[i], &walk);
	}
}

void dmarc_check(const struct dns_lookup *lookup, const struct dmarc_query *query,
		 struct arena *arena, struct dmarc_verdict *verdict)
{
	const struct dmarc_authors *authors = query->authors;
	const char *flaw = flaw_of(authors);
	enum dmarc_onward onward = DMARC_ONWARD_FINE;
	struct dmarc_verdict one;
	struct dmarc_tree tree;
	struct check check = {.lookup = lookup,
			      .query = query,
			      .arena = arena,
			      .tree = query->tree ? query->tree : &tree,
			      .verdict = &one};

	*verdict = (struct dmarc_verdict){.result = DMARC_PERMERROR,
					  .from = authors->from,
					  .author_count = authors->count};
	if (!query->tree)
		dmarc_tree_init(&tree, lookup, arena);
	for (size_t i = 0; i < authors->count; i++) {
		judge_author(&check, authors->domains[i]);
		if (one.onward > onward)
			onward = one.onward;
		if (i == 0 || weight(&one) > weight(verdict))
			*verdict = one;
	}
	if (flaw && verdict->result != DMARC_FAIL && verdict->result != DMARC_TEMPERROR) {
		verdict->result = DMARC_PERMERROR;
		verdict->why = str_c(flaw);
	}
	verdict->onward = onward;
	dmarc_say(verdict, arena);
}

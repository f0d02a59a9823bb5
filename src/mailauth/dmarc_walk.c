#include "mailauth/dmarc_walk.h"

#include "base/buf.h"

void dmarc_tree_init(struct dmarc_tree *tree, const struct dns_lookup *lookup,
		     struct arena *arena)
{
	*tree = (struct dmarc_tree){.lookup = lookup, .arena = arena};
}

bool dmarc_is_within(struct str name, struct str domain)
{
	if (name.len <= domain.len)
		return str_same(name, domain);
	return str_ends(name, domain) && name.ptr[name.len - domain.len - 1] == '.';
}

/* ---- one name ---------------------------------------------------------------------- */

/* Records of others are passed over; several of DMARC are as none.  RFC 9989 §4.10. */
static void read_answer(struct dmarc_tree *tree, const struct dns_answer *answer,
			struct arena *scratch, struct dmarc_node *node)
{
	size_t count = 0;
	struct str text, kept = STR("");

	for (size_t i = 0; i < answer->count; i++) {
		if (!dns_txt_read(answer->records[i], scratch, &text) ||
		    !dmarc_is_record(text))
			continue;
		count++;
		kept = text;
	}
	if (count != 1 || kept.len > DMARC_RECORD_BYTES_MAX)
		return;
	if (arena_copy(tree->arena, kept, &text) &&
	    dmarc_record_parse(text, &node->record))
		node->known = DMARC_KNOWN;
	else
		node->known = DMARC_KNOWN_NOT_NOW; /* no room */
}

static void ask(struct dmarc_tree *tree, struct dmarc_node *node)
{
	SCOPED(arena_fini) struct arena scratch;
	SCOPED(buf_fini) struct buf name = BUF(DNS_NAME_MAX + 10);
	struct dns_answer answer;

	arena_init(&scratch, DNS_SCRATCH_BYTES);
	buf_add_c(&name, "_dmarc.");
	buf_add(&name, node->domain);
	dns_ask(tree->lookup, buf_str(&name), DNS_TXT, &scratch, &answer);
	switch (answer.outcome) {
	case DNS_NONE:
		return;
	case DNS_FOUND:
		read_answer(tree, &answer, &scratch, node);
		return;
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		break;
	}
	node->known = DMARC_KNOWN_NOT_NOW;
	tree->why = arena_printf(tree->arena, "the DNS gave no answer for %.*s%s%.*s",
				 STR_FMT(buf_str(&name)), answer.why.len > 0 ? ": " : "",
				 STR_FMT(answer.why));
}

static const struct dmarc_node out_of_bounds = {.known = DMARC_KNOWN_NOT_NOW};

const struct dmarc_node *dmarc_tree_find(struct dmarc_tree *tree, struct str domain)
{
	for (size_t i = 0; i < tree->count; i++)
		if (str_same(tree->nodes[i].domain, domain))
			return &tree->nodes[i];
	if (!tree->nodes)
		tree->nodes =
			ARENA_ARRAY(tree->arena, struct dmarc_node, DMARC_QUESTIONS_MAX);
	if (!tree->nodes || tree->count == DMARC_QUESTIONS_MAX) {
		tree->why = STR("it would take too many questions to the DNS");
		return &out_of_bounds;
	}
	struct dmarc_node *node = &tree->nodes[tree->count++];

	node->domain = domain;
	ask(tree, node);
	return node;
}

/* ---- the walk ---------------------------------------------------------------------- */

static size_t label_count(struct str domain)
{
	size_t count = 1;

	for (size_t i = 0; i < domain.len; i++)
		count += domain.ptr[i] == '.';
	return count;
}

static struct str without_first_label(struct str domain)
{
	return str_skip(domain, str_find_byte(domain, '.') + 1);
}

/* Steps 4 and 7: one label less, and of long names seven labels at most. */
static struct str next_target(struct str domain)
{
	do
		domain = without_first_label(domain);
	while (label_count(domain) >= DMARC_WALK_MAX);
	return domain;
}

/* The name one label longer than `above`, on the way down to domain. */
static struct str one_below(struct str domain, struct str above)
{
	while (label_count(domain) > label_count(above) + 1)
		domain = without_first_label(domain);
	return domain;
}

/* RFC 9989 §4.10.2 */
static struct str select_organizational(const struct dmarc_walk *walk, struct str domain)
{
	for (size_t i = 0; i < walk->count; i++) {
		const struct dmarc_node *node = walk->found[i];

		if (node->record.psd == DMARC_PSD_NO)
			return node->domain;
		if (node->record.psd == DMARC_PSD_YES && !str_same(node->domain, domain))
			return one_below(domain, node->domain);
	}
	return walk->count > 0 ? walk->found[walk->count - 1]->domain : domain;
}

void dmarc_tree_walk(struct dmarc_tree *tree, struct str domain, struct dmarc_walk *walk)
{
	*walk = (struct dmarc_walk){.count = 0};
	for (struct str at = domain; at.len > 0; at = next_target(at)) {
		const struct dmarc_node *node = dmarc_tree_find(tree, at);

		if (node->known == DMARC_KNOWN_NOT_NOW) {
			walk->is_unsure = true;
			return;
		}
		if (node->known == DMARC_KNOWN_NONE)
			continue;
		walk->found[walk->count++] = node;
		if (node->record.psd != DMARC_PSD_UNKNOWN)
			break;
	}
	walk->organizational = select_organizational(walk, domain);
}

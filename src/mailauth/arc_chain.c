#include "mailauth/arc_chain.h"

#include <openssl/evp.h>

static void find_trouble(struct arc_chain *chain, size_t at, const char *trouble)
{
	if (chain->trouble)
		return;
	chain->trouble = trouble;
	chain->trouble_at = at;
}

static void add_field(struct arc_chain *chain, enum arc_kind kind,
		      const struct mail_field *place, struct arena *arena)
{
	struct arc_field field;

	arc_field_parse(kind, place->value, arena, &field);
	if (field.instance == 0) {
		find_trouble(chain, 0, field.flaw);
		return;
	}
	struct arc_set *set = &chain->sets[field.instance - 1];

	if (field.instance > chain->count)
		chain->count = field.instance;
	if (set->places[kind])
		find_trouble(chain, field.instance, "it has a field twice");
	if (field.flaw)
		find_trouble(chain, field.instance, field.flaw);
	set->places[kind] = place;
	set->fields[kind] = field;
}

/* RFC 8617 §5.2, steps 2 and 3 */
static void check_sets(struct arc_chain *chain)
{
	const struct arc_set *newest = &chain->sets[chain->count - 1];

	if (newest->places[ARC_SEAL] && newest->fields[ARC_SEAL].has_cv &&
	    newest->fields[ARC_SEAL].cv == ARC_CV_FAIL) {
		chain->trouble = "its seal says that the chain was broken before";
		chain->trouble_at = chain->count;
	}
	for (size_t i = 1; i <= chain->count; i++) {
		const struct arc_set *set = &chain->sets[i - 1];
		enum arc_cv wanted = i == 1 ? ARC_CV_NONE : ARC_CV_PASS;

		for (int kind = 0; kind < ARC_KINDS; kind++)
			if (!set->places[kind])
				find_trouble(chain, i, "it lacks a field");
		if (set->places[ARC_SEAL] && set->fields[ARC_SEAL].cv != wanted)
			find_trouble(chain, i,
				     i == 1 ? "its seal does not say cv=none"
					    : "its seal does not say cv=pass");
	}
}

void arc_chain_read(const struct dkim_header *header, struct arena *arena,
		    struct arc_chain *chain)
{
	size_t fields = 0;
	enum arc_kind kind;

	*chain = (struct arc_chain){.header = header};
	chain->sets = ARENA_ARRAY(arena, struct arc_set, ARC_INSTANCES_MAX);
	for (size_t i = 0; i < header->fields.count; i++) {
		const struct mail_field *place = &header->fields.fields[i];

		if (!arc_kind_of(place->name, &kind))
			continue;
		chain->is_there = true;
		if (!chain->sets || ++fields > ARC_INSTANCES_MAX * ARC_KINDS)
			find_trouble(chain, 0, "there are more than 50 sets");
		else
			add_field(chain, kind, place, arena);
	}
	if (chain->count > 0)
		check_sets(chain);
}

/* ---- what seals cover -------------------------------------------------------------- */

static void update(EVP_MD_CTX *context, struct str text)
{
	ASSERT(EVP_DigestUpdate(context, text.ptr, text.len) == 1);
}

void arc_scope_init(struct arc_scope *scope)
{
	scope->context = EVP_MD_CTX_new();
	ASSERT(scope->context &&
	       EVP_DigestInit_ex(scope->context, EVP_sha256(), NULL) == 1);
}

void arc_scope_fini(struct arc_scope *scope)
{
	EVP_MD_CTX_free(scope->context);
	scope->context = NULL;
}

/* RFC 8617 §4.1.3: only "relaxed" is used. */
void arc_scope_add(struct arc_scope *scope, struct str field)
{
	SCOPED(buf_fini) struct buf text = BUF(2 * DKIM_HEADER_BYTES_MAX);

	dkim_canon_field(DKIM_RELAXED, field, &text);
	buf_add(&text, STR("\r\n"));
	ASSERT(buf_ok(&text));
	update(scope->context, buf_str(&text));
}

void arc_scope_add_set(struct arc_scope *scope, const struct arc_chain *chain,
		       const struct arc_set *set, bool with_seal)
{
	for (int kind = 0; kind < (with_seal ? ARC_KINDS : ARC_SEAL); kind++) {
		const struct mail_field *place = set->places[kind];

		arc_scope_add(scope, (struct str){chain->header->text.ptr + place->at,
						  place->len});
	}
}

void arc_scope_hash(const struct arc_scope *scope, const struct dkim_own *own,
		    unsigned char hash[DKIM_HASH_BYTES])
{
	SCOPED(buf_fini) struct buf field = BUF(2 * DKIM_HEADER_BYTES_MAX);
	SCOPED(buf_fini) struct buf text = BUF(2 * DKIM_HEADER_BYTES_MAX);
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	buf_add(&field, own->own);
	buf_add(&field, own->value);
	dkim_canon_field(DKIM_RELAXED, buf_str(&field), &text);
	ASSERT(buf_ok(&field) && buf_ok(&text));
	ASSERT(copy && EVP_MD_CTX_copy_ex(copy, scope->context) == 1);
	update(copy, buf_str(&text));
	ASSERT(EVP_DigestFinal_ex(copy, hash, NULL) == 1);
	EVP_MD_CTX_free(copy);
}

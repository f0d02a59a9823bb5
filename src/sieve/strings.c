#include "sieve/compiler.h"
#include "wire/sieve/encoded.h"

enum {
	VARIABLES_MAX = 1000,    /* RFC 5229 §6: at least 128 */
	VARIABLE_NAME_MAX = 128, /* at least 32 */
	MATCHES_MAX = 32,        /* ${1} to ${9} at least */
};

static bool no_room(struct compiler *compiler, unsigned line)
{
	return sieve_wrong(compiler, line, "The script is too big to be kept.");
}

bool sieve_slot(struct compiler *compiler, struct str name, unsigned line, unsigned *slot)
{
	for (struct variable_name *v = compiler->variables; v; v = v->next) {
		if (str_same_nocase(v->name, name)) {
			*slot = v->slot;
			return true;
		}
	}
	if (name.len > VARIABLE_NAME_MAX)
		return sieve_wrong(compiler, line,
				   "The name of a variable is longer than %d letters.",
				   VARIABLE_NAME_MAX);
	if (compiler->variable_count == VARIABLES_MAX)
		return sieve_wrong(compiler, line,
				   "The script has more than %d variables.",
				   VARIABLES_MAX);
	struct variable_name *made = ARENA_NEW(compiler->arena, struct variable_name);

	if (!made)
		return no_room(compiler, line);
	*made = (struct variable_name){name, compiler->variable_count++,
				       compiler->variables};
	compiler->variables = made;
	*slot = made->slot;
	return true;
}

/* What a reference refers to is there, or may be. */
static bool check_piece(struct compiler *compiler, unsigned line, struct sieve_ref *ref)
{
	switch (ref->piece.kind) {
	case SIEVE_PIECE_TEXT:
		return true;
	case SIEVE_PIECE_VARIABLE:
		return sieve_slot(compiler, ref->piece.text, line, &ref->slot);
	case SIEVE_PIECE_MATCH:
		/* RFC 5229 §6: higher indices "MUST be treated as a syntax error". */
		return ref->piece.number <= MATCHES_MAX ||
		       sieve_wrong(compiler, line, "The number of a match is %d at most.",
				   MATCHES_MAX);
	case SIEVE_PIECE_FOREIGN:
		break;
	}
	/* RFC 5229 §3: "References to namespaces without a prior require statement for
	 * the relevant extension MUST cause an error."  We have none. */
	return sieve_wrong(compiler, line, "No extension has variables like \"${%.*s}\".",
			   STR_FMT(str_first(ref->piece.text, 100)));
}

static bool has_refs(struct str text)
{
	struct sieve_piece piece;

	while (sieve_piece_next(&text, &piece)) {
		if (piece.kind != SIEVE_PIECE_TEXT)
			return true;
	}
	return false;
}

/* RFC 5228 §2.4.2.4, then RFC 5229 §3.1: encoded characters come first. */
bool compile_text(struct compiler *compiler, struct str written, unsigned line,
		  struct sieve_text *text)
{
	struct sieve_ref **end = &text->refs;
	struct sieve_piece piece;
	err_t err = OK;

	*text = (struct sieve_text){.plain = written};
	if (compiler->extensions & SIEVE_EXT_ENCODED)
		err = sieve_encoded_decode(written, compiler->arena, &text->plain);
	if (err == ERR_SYNTAX)
		return sieve_wrong(compiler, line,
				   "A number in \"${unicode:...}\" is no character.");
	if (err != OK)
		return no_room(compiler, line);
	if (!(compiler->extensions & SIEVE_EXT_VARIABLES) || !has_refs(text->plain))
		return true;
	for (struct str rest = text->plain; sieve_piece_next(&rest, &piece);) {
		struct sieve_ref *ref = ARENA_NEW(compiler->arena, struct sieve_ref);

		if (!ref)
			return no_room(compiler, line);
		ref->piece = piece;
		*end = ref;
		end = &ref->next;
		if (!check_piece(compiler, line, ref))
			return false;
	}
	return true;
}

const struct str *compile_constant(const struct sieve_value *value)
{
	if (value->count != 1 || value->texts[0].refs)
		return NULL;
	return &value->texts[0].plain;
}

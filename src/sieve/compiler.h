/* What the files that check a script share. */
#pragma once

#include "sieve/language.h"
#include "sieve/sieve.h"

struct variable_name {
	struct str name;
	unsigned slot;
	struct variable_name *next;
};

struct compiler {
	struct arena *arena;
	const struct sieve_dialect *dialect; /* NULL: none */
	unsigned extensions;                 /* required so far */
	struct variable_name *variables;
	unsigned variable_count;
	struct sieve_call *call; /* that is read now */
	bool is_unknown; /* what is wrong is a name that another server may know */
	struct sieve_flaw flaw;
};

/* The same as sieve_wrong() where a name is not known. */
bool compile_unknown(struct compiler *compiler, unsigned line, const char *what,
		     struct str name);

/* strings.c: what a string of the script means. */
[[nodiscard]] bool compile_text(struct compiler *compiler, struct str written,
				unsigned line, struct sieve_text *text);

/* arguments.c: reads what stands behind the name of call->word. */
[[nodiscard]] bool compile_arguments(struct compiler *compiler,
				     const struct sieve_node *node,
				     struct sieve_call *call);

/* True if the extension was required, or "ihave" may find it when the script runs; false,
 * and said, if not.  what is it needed for. */
[[nodiscard]] bool compile_needs(struct compiler *compiler, enum sieve_extension needs,
				 unsigned line, struct str what);

/* The argument as a string that is known already; NULL if variables are in it, or it is
 * missing. */
const struct str *compile_constant(const struct sieve_value *value);

/* For tests of scripts: the same as sieve_compile() with more words. */
[[nodiscard]] err_t sieve_compile_dialect(struct str text, struct arena *arena,
					  const struct sieve_dialect *dialect,
					  struct sieve_script **script,
					  struct sieve_flaw *flaw);

#include "base/utf8.h"
#include "sieve/compiler.h"
#include "sieve/run.h"

bool sieve_wrong(struct compiler *compiler, unsigned line, const char *format, ...)
{
	SCOPED(buf_fini) struct buf said = BUF(2048);
	SCOPED(buf_fini) struct buf shown = BUF(4 * 2048);
	va_list args;

	va_start(args, format);
	buf_vprintf(&said, format, args);
	va_end(args);
	utf8_add_shown(&shown, buf_str(&said));
	compiler->flaw.line = line;
	if (!arena_copy(compiler->arena, buf_str(&shown), &compiler->flaw.sentence))
		compiler->flaw.sentence = STR("The script is not right here.");
	return false;
}

bool compile_unknown(struct compiler *compiler, unsigned line, const char *what,
		     struct str name)
{
	compiler->is_unknown = true;
	return sieve_wrong(compiler, line, "%s \"%.*s\" is not known.", what,
			   STR_FMT(str_first(name, 100)));
}

bool compile_needs(struct compiler *compiler, enum sieve_extension needs, unsigned line,
		   struct str what)
{
	unsigned missing = (unsigned)needs & ~compiler->extensions;

	/* RFC 5228 §2.10.5: what is not required counts as unknown. */
	if (missing == 0)
		return true;
	if ((compiler->extensions & SIEVE_EXT_IHAVE) &&
	    !(missing & (SIEVE_EXT_OF_STRINGS | SIEVE_EXT_DIALECT))) {
		compiler->call->needs |= missing;
		return true;
	}
	return sieve_wrong(compiler, line,
			   "\"%.*s\" is used, but the script does not begin with "
			   "require \"%s\".",
			   STR_FMT(str_first(what, 100)),
			   needs == SIEVE_EXT_DIALECT ? compiler->dialect->extension
						      : sieve_extension_text(needs));
}

/* ---- require ----------------------------------------------------------------------- */

static bool require_one(struct compiler *compiler, struct str name, unsigned line)
{
	const struct sieve_extension_name *known = sieve_extension_find(name);

	if (known) {
		compiler->extensions |= (unsigned)known->bit;
		return true;
	}
	if (compiler->dialect && str_same(name, str_c(compiler->dialect->extension))) {
		compiler->extensions |= SIEVE_EXT_DIALECT;
		return true;
	}
	return sieve_wrong(compiler, line,
			   "The extension \"%.*s\" is required, but there is none.",
			   STR_FMT(str_first(name, 100)));
}

/* RFC 5228 §3.2 */
static bool require(struct compiler *compiler, const struct sieve_node *node)
{
	const struct sieve_argument *names = node->arguments;

	if (!names || names->next || names->kind != SIEVE_IS_STRINGS || node->tests ||
	    node->has_block)
		return sieve_wrong(compiler, node->line,
				   "Behind \"require\" there has to be a string or a "
				   "list of strings, and nothing else.");
	for (const struct sieve_string *s = names->strings; s; s = s->next) {
		if (!require_one(compiler, s->text, names->line))
			return false;
	}
	return true;
}

/* ---- calls ------------------------------------------------------------------------- */

static const struct sieve_word *find_word(const struct compiler *compiler,
					  struct str name, bool is_test)
{
	const struct sieve_dialect *dialect = compiler->dialect;

	for (size_t i = 0; dialect && i < dialect->word_count; i++) {
		if ((dialect->words[i].place == SIEVE_TEST) == is_test &&
		    str_same_nocase(str_c(dialect->words[i].name), name))
			return &dialect->words[i];
	}
	return sieve_word_find(name, is_test);
}

static bool find(struct compiler *compiler, const struct sieve_node *node, bool is_test,
		 struct sieve_call **call)
{
	const struct sieve_word *word = find_word(compiler, node->name, is_test);
	struct str name = str_first(node->name, 100);

	if (!word && find_word(compiler, node->name, !is_test))
		return sieve_wrong(compiler, node->line, "\"%.*s\" is a %s, not a %s.",
				   STR_FMT(name), is_test ? "command" : "test",
				   is_test ? "test" : "command");
	if (!word)
		return compile_unknown(compiler, node->line,
				       is_test ? "The test" : "The command", name);
	*call = ARENA_NEW(compiler->arena, struct sieve_call);
	if (!*call)
		return sieve_wrong(compiler, node->line,
				   "The script is too big to be kept.");
	(*call)->word = word;
	(*call)->line = node->line;
	compiler->call = *call;
	return compile_needs(compiler, word->needs, node->line, name);
}

/* ---- what is not known, RFC 5463 --------------------------------------------------- */

static void run_unknown(struct sieve_run *run, const struct sieve_call *call)
{
	run_fail(run, call->line, "%.*s", STR_FMT(call->arguments[0].texts[0].plain));
}

static bool holds_unknown(struct sieve_run *run, const struct sieve_call *call)
{
	run_unknown(run, call);
	return false;
}

/* RFC 5463 §4: a script with "ihave" may hold what nobody knows here, which is an error
 * only when it is reached.  False: it is an error now. */
static bool put_off(struct compiler *compiler, struct sieve_call **call)
{
	static const struct sieve_word unknown = {.name = "unknown",
						  .arguments = "S",
						  .run = run_unknown,
						  .holds = holds_unknown};
	struct sieve_call *made = ARENA_NEW(compiler->arena, struct sieve_call);
	struct sieve_text *why = ARENA_NEW(compiler->arena, struct sieve_text);

	if (!(compiler->extensions & SIEVE_EXT_IHAVE) || !compiler->is_unknown || !made ||
	    !why)
		return false;
	why->plain = compiler->flaw.sentence;
	made->word = &unknown;
	made->line = compiler->flaw.line;
	made->arguments[0] = (struct sieve_value){.texts = why, .count = 1};
	*call = made;
	compiler->is_unknown = false;
	compiler->flaw = (struct sieve_flaw){0};
	return true;
}

/* ---- tests and commands ------------------------------------------------------------ */

static bool check_tests(struct compiler *compiler, const struct sieve_node *node,
			const struct sieve_word *word)
{
	switch (word->tests) {
	case SIEVE_NO_TEST:
		return !node->tests ||
		       sieve_wrong(compiler, node->tests->line,
				   "\"%s\" does not take a test.", word->name);
	case SIEVE_ONE_TEST:
		return (node->tests && !node->has_test_list) ||
		       sieve_wrong(compiler, node->line,
				   "\"%s\" takes one test, without parentheses.",
				   word->name);
	case SIEVE_TEST_LIST:
		return node->has_test_list ||
		       sieve_wrong(compiler, node->line,
				   "\"%s\" takes a list of tests, in parentheses.",
				   word->name);
	}
	return false;
}

static bool check(struct compiler *compiler, struct sieve_call *call)
{
	compiler->call = call;
	return !call->word->check || call->word->check(compiler, call);
}

static bool compile_tests(struct compiler *compiler, const struct sieve_node *node,
			  struct sieve_call *owner);

static bool compile_test(struct compiler *compiler, const struct sieve_node *node,
			 struct sieve_call **made)
{
	return find(compiler, node, true, made) &&
	       compile_arguments(compiler, node, *made) &&
	       compile_tests(compiler, node, *made) && check(compiler, *made);
}

/* The tests of node; as deep as wire/sieve/script.h lets them nest. */
static bool compile_tests(struct compiler *compiler, const struct sieve_node *node,
			  struct sieve_call *owner)
{
	struct sieve_call **end = &owner->tests;

	if (!check_tests(compiler, node, owner->word))
		return false;
	for (const struct sieve_node *test = node->tests; test; test = test->next) {
		if (!compile_test(compiler, test, end) && !put_off(compiler, end))
			return false;
		end = &(*end)->next;
	}
	return true;
}

static bool compile_commands(struct compiler *compiler, const struct sieve_node *node,
			     struct sieve_call **end);

static bool compile_command(struct compiler *compiler, const struct sieve_node *node,
			    struct sieve_call **made)
{
	if (!find(compiler, node, false, made) ||
	    !compile_arguments(compiler, node, *made) ||
	    !compile_tests(compiler, node, *made))
		return false;
	const struct sieve_word *word = (*made)->word;

	if (node->has_block != (word->place == SIEVE_BLOCK))
		return sieve_wrong(compiler, node->line,
				   node->has_block ? "\"%s\" does not take a block."
						   : "\"%s\" needs a block.",
				   word->name);
	return check(compiler, *made) &&
	       compile_commands(compiler, node->block, &(*made)->block);
}

static bool is_named(const struct sieve_node *node, const char *name)
{
	return str_same_nocase(node->name, str_c(name));
}

/* RFC 5228 §3.1: "elsif" and "else" follow an "if" or "elsif". */
static bool compile_commands(struct compiler *compiler, const struct sieve_node *node,
			     struct sieve_call **end)
{
	struct sieve_call **otherwise = NULL, *made;

	for (; node; node = node->next) {
		bool is_else = is_named(node, "else");
		bool is_more = is_else || is_named(node, "elsif");

		if (is_named(node, "require"))
			return sieve_wrong(compiler, node->line,
					   "\"require\" has to stand at the beginning of "
					   "the script, before all other commands.");
		if (is_more && !otherwise)
			return sieve_wrong(compiler, node->line,
					   "\"%s\" does not follow an \"if\" or "
					   "\"elsif\".",
					   is_else ? "else" : "elsif");
		if (!compile_command(compiler, node, &made) && !put_off(compiler, &made))
			return false;
		*(is_more ? otherwise : end) = made;
		if (!is_more)
			end = &made->next;
		otherwise = (is_more && !is_else) || is_named(node, "if")
				    ? &made->otherwise
				    : NULL;
	}
	return true;
}

static bool compile(struct compiler *compiler, struct str text,
		    struct sieve_script **script)
{
	struct sieve_node *node;

	*script = ARENA_NEW(compiler->arena, struct sieve_script);
	if (!*script)
		return sieve_wrong(compiler, 1, "The script is too big to be kept.");
	if (!sieve_script_parse(text, compiler->arena, &node, &compiler->flaw))
		return false;
	for (; node && is_named(node, "require"); node = node->next) {
		if (!require(compiler, node))
			return false;
	}
	if (!compile_commands(compiler, node, &(*script)->commands))
		return false;
	(*script)->extensions = compiler->extensions;
	(*script)->slot_count = compiler->variable_count;
	return true;
}

err_t sieve_compile_dialect(struct str text, struct arena *arena,
			    const struct sieve_dialect *dialect,
			    struct sieve_script **script, struct sieve_flaw *flaw)
{
	struct compiler compiler = {.arena = arena, .dialect = dialect};
	bool is_good = compile(&compiler, text, script);

	*flaw = compiler.flaw;
	if (!is_good)
		*script = NULL;
	return is_good ? OK : ERR_SYNTAX;
}

err_t sieve_compile(struct str text, struct arena *arena, struct sieve_script **script,
		    struct sieve_flaw *flaw)
{
	return sieve_compile_dialect(text, arena, NULL, script, flaw);
}

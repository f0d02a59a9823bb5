#include "sieve/compiler.h"

static const char *kind_name(const struct sieve_call *call)
{
	return call->word->place == SIEVE_TEST ? "test" : "command";
}

/* ---- values ------------------------------------------------------------------------ */

static const char *type_text(enum sieve_type type)
{
	switch (type) {
	case SIEVE_NO_VALUE:
		return "nothing";
	case SIEVE_STRING_VALUE:
		return "one string";
	case SIEVE_LIST_VALUE:
		return "a string or a list of strings";
	case SIEVE_NUMBER_VALUE:
		return "a number";
	case SIEVE_CONSTANT_VALUE:
		return "one string without variables";
	}
	return "";
}

static bool has_type(const struct sieve_argument *argument, enum sieve_type type)
{
	switch (type) {
	case SIEVE_NO_VALUE:
		return false;
	case SIEVE_STRING_VALUE:
	case SIEVE_CONSTANT_VALUE:
		return argument->kind == SIEVE_IS_STRINGS && argument->string_count == 1;
	case SIEVE_LIST_VALUE:
		return argument->kind == SIEVE_IS_STRINGS;
	case SIEVE_NUMBER_VALUE:
		return argument->kind == SIEVE_IS_NUMBER;
	}
	return false;
}

static bool compile_value(struct compiler *compiler,
			  const struct sieve_argument *argument, enum sieve_type type,
			  struct sieve_value *value)
{
	value->number = argument->number;
	if (argument->kind != SIEVE_IS_STRINGS)
		return true;
	value->texts =
		ARENA_ARRAY(compiler->arena, struct sieve_text, argument->string_count);
	if (!value->texts)
		return sieve_wrong(compiler, argument->line,
				   "The script is too big to be kept.");
	for (const struct sieve_string *s = argument->strings; s; s = s->next) {
		struct sieve_text *text = &value->texts[value->count++];

		if (!compile_text(compiler, s->text, argument->line, text))
			return false;
		if (type == SIEVE_CONSTANT_VALUE && text->refs)
			return sieve_wrong(compiler, argument->line,
					   "Variables cannot be used here.");
	}
	return true;
}

/* ---- tags -------------------------------------------------------------------------- */

/* Words of a dialect need no extension for their tags. */
static bool is_of_dialect(const struct sieve_call *call)
{
	return call->word->needs == SIEVE_EXT_DIALECT;
}

/* The tag as it stands in the script. */
static struct str with_colon(const struct sieve_argument *argument)
{
	return (struct str){argument->tag.ptr - 1, argument->tag.len + 1};
}

static bool check_tag(struct compiler *compiler, const struct sieve_argument *argument,
		      const struct sieve_call *call, const struct sieve_tag *tag)
{
	struct str name = str_first(argument->tag, 100);
	const struct sieve_tag *before;

	if (!tag)
		return compile_unknown(compiler, argument->line, "The tag",
				       with_colon(argument));
	if (!(call->word->groups & SIEVE_IN(tag->group)))
		return sieve_wrong(compiler, argument->line,
				   "The %s \"%s\" does not take the tag \":%.*s\".",
				   kind_name(call), call->word->name, STR_FMT(name));
	before = call->given[tag->group].tag;
	if (before == tag)
		return sieve_wrong(compiler, argument->line,
				   "The tag \":%s\" stands here twice.", tag->name);
	if (before)
		return sieve_wrong(compiler, argument->line,
				   "The tags \":%s\" and \":%s\" cannot stand together.",
				   before->name, tag->name);
	return is_of_dialect(call) ||
	       compile_needs(compiler, tag->needs, argument->line, with_colon(argument));
}

/* A tag and its value; *argument moves on to the last of them. */
static bool compile_tag(struct compiler *compiler, struct sieve_call *call,
			const struct sieve_argument **argument)
{
	const struct sieve_tag *tag = sieve_tag_find((*argument)->tag);
	struct sieve_given *given;

	if (!check_tag(compiler, *argument, call, tag))
		return false;
	given = &call->given[tag->group];
	given->tag = tag;
	if (tag->value == SIEVE_NO_VALUE)
		return true;
	if (!(*argument)->next || !has_type((*argument)->next, tag->value))
		return sieve_wrong(compiler, (*argument)->line,
				   "Behind the tag \":%s\" there has to be %s.",
				   tag->name, type_text(tag->value));
	*argument = (*argument)->next;
	return compile_value(compiler, *argument, tag->value, &given->value);
}

static bool has_needed_tags(struct compiler *compiler, const struct sieve_call *call)
{
	for (unsigned group = 0; group < SIEVE_GROUPS; group++) {
		if ((call->word->groups_needed & SIEVE_IN(group)) &&
		    !call->given[group].tag)
			return sieve_wrong(compiler, call->line,
					   "The %s \"%s\" lacks a tag that it needs.",
					   kind_name(call), call->word->name);
	}
	return true;
}

/* ---- comparators and relations ----------------------------------------------------- */

static bool compile_comparator(struct compiler *compiler, struct sieve_call *call)
{
	static const struct {
		struct str name;
		enum sieve_comparator comparator;
		enum sieve_extension needs;
	} known[] = {
		{STR("i;ascii-casemap"), SIEVE_ASCII_CASEMAP, SIEVE_EXT_BASE},
		{STR("i;octet"), SIEVE_OCTET, SIEVE_EXT_BASE},
		{STR("i;ascii-numeric"), SIEVE_ASCII_NUMERIC, SIEVE_EXT_NUMERIC},
		{STR("i;unicode-casemap"), SIEVE_UNICODE_CASEMAP, SIEVE_EXT_UNICODE},
	};
	const struct sieve_given *given = &call->given[SIEVE_GROUP_COMPARATOR];
	struct str name;

	if (!given->tag)
		return true;
	name = given->value.texts[0].plain;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (!str_same(known[i].name, name))
			continue;
		call->comparator = known[i].comparator;
		return is_of_dialect(call) ||
		       compile_needs(compiler, known[i].needs, call->line, name);
	}
	return compile_unknown(compiler, call->line, "The comparator", name);
}

static bool compile_relation(struct compiler *compiler, struct sieve_call *call)
{
	static const struct str names[] = {
		[SIEVE_GT] = STR("gt"), [SIEVE_GE] = STR("ge"), [SIEVE_LT] = STR("lt"),
		[SIEVE_LE] = STR("le"), [SIEVE_EQ] = STR("eq"), [SIEVE_NE] = STR("ne"),
	};
	const struct sieve_given *given = &call->given[SIEVE_GROUP_MATCH];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_same(names[i], given->value.texts[0].plain)) {
			call->relation = (enum sieve_relation)i;
			return true;
		}
	}
	return sieve_wrong(compiler, call->line,
			   "Behind \":%s\" there has to be \"gt\", \"ge\", \"lt\", "
			   "\"le\", \"eq\" or \"ne\".",
			   given->tag->name);
}

static bool compile_match(struct compiler *compiler, struct sieve_call *call)
{
	const struct sieve_tag *type = call->given[SIEVE_GROUP_MATCH].tag;

	if (!compile_comparator(compiler, call))
		return false;
	if (!type)
		return true;
	if (type->id == SIEVE_TAG_VALUE || type->id == SIEVE_TAG_COUNT)
		return compile_relation(compiler, call);
	/* RFC 5228 §2.7.3: "It is an error to try to use a comparator with ":matches" or
	 * ":contains" that is not compatible with it." */
	return type->id == SIEVE_TAG_IS || call->comparator != SIEVE_ASCII_NUMERIC ||
	       sieve_wrong(compiler, call->line,
			   "The comparator \"i;ascii-numeric\" cannot be used with "
			   "\":%s\".",
			   type->name);
}

/* ---- positional arguments ---------------------------------------------------------- */

static bool check_count(struct compiler *compiler, const struct sieve_call *call,
			size_t given)
{
	size_t most = strlen(call->word->arguments), least = most - call->word->optional;

	if (given < least)
		return sieve_wrong(compiler, call->line,
				   "The %s \"%s\" has too few arguments: %zu, where it "
				   "needs %zu.",
				   kind_name(call), call->word->name, given, least);
	return given <= most ||
	       sieve_wrong(compiler, call->line,
			   "The %s \"%s\" has too many arguments: %zu, where it takes "
			   "%zu.",
			   kind_name(call), call->word->name, given, most);
}

static bool compile_positional(struct compiler *compiler, struct sieve_call *call,
			       const struct sieve_argument *first)
{
	size_t count = 0, place;

	for (const struct sieve_argument *a = first; a; a = a->next) {
		if (a->kind == SIEVE_IS_TAG)
			return sieve_wrong(compiler, a->line,
					   "The tag \":%.*s\" has to stand before the "
					   "arguments that have none.",
					   STR_FMT(str_first(a->tag, 100)));
		count++;
	}
	if (!check_count(compiler, call, count))
		return false;
	call->argument_count = count;
	place = strlen(call->word->arguments) - count;
	for (const struct sieve_argument *a = first; a; a = a->next, place++) {
		enum sieve_type type = (enum sieve_type)call->word->arguments[place];

		if (!has_type(a, type))
			return sieve_wrong(compiler, a->line,
					   "Argument %zu of the %s \"%s\" has to be %s.",
					   place + 1, kind_name(call), call->word->name,
					   type_text(type));
		if (!compile_value(compiler, a, type, &call->arguments[place]))
			return false;
	}
	return true;
}

bool compile_arguments(struct compiler *compiler, const struct sieve_node *node,
		       struct sieve_call *call)
{
	const struct sieve_argument *argument = node->arguments;

	while (argument && argument->kind == SIEVE_IS_TAG) {
		if (!compile_tag(compiler, call, &argument))
			return false;
		argument = argument->next;
	}
	return has_needed_tags(compiler, call) && compile_match(compiler, call) &&
	       compile_positional(compiler, call, argument);
}

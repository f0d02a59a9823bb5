#include "sieve/fields.h"

#include "sieve/compiler.h"
#include "text/text_header.h"

bool check_index(struct compiler *compiler, struct sieve_call *call)
{
	const struct sieve_given *index = &call->given[SIEVE_GROUP_INDEX];

	if (call->given[SIEVE_GROUP_LAST].tag && !index->tag)
		return sieve_wrong(compiler, call->line,
				   "The tag \":last\" needs \":index\" beside it.");
	return !index->tag || index->value.number > 0 ||
	       sieve_wrong(compiler, call->line,
			   "Fields are counted from 1: there is no \":index 0\".");
}

/* The next by name, whatever the index. */
static bool next_named(struct fields *fields, const struct mail_field **field)
{
	const struct mail_header *header = fields->run->mail->header;
	uint64_t steps = (uint64_t)RUN_FIELD_STEPS * header->count + 1;

	for (; fields->name < fields->name_count; fields->name++, fields->field = 0) {
		while (fields->field < header->count) {
			*field = &header->fields[fields->field++];
			if (str_same_nocase((*field)->name, fields->names[fields->name]))
				return true;
		}
		if (!run_spend(fields->run, steps, fields->line))
			return false;
	}
	return false;
}

/* RFC 5260 §6: counted from the first, or with ":last" from the last. */
static void choose(struct fields *fields, const struct sieve_call *call)
{
	const struct sieve_given *index = &call->given[SIEVE_GROUP_INDEX];
	struct fields all = *fields;
	const struct mail_field *field;
	uint64_t count = 0;

	if (!index->tag)
		return;
	fields->is_one = true;
	fields->skip = index->value.number - 1;
	if (!call->given[SIEVE_GROUP_LAST].tag)
		return;
	while (next_named(&all, &field))
		count++;
	fields->skip = index->value.number <= count ? count - index->value.number : count;
}

struct fields fields_begin(struct sieve_run *run, const struct sieve_call *call,
			   size_t argument)
{
	const struct sieve_value *value = &call->arguments[argument];
	struct fields fields = {
		.run = run,
		.line = call->line,
		.names = ARENA_ARRAY(run->arena, struct str, value->count)};

	if (!fields.names) {
		run_fail(run, call->line, "The script needs too much memory.");
		return fields;
	}
	while (fields.name_count < value->count) {
		fields.names[fields.name_count] =
			run_text(run, &value->texts[fields.name_count], call->line);
		fields.name_count++;
	}
	choose(&fields, call);
	return fields;
}

bool fields_next(struct fields *fields, const struct mail_field **field)
{
	bool is_last = fields->is_one;

	do {
		if (fields->run->has_failed || !next_named(fields, field))
			return false;
	} while (fields->is_one && fields->skip-- > 0);
	if (is_last) /* it was the only one */
		fields->name = fields->name_count;
	return true;
}

struct str field_text(struct sieve_run *run, const struct mail_field *field,
		      unsigned line)
{
	uint64_t steps = (uint64_t)RUN_DECODE_STEPS * field->value.len;

	if (!run_spend(run, steps, line))
		return STR("");
	buf_reset(&run->scratch);
	text_header_add(&run->scratch, field->value);
	if (!buf_ok(&run->scratch))
		run_fail(run, line, "A field of the header is too big to be looked at.");
	return buf_str(&run->scratch);
}

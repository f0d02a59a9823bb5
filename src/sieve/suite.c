#include "sieve/suite.h"

#include "sieve/actions.h"
#include "sieve/compiler.h"
#include "sieve/match.h"
#include "sieve/run.h"
#include "wire/smtp/path.h"

struct mailbox {
	struct str name;
	struct mailbox *next;
};

/* A mail in a mailbox, or one that was sent. */
struct letter {
	struct str mailbox, text, flags;
	struct str from, to; /* of one that was sent */
	bool was_sent;
	struct letter *next;
};

struct suite {
	const struct sieve_suite_world *world;
	struct sieve_suite_result *result;
	struct sieve_suite_case **end; /* of the result's cases */
	struct sieve_mail mail;
	struct mail_header header;
	struct sieve_script *script; /* the last that was compiled */
	struct sieve_flaw error;     /* of that or its run; line 0: none */
	struct mailbox *mailboxes;
	struct letter *letters;
	bool has_failed; /* the case */
	struct str why;
	unsigned why_line;
};

static struct suite *suite_of(struct sieve_run *run)
{
	return run->context;
}

static void no_room(struct sieve_run *run, const struct sieve_call *call)
{
	run_fail(run, call->line, "The tests need too much memory.");
}

/* ---- cases ------------------------------------------------------------------------- */

static void failed(struct suite *suite, unsigned line, struct str why)
{
	suite->has_failed = true;
	suite->why = why;
	suite->why_line = line;
}

static void note_case(struct sieve_run *run, const struct sieve_call *call,
		      struct str name)
{
	struct suite *suite = suite_of(run);
	struct sieve_suite_case *made = ARENA_NEW(run->arena, struct sieve_suite_case);

	if (run->has_failed)
		failed(suite, run->outcome->flaw.line, run->outcome->flaw.sentence);
	run->has_failed = false;
	run->is_stopped = false;
	run->steps = 0;
	*(suite->has_failed ? &suite->result->failed : &suite->result->passed) += 1;
	if (!made) {
		no_room(run, call);
		return;
	}
	*made = (struct sieve_suite_case){.name = name,
					  .has_passed = !suite->has_failed,
					  .line = suite->has_failed ? suite->why_line
								    : call->line,
					  .why = suite->why};
	*suite->end = made;
	suite->end = &made->next;
	suite->has_failed = false;
	suite->why = STR("");
}

static void on_test(struct sieve_run *run, const struct sieve_call *call)
{
	struct str name = run_string(run, call, 0);

	run_commands(run, call->block);
	note_case(run, call, name);
}

/* The case ends here, however deep. */
static void on_test_fail(struct sieve_run *run, const struct sieve_call *call)
{
	failed(suite_of(run), call->line, run_string(run, call, 0));
	run->is_stopped = true;
}

/* ---- the mail ---------------------------------------------------------------------- */

static void set_message(struct sieve_run *run, struct str text)
{
	struct suite *suite = suite_of(run);

	suite->header = mail_header_split(run->arena, text, SIEVE_FIELDS_MAX);
	suite->mail.header = &suite->header;
	suite->mail.text = text;
	suite->mail.bytes = text.len;
	run->mime = NULL;
}

/* A path as SMTP has it, "<@route:ann@example.org>", as the server would know it. */
static struct str address_of(struct sieve_run *run, struct str path)
{
	struct cursor c = cur_over(path);
	struct smtp_path parsed;

	if (!smtp_path_parse(&c, SMTP_UTF8, &parsed) || !cur_done(c))
		return str_starts(path, STR("<")) && str_ends(path, STR(">"))
			       ? str_first(str_skip(path, 1), path.len - 2)
			       : path;
	return parsed.domain.len > 0
		       ? arena_printf(run->arena, "%.*s@%.*s", STR_FMT(parsed.local),
				      STR_FMT(parsed.domain))
		       : parsed.local;
}

static void on_test_set(struct sieve_run *run, const struct sieve_call *call)
{
	struct suite *suite = suite_of(run);
	struct str name = run_string(run, call, 0);
	struct str value = run_string(run, call, 1);

	if (str_same(name, STR("message")))
		set_message(run, value);
	else if (str_same(name, STR("envelope.from")))
		suite->mail.from = address_of(run, value);
	else if (str_same(name, STR("envelope.to")))
		suite->mail.to = address_of(run, value);
	else
		run_fail(run, call->line, "\"%.*s\" cannot be set.",
			 STR_FMT(str_first(name, 100)));
}

/* The number-th letter of the mailbox, or of those sent; counted from 0. */
static const struct letter *find_letter(const struct suite *suite, bool was_sent,
					struct str mailbox, uint64_t number)
{
	for (const struct letter *l = suite->letters; l; l = l->next) {
		if (l->was_sent == was_sent && str_same(l->mailbox, mailbox) &&
		    number-- == 0)
			return l;
	}
	return NULL;
}

static bool holds_test_message(struct sieve_run *run, const struct sieve_call *call)
{
	struct suite *suite = suite_of(run);
	const struct sieve_given *place = &call->given[SIEVE_GROUP_PLACE];
	bool was_sent = place->tag->id == SIEVE_TAG_SMTP;
	struct str mailbox =
		was_sent ? STR("") : run_text(run, &place->value.texts[0], call->line);
	const struct letter *letter =
		find_letter(suite, was_sent, mailbox, call->arguments[0].number);

	if (!letter)
		return false;
	set_message(run, letter->text);
	run->flags = letter->flags;
	if (was_sent) {
		suite->mail.from = letter->from;
		suite->mail.to = letter->to;
	}
	return true;
}

static void on_test_message(struct sieve_run *run, const struct sieve_call *call)
{
	if (!holds_test_message(run, call))
		run_fail(run, call->line, "There is no such message.");
}

/* ---- scripts ----------------------------------------------------------------------- */

static bool holds_test_script_compile(struct sieve_run *run,
				      const struct sieve_call *call)
{
	struct suite *suite = suite_of(run);
	struct str name = run_string(run, call, 0), text;

	suite->script = NULL;
	suite->error = (struct sieve_flaw){0};
	if (!suite->world->read ||
	    !suite->world->read(suite->world->context, name, run->arena, &text)) {
		run_fail(run, call->line, "The script \"%.*s\" cannot be read.",
			 STR_FMT(str_first(name, 300)));
		return false;
	}
	return sieve_compile(text, run->arena, &suite->script, &suite->error) == OK;
}

static void reset_result(struct sieve_run *run)
{
	run->outcome->count = 0;
	run->redirect_count = 0;
	run->is_kept = true;
	run->flags = STR("");
}

/* The implicit keep is no part of the result, but comes with it. */
static void take_result(struct sieve_run *run, const struct sieve_outcome *outcome)
{
	run->is_kept = false;
	for (size_t i = 0; i < outcome->count; i++) {
		const struct sieve_action *action = &outcome->actions[i];

		if (action->kind == SIEVE_KEEP && action->line == 0) {
			run->is_kept = true;
			run->flags = action->flags;
		} else if (run->outcome->count < SIEVE_ACTIONS_MAX) {
			run->outcome->actions[run->outcome->count++] = *action;
		}
	}
}

static bool holds_test_script_run(struct sieve_run *run, const struct sieve_call *call)
{
	struct suite *suite = suite_of(run);
	struct sieve_outcome outcome;

	if (!suite->script) {
		run_fail(run, call->line, "No script was compiled that could be run.");
		return false;
	}
	if (!call->given[SIEVE_GROUP_APPEND].tag)
		reset_result(run);
	sieve_run(suite->script, &suite->mail, run->arena, &outcome);
	suite->error = outcome.flaw;
	take_result(run, &outcome);
	return outcome.flaw.line == 0;
}

static bool holds_test_error(struct sieve_run *run, const struct sieve_call *call)
{
	const struct suite *suite = suite_of(run);
	const struct sieve_given *index = &call->given[SIEVE_GROUP_INDEX];
	struct match match = match_begin(run, call, 0);

	if (suite->error.line > 0 && (!index->tag || index->value.number == 1) &&
	    match_value(&match, suite->error.sentence))
		return true;
	return match_end(&match);
}

/* ---- results ----------------------------------------------------------------------- */

static struct str action_name(enum sieve_action_kind kind)
{
	switch (kind) {
	case SIEVE_KEEP:
		return STR("keep");
	case SIEVE_FILEINTO:
		return STR("store");
	case SIEVE_REDIRECT:
		return STR("redirect");
	case SIEVE_DISCARD:
		return STR("discard");
	}
	return STR("");
}

static bool holds_test_result_action(struct sieve_run *run, const struct sieve_call *call)
{
	const struct sieve_given *index = &call->given[SIEVE_GROUP_INDEX];
	struct match match = match_begin(run, call, 0);

	for (size_t i = 0; i < run->outcome->count; i++) {
		if (index->tag && index->value.number != i + 1)
			continue;
		if (match_value(&match, action_name(run->outcome->actions[i].kind)))
			return true;
	}
	return match_end(&match);
}

static bool has_mailbox(const struct suite *suite, struct str name)
{
	for (const struct mailbox *m = suite->mailboxes; m; m = m->next) {
		if (str_same(m->name, name))
			return true;
	}
	return false;
}

static void create_mailbox(struct sieve_run *run, const struct sieve_call *call,
			   struct str name)
{
	struct suite *suite = suite_of(run);
	struct mailbox *made = ARENA_NEW(run->arena, struct mailbox);

	if (!made) {
		no_room(run, call);
		return;
	}
	*made = (struct mailbox){name, suite->mailboxes};
	suite->mailboxes = made;
}

static void on_test_mailbox_create(struct sieve_run *run, const struct sieve_call *call)
{
	create_mailbox(run, call, run_string(run, call, 0));
}

static void add_letter(struct sieve_run *run, const struct sieve_call *call,
		       struct letter letter)
{
	struct letter **end = &suite_of(run)->letters;
	struct letter *made = ARENA_NEW(run->arena, struct letter);

	if (!made) {
		no_room(run, call);
		return;
	}
	while (*end)
		end = &(*end)->next;
	*made = letter;
	*end = made;
}

static bool store(struct sieve_run *run, const struct sieve_call *call,
		  const struct sieve_action *action)
{
	struct suite *suite = suite_of(run);
	bool is_inbox = action->kind == SIEVE_KEEP ||
			str_same_nocase(action->target, STR("INBOX"));

	if (!is_inbox && !has_mailbox(suite, action->target)) {
		suite->error.line = call->line;
		suite->error.sentence = arena_printf(
			run->arena,
			"failed to store into mailbox '%.*s': it does not exist",
			STR_FMT(action->target));
		return false;
	}
	add_letter(run, call,
		   (struct letter){.mailbox = is_inbox ? STR("INBOX") : action->target,
				   .text = suite->mail.text,
				   .flags = action->flags});
	return true;
}

static bool execute(struct sieve_run *run, const struct sieve_call *call,
		    const struct sieve_action *action)
{
	const struct suite *suite = suite_of(run);

	switch (action->kind) {
	case SIEVE_KEEP:
	case SIEVE_FILEINTO:
		return store(run, call, action);
	case SIEVE_REDIRECT:
		add_letter(run, call,
			   (struct letter){.text = suite->mail.text,
					   .from = suite->mail.from,
					   .to = action->target,
					   .mailbox = STR(""),
					   .was_sent = true});
		return true;
	case SIEVE_DISCARD:
		break;
	}
	return true;
}

static bool holds_test_result_execute(struct sieve_run *run,
				      const struct sieve_call *call)
{
	struct sieve_action keep = {.kind = SIEVE_KEEP, .flags = run->flags};
	bool is_done = true;

	suite_of(run)->error = (struct sieve_flaw){0};
	for (size_t i = 0; i < run->outcome->count; i++)
		is_done &= execute(run, call, &run->outcome->actions[i]);
	if (run->is_kept || !is_done)
		is_done &= execute(run, call, &keep);
	return is_done && !run->has_failed;
}

static void on_test_result_reset(struct sieve_run *run, const struct sieve_call *call)
{
	(void)call; /* it says nothing more */
	reset_result(run);
}

/* ---- the file ---------------------------------------------------------------------- */

#define MATCH                                                                            \
	(SIEVE_IN(SIEVE_GROUP_MATCH) | SIEVE_IN(SIEVE_GROUP_COMPARATOR) |                \
	 SIEVE_IN(SIEVE_GROUP_INDEX))
#define COMMAND .place = SIEVE_COMMAND, .needs = SIEVE_EXT_DIALECT
#define A_TEST  .place = SIEVE_TEST, .needs = SIEVE_EXT_DIALECT
#define PLACE                                                                            \
	.groups = SIEVE_IN(SIEVE_GROUP_PLACE),                                           \
	.groups_needed = SIEVE_IN(SIEVE_GROUP_PLACE)

static const struct sieve_word words[] = {
	{.name = "test",
	 .place = SIEVE_BLOCK,
	 .needs = SIEVE_EXT_DIALECT,
	 .arguments = "S",
	 .run = on_test},
	{COMMAND, .name = "test_fail", .arguments = "S", .run = on_test_fail},
	{COMMAND, .name = "test_set", .arguments = "SS", .run = on_test_set},
	{COMMAND, PLACE, .name = "test_message", .arguments = "N",
	 .run = on_test_message},
	{COMMAND, .name = "test_mailbox_create", .arguments = "S",
	 .run = on_test_mailbox_create},
	{COMMAND, .name = "test_result_reset", .arguments = "",
	 .run = on_test_result_reset},
	{A_TEST, PLACE, .name = "test_message", .arguments = "N",
	 .holds = holds_test_message},
	{A_TEST, .name = "test_script_compile", .arguments = "S",
	 .holds = holds_test_script_compile},
	{A_TEST, .name = "test_script_run", .arguments = "",
	 .groups = SIEVE_IN(SIEVE_GROUP_APPEND), .holds = holds_test_script_run},
	{A_TEST, .name = "test_error", .arguments = "L", .groups = MATCH,
	 .holds = holds_test_error},
	{A_TEST, .name = "test_result_action", .arguments = "L", .groups = MATCH,
	 .holds = holds_test_result_action},
	{A_TEST, .name = "test_result_execute", .arguments = "",
	 .holds = holds_test_result_execute},
};

/* What fails outside of all cases fails the file. */
static void note_rest(struct sieve_run *run, struct suite *suite)
{
	static const struct sieve_call nowhere = {.line = 1};

	if (run->has_failed || suite->has_failed)
		note_case(run, &nowhere, STR("outside of all tests"));
}

err_t sieve_suite_run(struct str text, const struct sieve_suite_world *world,
		      struct arena *arena, struct sieve_suite_result *result)
{
	static const struct sieve_dialect dialect = {
		.extension = "vnd.dovecot.testsuite",
		.words = words,
		.word_count = COUNT_OF(words),
	};
	struct suite suite = {.world = world, .result = result, .end = &result->cases};
	struct sieve_outcome outcome;
	struct sieve_script *script;
	struct sieve_run run;

	*result = (struct sieve_suite_result){0};
	TRY(sieve_compile_dialect(text, arena, &dialect, &script, &result->flaw));
	suite.mail = (struct sieve_mail){.header = &suite.header,
					 .from = STR("sender@example.org"),
					 .to = STR("recipient@example.net"),
					 .now_s = world->now_s,
					 .zone_minutes = world->zone_minutes,
					 .host = STR("host.example.net")};
	run_begin(&run, script, &suite.mail, arena, &outcome);
	run.context = &suite;
	run_commands(&run, script->commands);
	note_rest(&run, &suite);
	run_end(&run);
	return OK;
}

#include "sieve/actions.h"

#include "base/utf8.h"
#include "sieve/compiler.h"
#include "sieve/flags.h"
#include "sieve/outbound.h"

enum { MAILBOX_BYTES_MAX = 1000 };

/* ---- the list ---------------------------------------------------------------------- */

static bool is_inbox(const struct sieve_action *action)
{
	return action->kind == SIEVE_KEEP ||
	       (action->kind == SIEVE_FILEINTO &&
		str_same_nocase(action->target, STR("INBOX")));
}

static bool is_same(const struct sieve_action *a, const struct sieve_action *b)
{
	if (is_inbox(a) || is_inbox(b))
		return is_inbox(a) && is_inbox(b);
	return a->kind == b->kind && str_same(a->target, b->target);
}

/* RFC 5228 §2.10.3: a mailbox gets a mail once, RFC 5232 §3: with the last flags. */
static void add(struct sieve_run *run, struct sieve_action action)
{
	struct sieve_outcome *outcome = run->outcome;

	for (size_t i = 0; i < outcome->count; i++) {
		if (!is_same(&outcome->actions[i], &action))
			continue;
		outcome->actions[i].flags = action.flags;
		return;
	}
	if (action.kind == SIEVE_REDIRECT && ++run->redirect_count > SIEVE_REDIRECTS_MAX)
		run_fail(run, action.line,
			 "The mail would be redirected to more than %d "
			 "addresses.",
			 SIEVE_REDIRECTS_MAX);
	else if (outcome->count >= SIEVE_ACTIONS_MAX)
		run_fail(run, action.line, "The mail would go to more than %d places.",
			 SIEVE_ACTIONS_MAX);
	if (!run->has_failed)
		outcome->actions[outcome->count++] = action;
}

/* RFC 5228 §2.10.6: what was done before counts no more, and the mail is kept. */
static void keep_after_failure(struct sieve_run *run)
{
	run->outcome->actions[0] = (struct sieve_action){.kind = SIEVE_KEEP};
	run->outcome->count = 1;
}

static bool is_discard(const struct sieve_action *action)
{
	return action->kind == SIEVE_DISCARD;
}

/* What is dropped and kept all the same, is kept. */
static void drop_idle_discards(struct sieve_outcome *outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < outcome->count; i++) {
		if (!is_discard(&outcome->actions[i]) || outcome->count == 1)
			outcome->actions[count++] = outcome->actions[i];
	}
	outcome->count = count;
}

void actions_end(struct sieve_run *run)
{
	if (!run->has_failed && run->is_kept)
		add(run, (struct sieve_action){.kind = SIEVE_KEEP, .flags = run->flags});
	if (run->has_failed)
		keep_after_failure(run);
	drop_idle_discards(run->outcome);
	ASSERT(run->outcome->count > 0);
}

/* ---- mailboxes --------------------------------------------------------------------- */

/* RFC 5232 §5 */
static struct str flags_for(struct sieve_run *run, const struct sieve_call *call)
{
	const struct sieve_given *given = &call->given[SIEVE_GROUP_FLAGS];

	return given->tag ? flags_of(run, &given->value, call->line) : run->flags;
}

void action_keep(struct sieve_run *run, const struct sieve_call *call)
{
	run->is_kept = false;
	add(run, (struct sieve_action){.kind = SIEVE_KEEP,
				       .line = call->line,
				       .flags = flags_for(run, call)});
}

static const char *wrong_mailbox(struct str name)
{
	if (name.len == 0)
		return "The mailbox of \"fileinto\" has no name.";
	if (name.len > MAILBOX_BYTES_MAX)
		return "The name of the mailbox of \"fileinto\" is too long.";
	if (!utf8_valid(name))
		return "The name of the mailbox of \"fileinto\" is no UTF-8.";
	for (size_t i = 0; i < name.len; i++) {
		if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
			return "The name of the mailbox of \"fileinto\" has a control "
			       "character in it.";
	}
	return NULL;
}

bool check_fileinto(struct compiler *compiler, struct sieve_call *call)
{
	const struct str *name = compile_constant(&call->arguments[0]);
	const char *wrong = name ? wrong_mailbox(*name) : NULL;

	return !wrong || sieve_wrong(compiler, call->line, "%s", wrong);
}

void action_fileinto(struct sieve_run *run, const struct sieve_call *call)
{
	struct str name = run_string(run, call, 0);
	const char *wrong = wrong_mailbox(name);

	if (wrong) {
		run_fail(run, call->line, "%s", wrong);
		return;
	}
	/* RFC 3894 §3: ":copy" does not cancel the implicit keep. */
	if (!call->given[SIEVE_GROUP_COPY].tag)
		run->is_kept = false;
	add(run, (struct sieve_action){.kind = SIEVE_FILEINTO,
				       .line = call->line,
				       .target = name,
				       .flags = flags_for(run, call)});
}

/* ---- redirect ---------------------------------------------------------------------- */

bool check_redirect(struct compiler *compiler, struct sieve_call *call)
{
	const struct str *text = compile_constant(&call->arguments[0]);
	struct str address;

	return !text || outbound_parse(compiler->arena, *text, &address) ||
	       sieve_wrong(compiler, call->line,
			   "\"%.*s\" is no address that mail can be sent to.",
			   STR_FMT(str_first(*text, 300)));
}

void action_redirect(struct sieve_run *run, const struct sieve_call *call)
{
	struct str text = run_string(run, call, 0), address;

	if (!outbound_parse(run->arena, text, &address)) {
		run_fail(run, call->line,
			 "\"%.*s\" is no address that mail can be sent to.",
			 STR_FMT(str_first(text, 300)));
		return;
	}
	if (!call->given[SIEVE_GROUP_COPY].tag)
		run->is_kept = false;
	add(run, (struct sieve_action){
			 .kind = SIEVE_REDIRECT, .line = call->line, .target = address});
}

void action_discard(struct sieve_run *run, const struct sieve_call *call)
{
	run->is_kept = false;
	add(run, (struct sieve_action){.kind = SIEVE_DISCARD, .line = call->line});
}

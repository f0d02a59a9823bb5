#include "deliverd/script.h"

#include "base/hash.h"
#include "base/log.h"
#include "deliverd/redirect.h"
#include "policy/message.h"
#include "rt/clock.h"
#include "rt/panic.h"
#include "sieve/sieve.h"
#include "store/store.h"
#include "wire/imap/token.h"

enum {
	KEPT_BYTES = 1024 * 1024, /* a script's text, and what it says */
	KEY_MAX = 64,
};

/* A script's run over a mail. */
struct run {
	const struct scripted *scripted;
	struct str script, text; /* of the mail as it would be stored */
	bool was_here;           /* it has been sent on from this address before */
	struct arena arena;
	struct sieve_outcome outcome;
};

static void keep(struct sieve_outcome *outcome)
{
	*outcome = (struct sieve_outcome){.actions[0] = {.kind = SIEVE_KEEP}, .count = 1};
}

static struct sieve_mail mail_of(const struct run *run, const struct mail_header *header)
{
	const struct scripted *scripted = run->scripted;

	return (struct sieve_mail){.header = header,
				   .text = run->text,
				   .bytes = run->text.len,
				   .from = scripted->mail->sender,
				   .to = scripted->recipient,
				   .now_s = clock_s(),
				   .host = scripted->options->policy.hostname,
				   .client_ip = scripted->mail->peer};
}

/* Out of the arena of the run, which may have grown with the mail. */
static bool outcome_copy(const struct sieve_outcome *from, struct arena *arena,
			 struct sieve_outcome *to)
{
	bool is_whole = arena_copy(arena, from->flaw.sentence, &to->flaw.sentence);

	to->flaw.line = from->flaw.line;
	to->count = from->count;
	for (size_t i = 0; i < from->count && is_whole; i++) {
		to->actions[i] = from->actions[i];
		is_whole =
			arena_copy(arena, from->actions[i].target,
				   &to->actions[i].target) &&
			arena_copy(arena, from->actions[i].flags, &to->actions[i].flags);
	}
	return is_whole;
}

/* On the big stack, so it must not suspend. */
static void run(void *arg)
{
	struct run *run = arg;
	struct sieve_script *script;
	struct sieve_outcome outcome;
	struct arena arena;

	arena_init(&arena, SIEVE_SCRIPT_ARENA_BYTES + SIEVE_RUN_ARENA_BYTES);
	struct mail_header header =
		mail_header_split(&arena, run->text, SIEVE_FIELDS_MAX);
	const struct sieve_mail mail = mail_of(run, &header);

	keep(&outcome);
	if (sieve_compile(run->script, &arena, &script, &outcome.flaw) == OK)
		sieve_run(script, &mail, &arena, &outcome);
	if (!outcome_copy(&outcome, &run->arena, &run->outcome))
		keep(&run->outcome);
	arena_fini(&arena);
}

static void run_warily(struct run *r)
{
	uint64_t key = (uint64_t)crc32c(0, r->script) << 32 | crc32c(0, r->text);

	if (panic_is_poison(key))
		return;
	panic_begin("sieve", key);
	on_big_stack(run, r);
	panic_end();
}

/* Trace and text are put together only for as long as they are looked at. */
static void look(struct run *run)
{
	const struct scripted *scripted = run->scripted;
	struct str trace = scripted->append.trace, message = scripted->policed->message;
	SCOPED(buf_fini) struct buf text = BUF(trace.len + message.len);

	buf_add(&text, trace);
	buf_add(&text, message);
	ASSERT(buf_ok(&text));
	run->text = buf_str(&text);
	run->was_here = message_was_delivered_to(run->text, scripted->recipient);
	run_warily(run);
	run->text = STR("");
}

/* ---- what it says ------------------------------------------------------------------ */

static void set_flags(struct str flags, struct arena *arena, struct op_append *append)
{
	struct str *words = ARENA_ARRAY(arena, struct str, KEYWORDS_MAX);
	size_t count = 0;

	while (flags.len > 0 && words) {
		struct str flag = str_cut(&flags, ' ');

		if (imap_system_flag(flag) != 0)
			append->flags |= (uint8_t)imap_system_flag(flag);
		else if (flag.len > 0 && flag.len <= KEYWORD_BYTES_MAX &&
			 flag.ptr[0] != '\\' && count < KEYWORDS_MAX)
			words[count++] = flag;
	}
	append->keywords = (struct keywords){words, count};
}

static struct store_op append_op(const struct scripted *scripted,
				 const struct sieve_action *action, struct arena *arena)
{
	struct store_op op = {.kind = OP_APPEND, .append = scripted->append};

	if (action->kind == SIEVE_FILEINTO) {
		op.append.mailbox = MAILBOX_NAMED;
		op.append.path = action->target;
	}
	set_flags(action->flags, arena, &op.append);
	return op;
}

/* False: there is none that redirects. */
static bool has_redirect(const struct sieve_outcome *outcome)
{
	for (size_t i = 0; i < outcome->count; i++)
		if (outcome->actions[i].kind == SIEVE_REDIRECT)
			return true;
	return false;
}

/* Under a key of its own: if this dies before it has redirected, too, whoever asks again
 * with the mail's key comes here again. */
static enum store_outcome keep_commit(const struct scripted *scripted,
				      const struct store_op *ops, size_t count)
{
	SCOPED(buf_fini) struct buf key = BUF(KEY_MAX);

	buf_add(&key, scripted->key);
	buf_add(&key, STR("/s"));
	ASSERT(buf_ok(&key));
	return scripted->commit(scripted->arg, scripted->account, buf_str(&key), ops,
				count);
}

/* What is kept is committed first: if that does not fit, nothing has happened. */
static enum store_outcome carry_out(const struct scripted *scripted, struct run *run)
{
	const struct sieve_outcome *outcome = &run->outcome;
	struct store_op ops[SIEVE_ACTIONS_MAX + 1];
	struct redirects redirects = {0};
	enum store_outcome done = STORE_OK;
	size_t count = 0;

	if (has_redirect(outcome))
		done = redirects_find(scripted, run->was_here, outcome, &redirects);
	if (done != STORE_OK)
		return done;
	for (size_t i = 0; i < outcome->count; i++) {
		const struct sieve_action *action = &outcome->actions[i];

		if (action->kind == SIEVE_KEEP || action->kind == SIEVE_FILEINTO)
			ops[count++] = append_op(scripted, action, &run->arena);
	}
	if (count == 0 && redirects.has_failed)
		ops[count++] =
			(struct store_op){.kind = OP_APPEND, .append = scripted->append};
	if (count > 0)
		done = keep_commit(scripted, ops, count);
	if (done == STORE_OK && redirects.count > 0)
		done = redirects_commit(scripted, &redirects);
	return done;
}

static void log_run(const struct scripted *scripted, const struct sieve_outcome *outcome)
{
	if (outcome->flaw.line > 0)
		LOG(WARN, "script failed", KV_STR("queue_id", scripted->mail->id),
		    KV_INT("account", scripted->account),
		    KV_INT("line", outcome->flaw.line),
		    KV_STR("why", outcome->flaw.sentence));
	for (size_t i = 0; i < outcome->count; i++)
		if (outcome->actions[i].kind == SIEVE_DISCARD)
			LOG(INFO, "discarded by script",
			    KV_STR("queue_id", scripted->mail->id),
			    KV_INT("account", scripted->account),
			    KV_STR("from", scripted->mail->sender));
}

/* A script that has gone meanwhile keeps. */
static enum store_outcome deliver(struct run *run)
{
	const struct scripted *scripted = run->scripted;
	enum store_outcome outcome =
		store_kv_get(scripted->options->store, scripted->account,
			     STR(STORE_KV_SIEVE), &run->arena, &run->script);

	keep(&run->outcome);
	if (outcome == STORE_OK)
		look(run);
	else if (outcome != STORE_ABSENT)
		return outcome;
	log_run(scripted, &run->outcome);
	return carry_out(scripted, run);
}

enum store_outcome script_deliver(const struct scripted *scripted)
{
	struct run run = {.scripted = scripted};

	arena_init(&run.arena, KEPT_BYTES);
	enum store_outcome outcome = deliver(&run);

	arena_fini(&run.arena);
	return outcome;
}

#include "imap/inprogress.h"

#include "rt/errands.h"

struct inprogress inprogress_begin(struct session *s, const struct imap_command *command)
{
	return (struct inprogress){
		.s = s, .tag = command->tag, .due = deadline_s(INPROGRESS_S)};
}

/* It leaves at once, not with the rest of the reply. */
static void tell(struct inprogress *progress, struct str how_far, const char *text)
{
	struct session *s = progress->s;

	progress->due = deadline_s(INPROGRESS_S);
	buf_add_c(&s->out, "* OK [INPROGRESS (");
	/* §4: NIL if it contains "]". */
	if (str_find_byte(progress->tag, ']') < progress->tag.len)
		buf_add_c(&s->out, "NIL");
	else
		imap_write_string(&s->out, progress->tag);
	buf_printf(&s->out, " %.*s)] %s\r\n", STR_FMT(how_far), text);
	session_send(s);
	(void)conn_flush(s->conn); /* a failure latches */
}

void inprogress_step(struct inprogress *progress, uint64_t done)
{
	SCOPED(buf_fini) struct buf how_far = BUF(50);

	progress->done = done;
	/* PROGRESS is less than GOAL (§4): the end is told by the tagged response. */
	if (loop_now() < progress->due || progress->done >= progress->goal)
		return;
	buf_printf(&how_far, "%llu %llu", (unsigned long long)progress->done,
		   (unsigned long long)progress->goal);
	tell(progress, buf_str(&how_far), "Still searching");
}

/* ---- commits ----------------------------------------------------------------------- */

struct slow_commit {
	struct errands errands;
	struct inprogress progress;
	const struct store_commit *commit;
	struct arena *arena;
	struct store_result *result;
	enum store_outcome outcome;
	bool is_done;
	struct waiters done;
};

static void do_commit(void *arg)
{
	struct slow_commit *slow = arg;
	struct session *s = slow->progress.s;

	errands_spread(&slow->errands);
	slow->outcome =
		store_commit(session_store(s), slow->commit, slow->arena, slow->result);
	slow->is_done = true;
	wake_all(&slow->done);
}

/* A commit happens whole or not at all: how far it is, nobody can tell. */
static void tell_until_done(void *arg)
{
	struct slow_commit *slow = arg;

	while (!slow->is_done) {
		err_t err = wait_on(&slow->done, slow->progress.due);

		if (slow->is_done || (err != OK && err != ERR_TIMEOUT))
			return;
		if (err == ERR_TIMEOUT)
			tell(&slow->progress, STR("NIL NIL"), "Still at it");
	}
}

enum store_outcome inprogress_commit(struct session *s,
				     const struct imap_command *command,
				     uint64_t messages, const struct store_commit *commit,
				     struct arena *arena, struct store_result *result)
{
	struct slow_commit slow = {.progress = inprogress_begin(s, command),
				   .commit = commit,
				   .arena = arena,
				   .result = result};
	struct errand list[] = {{do_commit, &slow}, {tell_until_done, &slow}};

	if (messages < INPROGRESS_LEAST)
		return store_commit(session_store(s), commit, arena, result);
	if (s->out.len > 0)
		session_send(s);
	slow.errands = (struct errands){.list = list, .count = COUNT_OF(list)};
	errands_run(&slow.errands);
	return slow.outcome;
}

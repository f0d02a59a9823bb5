#include "deliverd/queued.h"

#include "deliverd/forward.h"
#include "deliverd/script.h"
#include "queue/schedule.h"
#include "rt/clock.h"
#include "store/store.h"
#include "wire/auth/authres.h"

enum {
	ARENA_BYTES = 1024 * 1024,
	TEXTS_BYTES_MAX = 64 * 1024 * 1024, /* at a time, unless one alone is longer */
};

static uint64_t texts_bytes;
static struct waiters texts_gone;

static enum store_outcome commit(void *arg, account_t account, struct str key,
				 const struct store_op *ops, size_t count)
{
	const struct deliverd_options *options = arg;
	const struct store_commit commit = {
		.account = account,
		.key = key,
		/* A redirect's is of no more use once the row is settled. */
		.key_minute = account == ACCOUNT_SYSTEM ? (uint32_t)(clock_s() / 60) : 0,
		.ops = ops,
		.count = count};
	struct arena arena;

	arena_init(&arena, ARENA_BYTES);
	enum store_outcome outcome = store_commit(options->store, &commit, &arena, NULL);

	arena_fini(&arena);
	return outcome;
}

/* What was found out when it came in stands in the fields that we put in front of it. */
static void recall(const struct queue_row *row, struct arena *arena,
		   struct policed *policed)
{
	struct str results = forward_results_in(row->trace);
	struct authres authres;

	policed->onward = row->body_kind & QUEUE_ONWARD_FAILS    ? DMARC_ONWARD_FAILS
			  : row->body_kind & QUEUE_ONWARD_UNSURE ? DMARC_ONWARD_UNSURE
								 : DMARC_ONWARD_FINE;
	policed->is_judged = results.len > 0 && authres_parse(results, arena, &authres);
	for (size_t i = 0; policed->is_judged && i < authres.count; i++) {
		const struct authres_result *one = &authres.results[i];

		if (!str_same_nocase(one->method, STR("arc")))
			continue;
		policed->chain = str_same_nocase(one->result, STR("pass"))   ? ARC_PASS
				 : str_same_nocase(one->result, STR("none")) ? ARC_NONE
									     : ARC_FAIL;
	}
}

static enum store_outcome run(struct deliverd_options *options,
			      const struct queue_row *row, struct str key,
			      struct str trace, struct policed *policed,
			      struct arena *arena)
{
	const struct deliver_mail mail = {.source = DELIVER_STRANGER,
					  .id = row->id,
					  .sender = row->sender,
					  .received_at = clock_s()};
	const struct scripted scripted = {
		.options = options,
		.mail = &mail,
		.policed = policed,
		.account = row->recipient.account,
		.recipient = row->recipient.original,
		.append = {.mailbox = MAILBOX_INBOX,
			   .body = {.from_account = row->account,
				    .from_message = row->message},
			   .trace = trace,
			   .received_at =
				   schedule_first_due(&row->timing, row->received_at)},
		.body_kind = row->body_kind,
		.key = key,
		.commit = commit,
		.arg = options,
		.arena = arena};

	recall(row, arena, policed);
	return script_deliver(&scripted);
}

static enum store_outcome deliver(struct deliverd_options *options,
				  const struct queue_row *row, struct str key,
				  struct str trace)
{
	SCOPED(buf_fini) struct buf text = BUF(DELIVER_TEXT_MAX);
	struct policed policed = {.trace = BUF(TRACE_BYTES_MAX),
				  .digest = BUF(DIGEST_BYTES_MAX)};
	struct arena arena;
	enum store_outcome outcome = store_body(options->store, row->account,
						MESSAGE_REF(row->message), &text);

	arena_init(&arena, ARENA_BYTES);
	policed.message = buf_str(&text);
	buf_add(&policed.trace, row->trace);
	if (outcome == STORE_OK && !buf_ok(&policed.trace))
		outcome = STORE_INVALID;
	if (outcome == STORE_OK)
		outcome = run(options, row, key, trace, &policed, &arena);
	policed_fini(&policed);
	arena_fini(&arena);
	return outcome;
}

enum store_outcome queued_by_script(void *arg, const struct queue_row *row,
				    struct str key, struct str trace)
{
	while (texts_bytes > 0 && texts_bytes + row->size > TEXTS_BYTES_MAX) {
		if (wait_on(&texts_gone, NEVER) != OK)
			return STORE_UNAVAILABLE;
	}
	texts_bytes += row->size;
	enum store_outcome outcome = deliver(arg, row, key, trace);

	texts_bytes -= row->size;
	wake_all(&texts_gone);
	return outcome;
}

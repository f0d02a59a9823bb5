#include "ctl/script.h"

#include <jansson.h>

#include "rt/file.h"
#include "rt/task.h"
#include "sieve/sieve.h"
#include "store/store.h"

enum { PATH_BYTES = 4096 };

static void show(struct ctl *ctl, account_t account)
{
	struct str text;
	enum store_outcome outcome = store_kv_get(
		ctl->store, account, STR(STORE_KV_SIEVE), &ctl->arena, &text);

	if (outcome != STORE_OK && outcome != STORE_ABSENT) {
		ctl_fail_store(ctl, outcome);
		return;
	}
	if (outcome == STORE_ABSENT)
		buf_printf(&ctl->out, "%.*s has no script: its mail goes to INBOX.\n",
			   STR_FMT(ctl->words[0]));
	else
		buf_add(&ctl->out, text);
	ctl->json = json_pack("{s:o}", "script",
			      outcome == STORE_OK ? ctl_json(text) : json_null());
}

/* value "": it goes. */
static void put(struct ctl *ctl, account_t account, struct str value)
{
	struct store_op op = {.kind = value.len > 0 ? OP_KV_PUT : OP_KV_DELETE};
	const struct store_commit commit = {.account = account, .ops = &op, .count = 1};

	op.kv = (struct op_kv){.key = STR(STORE_KV_SIEVE), .value = value};
	enum store_outcome outcome = store_commit(ctl->store, &commit, &ctl->arena, NULL);

	if (outcome != STORE_OK && (value.len > 0 || outcome != STORE_ABSENT))
		ctl_fail_store(ctl, outcome);
	else if (value.len > 0)
		buf_printf(&ctl->out, "Mail for %.*s goes where this script says.\n",
			   STR_FMT(ctl->words[0]));
	else
		buf_printf(&ctl->out, "Mail for %.*s goes to INBOX.\n",
			   STR_FMT(ctl->words[0]));
}

struct checking {
	struct str text;
	struct arena *arena;
	struct sieve_flaw flaw;
	err_t err;
};

/* On the big stack. */
static void check(void *arg)
{
	struct checking *checking = arg;
	struct sieve_script *compiled;

	checking->err = sieve_compile(checking->text, checking->arena, &compiled,
				      &checking->flaw);
}

static void set(struct ctl *ctl, account_t account)
{
	SCOPED(buf_fini) struct buf text = BUF(KV_VALUE_MAX);
	char path[PATH_BYTES];

	if (!str_to_c(ctl->words[1], path, sizeof path) || file_read(path, &text) != OK ||
	    text.len == 0) {
		ctl_fail(ctl,
			 "%.*s cannot be read, is empty, or has more than %d octets.\n"
			 "Nothing was changed.\nIt should be a Sieve script; \"none\" "
			 "removes the one there is.",
			 STR_FMT(ctl->words[1]), KV_VALUE_MAX);
		return;
	}
	struct checking checking = {.text = buf_str(&text), .arena = &ctl->arena};

	on_big_stack(check, &checking);
	if (checking.err == OK)
		put(ctl, account, buf_str(&text));
	else
		ctl_fail(ctl, "Line %u of %.*s is wrong: %.*s\nNothing was changed.",
			 checking.flaw.line, STR_FMT(ctl->words[1]),
			 STR_FMT(checking.flaw.sentence));
}

void script(struct ctl *ctl, account_t account)
{
	if (ctl->word_count == 1)
		show(ctl, account);
	else if (str_same(ctl->words[1], STR("none")))
		put(ctl, account, STR(""));
	else
		set(ctl, account);
}

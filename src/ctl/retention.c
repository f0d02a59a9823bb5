#include "ctl/retention.h"

#include <jansson.h>

#include "base/num.h"
#include "store/store.h"
#include "transfer/boxes.h"

enum { DAYS_MAX = 3660 };

/* What holds for a mailbox. */
struct holds {
	uint32_t days; /* 0: for ever */
	bool is_own;   /* by a rule of its own */
};

static struct str key_of(struct ctl *ctl, const struct box *box)
{
	return arena_printf(&ctl->arena, STORE_KV_RETENTION "%llu",
			    (unsigned long long)box->row.id);
}

static enum store_outcome look_up(struct ctl *ctl, account_t account,
				  const struct box *box, struct holds *holds)
{
	enum mailbox_role role = box->row.role;
	struct str value;
	uint64_t days;
	enum store_outcome outcome =
		store_kv_get(ctl->store, account, key_of(ctl, box), &ctl->arena, &value);

	*holds = (struct holds){.days = role == ROLE_JUNK    ? ctl->conf.junk_days
					: role == ROLE_TRASH ? ctl->conf.trash_days
							     : 0};
	if (outcome == STORE_OK && num_parse(value, DAYS_MAX, &days))
		*holds = (struct holds){(uint32_t)days, true};
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

static void show(struct ctl *ctl, account_t account, const struct boxes *boxes)
{
	json_t *list = json_array();
	enum store_outcome outcome = STORE_OK;

	ctl->json = json_pack("{s:o}", "mailboxes", list);
	for (size_t i = 0; i < boxes->count && outcome == STORE_OK; i++) {
		const struct box *box = &boxes->list[i];
		struct holds holds;

		outcome = look_up(ctl, account, box, &holds);
		if (box->row.is_container)
			continue;
		if (holds.days > 0)
			buf_printf(&ctl->out, "%6u days", holds.days);
		else
			buf_printf(&ctl->out, "%11s", "for ever");
		buf_printf(&ctl->out, "  %.*s%s\n", STR_FMT(box->path),
			   holds.is_own ? "" : "  (by default)");
		(void)json_array_append_new(list, json_pack("{s:o,s:i,s:b}", "mailbox",
							    ctl_json(box->path), "days",
							    (int)holds.days, "own",
							    (int)holds.is_own));
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}

/* Words: the address, the mailbox, the days. */
static void set(struct ctl *ctl, account_t account, const struct boxes *boxes)
{
	const struct box *box = boxes_find(boxes, ctl->words[1]);
	struct str word = ctl->words[2];
	bool is_default = str_same(word, STR("default"));
	uint64_t days = 0;

	if (!box) {
		ctl_fail(ctl,
			 "There is no mailbox %.*s.\nNothing was changed.\n"
			 "\"postrider account retention %.*s\" shows those there are.",
			 STR_FMT(ctl->words[1]), STR_FMT(ctl->words[0]));
		return;
	}
	if (!is_default && !str_same(word, STR("forever")) &&
	    (!num_parse(word, DAYS_MAX, &days) || days == 0)) {
		ctl_fail(ctl,
			 "\"%.*s\" is no number of days from 1 to 3660.\nNothing was "
			 "changed.\nOr say \"forever\", or \"default\" for what the "
			 "configuration says.",
			 STR_FMT(word));
		return;
	}
	struct store_op op = {.kind = is_default ? OP_KV_DELETE : OP_KV_PUT};
	struct store_commit commit = {.account = account, .ops = &op, .count = 1};

	op.kv.key = key_of(ctl, box);
	if (!is_default)
		op.kv.value = arena_printf(&ctl->arena, "%llu", (unsigned long long)days);
	enum store_outcome outcome = store_commit(ctl->store, &commit, &ctl->arena, NULL);

	if (outcome != STORE_OK && !(is_default && outcome == STORE_ABSENT))
		ctl_fail_store(ctl, outcome);
}

void retention(struct ctl *ctl, account_t account)
{
	SCOPED(boxes_fini) struct boxes boxes;
	enum store_outcome outcome = boxes_load(&boxes, ctl->store, account);

	if (outcome != STORE_OK) {
		ctl_fail_store(ctl, outcome);
		return;
	}
	if (ctl->word_count == 3)
		set(ctl, account, &boxes);
	if (ctl->status == 0)
		show(ctl, account, &boxes);
}

#include "smtpd/draft.h"

#include "base/mem.h"

enum { DRAFT_ARENA_MAX = 4 << 20, DRAFT_PLACES_MAX = DELIVER_PLACES_MAX };

struct draft *draft_new(void)
{
	struct draft *draft = NEW(struct draft);

	arena_init(&draft->arena, DRAFT_ARENA_MAX);
	return draft;
}

void draft_drop(struct draft **draft)
{
	if (!*draft)
		return;
	deliver_ahead_drop(&(*draft)->ahead);
	body_fini(&(*draft)->body);
	arena_fini(&(*draft)->arena);
	mem_free((*draft)->rcpts);
	mem_free((*draft)->recipients);
	mem_free(*draft);
	*draft = NULL;
}

/* A mail comes to each place once, however many of its recipients lead there.  Looks at
 * those from the first on. */
static bool leads_there(const struct draft *draft, size_t first,
			const struct route_target *target)
{
	for (size_t i = first; i < draft->count; i++) {
		const struct queue_recipient *to = &draft->recipients[i];

		if (to->kind != target->kind)
			continue;
		if (to->kind == QUEUE_LOCAL ? to->account == target->account
					    : str_same(to->address, target->address))
			return true;
	}
	return false;
}

err_t draft_add(struct draft *draft, const struct route_target *targets, size_t count,
		struct str original, const struct smtp_rcpt_params *params)
{
	size_t first = draft->count;
	struct str orcpt = STR("");

	if (count > DRAFT_PLACES_MAX - draft->count)
		return ERR_LIMIT;
	if (params->orcpt.len > 0) {
		orcpt = arena_printf(&draft->arena, "%.*s;%.*s",
				     STR_FMT(params->orcpt_type), STR_FMT(params->orcpt));
		if (orcpt.len == 0)
			return ERR_LIMIT;
	}
	for (size_t i = 0; i < count; i++) {
		if (leads_there(draft, draft->is_each ? first : 0, &targets[i]))
			continue;
		MEM_ROOM(draft->recipients, draft->count, draft->room);
		draft->recipients[draft->count++] = (struct queue_recipient){
			.kind = targets[i].kind,
			.address = targets[i].address,
			.original = original,
			.account = targets[i].account,
			.orcpt = orcpt,
			.notify = (uint8_t)params->notify,
		};
	}
	MEM_ROOM(draft->rcpts, draft->given, draft->rcpt_room);
	draft->rcpts[draft->given++] =
		(struct deliver_rcpt){original, first, draft->count - first};
	return OK;
}

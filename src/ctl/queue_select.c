/* Which rows of the queue are meant. */
#include "base/civil.h"
#include "base/num.h"
#include "ctl/queue.h"
#include "rt/clock.h"
#include "store/store.h"

bool queue_time_parse(const char *text, int64_t *seconds)
{
	static const char units[] = "smhd";
	static const int64_t lengths[] = {1, 60, 3600, 24 * 3600};
	struct str given = str_c(text);
	uint64_t number;

	if (given.len < 2)
		return false;
	size_t unit = str_find_byte(STR("smhd"), given.ptr[given.len - 1]);

	if (unit == sizeof units - 1 ||
	    !num_parse(str_first(given, given.len - 1), 100000000, &number))
		return false;
	*seconds = (int64_t)number * lengths[unit];
	return true;
}

struct str queue_time_text(struct arena *arena, int64_t unix_s)
{
	struct civil at = civil_from_unix(unix_s, 0);

	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year, at.month,
			    at.day, at.hour, at.minute, at.second);
}

static bool select_cause(struct ctl *ctl, struct queue_select *select)
{
	const char *word = ctl_value(ctl, CTL_CAUSE);

	for (unsigned i = 0; i < CAUSES; i++) {
		select->cause = (enum queue_cause)i;
		if (strcmp(queue_cause_text(select->cause), word) == 0)
			return true;
	}
	ctl_fail(ctl,
		 "There is no cause \"%s\".\nNothing was changed.\nThere are none, dns, "
		 "connect, tls, reply, policy, quota and other.",
		 word);
	return false;
}

static bool select_age(struct ctl *ctl, struct queue_select *select)
{
	int64_t seconds;

	if (!queue_time_parse(ctl_value(ctl, CTL_OLDER_THAN), &seconds)) {
		ctl_fail(ctl,
			 "\"%s\" is no time.\nNothing was changed.\nIt looks like 90s, "
			 "15m, 2h or 3d.",
			 ctl_value(ctl, CTL_OLDER_THAN));
		return false;
	}
	select->received_before = clock_s() - seconds;
	return true;
}

static bool select_account(struct ctl *ctl, struct queue_select *select)
{
	const char *name = ctl_value(ctl, CTL_ACCOUNT);
	enum directory_find found = directory_find_login(&ctl->directory, str_c(name),
							 &ctl->arena, &select->account);

	if (found == DIRECTORY_UNKNOWN)
		ctl_fail_store(ctl, STORE_UNAVAILABLE);
	else if (found != DIRECTORY_ACCOUNT)
		ctl_fail(ctl, "There is no account %s.\nNothing was changed.", name);
	return found == DIRECTORY_ACCOUNT;
}

static bool select_text(struct ctl *ctl, enum ctl_option option, size_t max,
			struct str *text)
{
	*text = str_c(ctl_value(ctl, option));
	if (text->len <= max)
		return true;
	ctl_fail(ctl, "\"%s\" is too long.\nNothing was changed.",
		 ctl_value(ctl, option));
	return false;
}

bool queue_select(struct ctl *ctl, struct queue_select *select)
{
	static const struct {
		enum ctl_option option;
		enum queue_by by;
	} pairs[] = {{CTL_ID, BY_ID},          {CTL_SENDER, BY_SENDER},
		     {CTL_DOMAIN, BY_DOMAIN},  {CTL_CAUSE, BY_CAUSE},
		     {CTL_OLDER_THAN, BY_AGE}, {CTL_ACCOUNT, BY_ACCOUNT},
		     {CTL_HELD, BY_HELD}};

	*select = (struct queue_select){0};
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		if (ctl->options & pairs[i].option)
			select->by |= pairs[i].by;
	if ((select->by & BY_ID) &&
	    !select_text(ctl, CTL_ID, QUEUE_ID_BYTES, &select->id))
		return false;
	if ((select->by & BY_SENDER) &&
	    !select_text(ctl, CTL_SENDER, 1024, &select->sender))
		return false;
	if (str_same(select->sender, STR("<>")))
		select->sender = STR("");
	if ((select->by & BY_DOMAIN) &&
	    !select_text(ctl, CTL_DOMAIN, QUEUE_DOMAIN_BYTES, &select->domain))
		return false;
	return (!(select->by & BY_CAUSE) || select_cause(ctl, select)) &&
	       (!(select->by & BY_AGE) || select_age(ctl, select)) &&
	       (!(select->by & BY_ACCOUNT) || select_account(ctl, select));
}

bool queue_each(struct ctl *ctl, const struct queue_select *select,
		void (*see)(void *arg, const struct queue_row *row), void *arg)
{
	struct queue_place place = {0};
	struct arena arena;
	enum store_outcome outcome = STORE_OK;

	arena_init(&arena, QUEUE_ARENA_BYTES);
	while (outcome == STORE_OK && !place.is_end) {
		struct queue_row *rows;
		size_t count;

		arena_reset(&arena);
		outcome = store_queue_list(ctl->store, select, &place, 1000, &arena,
					   &rows, &count);
		for (size_t i = 0; outcome == STORE_OK && i < count; i++)
			see(arg, &rows[i]);
	}
	arena_fini(&arena);
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	return outcome == STORE_OK;
}

#include "store/rows_ahead.h"

#include "base/mem.h"
#include "base/num.h"

enum { LANES = 2 };

/* Reads parts of what is wanted, one after the other, and a part page by page.  Parts are
 * made to fill a page, so mostly it is one. */
struct lane {
	struct rows_ahead *ahead;
	uint64_t part;                            /* its number; 0: none yet */
	struct uid_range ranges[ROWS_RANGES_MAX]; /* what is left of it: */
	size_t first, count;
	bool is_full; /* with a page that was not taken */
	struct arena arena;
	struct message_row *rows;
	size_t row_count;
	enum store_outcome outcome;
};

struct rows_ahead {
	struct store *store;
	struct rows_wanted wanted;
	struct uid_range *ranges; /* of no part yet: */
	size_t first, count;
	uint64_t part_uids;    /* make a page, as it seems */
	size_t page_rows;      /* so many were in one that was full */
	uint64_t parts, taken; /* that were begun, that were taken whole */
	struct lane lanes[LANES];
	bool has_failed, has_owner;
	struct waiters read, room;
	unsigned users, running; /* lanes, and who owns it; lanes */
};

static void unref(struct rows_ahead *a)
{
	if (--a->users > 0)
		return;
	for (size_t i = 0; i < LANES; i++)
		arena_fini(&a->lanes[i].arena);
	mem_free(a->ranges);
	mem_free(a);
}

/* ---- reading ----------------------------------------------------------------------- */

/* Some of what is left becomes the lane's next part. */
static void part_begin(struct lane *lane)
{
	struct rows_ahead *a = lane->ahead;
	uint64_t room = a->part_uids;

	lane->part = ++a->parts;
	lane->first = lane->count = 0;
	while (a->count > 0 && room > 0 && lane->count < ROWS_RANGES_MAX) {
		struct uid_range *rest = &a->ranges[a->first];
		uint64_t uids = num_min((uint64_t)rest->last - rest->first + 1, room);
		struct uid_range range = {rest->first,
					  (uint32_t)(rest->first + uids - 1)};

		lane->ranges[lane->count++] = range;
		room -= uids;
		rest->first = range.last + 1;
		if (range.last == rest->last) {
			a->first++;
			a->count--;
		}
	}
}

static uint64_t uids_left(const struct lane *lane)
{
	uint64_t uids = 0;

	for (size_t i = lane->first; i < lane->first + lane->count; i++)
		uids += (uint64_t)lane->ranges[i].last - lane->ranges[i].first + 1;
	return uids;
}

/* The part goes on there; 0: it is done. */
static void part_pass(struct lane *lane, uint32_t next)
{
	while (lane->count > 0 && (next == 0 || lane->ranges[lane->first].last < next)) {
		lane->first++;
		lane->count--;
	}
	if (lane->count > 0)
		lane->ranges[lane->first].first =
			(uint32_t)num_max(lane->ranges[lane->first].first, next);
}

/* Parts shall be as large as pages, or a little less: what is over costs a call of its
 * own. */
static void fit_parts(struct rows_ahead *a, const struct lane *lane, uint64_t asked)
{
	if (lane->count > 0) {
		uint64_t uids = asked - uids_left(lane);

		a->page_rows = lane->row_count;
		a->part_uids = num_min(a->part_uids, num_max(uids - uids / 16, 1));
	} else if (asked >= a->part_uids && lane->row_count < a->page_rows / 2) {
		a->part_uids *= a->part_uids < UINT32_MAX ? 2 : 1;
	}
}

static void read_page(struct lane *lane)
{
	struct rows_ahead *a = lane->ahead;
	const struct rows_wanted *wanted = &a->wanted;
	uint32_t next = 0;

	if (lane->count == 0)
		part_begin(lane);
	uint64_t asked = uids_left(lane);

	lane->outcome = store_rows_among(
		a->store, wanted->account, wanted->mailbox,
		(struct uid_set){&lane->ranges[lane->first], lane->count},
		wanted->columns, &lane->arena, &lane->rows, &lane->row_count, &next);
	part_pass(lane, next);
	if (lane->outcome == STORE_OK)
		fit_parts(a, lane, asked);
	else
		a->has_failed = true;
	lane->is_full = true;
	wake_all(&a->read);
}

static void read_pages(void *arg)
{
	struct lane *lane = arg;
	struct rows_ahead *a = lane->ahead;
	err_t err = OK;

	while (err == OK && a->has_owner && !a->has_failed &&
	       (lane->count > 0 || a->count > 0)) {
		if (lane->is_full)
			err = wait_on(&a->room, NEVER);
		else
			read_page(lane);
	}
	a->running--;
	wake_all(&a->read);
	unref(a);
}

/* ---- taking ------------------------------------------------------------------------ */

static void lane_start(struct lane *lane, struct rows_ahead *a)
{
	lane->ahead = a;
	arena_init(&lane->arena, a->lanes[0].arena.max);
	a->users++;
	a->running++;
	if (task_start("rows ahead", read_pages, lane))
		return;
	a->users--;
	a->running--;
}

struct rows_ahead *rows_ahead_start(struct store *store, const struct rows_wanted *wanted,
				    uint64_t uids_a_page, size_t arena_max)
{
	struct rows_ahead *a = NEW(struct rows_ahead);

	a->store = store;
	a->wanted = *wanted;
	a->wanted.uids = (struct uid_set){0};
	a->count = wanted->uids.count;
	a->ranges = NEW_ARRAY(struct uid_range, a->count + 1);
	if (a->count > 0)
		memcpy(a->ranges, wanted->uids.ranges, a->count * sizeof *a->ranges);
	a->part_uids = num_max(uids_a_page - uids_a_page / 16, 1);
	a->page_rows = ROWS_PAGE_MAX;
	a->has_owner = true;
	a->users = 1;
	a->lanes[0].arena.max = arena_max;
	for (size_t i = 0; i < LANES; i++)
		lane_start(&a->lanes[i], a);
	if (a->running > 0)
		return a;
	unref(a);
	return NULL;
}

/* The one whose page comes next, if it is there. */
static struct lane *lane_in_turn(struct rows_ahead *a)
{
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &a->lanes[i];

		if (lane->is_full && lane->part == a->taken + 1)
			return lane;
	}
	return NULL;
}

const struct message_row *rows_ahead_look(struct rows_ahead *ahead, size_t *count)
{
	const struct lane *lane = lane_in_turn(ahead);

	*count = lane && lane->outcome == STORE_OK ? lane->row_count : 0;
	return *count > 0 ? lane->rows : NULL;
}

static void page_take(struct rows_ahead *a, struct lane *lane, struct arena *arena,
		      struct message_row **rows, size_t *count)
{
	struct arena old = *arena;

	*arena = lane->arena;
	lane->arena = old;
	arena_reset(&lane->arena);
	*rows = lane->rows;
	*count = lane->row_count;
	lane->is_full = false;
	a->taken += lane->count == 0;
	wake_all(&a->room);
}

enum store_outcome rows_ahead_take(struct rows_ahead **ahead, struct arena *arena,
				   struct message_row **rows, size_t *count)
{
	struct rows_ahead *a = *ahead;
	enum store_outcome outcome = STORE_UNAVAILABLE;
	struct lane *lane;
	err_t err = OK;

	*count = 0;
	while (!(lane = lane_in_turn(a)) && err == OK && a->running > 0)
		err = wait_on(&a->read, NEVER);
	if (lane) {
		outcome = lane->outcome;
		page_take(a, lane, arena, rows, count);
	}
	if (outcome != STORE_OK || (a->count == 0 && a->taken == a->parts))
		rows_ahead_drop(ahead);
	return outcome;
}

void rows_ahead_drop(struct rows_ahead **ahead)
{
	struct rows_ahead *a = *ahead;

	*ahead = NULL;
	if (!a)
		return;
	a->has_owner = false;
	wake_all(&a->room); /* it sees then that nobody waits for more */
	unref(a);
}

#include "upgrade/tail.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/record.h"

enum {
	RECORD_BYTES_MAX = 256 << 20,
	ARENA_MAX = 64 << 20,
	/* Beyond what one commit, and the commits under way, can have taken. */
	EPOCH_JUMP = 1 << 21,
};

/* Where a body went. */
struct carried {
	struct pack_place from, to;
	uint64_t commit; /* with which */
};

struct carrying {
	const struct tail_options *options;
	struct tail *tail;
	struct arena arena;
	struct buf record;
	/* The group that is carried over. */
	const struct pack_group *group;
	struct pack_found *found; /* its bodies, as they stand there */
	size_t found_count, found_room;
	bool is_missing; /* a body that the record speaks of was not carried over */
	err_t err;       /* of adding one */
	struct carried *carried; /* by from */
	size_t carried_count, carried_room;
	uint64_t commit; /* its number in the tail */
	uint64_t sequence, durable, highest;
};

/* ---- what is left ------------------------------------------------------------------ */

static size_t left_place(const struct tail *tail, account_t account)
{
	size_t low = 0, high = tail->left_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tail->left[middle].account < account)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct tail_left *tail_find(const struct tail *tail, account_t account)
{
	size_t at = left_place(tail, account);

	return at < tail->left_count && tail->left[at].account == account
		       ? &tail->left[at]
		       : NULL;
}

static struct tail_left *left_of(struct tail *tail, account_t account)
{
	size_t at = left_place(tail, account);

	if (!tail_find(tail, account)) {
		MEM_ROOM(tail->left, tail->left_count, tail->left_room);
		memmove(tail->left + at + 1, tail->left + at,
			(tail->left_count - at) * sizeof *tail->left);
		tail->left[at] = (struct tail_left){.account = account,
						    .first_message = UINT64_MAX};
		tail->left_count++;
	}
	return &tail->left[at];
}

void tail_fini(struct tail *tail)
{
	mem_free(tail->left);
	*tail = (struct tail){0};
}

/* ---- bodies ------------------------------------------------------------------------ */

static bool is_before(struct pack_place a, struct pack_place b)
{
	return a.pack != b.pack ? a.pack < b.pack : a.offset < b.offset;
}

/* The first one that is not before it. */
static size_t carried_place(const struct carrying *c, struct pack_place from)
{
	size_t low = 0, high = c->carried_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(c->carried[middle].from, from))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct pack_found *found_at(const struct carrying *c, uint64_t offset)
{
	size_t low = 0, high = c->found_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t at = pack_found_at(c->group, &c->found[middle]).offset;

		if (at == offset)
			return &c->found[middle];
		if (at < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void carry_body(struct carrying *c, struct pack_place from, size_t at,
		       struct pack_body *to)
{
	const struct pack_found *found =
		from.pack == c->group->at.pack ? found_at(c, from.offset) : NULL;

	if (!found) {
		c->is_missing = true;
		return;
	}
	c->err = packs_add_body(c->options->to, found->account, found->message,
				found->raw_size, found->frame, to);
	if (c->err != OK)
		return;
	MEM_ROOM(c->carried, c->carried_count, c->carried_room);
	memmove(c->carried + at + 1, c->carried + at,
		(c->carried_count - at) * sizeof *c->carried);
	c->carried[at] = (struct carried){from, {to->pack, to->offset}, c->commit};
	c->carried_count++;
}

/* The commit's bodies are not there after all.  Groups come in order, so what came with
 * this one is at the end. */
static void uncarry(struct carrying *c)
{
	size_t first = carried_place(c, c->group->at), kept = first;

	for (size_t i = first; i < c->carried_count; i++)
		if (c->carried[i].commit != c->commit)
			c->carried[kept++] = c->carried[i];
	c->carried_count = kept;
}

/* A mover: what stands in the snapshot's packs stays there. */
static void move(void *arg, struct pack_body *body)
{
	struct carrying *c = arg;
	struct pack_place from = {body->pack, body->offset};

	if (body->pack <= c->options->newest || c->is_missing || c->err != OK)
		return;
	size_t at = carried_place(c, from);

	if (at < c->carried_count && !is_before(from, c->carried[at].from)) {
		body->pack = c->carried[at].to.pack;
		body->offset = c->carried[at].to.offset;
	} else {
		carry_body(c, from, at, body);
	}
}

static void find_bodies(struct carrying *c)
{
	struct str rest = c->group->payload;
	struct pack_found found;

	c->found_count = 0;
	while (pack_next_body(&rest, &found)) {
		MEM_ROOM(c->found, c->found_count, c->found_room);
		c->found[c->found_count++] = found;
	}
}

/* ---- one commit -------------------------------------------------------------------- */

/* It shares the body and digest of a message that is left. */
static bool has_source_left(const struct carrying *c, const struct effect *effect)
{
	account_t account;
	uint64_t message;

	if (!effect_source(effect, &account, &message))
		return false;
	const struct tail_left *left = tail_find(c->tail, account);

	return left && message >= left->first_message;
}

/* Into c->record, and its bodies into the group; false if the old format cannot have
 * it. */
static bool express(struct carrying *c, struct str record)
{
	struct effect_mover mover = {move, c};
	struct dec d = dec_over(record);
	struct commit_head head;

	c->is_missing = false;
	buf_reset(&c->record);
	arena_reset(&c->arena);
	if (!commit_head_read(&d, &head) || tail_find(c->tail, head.account))
		return false;
	commit_head_write(&c->record, &head);
	for (uint32_t i = 0; i < head.count; i++) {
		struct effect effect;

		if (d.rest.len == 0 ||
		    c->options->since((uint8_t)d.rest.ptr[0]) > c->options->format ||
		    !effect_move(&d, &c->arena, &mover, &c->record, &effect) ||
		    c->is_missing || c->err != OK || has_source_left(c, &effect))
			return false;
	}
	return dec_done(&d) && buf_ok(&c->record);
}

/* Notes which messages come with it. */
static err_t leave(struct carrying *c, struct str record)
{
	struct dec d = dec_over(record);
	struct commit_head head;

	if (!commit_head_read(&d, &head))
		return ERR_SYNTAX;
	struct tail_left *left = left_of(c->tail, head.account);

	left->commits++;
	c->highest = num_max(c->highest, head.change);
	for (uint32_t i = 0; i < head.count; i++) {
		struct effect effect;
		uint64_t message = UINT64_MAX;

		arena_reset(&c->arena);
		if (!effect_read(&d, &c->arena, &effect))
			return ERR_SYNTAX;
		if (effect.kind == OP_APPEND)
			message = effect.append.message;
		else if (effect.kind == OP_QUEUE_ADD)
			message = effect.queue_add.message;
		left->first_message = num_min(left->first_message, message);
		if (message != UINT64_MAX)
			c->highest = num_max(c->highest, message);
	}
	return OK;
}

static err_t carry_commit(struct carrying *c, struct str record)
{
	struct packs *to = c->options->to;
	struct pack_group_size size = packs_size(to);

	c->commit++;
	bool is_expressed = express(c, record);

	TRY(c->err);
	if (is_expressed) {
		TRY(packs_add_operation(to, buf_str(&c->record)));
		c->tail->commits++;
		return OK;
	}
	packs_cut_back(to, size);
	uncarry(c);
	return leave(c, record);
}

/* ---- groups ------------------------------------------------------------------------ */

static err_t flush(struct carrying *c)
{
	TRY(packs_flush(c->options->to, 0));
	c->durable = c->sequence;
	return OK;
}

static err_t begin(struct carrying *c)
{
	struct pack_place at;

	/* The header of a new pack says that all before is durable. */
	if (packs_wants_new(c->options->to) && c->durable < c->sequence)
		TRY(flush(c));
	return packs_begin(c->options->to, &at);
}

static err_t end(struct carrying *c)
{
	struct pack_place end;

	if (packs_size(c->options->to).records == 0) {
		packs_drop(c->options->to);
		return OK;
	}
	return packs_write(c->options->to, c->durable, &end, &c->sequence);
}

static err_t take(void *arg, const struct pack_group *group)
{
	struct carrying *c = arg;
	struct str rest = group->payload, record;
	err_t err = OK;

	c->group = group;
	find_bodies(c);
	TRY(begin(c));
	while (err == OK && pack_next_operation(&rest, &record))
		err = carry_commit(c, record);
	if (err == OK)
		return end(c);
	packs_drop(c->options->to);
	return err;
}

/* Numbers that were given out since are not given out again. */
static err_t raise_epoch(struct carrying *c)
{
	struct effect effect = {.kind = EFFECT_EPOCH,
				.epoch = {c->options->epoch, EPOCH_JUMP + c->highest}};
	struct commit_head head = {
		.account = ACCOUNT_SYSTEM, .now = c->options->now, .count = 1};

	if (c->durable < c->sequence)
		TRY(flush(c));
	TRY(begin(c));
	buf_reset(&c->record);
	commit_head_write(&c->record, &head);
	effect_write(&c->record, &effect);
	err_t err = packs_add_operation(c->options->to, buf_str(&c->record));

	if (err == OK)
		err = end(c);
	else
		packs_drop(c->options->to);
	return err == OK ? flush(c) : err;
}

err_t tail_carry(const struct tail_options *options, struct tail *tail)
{
	struct carrying c = {.options = options,
			     .tail = tail,
			     .record = BUF(RECORD_BYTES_MAX),
			     .sequence = options->sequence,
			     .durable = options->sequence};
	struct pack_place place;
	struct pack_scan scan;
	uint64_t sequence;
	err_t err = OK;

	arena_init(&c.arena, ARENA_MAX);
	if (packs_first_behind(options->from, options->newest, &place, &sequence))
		err = packs_scan(options->from, place, sequence - 1, take, &c, &scan);
	if (err == OK)
		err = raise_epoch(&c);
	arena_fini(&c.arena);
	buf_fini(&c.record);
	mem_free(c.found);
	mem_free(c.carried);
	return err;
}

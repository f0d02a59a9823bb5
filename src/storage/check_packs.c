/* Reading all packs once, in order, and keeping what was bad. */
#include "storage/check_packs.h"

#include <stdlib.h>

#include "base/mem.h"
#include "rt/clock.h"

enum { BODY_ONCE_MAX = 1 << 20 };

struct mapping {
	struct packs *packs;
	const struct check_options *options;
	struct check_report *report;
	struct pack_map *map;
	uint64_t done, all, told_ms;
	uint32_t pack; /* of the last group */
	uint64_t last; /* group that counts */
};

static void gap(const struct mapping *m, struct pack_place from, uint64_t sequence)
{
	struct pack_map *map = m->map;

	map->is_whole = false;
	MEM_ROOM(map->gaps, map->gap_count, map->gap_room);
	map->gaps[map->gap_count++] = (struct pack_gap){from, sequence};
}

static void progress(struct mapping *m)
{
	uint64_t now = clock_monotonic_ms();

	if (!m->options->progress || now < m->told_ms + 1000)
		return;
	m->told_ms = now;
	m->options->progress(m->options->arg, CHECK_PACKS, m->done, m->all);
}

static void add_bodies(struct mapping *m, const struct pack_group *group)
{
	struct pack_map *map = m->map;
	struct str rest = group->payload;
	struct pack_found found;

	while (pack_next_body(&rest, &found)) {
		m->report->bodies++;
		if (found.state == BODY_WHOLE)
			continue;
		MEM_ROOM(map->bad, map->bad_count, map->bad_room);
		map->bad[map->bad_count++] = (struct pack_place){
			group->at.pack, pack_found_at(group, &found).offset};
	}
}

static err_t take(void *arg, const struct pack_group *group)
{
	struct mapping *m = arg;
	struct pack_map *map = m->map;
	struct pack_span *last =
		map->span_count > 0 ? &map->spans[map->span_count - 1] : NULL;

	if (group->sequence > m->last)
		return OK;
	m->report->groups++;
	if (group->sequence != map->sequence + 1)
		gap(m, last ? (struct pack_place){last->pack, last->to} : group->at,
		    group->sequence);
	map->sequence = group->sequence;
	if (last && last->pack == group->at.pack && last->to == group->at.offset) {
		last->to = group->end.offset;
	} else {
		MEM_ROOM(map->spans, map->span_count, map->span_room);
		map->spans[map->span_count++] = (struct pack_span){
			group->at.pack, group->at.offset, group->end.offset};
	}
	if (m->pack != group->at.pack)
		m->report->packs++;
	m->pack = group->at.pack;
	m->done += group->end.offset - group->at.offset;
	add_bodies(m, group);
	progress(m);
	return OK;
}

err_t pack_map_make(struct packs *packs, const struct check_options *options,
		    struct check_report *report, uint64_t last, struct pack_map *map)
{
	struct pack_scan scan;
	uint64_t before = packs_first_sequence(packs) - 1;
	struct mapping m = {.packs = packs,
			    .options = options,
			    .report = report,
			    .map = map,
			    .last = last,
			    .all = packs_bytes(packs),
			    .told_ms = clock_monotonic_ms()};

	*map = (struct pack_map){.sequence = before, .is_whole = before == 0};
	report->groups = report->packs = report->bodies = 0;
	report->pack_bytes = m.all;
	TRY(packs_scan(packs, packs_first(packs), before, take, &m, &scan));
	if (scan.is_torn && scan.damaged > 0 && map->sequence < last)
		gap(&m, scan.end, map->sequence + 1);
	report->is_whole_log = map->is_whole;
	return OK;
}

void pack_map_fini(struct pack_map *map)
{
	mem_free(map->spans);
	mem_free(map->bad);
	mem_free(map->gaps);
	*map = (struct pack_map){0};
}

static int compare(uint32_t pack, uint64_t offset, uint32_t other_pack, uint64_t other)
{
	if (pack != other_pack)
		return pack < other_pack ? -1 : 1;
	return offset < other ? -1 : offset > other;
}

static int find_span(const void *key, const void *item)
{
	const struct pack_place *place = key;
	const struct pack_span *span = item;

	if (place->pack == span->pack && place->offset >= span->from &&
	    place->offset < span->to)
		return 0;
	return compare(place->pack, place->offset, span->pack, span->from);
}

static int find_bad(const void *key, const void *item)
{
	const struct pack_place *place = key, *bad = item;

	return compare(place->pack, place->offset, bad->pack, bad->offset);
}

/* Not in a group that is whole: the frame is read as well. */
static err_t read_body(struct packs *packs, struct pack_body body)
{
	struct buf frame = BUF(body.length + BODY_ONCE_MAX);
	uint64_t raw_size;
	err_t err = packs_read(packs, body, 0, (size_t)body.length, &frame, &raw_size);

	buf_fini(&frame);
	return err == ERR_ABSENT || err == ERR_LIMIT ? ERR_SYNTAX : err;
}

err_t pack_map_body(const struct pack_map *map, struct packs *packs,
		    struct pack_body body, struct pack_found *found)
{
	struct pack_place place = {body.pack, body.offset};

	TRY(packs_look(packs, body, found));
	if (map->bad_count > 0 &&
	    bsearch(&place, map->bad, map->bad_count, sizeof *map->bad, find_bad))
		return ERR_SYNTAX;
	if (map->span_count > 0 &&
	    bsearch(&place, map->spans, map->span_count, sizeof *map->spans, find_span))
		return OK;
	return read_body(packs, body);
}

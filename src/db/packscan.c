/* Reading the log of the packs, and telling a torn tail from damage.
 *
 * Several groups may have been on their way to the disk when the power went, and a later
 * one may have arrived without an earlier one.  A group is acknowledged only when it and
 * all before it are durable, and the groups written after that say so in their headers.
 * So where a group is bad, and no header behind it, nor that of a later pack, names its
 * number or a greater one as durable, it and everything behind it were promised to
 * nobody: the log ends before it.  If one does, the group is damaged, and what follows
 * still counts.
 */
#include "base/log.h"
#include "base/num.h"
#include "db/disk.h"
#include "db/packset.h"

enum { SEARCH_BYTES = 1 << 20 };

struct scanner {
	struct packs *packs;
	struct pack_place at;
	struct pack_scan *scan;
	err_t (*take)(void *arg, const struct pack_group *group);
	void *arg;
	struct buf payload;
	uint64_t bodies_lost; /* of the group that was read last */
	bool has_durable, is_over;
	uint64_t durable; /* the greatest number that a header behind a bad stretch names
			   */
};

enum found {
	FOUND_GROUP,
	FOUND_HOLED, /* a group, but bodies of it are damaged or punched out */
	FOUND_END,
	FOUND_BAD,
};

static uint64_t bodies_lost(struct str payload)
{
	struct pack_found found;
	uint64_t lost = 0;

	while (pack_next_body(&payload, &found))
		lost += found.state != BODY_WHOLE;
	return lost;
}

/* What stands at this place; the payload is read and checked. */
static err_t look(struct scanner *s, const struct pack *pack, struct group_header *header,
		  enum found *found)
{
	char bytes[GROUP_HEADER_BYTES];
	static const char zeros[GROUP_HEADER_BYTES];
	size_t got;

	*found = FOUND_BAD;
	TRY(disk_read(pack->fd, bytes, sizeof bytes, s->at.offset, &got));
	if (memcmp(bytes, zeros, got) == 0) {
		*found = FOUND_END;
		return OK;
	}
	if (!group_header_read((struct str){bytes, got}, pack->salt, header) ||
	    header->length > pack->size - s->at.offset ||
	    header->sequence <= s->scan->sequence)
		return OK;
	s->payload.max = header->length;
	buf_reset(&s->payload);
	char *to = buf_room(&s->payload, header->length);

	if (!to)
		return ERR_LIMIT;
	TRY(disk_read(pack->fd, to, header->length, s->at.offset + GROUP_HEADER_BYTES,
		      &got));
	if (got < header->length || !group_records_check((struct str){to, got}, header))
		return OK;
	buf_grew(&s->payload, got);
	s->bodies_lost = bodies_lost(buf_str(&s->payload));
	*found = s->bodies_lost > 0 ? FOUND_HOLED : FOUND_GROUP;
	return OK;
}

static uint64_t group_end(uint64_t offset, const struct group_header *header)
{
	uint64_t end = offset + GROUP_HEADER_BYTES + header->length;

	return (end + GROUP_ALIGN - 1) / GROUP_ALIGN * GROUP_ALIGN;
}

/* Moves to the next place where the salt stands as in a group's header; to the end of the
 * file if there is none. */
static err_t search(struct scanner *s, const struct pack *pack)
{
	char salt[8];
	struct buf window = BUF(SEARCH_BYTES);
	char *bytes = buf_room(&window, SEARCH_BYTES);
	err_t err = OK;

	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (char)(unsigned char)(pack->salt >> (8 * i));
	s->at.offset += GROUP_ALIGN;
	while (bytes && s->at.offset < pack->size) {
		size_t got, i;

		err = disk_read(pack->fd, bytes, SEARCH_BYTES, s->at.offset, &got);
		if (err != OK)
			break;
		for (i = 0; i + 16 <= got; i += GROUP_ALIGN)
			if (memcmp(bytes + i + 8, salt, 8) == 0)
				break;
		s->at.offset += i;
		if (i + 16 <= got)
			break;
		if (got < SEARCH_BYTES)
			s->at.offset = pack->size;
	}
	buf_fini(&window);
	return err;
}

/* Looks at all headers from here on. */
static err_t find_durable(struct scanner *s)
{
	struct pack_place back = s->at;

	s->has_durable = true;
	for (; s->at.pack <= packs_newest(s->packs);
	     s->at = (struct pack_place){s->at.pack + 1, PACK_HEADER_BYTES}) {
		const struct pack *pack = packs_get(s->packs, s->at.pack);

		if (pack && s->at.pack != back.pack)
			s->durable = num_max(s->durable, pack->first_sequence - 1);
		while (pack && s->at.offset < pack->size) {
			char bytes[GROUP_HEADER_BYTES];
			struct group_header header;
			size_t got;

			TRY(disk_read(pack->fd, bytes, sizeof bytes, s->at.offset, &got));
			if (group_header_read((struct str){bytes, got}, pack->salt,
					      &header) &&
			    header.length <= pack->size - s->at.offset) {
				s->durable = num_max(s->durable, header.durable);
				s->at.offset = group_end(s->at.offset, &header);
			} else {
				TRY(search(s, pack));
			}
		}
	}
	s->at = back;
	return OK;
}

/* The group was whole once, since it was durable: what its bodies lack, they lost later.
 * Otherwise the power cut lost it. */
static err_t was_durable(struct scanner *s, const struct group_header *header, bool *was)
{
	if (!s->has_durable && s->durable < header->sequence)
		TRY(find_durable(s));
	*was = s->durable >= header->sequence;
	return OK;
}

/* A stretch is bad from here on: if it may have been acknowledged, the scan goes on
 * behind it. */
static err_t pass_over(struct scanner *s, const struct pack *pack)
{
	if (!s->has_durable && s->durable <= s->scan->sequence)
		TRY(find_durable(s));
	if (s->durable > s->scan->sequence)
		return search(s, pack);
	s->scan->is_torn = s->is_over = true;
	return OK;
}

static err_t give(struct scanner *s, const struct group_header *header, uint64_t bad_from)
{
	struct pack_group group = {
		.sequence = header->sequence,
		.at = s->at,
		.end = {s->at.pack, group_end(s->at.offset, header)},
		.records = header->records,
		.payload = buf_str(&s->payload),
	};

	if (bad_from != 0 || header->sequence != s->scan->sequence + 1) {
		s->scan->damaged++;
		LOG(ERROR, "groups lost", KV_INT("pack", s->at.pack),
		    KV_INT("offset", bad_from ? bad_from : s->at.offset),
		    KV_INT("count", header->sequence - s->scan->sequence - 1));
	}
	if (s->take)
		TRY(s->take(s->arg, &group));
	s->scan->groups++;
	s->scan->bodies_lost += s->bodies_lost;
	s->scan->sequence = group.sequence;
	s->scan->end = group.end;
	s->at = group.end;
	return OK;
}

/* The end of a pack.  What stands behind the last group that may have been acknowledged
 * is cut off by whoever appends. */
static void end_pack(struct scanner *s, uint64_t bad_from)
{
	if (bad_from == 0)
		return;
	s->scan->is_torn = true;
	s->scan->damaged++;
	LOG(ERROR, "groups lost", KV_INT("pack", s->at.pack), KV_INT("offset", bad_from),
	    KV_INT("count", s->durable - s->scan->sequence));
}

/* All groups of one pack from the place on. */
static err_t scan_pack(struct scanner *s, const struct pack *pack)
{
	uint64_t bad_from = 0;

	s->scan->is_torn = false;
	while (!s->is_over) {
		struct group_header header;
		enum found found;

		TRY(look(s, pack, &header, &found));
		if (found == FOUND_HOLED) {
			bool was;

			TRY(was_durable(s, &header, &was));
			found = was ? FOUND_GROUP : FOUND_BAD;
		}
		switch (found) {
		case FOUND_GROUP:
			TRY(give(s, &header, bad_from));
			bad_from = 0;
			continue;
		case FOUND_HOLED:
		case FOUND_BAD:
			if (!bad_from)
				bad_from = s->at.offset;
			TRY(pass_over(s, pack));
			continue;
		case FOUND_END:
			break;
		}
		if (s->at.offset >= pack->size) {
			end_pack(s, bad_from);
			return OK;
		}
		/* Zeros: the end, unless something stands behind them. */
		struct pack_place zeros = s->at;

		TRY(search(s, pack));
		if (s->at.offset < pack->size && !bad_from) {
			bad_from = zeros.offset;
			s->at = zeros;
			TRY(pass_over(s, pack));
		}
	}
	return OK;
}

err_t packs_scan(struct packs *packs, struct pack_place from, uint64_t sequence,
		 err_t (*take)(void *arg, const struct pack_group *group), void *arg,
		 struct pack_scan *scan)
{
	struct scanner s = {.packs = packs,
			    .at = from,
			    .scan = scan,
			    .take = take,
			    .arg = arg,
			    .durable = packs->trusted,
			    .payload = BUF(0)};
	err_t err = OK;

	*scan = (struct pack_scan){.end = from, .sequence = sequence};
	while (err == OK && !s.is_over && s.at.pack != 0 &&
	       s.at.pack <= packs_newest(packs)) {
		const struct pack *pack = packs_get(packs, s.at.pack);

		if (pack) {
			/* A pack is only begun when all before it was whole. */
			if (scan->end.pack != s.at.pack)
				scan->end = s.at;
			err = scan_pack(&s, pack);
		}
		s.at = (struct pack_place){s.at.pack + 1, PACK_HEADER_BYTES};
	}
	buf_fini(&s.payload);
	return err;
}

struct pack_body pack_found_at(const struct pack_group *group,
			       const struct pack_found *found)
{
	size_t in_payload = (size_t)(found->header_at - group->payload.ptr);

	return (struct pack_body){.pack = group->at.pack,
				  .offset = group->at.offset + GROUP_HEADER_BYTES +
					    in_payload,
				  .length = found->length};
}

bool packs_has_group(struct packs *packs, struct pack_place at, uint64_t sequence)
{
	char bytes[GROUP_HEADER_BYTES];
	const struct pack *pack = packs_get(packs, at.pack);
	struct group_header header;
	size_t got;

	return pack && disk_read(pack->fd, bytes, sizeof bytes, at.offset, &got) == OK &&
	       group_header_read((struct str){bytes, got}, pack->salt, &header) &&
	       header.sequence == sequence && group_end(at.offset, &header) <= pack->size;
}

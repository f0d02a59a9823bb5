/* Bodies of older times: walking over those of a pack, and punching out dead ones.  By
 * any thread. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "db/disk.h"
#include "db/packset.h"

/* What of the pack is needed here, taken under the lock. */
static bool pack_get(struct packs *packs, uint32_t number, struct pack *copy)
{
	(void)pthread_rwlock_rdlock(&packs->lock);
	const struct pack *pack = packs_get(packs, number);

	if (pack)
		*copy = *pack;
	(void)pthread_rwlock_unlock(&packs->lock);
	return pack != NULL;
}

/* Into the group at walk->next, if there is one. */
static err_t walk_group(const struct pack *pack, struct pack_walk *walk)
{
	char bytes[GROUP_HEADER_BYTES];
	struct group_header header;
	size_t got;

	TRY(disk_read(pack->fd, bytes, sizeof bytes, walk->next, &got));
	/* Behind the last one are zeros, or the end; damage ends the walk as well. */
	if (!group_header_read((struct str){bytes, got}, pack->salt, &header) ||
	    header.length > pack->size - walk->next)
		return ERR_ABSENT;
	walk->at = walk->next + GROUP_HEADER_BYTES;
	walk->group_end = walk->at + header.length;
	walk->next = (walk->group_end + GROUP_ALIGN - 1) / GROUP_ALIGN * GROUP_ALIGN;
	return OK;
}

err_t packs_walk(struct packs *packs, struct pack_walk *walk, struct pack_found *found,
		 struct pack_body *body)
{
	struct pack pack;

	if (!pack_get(packs, walk->pack, &pack))
		return ERR_ABSENT;
	if (walk->next == 0)
		*walk = (struct pack_walk){.pack = walk->pack, .next = PACK_HEADER_BYTES};
	for (;;) {
		char bytes[BODY_HEADER_BYTES];
		struct body_header header;
		uint64_t length;
		size_t got;

		if (walk->at >= walk->group_end) {
			TRY(walk_group(&pack, walk));
			continue;
		}
		TRY(disk_read(pack.fd, bytes, sizeof bytes, walk->at, &got));
		if (!record_length((struct str){bytes, got}, &length) ||
		    length > walk->group_end - walk->at)
			return ERR_ABSENT;
		uint64_t at = walk->at;

		walk->at += length;
		if (!body_header_read((struct str){bytes, got}, &header))
			continue;
		*found = (struct pack_found){.length = header.length,
					     .raw_size = header.raw_size,
					     .account = header.account,
					     .message = header.message};
		*body = (struct pack_body){walk->pack, at, header.length};
		return OK;
	}
}

/* Only what is a body of that length there. */
static err_t punch_one(int fd, struct pack_body body)
{
	char bytes[BODY_HEADER_BYTES];
	struct body_header header;
	size_t got;

	TRY(disk_read(fd, bytes, sizeof bytes, body.offset, &got));
	if (!body_header_read((struct str){bytes, got}, &header) ||
	    header.length != body.length) {
		LOG(ERROR, "no such body to punch out", KV_INT("pack", body.pack),
		    KV_INT("offset", body.offset));
		return ERR_SYNTAX;
	}
	return disk_punch(fd, body.offset + BODY_HEADER_BYTES, body.length);
}

err_t packs_punch(struct packs *packs, const struct pack_body *bodies, size_t count,
		  size_t *done)
{
	char path[PACK_PATH_MAX];
	err_t err = OK;

	*done = 0;
	packs_path(packs, bodies[0].pack, "", path);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return packs_failed(path);
	while (*done < count && bodies[*done].pack == bodies[0].pack) {
		err = punch_one(fd, bodies[*done]);
		/* What is not there as it should be is left as it is. */
		if (err != OK && err != ERR_SYNTAX)
			break;
		++*done;
	}
	/* Not flushed: what a power cut brings back only takes its space again. */
	(void)close(fd);
	return err == ERR_SYNTAX ? OK : err;
}

/* The set of packs: their files, and reading bodies from them. */
#include "db/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "db/disk.h"
#include "db/packset.h"

enum {
	READ_ONCE_MAX = 256 * 1024, /* bigger frames are read where they are wanted */
	CHECK_BYTES = 32 * 1024,
	/* Less is read over sooner than a second read begins. */
	RUN_GAP_MAX = PACK_RUN_EXTRA - BODY_HEADER_BYTES,
};

/* ---- the files --------------------------------------------------------------------- */

void pack_memory_path(int fd, char path[PACK_PATH_MAX])
{
	(void)snprintf(path, PACK_PATH_MAX, "/proc/self/fd/%d", fd);
}

void packs_path(const struct packs *packs, uint32_t number, const char *suffix,
		char path[PACK_PATH_MAX])
{
	if (packs->folder)
		(void)snprintf(path, PACK_PATH_MAX, "%s/%08u.pack%s", packs->folder,
			       number, suffix);
	else
		pack_memory_path(packs->list[number - 1].fd, path);
}

err_t packs_failed(const char *path)
{
	char text[128];

	LOG(ERROR, "pack unreadable", KV("path", path),
	    KV("error", strerror_r(errno, text, sizeof text)));
	return ERR_IO;
}

const struct pack *packs_get(const struct packs *packs, uint32_t number)
{
	if (number == 0 || number > packs->count || packs->list[number - 1].fd < 0)
		return NULL;
	return &packs->list[number - 1];
}

uint32_t packs_newest(const struct packs *packs)
{
	return (uint32_t)packs->count;
}

static void list_add(struct packs *packs, uint32_t number, struct pack pack)
{
	(void)pthread_rwlock_wrlock(&packs->lock);
	while (packs->count < number) {
		MEM_ROOM(packs->list, packs->count, packs->room);
		packs->list[packs->count++] = (struct pack){.fd = -1};
	}
	packs->list[number - 1] = pack;
	(void)pthread_rwlock_unlock(&packs->lock);
}

err_t packs_add(struct packs *packs, uint32_t number, const char *path, const char **why)
{
	char bytes[PACK_HEADER_BYTES];
	struct pack_header header;
	struct stat stat;
	size_t got;

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat) != 0) {
		*why = "a pack cannot be opened";
		return packs_failed(path);
	}
	err_t err = disk_read(fd, bytes, sizeof bytes, 0, &got);

	if (err == OK)
		err = pack_header_read((struct str){bytes, got}, &header);
	if (err == OK && header.number != number)
		err = ERR_SYNTAX;
	bool is_guessed = err == ERR_SYNTAX;

	if (is_guessed) {
		LOG(ERROR, "pack header damaged", KV("path", path));
		err = pack_header_guess(fd, number, &header);
	}
	if (err == OK) {
		list_add(packs, number,
			 (struct pack){.fd = fd,
				       .salt = header.salt,
				       .epoch = header.epoch,
				       .first_sequence = header.first_sequence,
				       .size = (uint64_t)stat.st_size,
				       .is_guessed = is_guessed});
		return OK;
	}
	*why = err == ERR_DENIED ? "a pack is of another format than this program knows"
	       : err == ERR_IO   ? "a pack cannot be read"
				 : "a pack is damaged from its header on";
	LOG(ERROR, "pack unreadable", KV("path", path), KV("error", *why));
	(void)close(fd); /* it was only read */
	return err == ERR_IO ? ERR_IO : ERR_SYNTAX;
}

/* The number in "00000001.pack"; 0 if it is no such name. */
static uint32_t pack_number(const char *name)
{
	struct str text = str_c(name);
	uint64_t number;

	if (!str_ends(text, STR(".pack")) || text.len < 13 ||
	    !num_parse(str_first(text, text.len - 5), UINT32_MAX, &number))
		return 0;
	return (uint32_t)number;
}

static err_t packs_find(struct packs *packs, const char **why)
{
	char path[PACK_PATH_MAX];

	if (mkdir(packs->folder, 0700) != 0 && errno != EEXIST) {
		*why = "the folder of the packs cannot be made";
		return packs_failed(packs->folder);
	}
	DIR *folder = opendir(packs->folder);
	err_t err = OK;

	if (!folder) {
		*why = "the folder of the packs cannot be read";
		return packs_failed(packs->folder);
	}
	for (struct dirent *entry; err == OK && (entry = readdir(folder));) {
		uint32_t number = pack_number(entry->d_name);

		if (number == 0)
			continue;
		packs_path(packs, number, "", path);
		err = packs_add(packs, number, path, why);
	}
	(void)closedir(folder); /* it was only read */
	return err;
}

err_t packs_open(const struct packs_options *options, struct packs **opened,
		 const char **why)
{
	struct packs *packs = NEW(struct packs);
	size_t len = options->folder ? strlen(options->folder) : 0;

	ASSERT(len < 4000 && options->pack_bytes_max > 0);
	if (options->folder) {
		packs->folder = mem_zeroed(1, len + 1);
		memcpy(packs->folder, options->folder, len);
	}
	packs->pack_bytes_max = options->pack_bytes_max;
	for (unsigned i = 0; i < PACK_LANES; i++)
		packs->lanes[i] = -1;
	packs->is_broken = true; /* until packs_start() */
	packs->bytes = BUF(PACK_GROUP_BYTES_MAX);
	(void)pthread_rwlock_init(&packs->lock, NULL); /* cannot fail with defaults */
	err_t err = packs->folder ? packs_find(packs, why) : OK;

	if (err != OK)
		packs_close(&packs);
	*opened = packs;
	return err;
}

void packs_close_lanes(struct packs *packs)
{
	for (unsigned i = 0; i < PACK_LANES; i++) {
		if (packs->lanes[i] >= 0)
			(void)close(packs->lanes[i]); /* all that counts was flushed */
		packs->lanes[i] = -1;
	}
}

void packs_close(struct packs **closed)
{
	struct packs *packs = *closed;

	if (!packs)
		return;
	for (size_t i = 0; i < packs->count; i++)
		if (packs->list[i].fd >= 0)
			(void)close(packs->list[i].fd); /* it was only read */
	if (!packs->is_broken)
		packs_give_back_tail(packs);
	packs_close_lanes(packs);
	buf_fini(&packs->bytes);
	mem_free(packs->pieces);
	mem_free(packs->iov);
	mem_free(packs->list);
	mem_free(packs->folder);
	(void)pthread_rwlock_destroy(&packs->lock);
	mem_free(packs);
	*closed = NULL;
}

struct pack_place packs_first(const struct packs *packs)
{
	for (uint32_t number = 1; number <= packs->count; number++)
		if (packs_get(packs, number))
			return (struct pack_place){number, PACK_HEADER_BYTES};
	return (struct pack_place){0};
}

uint64_t packs_first_sequence(const struct packs *packs)
{
	const struct pack *pack = packs_get(packs, packs_first(packs).pack);

	return pack ? pack->first_sequence : 1;
}

bool packs_first_behind(const struct packs *packs, uint32_t number,
			struct pack_place *place, uint64_t *sequence)
{
	for (number++; number <= packs->count; number++) {
		const struct pack *pack = packs_get(packs, number);

		if (!pack)
			continue;
		*place = (struct pack_place){number, PACK_HEADER_BYTES};
		*sequence = pack->first_sequence;
		return true;
	}
	return false;
}

void packs_trust(struct packs *packs, uint64_t sequence)
{
	packs->trusted = sequence;
}

uint64_t packs_epoch(const struct packs *packs)
{
	const struct pack *pack = packs_get(packs, packs_newest(packs));

	return pack ? pack->epoch : 0;
}

uint64_t packs_bytes(struct packs *packs)
{
	uint64_t bytes = 0;

	(void)pthread_rwlock_rdlock(&packs->lock);
	for (size_t i = 0; i < packs->count; i++) {
		struct stat stat;

		if (packs->list[i].fd >= 0 && fstat(packs->list[i].fd, &stat) == 0)
			bytes += (uint64_t)stat.st_blocks * 512;
	}
	(void)pthread_rwlock_unlock(&packs->lock);
	return bytes;
}

uint64_t packs_used(struct packs *packs, struct pack_place end)
{
	uint64_t bytes = end.offset;

	(void)pthread_rwlock_rdlock(&packs->lock);
	for (size_t i = 0; i < packs->count && i + 1 < end.pack; i++)
		bytes += packs->list[i].size;
	(void)pthread_rwlock_unlock(&packs->lock);
	return bytes;
}

bool packs_next(struct packs *packs, uint32_t *number, uint64_t *size)
{
	const struct pack *pack = NULL;

	(void)pthread_rwlock_rdlock(&packs->lock);
	while (!pack && *number < packs_newest(packs))
		pack = packs_get(packs, ++*number);
	if (pack)
		*size = pack->size;
	(void)pthread_rwlock_unlock(&packs->lock);
	return pack != NULL;
}

/* ---- bodies ------------------------------------------------------------------------ */

static int fd_of(struct packs *packs, uint32_t number)
{
	(void)pthread_rwlock_rdlock(&packs->lock);
	const struct pack *pack = packs_get(packs, number);
	int fd = pack ? pack->fd : -1; /* open as long as the set */

	(void)pthread_rwlock_unlock(&packs->lock);
	return fd;
}

static err_t damaged(struct pack_body body)
{
	LOG(ERROR, "body damaged", KV_INT("pack", body.pack),
	    KV_INT("offset", body.offset));
	return ERR_SYNTAX;
}

static uint64_t end_of(struct pack_body body)
{
	return body.offset + BODY_HEADER_BYTES + body.length;
}

/* Header and frame, as they were read. */
static err_t check_whole(struct pack_body body, struct str whole, uint64_t *raw_size)
{
	struct body_header header;

	if (whole.len < BODY_HEADER_BYTES + body.length ||
	    !body_header_read(whole, &header) || header.length != body.length ||
	    crc32c(0, str_skip(whole, BODY_HEADER_BYTES)) != header.frame_crc)
		return damaged(body);
	*raw_size = header.raw_size;
	return OK;
}

/* Header and frame in one read. */
static err_t read_whole(int fd, struct pack_body body, struct buf *frame,
			uint64_t *raw_size)
{
	size_t want = BODY_HEADER_BYTES + body.length, from = frame->len, got;
	char *bytes = buf_room(frame, want);

	if (!bytes)
		return ERR_LIMIT;
	TRY(disk_read(fd, bytes, want, body.offset, &got));
	TRY(check_whole(body, (struct str){bytes, got}, raw_size));
	memmove(bytes, bytes + BODY_HEADER_BYTES, body.length);
	buf_grew(frame, body.length);
	ASSERT(frame->len == from + body.length);
	return OK;
}

/* Reads through a frame that is wanted in pieces, before the first of them, which was
 * read, is given: who gets one relies on all. */
static err_t check_frame(int fd, struct pack_body body, struct str first,
			 uint32_t frame_crc)
{
	uint64_t at = body.offset + BODY_HEADER_BYTES + first.len;
	uint64_t left = body.length - first.len;
	char *bytes = mem_grown(NULL, CHECK_BYTES, 1);
	uint32_t crc = crc32c(0, first);
	err_t err = OK;

	while (left > 0 && err == OK) {
		size_t want = (size_t)num_min(left, CHECK_BYTES), got;

		err = disk_read(fd, bytes, want, at, &got);
		if (err == OK && got < want)
			err = damaged(body);
		crc = crc32c(crc, (struct str){bytes, want});
		at += want;
		left -= want;
	}
	mem_free(bytes);
	if (err == OK && crc != frame_crc)
		err = damaged(body);
	return err;
}

err_t packs_read(struct packs *packs, struct pack_body body, uint64_t offset, size_t room,
		 struct buf *frame, uint64_t *raw_size)
{
	char bytes[BODY_HEADER_BYTES];
	struct body_header header;
	size_t got;
	int fd = fd_of(packs, body.pack);

	if (fd < 0) {
		LOG(ERROR, "pack missing", KV_INT("pack", body.pack));
		return ERR_ABSENT;
	}
	if (offset == 0 && room >= body.length && body.length <= READ_ONCE_MAX &&
	    frame->max - frame->len >= body.length + BODY_HEADER_BYTES)
		return read_whole(fd, body, frame, raw_size);
	TRY(disk_read(fd, bytes, sizeof bytes, body.offset, &got));
	if (!body_header_read((struct str){bytes, got}, &header) ||
	    header.length != body.length)
		return damaged(body);
	*raw_size = header.raw_size;
	if (offset >= body.length)
		return OK;
	size_t want = (size_t)num_min(room, body.length - offset);
	char *to = buf_room(frame, want);

	if (!to)
		return ERR_LIMIT;
	TRY(disk_read(fd, to, want, body.offset + BODY_HEADER_BYTES + offset, &got));
	if (got < want)
		return damaged(body);
	if (offset == 0)
		TRY(check_frame(fd, body, (struct str){to, want}, header.frame_crc));
	buf_grew(frame, want);
	return OK;
}

/* How many of the bodies stand one behind the other, or nearly so, within the room. */
static size_t run_length(const struct pack_body *bodies, size_t count, size_t room)
{
	size_t taken = 0;

	while (taken < count && bodies[taken].length <= READ_ONCE_MAX &&
	       bodies[taken].pack == bodies[0].pack &&
	       bodies[taken].offset >= bodies[0].offset &&
	       end_of(bodies[taken]) - bodies[0].offset <= room &&
	       (taken == 0 ||
		(bodies[taken].offset >= end_of(bodies[taken - 1]) &&
		 bodies[taken].offset - end_of(bodies[taken - 1]) <= RUN_GAP_MAX)))
		taken++;
	return taken;
}

size_t packs_read_run(struct packs *packs, const struct pack_body *bodies, size_t count,
		      struct buf *octets, struct pack_frame *frames)
{
	size_t taken = run_length(bodies, count, octets->max - octets->len), got;
	int fd = taken > 1 ? fd_of(packs, bodies[0].pack) : -1;

	if (fd < 0)
		return 0;
	size_t from = octets->len;
	size_t want = (size_t)(end_of(bodies[taken - 1]) - bodies[0].offset);
	char *bytes = buf_room(octets, want);

	if (!bytes || disk_read(fd, bytes, want, bodies[0].offset, &got) != OK)
		return 0;
	buf_grew(octets, got);
	for (size_t i = 0; i < taken; i++) {
		size_t at = (size_t)(bodies[i].offset - bodies[0].offset);
		struct str whole = str_first(str_skip((struct str){bytes, got}, at),
					     BODY_HEADER_BYTES + bodies[i].length);

		frames[i] = (struct pack_frame){.from = from + at + BODY_HEADER_BYTES};
		frames[i].err = check_whole(bodies[i], whole, &frames[i].raw_size);
	}
	return taken;
}

err_t packs_look(struct packs *packs, struct pack_body body, struct pack_found *found)
{
	char bytes[BODY_HEADER_BYTES];
	struct body_header header;
	size_t got;
	int fd = fd_of(packs, body.pack);

	if (fd < 0)
		return ERR_SYNTAX;
	TRY(disk_read(fd, bytes, sizeof bytes, body.offset, &got));
	if (!body_header_read((struct str){bytes, got}, &header) ||
	    header.length != body.length)
		return ERR_SYNTAX;
	*found = (struct pack_found){.length = header.length,
				     .raw_size = header.raw_size,
				     .account = header.account,
				     .message = header.message};
	return OK;
}

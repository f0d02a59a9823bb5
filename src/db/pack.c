/* The set of packs, and the one group under way. */
#include "db/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "db/disk.h"
#include "db/packgroup.h"

enum {
	ALLOCATE_STEP = 16 << 20, /* a flush then has no new size to write */
	COPY_MAX = 64 * 1024, /* frames up to this are copied: fewer pieces to write */
	READ_ONCE_MAX = 256 * 1024,
	GROUP_BYTES_MAX = 1 << 30,
};

/* A stretch of the group: borrowed octets, or the next octets of bytes. */
struct piece {
	struct str borrowed;
	size_t own_len;
};

struct packs {
	char *folder;
	uint64_t pack_bytes_max;
	pthread_rwlock_t
		lock;      /* readers take a descriptor while the writer adds a pack */
	struct pack *list; /* [number - 1] */
	size_t count, room;

	/* The writer's own from here on. */
	int fd; /* of the newest pack; -1: none or broken */
	uint64_t end, allocated;
	uint64_t sequence; /* of the last group written */
	uint64_t epoch;
	bool is_broken, wants_new_pack;

	bool has_group;
	struct buf bytes; /* the octets that are not borrowed, group header first */
	struct piece *pieces;
	size_t piece_count, piece_room;
	size_t borrowed;
	uint32_t records;
	struct iovec *iov;
	size_t iov_room;
};

/* ---- the files --------------------------------------------------------------------- */

static void pack_path(const struct packs *packs, uint32_t number, const char *suffix,
		      char path[4096])
{
	(void)snprintf(path, 4096, "%s/%08u.pack%s", packs->folder, number, suffix);
}

static err_t open_failed(const char *path)
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

static err_t pack_open(struct packs *packs, uint32_t number, const char **why)
{
	char path[4096], bytes[PACK_HEADER_BYTES];
	struct pack_header header;
	struct stat stat;
	size_t got;

	pack_path(packs, number, "", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat) != 0) {
		*why = "a pack cannot be opened";
		return open_failed(path);
	}
	err_t err = disk_read(fd, bytes, sizeof bytes, 0, &got);

	if (err == OK)
		err = pack_header_read((struct str){bytes, got}, &header);
	if (err == OK && header.number != number)
		err = ERR_SYNTAX;
	if (err == OK) {
		list_add(packs, number,
			 (struct pack){.fd = fd,
				       .salt = header.salt,
				       .epoch = header.epoch,
				       .first_sequence = header.first_sequence,
				       .size = (uint64_t)stat.st_size});
		return OK;
	}
	*why = err == ERR_DENIED ? "a pack is of a newer format than this program knows"
	       : err == ERR_IO   ? "a pack cannot be read"
				 : "the header of a pack is damaged";
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
	if (mkdir(packs->folder, 0700) != 0 && errno != EEXIST) {
		*why = "the folder of the packs cannot be made";
		return open_failed(packs->folder);
	}
	DIR *folder = opendir(packs->folder);
	err_t err = OK;

	if (!folder) {
		*why = "the folder of the packs cannot be read";
		return open_failed(packs->folder);
	}
	for (struct dirent *entry; err == OK && (entry = readdir(folder));) {
		uint32_t number = pack_number(entry->d_name);

		if (number != 0)
			err = pack_open(packs, number, why);
	}
	(void)closedir(folder); /* it was only read */
	return err;
}

err_t packs_open(const struct packs_options *options, struct packs **opened,
		 const char **why)
{
	struct packs *packs = NEW(struct packs);
	size_t len = strlen(options->folder);

	ASSERT(len < 4000 && options->pack_bytes_max > 0);
	packs->folder = mem_zeroed(1, len + 1);
	memcpy(packs->folder, options->folder, len);
	packs->pack_bytes_max = options->pack_bytes_max;
	packs->fd = -1;
	packs->is_broken = true; /* until packs_start() */
	packs->bytes = BUF(GROUP_BYTES_MAX);
	(void)pthread_rwlock_init(&packs->lock, NULL); /* cannot fail with defaults */
	err_t err = packs_find(packs, why);

	if (err != OK)
		packs_close(&packs);
	*opened = packs;
	return err;
}

void packs_close(struct packs **closed)
{
	struct packs *packs = *closed;

	if (!packs)
		return;
	for (size_t i = 0; i < packs->count; i++)
		if (packs->list[i].fd >= 0)
			(void)close(packs->list[i].fd); /* it was only read */
	if (packs->fd >= 0)
		(void)close(packs->fd); /* all that counts was flushed */
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

uint64_t packs_epoch(const struct packs *packs)
{
	const struct pack *pack = packs_get(packs, packs_newest(packs));

	return pack ? pack->epoch : 0;
}

uint64_t packs_bytes(struct packs *packs)
{
	uint64_t bytes = 0;

	(void)pthread_rwlock_rdlock(&packs->lock);
	for (size_t i = 0; i < packs->count; i++)
		bytes += packs->list[i].size;
	(void)pthread_rwlock_unlock(&packs->lock);
	return bytes;
}

/* ---- the writer's pack ------------------------------------------------------------- */

static void set_size(struct packs *packs, uint64_t size)
{
	(void)pthread_rwlock_wrlock(&packs->lock);
	packs->list[packs->count - 1].size = size;
	(void)pthread_rwlock_unlock(&packs->lock);
	packs->allocated = size;
}

/* Complete under another name first: a pack whose header is missing is never seen. */
static err_t pack_create(struct packs *packs)
{
	uint32_t number = packs_newest(packs) + 1;
	char path[4096], fresh[4096], bytes[PACK_HEADER_BYTES];
	struct iovec piece = {bytes, sizeof bytes};
	const char *why;

	pack_path(packs, number, "", path);
	pack_path(packs, number, ".new", fresh);
	int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0) {
		(void)open_failed(fresh);
		return errno == ENOSPC ? ERR_LIMIT : ERR_IO;
	}
	pack_header_write(bytes,
			  &(struct pack_header){.format = PACK_FORMAT,
						.number = number,
						.epoch = packs->epoch,
						.salt = rand_u64(),
						.first_sequence = packs->sequence + 1});
	err_t err = disk_allocate(fd, 0, ALLOCATE_STEP);

	if (err == OK)
		err = disk_write(fd, &piece, 1, 0);
	if (err == OK)
		err = disk_flush(fd);
	if (err == OK && rename(fresh, path) != 0)
		err = open_failed(path);
	if (err == OK)
		err = disk_flush_folder(packs->folder);
	if (err == OK)
		err = pack_open(packs, number, &why);
	if (err != OK) {
		(void)close(fd); /* nothing in it counts */
		return err;
	}
	if (packs->fd >= 0)
		(void)close(packs->fd); /* all that counts was flushed */
	packs->fd = fd;
	packs->end = PACK_HEADER_BYTES;
	packs->allocated = ALLOCATE_STEP;
	packs->wants_new_pack = false;
	return OK;
}

err_t packs_start(struct packs *packs, const struct pack_scan *scan, uint64_t epoch,
		  bool is_fresh_pack)
{
	char path[4096];

	packs->epoch = epoch;
	packs->sequence = scan->sequence;
	packs->is_broken = false;
	packs->wants_new_pack = true;
	if (packs->count == 0)
		return OK;
	/* Only the newest pack can be torn; behind an older one's end is damage. */
	if (scan->end.pack != packs->count)
		return OK;
	pack_path(packs, scan->end.pack, "", path);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return open_failed(path);
	err_t err = disk_cut(fd, scan->end.offset);

	if (err != OK) {
		(void)close(fd); /* the caller gives up */
		return err;
	}
	if (packs->fd >= 0)
		(void)close(packs->fd); /* as above */
	packs->fd = fd;
	packs->end = scan->end.offset;
	packs->wants_new_pack = is_fresh_pack;
	set_size(packs, scan->end.offset);
	return OK;
}

bool packs_is_broken(const struct packs *packs)
{
	return packs->is_broken;
}

err_t packs_mend(struct packs *packs)
{
	ASSERT(!packs->has_group);
	packs->is_broken = true;
	if (packs->fd >= 0) {
		disk_forget_cache(packs->fd);
		(void)close(packs->fd); /* it is known to have failed */
	}
	packs->fd = -1;
	struct stat stat;
	const struct pack *pack = packs_get(packs, packs_newest(packs));

	if (!pack)
		return OK;
	disk_forget_cache(pack->fd);
	if (fstat(pack->fd, &stat) != 0)
		return open_failed("newest pack");
	set_size(packs, (uint64_t)stat.st_size);
	return OK;
}

/* ---- a group ----------------------------------------------------------------------- */

err_t packs_begin(struct packs *packs, struct pack_place *at)
{
	ASSERT(!packs->has_group);
	if (packs->is_broken)
		return ERR_IO;
	if (packs->wants_new_pack || packs->end >= packs->pack_bytes_max)
		TRY(pack_create(packs));
	buf_reset(&packs->bytes);
	packs->piece_count = packs->borrowed = 0;
	packs->records = 0;
	packs->has_group = true;
	(void)buf_room(&packs->bytes, GROUP_HEADER_BYTES);
	buf_grew(&packs->bytes, GROUP_HEADER_BYTES);
	*at = (struct pack_place){packs_newest(packs), packs->end};
	return OK;
}

/* Ends the stretch of own octets, and puts the borrowed ones behind it. */
static void add_borrowed(struct packs *packs, struct str borrowed)
{
	size_t own = packs->bytes.len;

	for (size_t i = 0; i < packs->piece_count; i++)
		own -= packs->pieces[i].own_len;
	MEM_ROOM(packs->pieces, packs->piece_count, packs->piece_room);
	packs->pieces[packs->piece_count++] =
		(struct piece){.borrowed = borrowed, .own_len = own};
	packs->borrowed += borrowed.len;
}

err_t packs_add_body(struct packs *packs, uint32_t account, uint64_t message,
		     uint64_t raw_size, struct str frame, struct pack_body *body)
{
	ASSERT(packs->has_group);
	struct body_header header = {.length = frame.len,
				     .raw_size = raw_size,
				     .account = account,
				     .message = message,
				     .frame_crc = crc32c(0, frame)};
	uint64_t offset = packs->end + packs->bytes.len + packs->borrowed;
	size_t room = BODY_HEADER_BYTES + (frame.len <= COPY_MAX ? frame.len : 0);

	if (frame.len > GROUP_BYTES_MAX ||
	    packs->bytes.len + packs->borrowed + frame.len > GROUP_BYTES_MAX)
		return ERR_LIMIT;
	char *bytes = buf_room(&packs->bytes, room);

	if (!bytes)
		return ERR_LIMIT;
	body_header_write(bytes, &header);
	if (frame.len > 0 && frame.len <= COPY_MAX)
		memcpy(bytes + BODY_HEADER_BYTES, frame.ptr, frame.len);
	buf_grew(&packs->bytes, room);
	if (frame.len > COPY_MAX)
		add_borrowed(packs, frame);
	packs->records++;
	*body = (struct pack_body){
		.pack = packs_newest(packs), .offset = offset, .length = frame.len};
	return OK;
}

err_t packs_add_operation(struct packs *packs, struct str operation)
{
	ASSERT(packs->has_group);
	char *header = buf_room(&packs->bytes, RECORD_HEADER_BYTES + operation.len);

	if (!header)
		return ERR_LIMIT;
	record_header_write(header, RECORD_OPERATION, (uint32_t)operation.len);
	memcpy(header + RECORD_HEADER_BYTES, operation.ptr, operation.len);
	buf_grew(&packs->bytes, RECORD_HEADER_BYTES + operation.len);
	packs->records++;
	return OK;
}

struct pack_group_size packs_size(const struct packs *packs)
{
	return (struct pack_group_size){packs->bytes.len, packs->piece_count,
					packs->borrowed, packs->records};
}

void packs_cut_back(struct packs *packs, struct pack_group_size size)
{
	ASSERT(packs->has_group && size.bytes <= packs->bytes.len);
	buf_cut(&packs->bytes, size.bytes);
	packs->bytes.failed = false;
	packs->piece_count = size.pieces;
	packs->borrowed = size.borrowed;
	packs->records = size.records;
}

void packs_drop(struct packs *packs)
{
	packs->has_group = false;
}

/* Lays the pieces out for the write; returns how many. */
static size_t group_layout(struct packs *packs)
{
	size_t need = packs->piece_count * 2, count = 0, from = 0;

	if (need > packs->iov_room) {
		packs->iov = mem_grown(packs->iov, need, sizeof *packs->iov);
		packs->iov_room = need;
	}
	for (size_t i = 0; i < packs->piece_count; i++) {
		struct piece piece = packs->pieces[i];

		if (piece.own_len > 0)
			packs->iov[count++] =
				(struct iovec){packs->bytes.ptr + from, piece.own_len};
		if (piece.borrowed.len > 0)
			packs->iov[count++] =
				(struct iovec){(void *)(uintptr_t)piece.borrowed.ptr,
					       piece.borrowed.len};
		from += piece.own_len;
	}
	return count;
}

/* Over all records: everything but the group's header. */
static uint32_t group_crc(const struct packs *packs, size_t count, size_t length)
{
	uint32_t crc = 0;
	size_t skip = GROUP_HEADER_BYTES;

	for (size_t i = 0; i < count && length > 0; i++) {
		struct str piece = {packs->iov[i].iov_base, packs->iov[i].iov_len};

		piece = str_first(str_skip(piece, skip), length);
		crc = crc32c(crc, piece);
		length -= piece.len;
		skip = 0;
	}
	return crc;
}

static err_t make_room(struct packs *packs, uint64_t end)
{
	if (end <= packs->allocated)
		return OK;
	uint64_t size = (end / ALLOCATE_STEP + 1) * ALLOCATE_STEP;

	TRY(disk_allocate(packs->fd, packs->allocated, size));
	set_size(packs, size);
	return OK;
}

err_t packs_write(struct packs *packs, struct pack_place *end, uint64_t *sequence)
{
	ASSERT(packs->has_group);
	packs->has_group = false;
	size_t length = packs->bytes.len + packs->borrowed - GROUP_HEADER_BYTES;
	size_t pad = (GROUP_ALIGN - length % GROUP_ALIGN) % GROUP_ALIGN;
	char *zeros = buf_room(&packs->bytes, pad);

	if (!zeros)
		return ERR_LIMIT;
	memset(zeros, 0, pad);
	buf_grew(&packs->bytes, pad);
	add_borrowed(packs, STR(""));
	size_t count = group_layout(packs);
	struct group_header header = {.records = packs->records,
				      .salt = packs->list[packs->count - 1].salt,
				      .sequence = packs->sequence + 1,
				      .length = length,
				      .payload_crc = group_crc(packs, count, length)};

	group_header_write(packs->bytes.ptr, &header);
	uint64_t after = packs->end + GROUP_HEADER_BYTES + length + pad;
	err_t err = make_room(packs, after);

	if (err == OK)
		err = disk_write(packs->fd, packs->iov, count, packs->end);
	if (err != OK) {
		/* What was written in part must not stand behind a later, shorter
		 * group. */
		packs->is_broken = ftruncate(packs->fd, (off_t)packs->end) != 0;
		set_size(packs, packs->end);
		return err;
	}
	packs->end = after;
	packs->sequence++;
	*end = (struct pack_place){packs_newest(packs), after};
	*sequence = packs->sequence;
	return OK;
}

err_t packs_flush(struct packs *packs)
{
	err_t err = disk_flush(packs->fd);

	if (err != OK)
		packs->is_broken = true;
	return err;
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

/* Header and frame in one read. */
static err_t read_whole(int fd, struct pack_body body, struct buf *frame,
			uint64_t *raw_size)
{
	size_t want = BODY_HEADER_BYTES + body.length, from = frame->len, got;
	char *bytes = buf_room(frame, want);
	struct body_header header;

	if (!bytes)
		return ERR_LIMIT;
	TRY(disk_read(fd, bytes, want, body.offset, &got));
	struct str whole = {bytes, got};

	if (got < want || !body_header_read(whole, &header) ||
	    header.length != body.length ||
	    crc32c(0, str_skip(whole, BODY_HEADER_BYTES)) != header.frame_crc)
		return damaged(body);
	memmove(bytes, bytes + BODY_HEADER_BYTES, body.length);
	buf_grew(frame, body.length);
	ASSERT(frame->len == from + body.length);
	*raw_size = header.raw_size;
	return OK;
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
	if (offset == 0 && want == body.length &&
	    crc32c(0, (struct str){to, want}) != header.frame_crc)
		return damaged(body);
	buf_grew(frame, want);
	return OK;
}

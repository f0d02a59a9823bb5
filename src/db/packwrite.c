/* Appending groups to the newest pack. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "db/disk.h"
#include "db/packset.h"

enum {
	ALLOCATE_STEP = 16 << 20, /* a flush then has no new size to write */
	COPY_MAX = 64 * 1024, /* frames up to this are copied: fewer pieces to write */
};

/* ---- the writer's pack ------------------------------------------------------------- */

static void set_size(struct packs *packs, uint64_t size)
{
	(void)pthread_rwlock_wrlock(&packs->lock);
	packs->list[packs->count - 1].size = size;
	(void)pthread_rwlock_unlock(&packs->lock);
	packs->allocated = size;
}

/* fd becomes the first lane, whatever comes of it; the others are opened. */
static err_t lanes_open(struct packs *packs, int fd, const char *path)
{
	packs_close_lanes(packs);
	packs->lanes[0] = fd;
	for (unsigned i = 1; i < PACK_LANES; i++) {
		packs->lanes[i] = open(path, O_RDWR | O_CLOEXEC);
		if (packs->lanes[i] < 0) {
			err_t err = packs_failed(path);

			packs_close_lanes(packs);
			packs->is_broken = true;
			return err;
		}
	}
	return OK;
}

void packs_give_back_tail(struct packs *packs)
{
	if (packs->count > 0 && packs->lanes[0] >= 0 && packs->end < packs->allocated &&
	    ftruncate(packs->lanes[0], (off_t)packs->end) == 0)
		set_size(packs, packs->end);
}

/* An empty file for the pack, to be renamed from fresh to path if there is a folder. */
static int pack_file(const struct packs *packs, uint32_t number, char path[PACK_PATH_MAX],
		     char fresh[PACK_PATH_MAX])
{
	if (packs->folder) {
		packs_path(packs, number, "", path);
		packs_path(packs, number, ".new", fresh);
		return open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	int fd = memfd_create("pack", MFD_CLOEXEC);

	pack_memory_path(fd, path);
	return fd;
}

/* Complete under another name first: a pack whose header is missing is never seen. */
static err_t pack_create(struct packs *packs)
{
	uint32_t number = packs_newest(packs) + 1;
	char path[PACK_PATH_MAX], fresh[PACK_PATH_MAX], bytes[PACK_HEADER_BYTES];
	struct iovec piece = {bytes, sizeof bytes};
	const char *why;

	int fd = pack_file(packs, number, path, fresh);

	if (fd < 0) {
		(void)packs_failed("new pack");
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
	if (err == OK && packs->folder && rename(fresh, path) != 0)
		err = packs_failed(path);
	if (err == OK && packs->folder)
		err = disk_flush_folder(packs->folder);
	if (err == OK)
		packs_give_back_tail(packs);
	if (err == OK)
		err = packs_add(packs, number, path, &why);
	if (err != OK) {
		(void)close(fd); /* nothing in it counts */
		return err;
	}
	packs->end = PACK_HEADER_BYTES;
	packs->allocated = ALLOCATE_STEP;
	packs->wants_new_pack = false;
	return lanes_open(packs, fd, path);
}

err_t packs_start(struct packs *packs, const struct pack_scan *scan, uint64_t epoch,
		  bool is_fresh_pack)
{
	char path[PACK_PATH_MAX];

	packs->epoch = epoch;
	packs->sequence = scan->sequence;
	packs->is_broken = false;
	packs->wants_new_pack = true;
	if (packs->count == 0)
		return OK;
	/* Only the newest pack can be torn; behind an older one's end is damage. */
	if (scan->end.pack != packs->count)
		return OK;
	packs_path(packs, scan->end.pack, "", path);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return packs_failed(path);
	err_t err = disk_cut(fd, scan->end.offset);

	if (err != OK) {
		(void)close(fd); /* the caller gives up */
		return err;
	}
	packs->end = scan->end.offset;
	packs->wants_new_pack = is_fresh_pack;
	set_size(packs, scan->end.offset);
	return lanes_open(packs, fd, path);
}

err_t packs_settle(struct packs *packs)
{
	char path[PACK_PATH_MAX];

	if (!packs_get(packs, packs_newest(packs)))
		return OK;
	/* Its own open file: it must not hear of a failure that is being recovered from.
	 */
	packs_path(packs, packs_newest(packs), "", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return packs_failed(path);
	err_t err = disk_flush(fd);

	(void)close(fd); /* nothing was written through it */
	return err;
}

bool packs_is_broken(const struct packs *packs)
{
	return packs->is_broken;
}

err_t packs_mend(struct packs *packs)
{
	ASSERT(!packs->has_group);
	packs->is_broken = true;
	packs_close_lanes(packs); /* they are known to have failed */
	struct stat stat;
	const struct pack *pack = packs_get(packs, packs_newest(packs));

	if (!pack)
		return OK;
	disk_forget_cache(pack->fd);
	if (fstat(pack->fd, &stat) != 0)
		return packs_failed("newest pack");
	set_size(packs, (uint64_t)stat.st_size);
	return OK;
}

/* ---- a group ----------------------------------------------------------------------- */

bool packs_wants_new(const struct packs *packs)
{
	return packs->wants_new_pack || packs->end >= packs->pack_bytes_max;
}

err_t packs_begin(struct packs *packs, struct pack_place *at)
{
	ASSERT(!packs->has_group);
	if (packs->is_broken)
		return ERR_IO;
	if (packs_wants_new(packs))
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

	if (frame.len > PACK_GROUP_BYTES_MAX ||
	    packs->bytes.len + packs->borrowed + frame.len > PACK_GROUP_BYTES_MAX)
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

bool packs_is_coming(const struct packs *packs, struct pack_body body)
{
	return packs->has_group && body.pack == packs_newest(packs) &&
	       body.offset >= packs->end;
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

static err_t make_room(struct packs *packs, uint64_t end)
{
	if (end <= packs->allocated)
		return OK;
	uint64_t size = (end / ALLOCATE_STEP + 1) * ALLOCATE_STEP;

	TRY(disk_allocate(packs->lanes[0], packs->allocated, size));
	set_size(packs, size);
	return OK;
}

err_t packs_write(struct packs *packs, uint64_t durable, struct pack_place *end,
		  uint64_t *sequence)
{
	ASSERT(packs->has_group && durable <= packs->sequence);
	packs->has_group = false;
	size_t length = packs->bytes.len + packs->borrowed - GROUP_HEADER_BYTES;
	size_t pad = (GROUP_ALIGN - length % GROUP_ALIGN) % GROUP_ALIGN;
	struct str own = str_skip(buf_str(&packs->bytes), GROUP_HEADER_BYTES);
	uint32_t crc = group_records_crc(own, COPY_MAX);
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
				      .durable = durable,
				      .records_crc = crc};

	group_header_write(packs->bytes.ptr, &header);
	uint64_t after = packs->end + GROUP_HEADER_BYTES + length + pad;
	err_t err = make_room(packs, after);

	if (err == OK)
		err = disk_write(packs->lanes[0], packs->iov, count, packs->end);
	if (err != OK) {
		/* What was written in part must not stand behind a later, shorter
		 * group. */
		if (ftruncate(packs->lanes[0], (off_t)packs->end) != 0)
			packs->is_broken = true;
		set_size(packs, packs->end);
		return err;
	}
	packs->end = after;
	packs->sequence++;
	*end = (struct pack_place){packs_newest(packs), after};
	*sequence = packs->sequence;
	return OK;
}

err_t packs_flush(struct packs *packs, unsigned lane)
{
	err_t err = disk_flush(packs->lanes[lane]);

	if (err != OK)
		packs->is_broken = true;
	return err;
}

/* Bodies too big for a message wait here for their commit: small ones in memory, as long
 * as they are not too many, and others in files without names, so that memory stays
 * bounded and nothing is left behind; they need not survive anything.  Disk work happens
 * in threads. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rt/file.h"
#include "rt/offload.h"
#include "storaged/state.h"
#include "store/body_frame.h"

enum { PATH_BYTES_MAX = 4096 };

/* A crash between creating a file and unlinking it left its name. */
void staging_open(const char *folder)
{
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		LOG(ERROR, "cannot make folder", KV("path", folder),
		    KV("reason", strerror(errno)));
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), entry->d_name, 0); /* or next time */
	if (dir)
		(void)closedir(dir); /* was only read */
}

static struct staged *staged_find(struct guest *guest, uint64_t id)
{
	LIST_EACH(&guest->staged, link)
	{
		struct staged *staged = CONTAINER_OF(link, struct staged, in_guest);

		if (staged->id == id && !staged->is_dropped)
			return staged;
	}
	return NULL;
}

/* A file of no name gives its pages back in no time worth a thread, if it is small. */
static void close_file(void *arg)
{
	int *fd = arg;

	(void)close(*fd); /* nobody wants its content any more */
}

static void held_end(struct storaged *storaged, struct buf *held)
{
	storaged->held_bytes -= held->len;
	buf_fini(held);
}

static void staged_unlink(struct guest *guest, struct staged *staged)
{
	list_remove(&guest->staged, &staged->in_guest);
	guest->staged_count--;
	guest->staged_bytes -= staged->size;
}

static void staged_free(struct guest *guest, struct staged *staged)
{
	if (staged->is_busy) { /* its writer frees it */
		staged->is_dropped = true;
		return;
	}
	staged_unlink(guest, staged);
	if (staged->fd >= 0)
		close_file(&staged->fd);
	held_end(guest->storaged, &staged->held);
	mem_free(staged);
}

void staging_drop(struct guest *guest, uint64_t id)
{
	struct staged *staged = staged_find(guest, id);

	if (staged)
		staged_free(guest, staged);
}

void staging_drop_all(struct guest *guest)
{
	LIST_EACH(&guest->staged, link)
	staged_free(guest, CONTAINER_OF(link, struct staged, in_guest));
}

/* ---- adding ------------------------------------------------------------------------ */

struct piece {
	const char *folder;
	struct staged *staged;
	struct str bytes;
	err_t err;
};

static int file_without_name(const char *folder)
{
	char path[PATH_BYTES_MAX];
	int len = snprintf(path, sizeof path, "%s/XXXXXX", folder);

	ASSERT(len > 0 && (size_t)len < sizeof path);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		LOG(ERROR, "cannot stage", KV("path", path),
		    KV("reason", strerror(errno)));
	else
		(void)unlink(path); /* or at the next start */
	return fd;
}

static void piece_write(void *arg)
{
	struct piece *piece = arg;
	struct staged *staged = piece->staged;

	if (staged->fd < 0)
		staged->fd = file_without_name(piece->folder);
	if (staged->fd >= 0)
		piece->err = file_pwrite_all(staged->fd, buf_str(&staged->held), 0);
	if (piece->err == OK)
		piece->err = file_pwrite_all(staged->fd, piece->bytes, staged->size);
}

/* False if it has to go to its file. */
static bool hold(struct storaged *storaged, struct staged *staged, struct str bytes)
{
	if (staged->fd >= 0 || bytes.len > STAGED_HELD_BYTES - staged->held.len ||
	    bytes.len > HELD_BYTES_MAX - storaged->held_bytes)
		return false;
	buf_add(&staged->held, bytes);
	storaged->held_bytes += bytes.len;
	return true;
}

static err_t write_out(struct guest *guest, struct staged *staged, struct str bytes)
{
	struct piece piece = {guest->storaged->options.staging, staged, bytes, ERR_IO};

	staged->is_busy = true;
	offload(piece_write, &piece);
	staged->is_busy = false;
	held_end(guest->storaged, &staged->held);
	return piece.err;
}

static struct staged *staged_new(struct guest *guest, uint64_t id)
{
	if (guest->staged_count == STAGED_MAX)
		return NULL;
	struct staged *staged = NEW(struct staged);

	staged->id = id;
	staged->fd = -1;
	staged->held = BUF(STAGED_HELD_BYTES);
	list_add_last(&guest->staged, &staged->in_guest);
	guest->staged_count++;
	return staged;
}

enum store_outcome staging_add(struct guest *guest, uint64_t id, uint64_t offset,
			       struct str bytes)
{
	struct staged *staged = staged_find(guest, id);

	if (!staged && offset == 0 && !(staged = staged_new(guest, id)))
		return STORE_UNAVAILABLE;
	if (!staged || staged->is_busy || offset != staged->size || bytes.len == 0 ||
	    bytes.len > STORE_BODY_BYTES_MAX - offset)
		return STORE_INVALID;
	if (bytes.len > STAGED_BYTES_MAX - guest->staged_bytes)
		return STORE_UNAVAILABLE;
	err_t err = hold(guest->storaged, staged, bytes)
			    ? OK
			    : write_out(guest, staged, bytes);

	if (err == OK) {
		staged->size += bytes.len;
		guest->staged_bytes += bytes.len;
	}
	if (err != OK || staged->is_dropped)
		staged_free(guest, staged);
	if (err == ERR_LIMIT)
		return STORE_FULL;
	return err == OK ? STORE_OK : STORE_UNAVAILABLE;
}

/* ---- borrowing --------------------------------------------------------------------- */

static struct store_body *staged_body(const struct store_op *op)
{
	/* The decoder made these operations for us alone. */
	struct store_op *ours = (struct store_op *)(uintptr_t)op;

	if (op->kind == OP_APPEND && op->append.body.staged)
		return &ours->append.body;
	if (op->kind == OP_QUEUE_ADD && op->queue_add.body.staged)
		return &ours->queue_add.body;
	return NULL;
}

struct mapping {
	struct staged *staged;
	uint64_t raw_size;
	struct str map;
	bool is_good;
};

/* Maps the file, and reads through it: it must be one frame. */
static void map_file(void *arg)
{
	struct mapping *mapping = arg;
	struct staged *staged = mapping->staged;
	void *map = mmap(NULL, staged->size, PROT_READ, MAP_SHARED, staged->fd, 0);

	(void)close(staged->fd); /* the mapping keeps it */
	if (map == MAP_FAILED)
		return;
	mapping->map = (struct str){map, staged->size};
	mapping->is_good = frame_fits(mapping->map, mapping->raw_size);
}

static void unmap_files(void *arg)
{
	struct borrowed *borrowed = arg;

	for (size_t i = 0; i < borrowed->count; i++) {
		struct str map = borrowed->bodies[i].map;

		if (map.ptr)
			(void)munmap((void *)(uintptr_t)map.ptr, map.len);
	}
}

static enum store_outcome borrow_body(struct borrowed *borrowed, struct store_body *body,
				      struct borrowed_body *ours)
{
	struct staged *staged = staged_find(borrowed->guest, body->staged);

	if (!staged || staged->is_busy || staged->size == 0)
		return STORE_INVALID;
	staged_unlink(borrowed->guest, staged);
	struct mapping mapping = {.staged = staged, .raw_size = body->raw_size};

	if (staged->fd >= 0)
		offload(map_file, &mapping);
	else
		mapping.is_good = frame_fits(buf_str(&staged->held), body->raw_size);
	ours->map = mapping.map;
	ours->held = staged->held;
	body->frame = staged->fd >= 0 ? mapping.map : buf_str(&ours->held);
	body->staged = 0;
	borrowed->has_maps |= staged->fd >= 0;
	mem_free(staged);
	if (!body->frame.ptr)
		return STORE_UNAVAILABLE;
	return mapping.is_good ? STORE_OK : STORE_INVALID;
}

enum store_outcome staging_borrow(struct guest *guest, struct store_commit *commit,
				  struct borrowed *borrowed)
{
	*borrowed = (struct borrowed){.guest = guest, .count = commit->count};
	for (size_t i = 0; i < commit->count; i++) {
		struct store_body *body = staged_body(&commit->ops[i]);

		if (!body)
			continue;
		if (!borrowed->bodies)
			borrowed->bodies = NEW_ARRAY(struct borrowed_body, commit->count);
		enum store_outcome outcome =
			borrow_body(borrowed, body, &borrowed->bodies[i]);

		if (outcome != STORE_OK)
			return outcome;
	}
	return STORE_OK;
}

void staging_release(struct borrowed *borrowed)
{
	if (!borrowed->bodies)
		return;
	if (borrowed->has_maps)
		offload(unmap_files, borrowed);
	for (size_t i = 0; i < borrowed->count; i++)
		held_end(borrowed->guest->storaged, &borrowed->bodies[i].held);
	mem_free(borrowed->bodies);
	borrowed->bodies = NULL;
}

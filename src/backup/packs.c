/* Copying packs into the set: only what it does not have. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/file.h"
#include "store/types.h"

enum { HEADER_BYTES = 64, TAIL_BYTES = 64 * 1024, VERSIONS_MAX = 20 };

/* One pack on its way. */
struct coming {
	struct backup *backup;
	int from, to;
	uint64_t length; /* that is wanted */
	struct backup_pack *pack;
	const char *path;
};

static void piece_add(struct backup_pack *pack, struct backup_piece piece)
{
	MEM_ROOM(pack->pieces, pack->count, pack->room);
	pack->pieces[pack->count++] = piece;
}

/* The file's pack in that backup; one without pieces if it has none. */
static const struct backup_pack *known_pack(const struct manifest *known, struct str file)
{
	static const struct backup_pack none;

	for (size_t i = 0; i < known->pack_count; i++)
		if (str_same(known->packs[i].file, file))
			return &known->packs[i];
	return &none;
}

/* The pieces that an earlier backup knows of this file, as far as they are wanted, if
 * they are more than those known so far. */
static void pieces_know(struct coming *c, const struct backup_pack *known)
{
	uint64_t end = 0;
	size_t count = 0;

	while (count < known->count && end + known->pieces[count].length <= c->length)
		end += known->pieces[count++].length;
	if (end <= backup_pack_bytes(c->pack))
		return;
	c->pack->count = 0;
	for (size_t i = 0; i < count; i++)
		piece_add(c->pack, (struct backup_piece){known->pieces[i].length,
							 known->pieces[i].hash, false});
}

/* Bodies may have been punched out of the source since; all else must be the same. */
static bool is_same_tail(struct coming *c, uint64_t end)
{
	size_t len = (size_t)num_min(TAIL_BYTES, end);
	char *ours = mem_zeroed(2, TAIL_BYTES), *theirs = ours + TAIL_BYTES;
	bool is_same = file_pread_all(c->to, ours, len, end - len) == OK &&
		       file_pread_all(c->from, theirs, len, end - len) == OK;

	for (size_t i = 0; i < len && is_same; i++)
		is_same = theirs[i] == 0 || theirs[i] == ours[i];
	mem_free(ours);
	return is_same;
}

/* The set's file for this pack.  A second history of the same pack (a server that was put
 * back to an older state by other means than ours) gets a file of its own. */
static err_t file_choose(struct coming *c, char path[BACKUP_PATH_MAX],
			 const struct manifest *known, size_t known_count)
{
	char header[HEADER_BYTES];
	struct backup_hash hash;
	struct backup_pack *pack = c->pack;

	TRY(file_pread_all(c->from, header, sizeof header, 0));
	copy_hash((struct str){header, sizeof header}, &hash);
	for (unsigned version = 0; version <= VERSIONS_MAX; version++) {
		pack->count = 0;
		pack->file = arena_printf(
			&c->backup->arena, "%08u-%02x%02x%02x%02x%.*s.pack", pack->number,
			hash.bytes[0], hash.bytes[1], hash.bytes[2], hash.bytes[3],
			(int)version, "xxxxxxxxxxxxxxxxxxxx");
		for (size_t i = 0; i < known_count; i++)
			pieces_know(c, known_pack(&known[i], pack->file));
		(void)backup_path(c->backup, path, "packs/%.*s", STR_FMT(pack->file));
		c->to = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (c->to < 0)
			return backup_say(c->backup, ERR_IO, "%s cannot be written: %s.",
					  path, strerror(errno));
		if (is_same_tail(c, backup_pack_bytes(pack)))
			return OK;
		(void)close(c->to); /* nothing was written */
	}
	return ERR_LIMIT;
}

/* Where some backup's knowledge of the file ends; what stands behind came from one that
 * was interrupted. */
static uint64_t known_end(const struct backup_pack *pack, const struct manifest *known,
			  size_t known_count)
{
	uint64_t end = 0;

	for (size_t i = 0; i < known_count; i++)
		end = num_max(end, backup_pack_bytes(known_pack(&known[i], pack->file)));
	return end;
}

/* What the set has beyond the pieces known so far, and what the source has beyond that.
 */
static err_t pieces_take(struct coming *c, uint64_t set_end, uint64_t *added)
{
	uint64_t at = backup_pack_bytes(c->pack);
	struct backup_piece piece = {.is_new = true};

	if (ftruncate(c->to, (off_t)num_max(set_end, at)) != 0)
		return ERR_IO;
	/* A pack that is shorter now than an earlier backup has it: the server was
	 * restored from one between. */
	if (at < c->length && set_end > at) {
		piece.length = num_min(set_end, c->length) - at;
		TRY(copy_range(c->to, -1, at, piece.length, &piece.hash));
		piece_add(c->pack, piece);
		at += piece.length;
	}
	if (at < c->length) {
		piece.length = c->length - at;
		TRY(copy_range(c->from, c->to, at, piece.length, &piece.hash));
		TRY(file_sync(c->to));
		piece_add(c->pack, piece);
		*added += piece.length;
	}
	return OK;
}

static err_t pack_copy_in(struct backup *backup, const char *folder,
			  const struct manifest *known, size_t known_count,
			  struct backup_pack *pack, uint64_t length, uint64_t *added)
{
	char source[BACKUP_PATH_MAX], path[BACKUP_PATH_MAX];
	struct coming c = {.backup = backup, .to = -1, .length = length, .pack = pack};

	if (snprintf(source, sizeof source, "%s/store/packs/%08u.pack", folder,
		     pack->number) >= (int)sizeof source)
		return ERR_LIMIT;
	c.from = open(source, O_RDONLY | O_CLOEXEC);
	if (c.from < 0)
		return backup_say(backup, ERR_IO, "%s cannot be read: %s.", source,
				  strerror(errno));
	err_t err = file_choose(&c, path, known, known_count);

	if (err == OK) {
		err = pieces_take(&c, known_end(pack, known, known_count), added);
		if (err != OK)
			(void)backup_say(backup, err, "%s cannot be copied to %s: %s.",
					 source, path, err_text(err));
		(void)close(c.to); /* synced, or no good */
	}
	(void)close(c.from); /* it was only read */
	return err;
}

err_t packs_copy_in(struct backup *backup, const char *folder,
		    const struct manifest *known, size_t known_count,
		    const struct store_extent *extent, const char *manifest_path,
		    struct manifest *manifest)
{
	uint64_t done = 0, all = 0, saved = 0;

	for (size_t i = 0; i < extent->count; i++)
		all += extent->packs[i].length;
	manifest->packs = ARENA_ARRAY(&backup->arena, struct backup_pack, extent->count);
	if (!manifest->packs)
		return ERR_LIMIT;
	for (size_t i = 0; i < extent->count; i++) {
		struct backup_pack *pack = &manifest->packs[manifest->pack_count++];

		pack->number = extent->packs[i].number;
		TRY(pack_copy_in(backup, folder, known, known_count, pack,
				 extent->packs[i].length, &manifest->added_bytes));
		done += extent->packs[i].length;
		backup_progress(backup, "packs", done, all);
		/* Whoever goes on after an interruption need not copy these again. */
		if (manifest->added_bytes > saved) {
			saved = manifest->added_bytes;
			TRY(manifest_save(backup, manifest_path, manifest));
		}
	}
	return OK;
}

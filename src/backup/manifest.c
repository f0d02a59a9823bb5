/* The manifest as JSON:
 *
 *   {"manifest": {"format": 1, "id", "created", "data_format", "epoch", "sequence",
 * "accounts", "mailboxes", "messages", "added_bytes", "index_bytes", "packs": [{"number",
 * "file", "pieces": [[length, "hash"], ...]}, ...], "files": [{"name", "size", "hash"},
 * ...]}, "hash": SHA-256 of the value of "manifest", written compactly with sorted
 * members}
 *
 * Hashes are hexadecimal.
 */
#include <jansson.h>
#include <stdlib.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "base/num.h"
#include "control/format.h"
#include "rt/file.h"

enum { FORMAT = 1, HEX_BYTES = 2 * BACKUP_HASH_BYTES, JSON_BYTES_MAX = 1 << 30 };

/* ---- writing ----------------------------------------------------------------------- */

static json_t *hash_json(const struct backup_hash *hash)
{
	static const char digits[] = "0123456789abcdef";
	char hex[HEX_BYTES];

	for (size_t i = 0; i < BACKUP_HASH_BYTES; i++) {
		hex[2 * i] = digits[hash->bytes[i] >> 4];
		hex[2 * i + 1] = digits[hash->bytes[i] & 15];
	}
	return json_stringn(hex, sizeof hex);
}

static json_t *pack_json(const struct backup_pack *pack)
{
	json_t *pieces = json_array();

	for (size_t i = 0; i < pack->count; i++)
		(void)json_array_append_new(
			pieces, json_pack("[I,o]", (json_int_t)pack->pieces[i].length,
					  hash_json(&pack->pieces[i].hash)));
	return json_pack("{s:I,s:s%,s:o}", "number", (json_int_t)pack->number, "file",
			 pack->file.ptr, pack->file.len, "pieces", pieces);
}

static json_t *manifest_json(const struct manifest *m)
{
	json_t *packs = json_array(), *files = json_array();

	for (size_t i = 0; i < m->pack_count; i++)
		(void)json_array_append_new(packs, pack_json(&m->packs[i]));
	for (size_t i = 0; i < m->file_count; i++)
		(void)json_array_append_new(
			files, json_pack("{s:s%,s:I,s:o}", "name", m->files[i].name.ptr,
					 m->files[i].name.len, "size",
					 (json_int_t)m->files[i].size, "hash",
					 hash_json(&m->files[i].hash)));
	return json_pack("{s:i,s:s%,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}",
			 "format", (int)FORMAT, "id", m->id.ptr, m->id.len, "created",
			 (json_int_t)m->created_at, "data_format",
			 (json_int_t)m->data_format, "epoch", (json_int_t)m->epoch,
			 "sequence", (json_int_t)m->sequence, "accounts",
			 (json_int_t)m->accounts, "mailboxes", (json_int_t)m->mailboxes,
			 "messages", (json_int_t)m->messages, "added_bytes",
			 (json_int_t)m->added_bytes, "index_bytes",
			 (json_int_t)m->index_bytes, "packs", packs, "files", files);
}

static void json_sum(const json_t *json, struct backup_hash *hash)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	copy_hash(str_c(text), hash);
	free(text);
}

err_t manifest_save(struct backup *backup, const char *path,
		    const struct manifest *manifest)
{
	json_t *inside = manifest_json(manifest);
	struct backup_hash hash;

	ASSERT(inside);
	json_sum(inside, &hash);
	json_t *json =
		json_pack("{s:o,s:o}", "manifest", inside, "hash", hash_json(&hash));
	char *text = json_dumps(json, JSON_INDENT(1));
	err_t err = file_replace(path, str_c(text), 0600);

	free(text);
	json_decref(json);
	return err == OK ? OK : backup_say(backup, err, "%s cannot be written.", path);
}

/* ---- reading ----------------------------------------------------------------------- */

static bool number_of(const json_t *json, const char *name, uint64_t *number)
{
	const json_t *value = json_object_get(json, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return true;
}

/* A name that cannot lead elsewhere. */
static bool name_of(struct backup *backup, const json_t *json, const char *name,
		    struct str *text)
{
	const json_t *value = json_object_get(json, name);
	struct str found = str_c(json_string_value(value));

	return found.len > 0 && found.len < 200 && found.ptr[0] != '.' &&
	       str_find_byte(found, '/') == found.len &&
	       arena_copy(&backup->arena, found, text);
}

static bool hash_of(const json_t *value, struct backup_hash *hash)
{
	const char *hex = json_string_value(value);

	if (!hex || strlen(hex) != HEX_BYTES)
		return false;
	for (size_t i = 0; i < BACKUP_HASH_BYTES; i++) {
		int high = num_hex(hex[2 * i]), low = num_hex(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash->bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool pack_of(struct backup *backup, const json_t *json, struct backup_pack *pack)
{
	const json_t *pieces = json_object_get(json, "pieces"), *piece;
	uint64_t number;
	size_t i;

	if (!number_of(json, "number", &number) || number > UINT32_MAX ||
	    !name_of(backup, json, "file", &pack->file))
		return false;
	pack->number = (uint32_t)number;
	json_array_foreach(pieces, i, piece)
	{
		json_int_t length = json_integer_value(json_array_get(piece, 0));
		struct backup_piece read = {.length = (uint64_t)length};

		if (length <= 0 || !hash_of(json_array_get(piece, 1), &read.hash))
			return false;
		MEM_ROOM(pack->pieces, pack->count, pack->room);
		pack->pieces[pack->count++] = read;
	}
	return true;
}

static bool lists_of(struct backup *backup, const json_t *json, struct manifest *m)
{
	const json_t *packs = json_object_get(json, "packs"), *item;
	const json_t *files = json_object_get(json, "files");
	size_t i;

	m->packs =
		ARENA_ARRAY(&backup->arena, struct backup_pack, json_array_size(packs));
	if (!m->packs || json_array_size(files) > BACKUP_FILES_MAX)
		return false;
	json_array_foreach(packs, i, item)
	{
		if (!pack_of(backup, item, &m->packs[m->pack_count++]))
			return false;
	}
	json_array_foreach(files, i, item)
	{
		struct backup_file *file = &m->files[m->file_count++];

		if (!name_of(backup, item, "name", &file->name) ||
		    !number_of(item, "size", &file->size) ||
		    !hash_of(json_object_get(item, "hash"), &file->hash))
			return false;
	}
	return true;
}

static bool manifest_of(struct backup *backup, const json_t *json, struct manifest *m)
{
	uint64_t format, created;

	if (!number_of(json, "format", &format) || format != FORMAT ||
	    !number_of(json, "created", &created))
		return false;
	m->created_at = (int64_t)created;
	return name_of(backup, json, "id", &m->id) &&
	       number_of(json, "data_format", &m->data_format) &&
	       number_of(json, "epoch", &m->epoch) &&
	       number_of(json, "sequence", &m->sequence) &&
	       number_of(json, "accounts", &m->accounts) &&
	       number_of(json, "mailboxes", &m->mailboxes) &&
	       number_of(json, "messages", &m->messages) &&
	       number_of(json, "added_bytes", &m->added_bytes) &&
	       number_of(json, "index_bytes", &m->index_bytes) &&
	       lists_of(backup, json, m);
}

void manifest_fini(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->pack_count; i++)
		mem_free(manifest->packs[i].pieces);
	*manifest = (struct manifest){0};
}

err_t manifest_load(struct backup *backup, const char *path, struct manifest *manifest)
{
	SCOPED(buf_fini) struct buf text = BUF(JSON_BYTES_MAX);
	struct backup_hash wanted, hash;

	*manifest = (struct manifest){0};
	TRY(file_read(path, &text));
	json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *inside = json_object_get(json, "manifest");
	bool is_good = inside && hash_of(json_object_get(json, "hash"), &wanted);

	if (is_good)
		json_sum(inside, &hash);
	is_good = is_good && hash_same(&hash, &wanted) &&
		  manifest_of(backup, inside, manifest);
	json_decref(json);
	if (!is_good)
		manifest_fini(manifest);
	return is_good ? OK : ERR_SYNTAX;
}

const struct backup_file *manifest_file(const struct manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->file_count; i++)
		if (str_same(manifest->files[i].name, str_c(name)))
			return &manifest->files[i];
	return NULL;
}

err_t manifest_fits(struct backup *backup, const struct manifest *manifest)
{
	if (manifest->data_format == format_newest)
		return OK;
	return backup_say(backup, ERR_DENIED,
			  "Backup %.*s holds data of format %llu, and this program (%s) "
			  "works with %u.  Restore it with the Postrider that made it, "
			  "which a newer one then brings up to date.",
			  STR_FMT(manifest->id),
			  (unsigned long long)manifest->data_format, POSTRIDER_VERSION,
			  format_newest);
}

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/test.h"
#include "rt/file.h"

static struct backup backup;
static char folder[64];

static void begin(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/backup-test.XXXXXX");
	ASSERT(mkdtemp(folder));
	backup = (struct backup){0};
	CHECK(backup_open(&backup, folder, BACKUP_WRITE) == OK);
}

static void end(void)
{
	backup_close(&backup);
	(void)file_remove_tree(folder);
	CHECK(access(folder, F_OK) != 0);
}

TEST(a_manifest_comes_back_as_it_went_and_damage_is_seen)
{
	struct backup_piece pieces[] = {{.length = 1}, {.length = (uint64_t)1 << 40}};
	struct backup_pack pack = {7, STR("00000007-01020304.pack"), pieces, 2, 2};
	struct manifest got, m = {.id = STR("20261122T050102Z"),
				  .created_at = 1,
				  .sequence = 9,
				  .index_bytes = 4096,
				  .packs = &pack,
				  .pack_count = 1};
	SCOPED(buf_fini) struct buf text = BUF(10000);
	char path[BACKUP_PATH_MAX];

	begin();
	memset(pieces[1].hash.bytes, 0xa5, BACKUP_HASH_BYTES);
	copy_hash(STR("x"), &m.files[m.file_count].hash);
	m.files[m.file_count++].name = STR(BACKUP_MAP);
	(void)backup_path(&backup, path, "manifest.json");
	CHECK(manifest_load(&backup, path, &got) == ERR_ABSENT);
	CHECK(manifest_save(&backup, path, &m) == OK);
	CHECK(manifest_load(&backup, path, &got) == OK);
	CHECK_STR(got.id, m.id);
	CHECK(got.sequence == 9 && got.pack_count == 1 && got.packs[0].count == 2);
	CHECK_STR(got.packs[0].file, pack.file);
	CHECK(backup_pack_bytes(&got.packs[0]) == ((uint64_t)1 << 40) + 1);
	CHECK(hash_same(&got.packs[0].pieces[1].hash, &pieces[1].hash));
	CHECK(manifest_file(&got, BACKUP_MAP) && !manifest_file(&got, BACKUP_SECRETS));
	manifest_fini(&got);
	CHECK(file_read(path, &text) == OK);
	size_t at = str_find(buf_str(&text), STR("4096"));

	ASSERT(at < text.len);
	text.ptr[at] = '5';
	CHECK(file_replace(path, buf_str(&text), 0600) == OK);
	CHECK(manifest_load(&backup, path, &got) == ERR_SYNTAX);
	end();
}

TEST(an_index_is_kept_once_and_put_together_again)
{
	enum { SIZE = 3 * BACKUP_CHUNK_BYTES + 100 };
	SCOPED(buf_fini) struct buf raw = BUF(SIZE), got = BUF(SIZE);
	char path[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX];
	uint64_t added = 0, more = 0;
	struct manifest m = {.id = STR("20261122T050102Z"), .index_bytes = SIZE};

	begin();
	for (unsigned i = 0; i < SIZE; i++)
		buf_add_byte(&raw, (char)(unsigned char)(i * i >> 7));
	CHECK(mkdir(backup_path(&backup, to, "20261122T050102Z"), 0700) == 0);
	(void)backup_path(&backup, path, "raw");
	CHECK(file_replace(path, buf_str(&raw), 0600) == OK);
	CHECK(chunks_add(&backup, path, to, &added) == OK && added > 100);
	CHECK(chunks_add(&backup, path, to, &more) == OK);
	CHECK(more == 4 * BACKUP_HASH_BYTES); /* only the map */
	(void)backup_path(&backup, path, "20261122T050102Z/" BACKUP_MAP);
	CHECK(copy_sum(path, &m.files[0]) == OK);
	m.files[m.file_count++].name = STR(BACKUP_MAP);
	(void)backup_path(&backup, path, "joined");
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	CHECK(chunks_join(&backup, &m, fd) == OK);
	CHECK(close(fd) == 0 && file_read(path, &got) == OK);
	CHECK_STR(buf_str(&got), buf_str(&raw));
	end();
}

TEST(a_range_is_copied_with_its_holes)
{
	enum { MEGA = 1 << 20 };
	char path[BACKUP_PATH_MAX];
	struct backup_hash sparse, plain;
	struct backup_file file;
	struct stat stat_of_copy;

	begin();
	(void)backup_path(&backup, path, "sparse");
	int from = open(path, O_RDWR | O_CREAT, 0600);

	CHECK(ftruncate(from, 8 * MEGA) == 0);
	CHECK(file_pwrite_all(from, STR("hello"), 5 * MEGA) == OK);
	(void)backup_path(&backup, path, "copy");
	int to = open(path, O_RDWR | O_CREAT, 0600);

	CHECK(copy_range(from, to, 0, 8 * MEGA, &sparse) == OK);
	CHECK(copy_range(from, to, 8 * MEGA, 1, &plain) == ERR_SYNTAX);
	CHECK(fstat(to, &stat_of_copy) == 0 && stat_of_copy.st_size == 8 * MEGA);
	CHECK(stat_of_copy.st_blocks < MEGA / 512);
	CHECK(copy_sum(path, &file) == OK && hash_same(&file.hash, &sparse));
	CHECK(close(from) == 0 && close(to) == 0);
	end();
}

TEST(a_set_becomes_a_file_and_a_set_again)
{
	char path[BACKUP_PATH_MAX], file[80], back[80];
	SCOPED(buf_fini) struct buf got = BUF(1000);

	begin();
	(void)snprintf(file, sizeof file, "%s.tar", folder);
	(void)snprintf(back, sizeof back, "%s.back", folder);
	(void)backup_path(&backup, path, "packs/00000001-00.pack");
	CHECK(file_replace(path, STR("pack"), 0600) == OK);
	CHECK(mkdir(backup_path(&backup, path, "20261122T050102Z"), 0700) == 0);
	(void)backup_path(&backup, path, "20261122T050102Z/manifest.json");
	CHECK(file_replace(path, STR("{}"), 0600) == OK);
	CHECK(archive_pack(&backup, file) == OK);
	CHECK(access(path, F_OK) != 0);
	CHECK(mkdir(back, 0700) == 0);
	CHECK(archive_unpack(&backup, file, back) == OK);
	(void)snprintf(path, sizeof path, "%s/20261122T050102Z/manifest.json", back);
	CHECK(file_read(path, &got) == OK);
	CHECK_STR(buf_str(&got), STR("{}"));
	int fd = open(file, O_RDWR);

	/* cut off, and a header that was changed */
	CHECK(archive_unpack(&backup, "/dev/null", back) != OK);
	CHECK(file_pwrite_all(fd, STR("/"), 0) == OK && close(fd) == 0);
	CHECK(archive_unpack(&backup, file, back) == ERR_SYNTAX);
	CHECK(unlink(file) == 0);
	(void)file_remove_tree(back);
	end();
}

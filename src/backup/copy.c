/* Octets from one file to another, with their hash. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/file.h"

enum { STEP_BYTES = 1 << 20 };

void copy_hash(struct str bytes, struct backup_hash *hash)
{
	ASSERT(EVP_Digest(bytes.ptr, bytes.len, hash->bytes, NULL, EVP_sha256(), NULL) ==
	       1);
}

bool hash_same(const struct backup_hash *a, const struct backup_hash *b)
{
	return memcmp(a->bytes, b->bytes, BACKUP_HASH_BYTES) == 0;
}

struct copying {
	int from, to;
	EVP_MD_CTX *sum;
	char *bytes;
};

/* [offset, until) is a hole: nothing is written, zeros are counted. */
static void pass_hole(struct copying *c, uint64_t offset, uint64_t until)
{
	memset(c->bytes, 0, STEP_BYTES);
	for (; offset < until; offset += STEP_BYTES)
		ASSERT(EVP_DigestUpdate(c->sum, c->bytes,
					num_min(STEP_BYTES, until - offset)) == 1);
}

static err_t pass_data(struct copying *c, uint64_t offset, uint64_t until)
{
	while (offset < until) {
		size_t len = (size_t)num_min(STEP_BYTES, until - offset);

		TRY(file_pread_all(c->from, c->bytes, len, offset));
		ASSERT(EVP_DigestUpdate(c->sum, c->bytes, len) == 1);
		if (c->to >= 0)
			TRY(file_pwrite_all(c->to, (struct str){c->bytes, len}, offset));
		offset += len;
	}
	return OK;
}

/* Where data or a hole begins, at or after offset; `until` if not before it. */
static uint64_t seek_in(int fd, uint64_t offset, uint64_t until, int whence)
{
	off_t found = lseek(fd, (off_t)offset, whence);

	/* No such thing behind, or the file system does not know: then all is data. */
	if (found < 0)
		return whence == SEEK_DATA && errno != ENXIO ? offset : until;
	return num_min((uint64_t)found, until);
}

static err_t pass_all(struct copying *c, uint64_t offset, uint64_t until)
{
	while (offset < until) {
		uint64_t data = seek_in(c->from, offset, until, SEEK_DATA);
		uint64_t hole = seek_in(c->from, data, until, SEEK_HOLE);

		pass_hole(c, offset, data);
		TRY(pass_data(c, data, hole));
		offset = hole;
	}
	/* What ends in a hole has its length all the same. */
	if (c->to >= 0 && ftruncate(c->to, (off_t)until) != 0)
		return ERR_IO;
	return OK;
}

err_t copy_range(int from, int to, uint64_t offset, uint64_t length,
		 struct backup_hash *hash)
{
	struct copying c = {from, to, EVP_MD_CTX_new(), mem_zeroed(STEP_BYTES, 1)};
	struct stat stat;

	ASSERT(c.sum && EVP_DigestInit_ex(c.sum, EVP_sha256(), NULL) == 1);
	/* A hole behind the end of the file is none of it. */
	err_t err = fstat(from, &stat) == 0 && (uint64_t)stat.st_size >= offset + length
			    ? OK
			    : ERR_SYNTAX;

	if (err == OK)
		err = pass_all(&c, offset, offset + length);
	ASSERT(EVP_DigestFinal_ex(c.sum, hash->bytes, NULL) == 1);
	EVP_MD_CTX_free(c.sum);
	mem_free(c.bytes);
	return err;
}

int open_from_disk(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* it is a hint */
	return fd;
}

err_t copy_sum(const char *path, struct backup_file *file)
{
	int fd = open_from_disk(path);
	struct stat stat;

	if (fd < 0)
		return errno == ENOENT ? ERR_ABSENT : ERR_IO;
	err_t err = fstat(fd, &stat) == 0 ? OK : ERR_IO;

	file->size = (uint64_t)stat.st_size;
	if (err == OK)
		err = copy_range(fd, -1, 0, file->size, &file->hash);
	(void)close(fd); /* it was only read */
	return err;
}

/* wordstable MAIL...: the statistics of src/store/words_table.c, from these mails and
 * their digests. */
#include <stdio.h>
#include <stdlib.h>
#include <zdict.h>

#include "base/codec.h"
#include "store/digest.h"
#include "store/types.h"
#include "store/words.h"

enum {
	SAMPLES_MAX = 20000,
	SMALL_MAX = 8 * 1024, /* what is packed with words */
	MAIL_MAX = 32 * 1024 * 1024,
	ROOM = 64 * 1024,
	LINE = 16,
	DICTIONARY_ID = 32768, /* the first of those that are nobody's */
};

static void add_parts(struct buf *samples, struct str mail)
{
	SCOPED(buf_fini) struct buf bytes = BUF(DIGEST_BYTES_MAX);
	SCOPED(arena_fini) struct arena arena;
	struct digest digest;

	arena_init(&arena, DIGEST_BYTES_MAX);
	digest_make(mail, &bytes);
	if (!digest_read(&arena, buf_str(&bytes), &digest))
		abort();
	enc_str(samples, digest.preview);
	enc_str(samples, digest.envelope);
	enc_str(samples, digest.structure);
	enc_str(samples, digest.header);
}

/* The mail as well, if it is small. */
static void add_file(struct buf *samples, size_t sizes[static 2], const char *path)
{
	size_t before = samples->len;
	FILE *file = fopen(path, "re");
	char *room = malloc(MAIL_MAX);

	if (!file || !room) {
		perror(path);
		exit(1);
	}
	struct str mail = {room, fread(room, 1, MAIL_MAX, file)};

	add_parts(samples, mail);
	sizes[0] = samples->len - before;
	if (mail.len <= SMALL_MAX)
		buf_add(samples, mail);
	sizes[1] = samples->len - before - sizes[0];
	free(room);
	(void)fclose(file);
}

static void print_front(const unsigned char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%s\\%03o%s", i % LINE == 0 ? "\t\"" : "", octets[i],
		       i % LINE == LINE - 1 || i + 1 == len ? "\"\n" : "");
}

int main(int argc, char **argv)
{
	SCOPED(buf_fini) struct buf samples = BUF((size_t)1 << 30);
	static size_t sizes[SAMPLES_MAX];
	static unsigned char made[ROOM];
	unsigned count = 0;

	for (int i = 1; i < argc && count + 2 <= SAMPLES_MAX; i++) {
		add_file(&samples, &sizes[count], argv[i]);
		count += sizes[count + 1] > 0 ? 2 : 1;
	}
	size_t len = ZDICT_finalizeDictionary(
		made, sizeof made, words_alone.ptr, words_alone.len, samples.ptr, sizes,
		count, (ZDICT_params_t){.compressionLevel = 1, .dictID = DICTIONARY_ID});
	if (ZDICT_isError(len)) {
		(void)fprintf(stderr, "%s\n", ZDICT_getErrorName(len));
		return 1;
	}
	print_front(made, len - words_alone.len);
	return 0;
}

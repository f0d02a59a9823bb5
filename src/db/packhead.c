/* A pack whose header is damaged: what it said is found again in the headers of its
 * groups. */
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "db/disk.h"
#include "db/packset.h"

enum { WINDOW_BYTES = 1 << 20 };

/* The first group's header from there on, as far as the window goes. */
static bool find_group(struct str window, struct pack_header *header)
{
	for (; window.len >= GROUP_HEADER_BYTES; window = str_skip(window, GROUP_ALIGN)) {
		struct group_header group;

		if (!group_header_any(window, &group))
			continue;
		header->salt = group.salt;
		header->first_sequence = group.sequence;
		return true;
	}
	return false;
}

err_t pack_header_guess(int fd, uint32_t number, struct pack_header *header)
{
	struct buf window = BUF(WINDOW_BYTES);
	char *bytes = buf_room(&window, WINDOW_BYTES);
	err_t err = bytes ? OK : ERR_LIMIT;
	bool found = false;
	size_t got = WINDOW_BYTES;

	*header = (struct pack_header){.format = PACK_FORMAT, .number = number};
	/* Each window begins with what may have been cut off at the end of the last. */
	for (uint64_t at = PACK_HEADER_BYTES; err == OK && !found && got == WINDOW_BYTES;
	     at += WINDOW_BYTES - GROUP_HEADER_BYTES) {
		err = disk_read(fd, bytes, WINDOW_BYTES, at, &got);
		found = err == OK && find_group((struct str){bytes, got}, header);
	}
	buf_fini(&window);
	return err == OK && !found ? ERR_SYNTAX : err;
}

static err_t header_put(const char *path, const struct pack_header *header)
{
	char bytes[PACK_HEADER_BYTES];
	struct iovec piece = {bytes, sizeof bytes};
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return packs_failed(path);
	pack_header_write(bytes, header);
	err_t err = disk_write(fd, &piece, 1, 0);

	if (err == OK)
		err = disk_flush(fd);
	(void)close(fd); /* it was flushed */
	return err;
}

err_t packs_restore_headers(struct packs *packs, uint64_t epoch)
{
	for (uint32_t number = 1; number <= packs->count; number++) {
		struct pack *pack = &packs->list[number - 1];
		struct pack_header header = {.format = PACK_FORMAT,
					     .number = number,
					     .epoch = pack->epoch ? pack->epoch : epoch,
					     .salt = pack->salt,
					     .first_sequence = pack->first_sequence};
		char path[PACK_PATH_MAX];

		if (pack->fd < 0 || !pack->is_guessed)
			continue;
		packs_path(packs, number, "", path);
		TRY(header_put(path, &header));
		pack->is_guessed = false;
		LOG(WARN, "pack header restored", KV("path", path));
	}
	return OK;
}

unsigned packs_guessed(const struct packs *packs)
{
	unsigned guessed = 0;

	for (size_t i = 0; i < packs->count; i++)
		guessed += packs->list[i].fd >= 0 && packs->list[i].is_guessed;
	return guessed;
}

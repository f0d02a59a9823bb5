#include "transfer/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire/mail/date.h"
#include "wire/mail/header.h"

static int by_octets(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static err_t errno_class(void)
{
	return errno == ENOENT || errno == ENOTDIR ? ERR_ABSENT : ERR_IO;
}

static err_t read_names(DIR *dir, struct arena *arena, struct str **list, size_t *count)
{
	const struct dirent *entry;
	size_t room = 0;

	*list = NULL;
	*count = 0;
	while ((errno = 0, entry = readdir(dir))) {
		struct str name = str_c(entry->d_name);

		if (str_same(name, STR(".")) || str_same(name, STR("..")))
			continue;
		MEM_ROOM(*list, *count, room);
		if (!arena_copy(arena, name, &(*list)[*count]))
			return ERR_LIMIT;
		++*count;
	}
	return errno ? ERR_IO : OK;
}

err_t folder_names(const char *path, struct arena *arena, struct str **names,
		   size_t *count)
{
	DIR *dir = opendir(path);
	struct str *list;

	if (!dir)
		return errno_class();
	err_t err = read_names(dir, arena, &list, count);

	(void)closedir(dir); /* it was only read */
	if (*count > 0)
		qsort(list, *count, sizeof *list, by_octets);
	*names = ARENA_ARRAY(arena, struct str, *count + 1);
	if (err == OK && !*names)
		err = ERR_LIMIT;
	if (err == OK && *count > 0)
		memcpy(*names, list, *count * sizeof *list);
	mem_free(list);
	return err;
}

const char *folder_join(struct arena *arena, const char *folder, struct str name)
{
	struct str joined = arena_printf(arena, "%s/%.*s%c", folder, STR_FMT(name), 0);

	return joined.len > 0 ? joined.ptr : NULL;
}

bool folder_is(const char *path)
{
	struct stat stat_;

	return stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode);
}

static err_t read_file(int fd, struct buf *content, struct stat *stat)
{
	if (fstat(fd, stat) != 0 || !S_ISREG(stat->st_mode))
		return ERR_IO;
	if ((uint64_t)stat->st_size > content->max - content->len)
		return ERR_LIMIT;
	for (;;) { /* it may be growing */
		char *room = buf_room(content, (size_t)stat->st_size + 1);

		if (!room && content->len < content->max) {
			buf_reset(content);
			return ERR_LIMIT;
		}
		if (!room)
			return ERR_LIMIT;
		ssize_t got = read(fd, room, (size_t)stat->st_size + 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		if (got == 0)
			return OK;
		buf_grew(content, (size_t)got);
	}
}

err_t folder_read(const char *path, struct buf *content, struct stat *stat)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno_class();
	err_t err = read_file(fd, content, stat);

	(void)close(fd); /* it was only read */
	return err;
}

bool folder_date(struct str message, int64_t *at_s, int *zone_minutes)
{
	struct mail_fields walk = mail_fields_over(message);
	struct mail_field field;
	struct mail_date date;

	while (mail_fields_next(&walk, &field)) {
		struct str value = field.value;

		if (str_same_nocase(field.name, STR("Received"))) {
			size_t semicolon = str_rfind_byte(value, ';');

			if (semicolon == value.len)
				continue;
			value = str_skip(value, semicolon + 1);
		} else if (!str_same_nocase(field.name, STR("Date"))) {
			continue;
		}
		if (!mail_date_parse(value, &date))
			continue;
		*at_s = date.unix_s;
		*zone_minutes = date.zone_minutes;
		return true;
	}
	return false;
}

#include "powercut/trace.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct str trace_map(const char *path)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_size == 0)
		return STR("");
	void *bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	ASSERT(bytes != MAP_FAILED);
	(void)close(fd); /* the map stays */
	return (struct str){bytes, (size_t)stat.st_size};
}

bool trace_next(struct str *rest, struct trace_record *record, struct str *payload)
{
	if (rest->len < sizeof *record)
		return false;
	memcpy(record, rest->ptr, sizeof *record);
	*rest = str_skip(*rest, sizeof *record);
	if (rest->len < record->length)
		return false;
	*payload = str_first(*rest, record->length);
	*rest = str_skip(*rest, record->length);
	return true;
}

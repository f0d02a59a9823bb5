#include "powercut/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"

enum { SECTOR = 512, NODES_MAX = 4096, NAMES_MAX = 64, FLUSHES_MAX = 64 };

/* A call whose effect is not durable yet. */
struct pending {
	enum trace_kind kind;
	uint64_t at, number;
	struct str bytes;
	bool is_certain; /* O_DSYNC */
	size_t node;     /* of a name: which file; or NONE, when it goes */
};
#define NONE ((size_t)-1)

/* A file or folder.  A folder's content is its names. */
struct node {
	uint64_t ino;
	bool is_folder;
	char *bytes; /* what is durable, as far as anything was written */
	size_t len, room;
	uint64_t size;
	struct pending *pending; /* of a folder: bytes is the name */
	size_t pending_count, pending_room;
	size_t dropped; /* so many were before pending[0], ever */
	struct {
		char name[64];
		size_t node;
	} names[NAMES_MAX]; /* durable */
	size_t name_count;
};

struct flush {
	uint64_t number;
	size_t node, upto; /* covers what came before, counted from the beginning */
};

struct disk {
	struct str root;
	struct node *nodes[NODES_MAX];
	size_t node_count;
	struct flush flushes[FLUSHES_MAX];
	size_t flush_count;
};

/* ---- nodes ------------------------------------------------------------------------- */

static size_t node_add(struct disk *disk, uint64_t ino, bool is_folder)
{
	ASSERT(disk->node_count < NODES_MAX);
	disk->nodes[disk->node_count] = NEW(struct node);
	disk->nodes[disk->node_count]->ino = ino;
	disk->nodes[disk->node_count]->is_folder = is_folder;
	return disk->node_count++;
}

static size_t node_of_ino(const struct disk *disk, uint64_t ino)
{
	for (size_t i = disk->node_count; i > 0; i--)
		if (disk->nodes[i - 1]->ino == ino)
			return i - 1;
	return NONE;
}

static struct pending *pend(struct node *node, struct pending pending)
{
	MEM_ROOM(node->pending, node->pending_count, node->pending_room);
	node->pending[node->pending_count++] = pending;
	return &node->pending[node->pending_count - 1];
}

static size_t durable_name(const struct node *folder, struct str name)
{
	for (size_t i = 0; i < folder->name_count; i++)
		if (str_same(str_c(folder->names[i].name), name))
			return i;
	return NONE;
}

/* As the process sees it. */
static size_t name_look(const struct node *folder, struct str name)
{
	for (size_t i = folder->pending_count; i > 0; i--)
		if (str_same(folder->pending[i - 1].bytes, name))
			return folder->pending[i - 1].node;
	size_t i = durable_name(folder, name);

	return i == NONE ? NONE : folder->names[i].node;
}

/* The folder that the path's last part is in, and that part. */
static struct node *folder_of(struct disk *disk, struct str path, struct str *name)
{
	size_t at = 0;

	if (!str_starts(path, disk->root))
		return NULL;
	path = str_skip(path, disk->root.len);
	for (;;) {
		while (path.len > 0 && path.ptr[0] == '/')
			path = str_skip(path, 1);
		size_t slash = str_find_byte(path, '/');

		*name = str_first(path, slash);
		path = str_skip(path, slash);
		while (path.len > 0 && path.ptr[0] == '/')
			path = str_skip(path, 1);
		if (path.len == 0)
			return disk->nodes[at];
		at = name_look(disk->nodes[at], *name);
		if (at == NONE || !disk->nodes[at]->is_folder)
			return NULL;
	}
}

struct disk *disk_new(struct str root)
{
	struct disk *disk = NEW(struct disk);

	disk->root = root;
	(void)node_add(disk, 0, true);
	return disk;
}

/* ---- effects ----------------------------------------------------------------------- */

static void zero(struct node *node, uint64_t from, uint64_t to)
{
	if (from < num_min(to, node->len))
		memset(node->bytes + from, 0, num_min(to, node->len) - from);
}

static void put(struct node *node, uint64_t at, struct str bytes)
{
	size_t end = (size_t)at + bytes.len;

	if (end > node->room) {
		size_t room = num_max(end, node->room * 2);

		node->bytes = mem_grown(node->bytes, room, 1);
		memset(node->bytes + node->room, 0, room - node->room);
		node->room = room;
	}
	memcpy(node->bytes + at, bytes.ptr, bytes.len);
	node->len = num_max(node->len, end);
}

static void set_name(struct node *folder, const struct pending *p)
{
	size_t i = durable_name(folder, p->bytes);

	if (p->node == NONE) {
		if (i != NONE)
			folder->names[i] = folder->names[--folder->name_count];
		return;
	}
	if (i == NONE) {
		ASSERT(folder->name_count < NAMES_MAX);
		i = folder->name_count++;
		ASSERT(str_to_c(p->bytes, folder->names[i].name,
				sizeof folder->names[i].name));
	}
	folder->names[i].node = p->node;
}

/* All but what a write writes. */
static void happen(struct node *node, const struct pending *p)
{
	switch (p->kind) {
	case TRACE_WRITE:
		node->size = num_max(node->size, p->at + p->bytes.len);
		return;
	case TRACE_ALLOCATE:
		node->size = num_max(node->size, p->at);
		return;
	case TRACE_CUT:
		zero(node, p->at, UINT64_MAX);
		node->size = p->at;
		return;
	case TRACE_PUNCH:
		zero(node, p->at, p->at + p->number);
		return;
	case TRACE_CREATE:
	case TRACE_FLUSH_BEGIN:
	case TRACE_FLUSH_END:
	case TRACE_RENAME:
	case TRACE_LINK:
	case TRACE_UNLINK:
	case TRACE_BLIND:
	case TRACE_INTENT:
	case TRACE_ACKNOWLEDGED:
	case TRACE_SHOWN:
		set_name(node, p);
		return;
	}
}

/* The first so many are durable. */
static void settle(struct node *node, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (node->pending[i].kind == TRACE_WRITE)
			put(node, node->pending[i].at, node->pending[i].bytes);
		happen(node, &node->pending[i]);
	}
	node->pending_count -= count;
	node->dropped += count;
	memmove(node->pending, node->pending + count,
		node->pending_count * sizeof *node->pending);
}

/* ---- a folder that is there ----------------------------------------------------------
 */

static void read_file(struct node *node, const char *path)
{
	static char block[1 << 16];
	static const char zeros[sizeof block];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ASSERT(fd >= 0);
	for (; (n = read(fd, block, sizeof block)) > 0; node->size += (uint64_t)n)
		if (memcmp(block, zeros, (size_t)n) != 0)
			put(node, node->size, (struct str){block, (size_t)n});
	(void)close(fd); /* it was only read */
}

static void read_node(struct disk *disk, size_t at, const char *path);

static void read_folder(struct disk *disk, size_t at, const char *path)
{
	DIR *folder = opendir(path);

	ASSERT(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct str name = str_c(entry->d_name);
		char inside[PATH_MAX];
		int len = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
		struct stat stat;

		ASSERT(len > 0 && (size_t)len < sizeof inside);
		if (name.ptr[0] == '.' || lstat(inside, &stat) != 0)
			continue;
		size_t node = node_add(disk, stat.st_ino, S_ISDIR(stat.st_mode));

		read_node(disk, node, inside);
		set_name(disk->nodes[at], &(struct pending){.bytes = name, .node = node});
	}
	(void)closedir(folder); /* it was only read */
}

static void read_node(struct disk *disk, size_t at, const char *path)
{
	if (disk->nodes[at]->is_folder)
		read_folder(disk, at, path);
	else
		read_file(disk->nodes[at], path);
}

struct disk *disk_of(const char *folder)
{
	struct disk *disk = disk_new(str_c(folder));

	read_node(disk, 0, folder);
	return disk;
}

/* ---- following --------------------------------------------------------------------- */

static const char *follow_flush(struct disk *disk, const struct trace_record *record,
				struct str path)
{
	while (str_ends(path, STR("/")))
		path.len--;
	bool is_root = str_same(path, disk->root);
	size_t node = is_root ? 0 : node_of_ino(disk, record->file);

	if (node == NONE)
		return "a flush of an unknown file";
	ASSERT(disk->flush_count < FLUSHES_MAX);
	disk->flushes[disk->flush_count++] = (struct flush){
		.number = record->number,
		.node = node,
		.upto = disk->nodes[node]->dropped + disk->nodes[node]->pending_count};
	return NULL;
}

static void follow_flushed(struct disk *disk, uint64_t number)
{
	for (size_t i = 0; i < disk->flush_count; i++) {
		struct flush flush = disk->flushes[i];

		if (flush.number != number)
			continue;
		disk->flushes[i] = disk->flushes[--disk->flush_count];
		struct node *node = disk->nodes[flush.node];

		if (flush.upto > node->dropped)
			settle(node, flush.upto - node->dropped);
		return;
	}
}

static const char *follow_name(struct disk *disk, enum trace_kind kind, struct str path,
			       size_t node)
{
	struct str name;
	struct node *folder = folder_of(disk, path, &name);

	if (!folder || name.len == 0)
		return "a name in an unknown folder";
	(void)pend(folder, (struct pending){.kind = kind, .bytes = name, .node = node});
	return NULL;
}

static const char *follow_pair(struct disk *disk, enum trace_kind kind, struct str pair)
{
	struct str from = str_cut(&pair, '\0'), name;
	struct node *folder = folder_of(disk, from, &name);
	size_t node = folder ? name_look(folder, name) : NONE;

	if (node == NONE)
		return "a name that nothing has";
	const char *why = follow_name(disk, kind, pair, node);

	if (!why && kind == TRACE_RENAME)
		why = follow_name(disk, kind, from, NONE);
	return why;
}

const char *disk_follow(struct disk *disk, const struct trace_record *record,
			struct str payload)
{
	size_t node = NONE;

	switch ((enum trace_kind)record->kind) {
	case TRACE_CREATE:
		node = node_add(disk, record->file, record->number == 1);
		return follow_name(disk, TRACE_CREATE, payload, node);
	case TRACE_WRITE:
	case TRACE_CUT:
	case TRACE_ALLOCATE:
	case TRACE_PUNCH:
		node = node_of_ino(disk, record->file);
		if (node == NONE)
			return "a call on an unknown file";
		(void)pend(disk->nodes[node],
			   (struct pending){.kind = (enum trace_kind)record->kind,
					    .at = record->at,
					    .number = record->number,
					    .bytes = payload,
					    .is_certain = record->kind == TRACE_WRITE &&
							  record->number == 1});
		return NULL;
	case TRACE_FLUSH_BEGIN:
		return follow_flush(disk, record, payload);
	case TRACE_FLUSH_END:
		follow_flushed(disk, record->number);
		return NULL;
	case TRACE_RENAME:
	case TRACE_LINK:
		return follow_pair(disk, (enum trace_kind)record->kind, payload);
	case TRACE_UNLINK:
		return follow_name(disk, TRACE_UNLINK, payload, NONE);
	case TRACE_BLIND:
		return "something was done that the trace cannot tell";
	case TRACE_INTENT:
	case TRACE_ACKNOWLEDGED:
	case TRACE_SHOWN:
		return NULL;
	}
	return "a record of an unknown kind";
}

/* ---- the cut ----------------------------------------------------------------------- */

struct luck {
	enum disk_fate fate;
	uint64_t seed;
};

/* How many of count calls count for this thing: often none or all. */
static size_t lucky(struct luck luck, uint64_t thing, size_t count)
{
	uint64_t draw = hash64_number(luck.seed ^ hash64_number(thing));

	if (luck.fate != FATE_RANDOM)
		return luck.fate == FATE_NONE ? 0 : count;
	if (draw % 5 < 4)
		return draw % 2 ? count : 0;
	return draw / 16 % (count + 1);
}

/* No write but the first wrote into the sector. */
static bool is_first_alone(const struct node *node, uint64_t sector)
{
	unsigned writes = 0;

	for (size_t i = 0; i < node->pending_count; i++) {
		const struct pending *p = &node->pending[i];
		bool is_here = p->at / SECTOR <= sector &&
			       p->at + p->bytes.len > sector * SECTOR;

		if (p->kind == TRACE_WRITE && writes++ > 0 && is_here)
			return false;
	}
	return true;
}

static bool is_first_write(const struct node *node, size_t i)
{
	while (i > 0)
		if (node->pending[--i].kind == TRACE_WRITE)
			return false;
	return true;
}

static bool is_sector_lucky(const struct node *node, struct luck luck, size_t i,
			    uint64_t sector)
{
	if (luck.fate == FATE_FIRST)
		return is_first_write(node, i);
	if (luck.fate == FATE_LATER)
		return !is_first_alone(node, sector);
	return i < lucky(luck, node->ino << 32 ^ sector, node->pending_count);
}

/* Of the i-th call, the sectors that made it. */
static void put_torn(struct node *node, struct luck luck, size_t i)
{
	const struct pending *p = &node->pending[i];
	uint64_t at = p->at, end = p->at + p->bytes.len;

	while (at < end) {
		uint64_t stop = num_min((at / SECTOR + 1) * SECTOR, end);

		if (p->is_certain || is_sector_lucky(node, luck, i, at / SECTOR))
			put(node, at,
			    (struct str){p->bytes.ptr + (at - p->at), stop - at});
		at = stop;
	}
}

static void cut_node(struct node *node, struct luck luck)
{
	size_t calls = lucky(luck, node->ino * 7919, node->pending_count);

	for (size_t i = 0; i < node->pending_count; i++) {
		if (node->pending[i].kind == TRACE_WRITE)
			put_torn(node, luck, i);
		if (i < calls || node->pending[i].is_certain)
			happen(node, &node->pending[i]);
	}
	node->pending_count = 0;
	zero(node, node->size, UINT64_MAX);
}

void disk_cut_power(struct disk *disk, enum disk_fate fate, uint64_t seed)
{
	for (size_t i = 0; i < disk->node_count; i++)
		cut_node(disk->nodes[i], (struct luck){fate, seed});
}

/* Holes stay holes. */
static void write_file(const struct node *node, const char *path)
{
	static const char zeros[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t len = (size_t)num_min(node->len, node->size);

	ASSERT(fd >= 0 && ftruncate(fd, (off_t)node->size) == 0);
	for (size_t at = 0; at < len; at += sizeof zeros) {
		size_t n = num_min(sizeof zeros, len - at);

		if (memcmp(node->bytes + at, zeros, n) != 0)
			ASSERT(pwrite(fd, node->bytes + at, n, (off_t)at) == (ssize_t)n);
	}
	(void)close(fd); /* on a memory disk */
}

static void write_node(struct disk *disk, size_t at, const char *path, unsigned depth)
{
	const struct node *node = disk->nodes[at];

	ASSERT(depth < 8);
	if (!node->is_folder) {
		write_file(node, path);
		return;
	}
	ASSERT(depth == 0 || mkdir(path, 0700) == 0);
	for (size_t i = 0; i < node->name_count; i++) {
		char inside[PATH_MAX];

		int len = snprintf(inside, sizeof inside, "%s/%s", path,
				   node->names[i].name);

		ASSERT(len > 0 && (size_t)len < sizeof inside);
		write_node(disk, node->names[i].node, inside, depth + 1);
	}
}

void disk_write_out(struct disk *disk, const char *to)
{
	write_node(disk, 0, to, 0);
}

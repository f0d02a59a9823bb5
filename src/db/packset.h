/* The set of packs and the one group under way.  Private to db/. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "db/packgroup.h"

enum { PACK_PATH_MAX = 4096, PACK_GROUP_BYTES_MAX = 1 << 30 };

/* A stretch of the group: borrowed octets, or the next octets of bytes. */
struct piece {
	struct str borrowed;
	size_t own_len;
};

struct packs {
	char *folder; /* NULL: each pack is a file without a name, in memory */
	uint64_t pack_bytes_max;
	pthread_rwlock_t
		lock;      /* readers take a descriptor while the writer adds a pack */
	struct pack *list; /* [number - 1] */
	size_t count, room;

	/* The writer's own from here on. */
	int lanes[PACK_LANES]; /* open files of the newest pack; the first one is written
				  to.  -1: none or broken */
	uint64_t end, allocated;
	uint64_t sequence; /* of the last group written */
	uint64_t epoch;
	uint64_t trusted;      /* packs_trust() */
	atomic_bool is_broken; /* set by whoever flushes */
	bool wants_new_pack;

	bool has_group;
	struct buf bytes; /* the octets that are not borrowed, group header first */
	struct piece *pieces;
	size_t piece_count, piece_room;
	size_t borrowed;
	uint32_t records;
	struct iovec *iov;
	size_t iov_room;
};

/* "NNNNNNNN.pack" and the suffix in the folder. */
void packs_path(const struct packs *packs, uint32_t number, const char *suffix,
		char path[PACK_PATH_MAX]);
/* Opens the pack for reading and adds it to the set. */
[[nodiscard]] err_t packs_add(struct packs *packs, uint32_t number, const char *path,
			      const char **why);
/* Where a file without a name can be opened once more. */
void pack_memory_path(int fd, char path[PACK_PATH_MAX]);
/* What was allocated ahead for the newest pack; if that fails, zeros stay there. */
void packs_give_back_tail(struct packs *packs);
void packs_close_lanes(struct packs *packs);
/* Logs errno. */
err_t packs_failed(const char *path);

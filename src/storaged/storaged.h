/* The store process's body: channels from doors in, storage.h underneath.
 *
 * The loop decodes, asks the gate, and hands on.  It touches no disk, except that it
 * looks up single rows of the index itself (docs/decisions/0008).  One thread writes: it
 * takes whatever commits wait as one group.  Those of offload() read.  Everything here is
 * called from the loop's thread.
 */
#pragma once

#include "storage/storage.h"
#include "storaged/gate.h"
#include "store/codec.h"

struct storaged;

struct storaged_options {
	struct storage *storage; /* borrowed, until storaged_close() */
	const char *staging;     /* a folder of our own, made if absent; borrowed */
	struct retention_rules retention;
	/* Mails that come together are indexed together: so long the first of them waits.
	 */
	uint32_t gather_ms;
	/* Told before and after each operation that could bring the process down, so that
	 * a poisonous one is known after a crash.  May be NULL; must not suspend. */
	void (*note)(const struct store_request *request, bool is_begun);
};

/* Starts the writer's thread.  After loop_init(). */
struct storaged *storaged_open(const struct storaged_options *options);
/* Ends channels, finishes what was under way, stops the writer.  May suspend; outside
 * tasks it may be called once the loop has ended. */
void storaged_close(struct storaged **storaged);

/* A connected socket to a process of that role, owned from here on.  id is what grants
 * name as their channel: the supervisor's number of that process, the same over restarts
 * of the store.  It replaces an earlier channel of that role and id. */
void storaged_add_channel(struct storaged *storaged, int fd, enum gate_role role,
			  uint64_t id);
/* Before it is set, no grant is good. */
void storaged_set_grant_key(struct storaged *storaged,
			    const unsigned char key[GRANT_KEY_BYTES]);
/* Grants of the account made before this generation end now. */
void storaged_revoke(struct storaged *storaged, account_t account, uint32_t generation);

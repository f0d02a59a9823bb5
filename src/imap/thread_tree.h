/* Messages put together into threads.  RFC 5256 §3.
 *
 * They come one after the other, in the order of the mailbox, each with a few numbers; no
 * text is compared.  Everything is a loop, so that a thread may be as deep as it likes,
 * and what it costs grows with the messages and the references they name, in memory and
 * in time: where references are so tangled that ruling out loops would take more, links
 * are left out. */
#pragma once

#include "base/base.h"
#include "wire/imap/sort.h"

struct thread_facts {
	uint32_t uid; /* ascending */
	int64_t sent, arrived;
	uint64_t message_id;        /* hashes; 0: none */
	const uint64_t *references; /* the farthest first */
	size_t reference_count;
	uint64_t subject; /* hash of the base subject; 0: empty */
	bool is_reply;    /* or forward, by its subject */
};

struct thread_node;
struct thread_slot;

struct thread_tree {
	enum imap_thread algorithm;
	struct thread_node *nodes; /* the first stands for the root, and for none */
	size_t count, room, count_max;
	struct thread_slot *slots; /* nodes by their identifiers, or by subjects */
	size_t slot_count, slots_used, slots_first;
	size_t messages;
	uint64_t steps_left; /* of looking for loops */
};

/* With identifiers that no message has it may have nodes_max nodes, of 50 octets.  For so
 * many messages there is room at once; more may come. */
void thread_tree_init(struct thread_tree *tree, enum imap_thread algorithm,
		      size_t messages, size_t nodes_max);
void thread_tree_fini(struct thread_tree *tree);
/* What has that identifier, or names it, is added soon: where it will be looked for is
 * fetched from memory meanwhile. */
void thread_tree_fetch(const struct thread_tree *tree, uint64_t id);
/* False at the bound. */
[[nodiscard]] bool thread_tree_add(struct thread_tree *tree,
				   const struct thread_facts *facts);
/* When all are added: makes the threads.  pause() is called now and then. */
void thread_tree_build(struct thread_tree *tree, void (*pause)(void));

enum thread_event { THREAD_OPEN, THREAD_MESSAGE, THREAD_CLOSE };
/* Tells the threads that were built: what stands between OPEN and CLOSE belongs together,
 * as in the THREAD response (RFC 5256 §4).  uid is 0 without MESSAGE. */
void thread_tree_tell(const struct thread_tree *tree,
		      void (*tell)(void *arg, enum thread_event event, uint32_t uid),
		      void *arg);

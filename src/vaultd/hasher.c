#include "vaultd/hasher.h"

#include <argon2.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/completion.h"
#include "vaultd/scram_keys.h"

enum {
	MEMORY_KIB = 19 * 1024, /* OWASP's second choice: 19 MiB, twice, one lane */
	PASSES = 2,
	LANES = 1,
	THREADS_MAX = 4,
	PEER_BYTES_MAX = 64,
	IDLE_S = 5, /* then a thread gives its memory back */
};

struct job {
	struct list_link in_turn;
	struct str password; /* the waiting task's */
	const unsigned char *salt;
	unsigned char *hash;
	struct scram_keys *scram; /* NULL: Argon2id is wanted */
	bool is_hashed;
	struct completion completion;
};

/* Those of one address that wait; in hasher->turns while there are any. */
struct turn {
	struct list_link in_turns;
	char peer[PEER_BYTES_MAX];
	size_t peer_len;
	struct list jobs;
	unsigned count;
};

struct hasher {
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct list turns;
	unsigned waiting, waiting_max;
	bool is_ending;
	unsigned thread_count;
	pthread_t threads[THREADS_MAX];
};

/* The 19 MiB that this thread works in, kept from one job to the next. */
static _Thread_local void *memory;

static int take_memory(uint8_t **block, size_t bytes)
{
	if (!memory) {
		memory = mmap(NULL, (size_t)MEMORY_KIB * 1024, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			memory = NULL;
	}
	if (!memory || bytes > (size_t)MEMORY_KIB * 1024)
		return ARGON2_MEMORY_ALLOCATION_ERROR;
	*block = memory;
	return ARGON2_OK;
}

/* The library has wiped it before. */
static void keep_memory(uint8_t *block, size_t bytes)
{
	(void)block;
	(void)bytes;
}

static void drop_memory(void)
{
	if (memory)
		(void)munmap(memory, (size_t)MEMORY_KIB * 1024);
	memory = NULL;
}

static bool hash_one(struct str password, const unsigned char *salt, unsigned char *hash)
{
	/* Argon2 takes plain pointers and, by these flags, changes neither. */
	union {
		const void *borrowed;
		uint8_t *plain;
	} text = {password.ptr}, grain = {salt};
	argon2_context context = {
		.out = hash,
		.outlen = HASHER_HASH_BYTES,
		.pwd = text.plain,
		.pwdlen = (uint32_t)password.len,
		.salt = grain.plain,
		.saltlen = HASHER_SALT_BYTES,
		.t_cost = PASSES,
		.m_cost = MEMORY_KIB,
		.lanes = LANES,
		.threads = LANES,
		.version = ARGON2_VERSION_13,
		.allocate_cbk = take_memory,
		.free_cbk = keep_memory,
		.flags = ARGON2_DEFAULT_FLAGS,
	};
	int result = argon2id_ctx(&context);

	if (result != ARGON2_OK)
		LOG(ERROR, "argon2 failed", KV("error", argon2_error_message(result)));
	return result == ARGON2_OK;
}

/* The next address's oldest job; that address then goes to the end of the line. */
static struct job *take_job(struct hasher *hasher)
{
	struct list_link *first = list_take_first(&hasher->turns);

	if (!first)
		return NULL;
	struct turn *turn = CONTAINER_OF(first, struct turn, in_turns);
	struct list_link *link = list_take_first(&turn->jobs);

	hasher->waiting--;
	if (--turn->count > 0)
		list_add_last(&hasher->turns, &turn->in_turns);
	else
		mem_free(turn);
	return CONTAINER_OF(link, struct job, in_turn);
}

/* Waits, with the mutex held, until there may be work; true after IDLE_S without. */
static bool is_idle_wait(struct hasher *hasher)
{
	struct timespec until;

	if (!memory)
		return pthread_cond_wait(&hasher->work, &hasher->mutex) != 0;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += IDLE_S;
	return pthread_cond_timedwait(&hasher->work, &hasher->mutex, &until) != 0;
}

static void *work(void *arg)
{
	struct hasher *hasher = arg;

	(void)pthread_mutex_lock(&hasher->mutex);
	while (!hasher->is_ending) {
		struct job *job = take_job(hasher);

		if (!job) {
			if (is_idle_wait(hasher))
				drop_memory();
			continue;
		}
		(void)pthread_mutex_unlock(&hasher->mutex);
		job->is_hashed = job->scram
					 ? scram_keys_derive(job->password, job->scram)
					 : hash_one(job->password, job->salt, job->hash);
		completion_post(&job->completion);
		(void)pthread_mutex_lock(&hasher->mutex);
	}
	(void)pthread_mutex_unlock(&hasher->mutex);
	drop_memory();
	return NULL;
}

static unsigned cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

struct hasher *hasher_new(unsigned threads, unsigned waiting_max)
{
	struct hasher *hasher = NEW(struct hasher);

	hasher->waiting_max = waiting_max;
	if (threads == 0)
		threads = (unsigned)num_max(2, cores());
	threads = (unsigned)num_min(threads, THREADS_MAX);
	ASSERT(pthread_mutex_init(&hasher->mutex, NULL) == 0);
	ASSERT(pthread_cond_init(&hasher->work, NULL) == 0);
	for (unsigned i = 0; i < threads; i++) {
		ASSERT(pthread_create(&hasher->threads[i], NULL, work, hasher) == 0);
		hasher->thread_count++;
	}
	return hasher;
}

void hasher_free(struct hasher **pointer)
{
	struct hasher *hasher = *pointer;

	if (!hasher)
		return;
	(void)pthread_mutex_lock(&hasher->mutex);
	ASSERT(hasher->waiting == 0);
	hasher->is_ending = true;
	(void)pthread_cond_broadcast(&hasher->work);
	(void)pthread_mutex_unlock(&hasher->mutex);
	for (unsigned i = 0; i < hasher->thread_count; i++)
		(void)pthread_join(hasher->threads[i], NULL);
	(void)pthread_cond_destroy(&hasher->work);
	(void)pthread_mutex_destroy(&hasher->mutex);
	mem_free(hasher);
	*pointer = NULL;
}

/* The line of this address; there are at most waiting_max, so it is searched. */
static struct turn *turn_of(struct hasher *hasher, struct str peer)
{
	LIST_EACH(&hasher->turns, link)
	{
		struct turn *turn = CONTAINER_OF(link, struct turn, in_turns);

		if (str_same((struct str){turn->peer, turn->peer_len}, peer))
			return turn;
	}
	struct turn *turn = NEW(struct turn);

	memcpy(turn->peer, peer.ptr, peer.len);
	turn->peer_len = peer.len;
	list_add_last(&hasher->turns, &turn->in_turns);
	return turn;
}

static err_t enqueue(struct hasher *hasher, struct str peer, struct job *job)
{
	if (hasher->waiting >= hasher->waiting_max)
		return ERR_LIMIT;
	struct turn *turn = turn_of(hasher, peer);

	if (turn->count >= hasher->waiting_max / 2)
		return ERR_LIMIT;
	list_add_last(&turn->jobs, &job->in_turn);
	turn->count++;
	hasher->waiting++;
	(void)pthread_cond_signal(&hasher->work);
	return OK;
}

static err_t run(struct hasher *hasher, struct str peer, struct job *job)
{
	completion_init(&job->completion);
	(void)pthread_mutex_lock(&hasher->mutex);
	err_t err = enqueue(hasher, str_first(peer, PEER_BYTES_MAX), job);
	(void)pthread_mutex_unlock(&hasher->mutex);
	TRY(err);
	completion_wait(&job->completion);
	return job->is_hashed ? OK : ERR_IO;
}

err_t hasher_run(struct hasher *hasher, struct str peer, struct str password,
		 const unsigned char salt[HASHER_SALT_BYTES],
		 unsigned char hash[HASHER_HASH_BYTES])
{
	struct job job = {.password = password, .salt = salt, .hash = hash};

	return run(hasher, peer, &job);
}

err_t hasher_derive(struct hasher *hasher, struct str peer, struct str password,
		    struct scram_keys *keys)
{
	struct job job = {.password = password, .scram = keys};

	return run(hasher, peer, &job);
}

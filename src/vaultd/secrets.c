#include "vaultd/secrets.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/codec.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/kv.h"
#include "rt/completion.h"
#include "rt/offload.h"
#include "vaultd/owners.h"

enum {
	VERSION = 2,
	SCRAM_BYTES = 4 + SCRAM_SALT_BYTES + 2 * SCRAM_KEY_BYTES,
	RECORD_BYTES =
		1 + 4 + 8 + 1 + HASHER_SALT_BYTES + HASHER_HASH_BYTES + SCRAM_BYTES,
};
#define FILE_BYTES_MAX (16ull << 30) /* address space, not disk */

enum write_kind {
	WRITE_SET,
	WRITE_SHARE,
	WRITE_FORGET,
	WRITE_CERTIFICATE,
	WRITE_NO_CERTIFICATE,
	WRITE_PAIRS,
	WRITE_NO_PAIR,
};

struct write {
	struct list_link in_writes;
	enum write_kind kind;
	uint32_t account, from;
	const struct password *fresh;
	struct str fingerprint;
	const struct secret_pair *pairs;
	size_t count;
	bool only_new;

	uint32_t generation;
	err_t err;
	struct completion completion;
};

struct secrets {
	struct kv *kv;
	pthread_t writer;
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct list writes;
	bool is_ending;
};

static struct str password_key(uint32_t account, unsigned char key[5])
{
	key[0] = 'p';
	for (int i = 0; i < 4; i++)
		key[1 + i] = (unsigned char)(account >> (24 - 8 * i));
	return (struct str){(const char *)key, 5};
}

static void encode_scram(struct buf *value, const struct scram_keys *keys)
{
	enc_u32(value, keys->iterations);
	buf_add(value, (struct str){(const char *)keys->salt, SCRAM_SALT_BYTES});
	buf_add(value, (struct str){(const char *)keys->stored_key, SCRAM_KEY_BYTES});
	buf_add(value, (struct str){(const char *)keys->server_key, SCRAM_KEY_BYTES});
}

static void decode_scram(struct dec *dec, struct scram_keys *keys)
{
	*keys = (struct scram_keys){.iterations = dec_u32(dec)};
	struct str salt = dec_bytes(dec, SCRAM_SALT_BYTES);
	struct str stored_key = dec_bytes(dec, SCRAM_KEY_BYTES);
	struct str server_key = dec_bytes(dec, SCRAM_KEY_BYTES);

	if (!dec_ok(dec))
		return;
	memcpy(keys->salt, salt.ptr, salt.len);
	memcpy(keys->stored_key, stored_key.ptr, stored_key.len);
	memcpy(keys->server_key, server_key.ptr, server_key.len);
}

static void encode_password(struct buf *value, const struct password *password)
{
	enc_u8(value, VERSION);
	enc_u32(value, password->generation);
	enc_u64(value, (uint64_t)password->changed_at);
	enc_u8(value, password->is_set);
	buf_add(value, (struct str){(const char *)password->salt, HASHER_SALT_BYTES});
	buf_add(value, (struct str){(const char *)password->hash, HASHER_HASH_BYTES});
	encode_scram(value, &password->scram);
}

static bool decode_password(struct str value, struct password *password)
{
	struct dec dec = dec_over(value);
	unsigned version = dec_u8(&dec);

	password->generation = dec_u32(&dec);
	password->changed_at = (int64_t)dec_u64(&dec);
	password->is_set = dec_u8(&dec) == 1;
	struct str salt = dec_bytes(&dec, HASHER_SALT_BYTES);
	struct str hash = dec_bytes(&dec, HASHER_HASH_BYTES);

	if (version == VERSION)
		decode_scram(&dec, &password->scram);
	else if (version == 1)
		password->scram = (struct scram_keys){0};
	else
		return false;
	if (!dec_done(&dec))
		return false;
	memcpy(password->salt, salt.ptr, salt.len);
	memcpy(password->hash, hash.ptr, hash.len);
	return true;
}

static err_t read_password(struct kv_txn *txn, uint32_t account,
			   struct password *password)
{
	unsigned char key[5];
	struct str value;

	*password = (struct password){0};
	err_t err = kv_get(txn, password_key(account, key), &value);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (decode_password(value, password))
		return OK;
	LOG(ERROR, "password record damaged", KV_INT("account", account));
	return ERR_SYNTAX;
}

static err_t write_password(struct kv_txn *txn, uint32_t account,
			    const struct password *password)
{
	SCOPED(buf_fini) struct buf value = BUF(RECORD_BYTES);
	unsigned char key[5];

	encode_password(&value, password);
	err_t err = kv_put(txn, password_key(account, key), buf_str(&value));
	explicit_bzero(value.ptr, value.len);
	return err;
}

/* ---- the writer -------------------------------------------------------------------- */

static err_t apply_password(struct kv_txn *txn, struct write *write)
{
	struct password old, now = {0};

	if (write->kind == WRITE_SHARE) {
		TRY(read_password(txn, write->from, &now));
		if (!now.is_set)
			return ERR_ABSENT;
	}
	TRY(read_password(txn, write->account, &old));
	if (write->kind == WRITE_SET)
		now = *write->fresh;
	now.is_set = write->kind != WRITE_FORGET;
	if (!now.is_set) {
		now.scram = (struct scram_keys){0};
		TRY(owners_forget(txn, write->account));
	}
	now.generation = old.generation + 1;
	now.changed_at = (int64_t)time(NULL);
	write->generation = now.generation;
	err_t err = write_password(txn, write->account, &now);
	explicit_bzero(&now, sizeof now);
	explicit_bzero(&old, sizeof old);
	return err;
}

/* Grants by a certificate that is gone must die, so the generation rises. */
static err_t raise_generation(struct kv_txn *txn, struct write *write)
{
	struct password password;

	TRY(read_password(txn, write->account, &password));
	write->generation = ++password.generation;
	password.changed_at = (int64_t)time(NULL);
	err_t err = write_password(txn, write->account, &password);
	explicit_bzero(&password, sizeof password);
	return err;
}

static err_t apply_certificate(struct kv_txn *txn, struct write *write)
{
	struct password password;

	TRY(owners_add(txn, write->account, write->fingerprint));
	TRY(read_password(txn, write->account, &password));
	bool is_new = password.generation == 0;

	explicit_bzero(&password, sizeof password);
	return is_new ? raise_generation(txn, write) : OK;
}

static err_t apply_no_certificate(struct kv_txn *txn, struct write *write)
{
	TRY(owners_remove(txn, write->account, write->fingerprint));
	return raise_generation(txn, write);
}

static err_t apply_pairs(struct kv_txn *txn, const struct write *write)
{
	struct str there;

	if (write->only_new) {
		err_t err = kv_get(txn, write->pairs[0].key, &there);
		if (err != ERR_ABSENT)
			return err == OK ? ERR_DENIED : err;
	}
	for (size_t i = 0; i < write->count; i++)
		TRY(kv_put(txn, write->pairs[i].key, write->pairs[i].value));
	return OK;
}

static err_t apply_no_pair(struct kv_txn *txn, const struct write *write)
{
	err_t err = kv_delete(txn, write->pairs[0].key);

	return err == ERR_ABSENT ? OK : err;
}

/* What an expected refusal leaves behind: nothing, so the others may be committed. */
static bool is_refusal(err_t err)
{
	return err == ERR_ABSENT || err == ERR_DENIED;
}

static err_t apply(struct kv_txn *txn, struct write *write)
{
	switch (write->kind) {
	case WRITE_SET:
	case WRITE_SHARE:
	case WRITE_FORGET:
		return apply_password(txn, write);
	case WRITE_CERTIFICATE:
		return apply_certificate(txn, write);
	case WRITE_NO_CERTIFICATE:
		return apply_no_certificate(txn, write);
	case WRITE_NO_PAIR:
		return apply_no_pair(txn, write);
	case WRITE_PAIRS:
		break;
	}
	return apply_pairs(txn, write);
}

static err_t apply_all(struct kv *kv, struct list *writes)
{
	SCOPED(kv_drop) struct kv_txn *txn = NULL;

	TRY(kv_begin(kv, KV_WRITE, &txn));
	LIST_EACH(writes, link)
	{
		struct write *write = CONTAINER_OF(link, struct write, in_writes);

		write->err = apply(txn, write);
		if (write->err != OK && !is_refusal(write->err))
			return write->err;
	}
	return kv_commit(&txn);
}

static void commit(struct secrets *secrets, struct list *writes)
{
	err_t err = apply_all(secrets->kv, writes);

	for (struct list_link *link; (link = list_take_first(writes));) {
		struct write *write = CONTAINER_OF(link, struct write, in_writes);

		if (err != OK)
			write->err = err;
		completion_post(&write->completion);
	}
}

static void *write_for_all(void *arg)
{
	struct secrets *secrets = arg;

	(void)pthread_mutex_lock(&secrets->mutex);
	while (!secrets->is_ending) {
		struct list writes = secrets->writes;

		if (list_is_empty(&writes)) {
			(void)pthread_cond_wait(&secrets->work, &secrets->mutex);
			continue;
		}
		secrets->writes = (struct list){0};
		(void)pthread_mutex_unlock(&secrets->mutex);
		commit(secrets, &writes);
		(void)pthread_mutex_lock(&secrets->mutex);
	}
	(void)pthread_mutex_unlock(&secrets->mutex);
	return NULL;
}

static err_t await(struct secrets *secrets, struct write *write)
{
	completion_init(&write->completion);
	(void)pthread_mutex_lock(&secrets->mutex);
	list_add_last(&secrets->writes, &write->in_writes);
	(void)pthread_cond_signal(&secrets->work);
	(void)pthread_mutex_unlock(&secrets->mutex);
	completion_wait(&write->completion);
	return write->err;
}

/* ---- the calls --------------------------------------------------------------------- */

err_t secrets_open(const char *folder, struct secrets **result)
{
	char path[4096];
	const struct kv_options options = {
		.path = path, .bytes_max = FILE_BYTES_MAX, .sync = KV_SYNC_FULL};

	if (snprintf(path, sizeof path, "%s/secrets", folder) >= (int)sizeof path)
		return ERR_LIMIT;
	struct secrets *secrets = NEW(struct secrets);
	err_t err = kv_open(&options, &secrets->kv);
	if (err != OK) {
		mem_free(secrets);
		return err;
	}
	ASSERT(pthread_mutex_init(&secrets->mutex, NULL) == 0);
	ASSERT(pthread_cond_init(&secrets->work, NULL) == 0);
	ASSERT(pthread_create(&secrets->writer, NULL, write_for_all, secrets) == 0);
	*result = secrets;
	return OK;
}

void secrets_close(struct secrets **pointer)
{
	struct secrets *secrets = *pointer;

	if (!secrets)
		return;
	(void)pthread_mutex_lock(&secrets->mutex);
	ASSERT(list_is_empty(&secrets->writes));
	secrets->is_ending = true;
	(void)pthread_cond_signal(&secrets->work);
	(void)pthread_mutex_unlock(&secrets->mutex);
	(void)pthread_join(secrets->writer, NULL);
	(void)pthread_cond_destroy(&secrets->work);
	(void)pthread_mutex_destroy(&secrets->mutex);
	kv_close(&secrets->kv);
	mem_free(secrets);
	*pointer = NULL;
}

err_t secrets_password(struct secrets *secrets, uint32_t account,
		       struct password *password)
{
	SCOPED(kv_drop) struct kv_txn *txn = NULL;

	TRY(kv_begin(secrets->kv, KV_READ, &txn));
	return read_password(txn, account, password);
}

err_t secrets_get(struct secrets *secrets, struct str key, struct buf *value)
{
	SCOPED(kv_drop) struct kv_txn *txn = NULL;
	struct str found;

	TRY(kv_begin(secrets->kv, KV_READ, &txn));
	TRY(kv_get(txn, key, &found));
	buf_add(value, found);
	return buf_ok(value) ? OK : ERR_LIMIT;
}

err_t secrets_changed_since(struct secrets *secrets, int64_t since, struct buf *pairs)
{
	SCOPED(kv_drop) struct kv_txn *txn = NULL;
	SCOPED(kv_cursor_close) struct kv_cursor cursor = {0};
	struct password password;

	TRY(kv_begin(secrets->kv, KV_READ, &txn));
	TRY(kv_cursor_open(txn, &cursor));
	err_t err = kv_seek(&cursor, STR("p"));
	for (; err == OK && str_starts(cursor.key, STR("p")); err = kv_next(&cursor)) {
		struct dec dec = dec_over(str_skip(cursor.key, 1));

		if (!decode_password(cursor.value, &password) ||
		    password.changed_at < since || password.generation < 2)
			continue;
		enc_u32(pairs, dec_key32(&dec));
		enc_u32(pairs, password.generation);
	}
	explicit_bzero(&password, sizeof password);
	return err == ERR_ABSENT ? OK : err;
}

static err_t change(struct secrets *secrets, struct write *write, uint32_t *generation)
{
	TRY(await(secrets, write));
	*generation = write->generation;
	return OK;
}

err_t secrets_set_password(struct secrets *secrets, uint32_t account,
			   const struct password *fresh, uint32_t *generation)
{
	struct write write = {.kind = WRITE_SET, .account = account, .fresh = fresh};

	return change(secrets, &write, generation);
}

err_t secrets_share_password(struct secrets *secrets, uint32_t account, uint32_t from,
			     uint32_t *generation)
{
	struct write write = {.kind = WRITE_SHARE, .account = account, .from = from};

	return change(secrets, &write, generation);
}

err_t secrets_forget(struct secrets *secrets, uint32_t account, uint32_t *generation)
{
	struct write write = {.kind = WRITE_FORGET, .account = account};

	return change(secrets, &write, generation);
}

err_t secrets_add_certificate(struct secrets *secrets, uint32_t account,
			      struct str fingerprint)
{
	struct write write = {.kind = WRITE_CERTIFICATE,
			      .account = account,
			      .fingerprint = fingerprint};

	return await(secrets, &write);
}

err_t secrets_remove_certificate(struct secrets *secrets, uint32_t account,
				 struct str fingerprint, uint32_t *generation)
{
	struct write write = {.kind = WRITE_NO_CERTIFICATE,
			      .account = account,
			      .fingerprint = fingerprint};

	return change(secrets, &write, generation);
}

err_t secrets_certificate(struct secrets *secrets, struct str fingerprint,
			  uint32_t *account, struct password *password)
{
	SCOPED(kv_drop) struct kv_txn *txn = NULL;

	TRY(kv_begin(secrets->kv, KV_READ, &txn));
	TRY(owners_find(txn, fingerprint, account));
	return read_password(txn, *account, password);
}

err_t secrets_certificates(struct secrets *secrets, uint32_t account,
			   struct buf *fingerprints)
{
	SCOPED(kv_drop) struct kv_txn *txn = NULL;

	TRY(kv_begin(secrets->kv, KV_READ, &txn));
	return owners_list(txn, account, fingerprints);
}

err_t secrets_put(struct secrets *secrets, const struct secret_pair *pairs, size_t count,
		  bool only_new)
{
	struct write write = {.kind = WRITE_PAIRS,
			      .pairs = pairs,
			      .count = count,
			      .only_new = only_new};

	return await(secrets, &write);
}

err_t secrets_remove(struct secrets *secrets, struct str key)
{
	const struct secret_pair pair = {.key = key};
	struct write write = {.kind = WRITE_NO_PAIR, .pairs = &pair, .count = 1};

	return await(secrets, &write);
}

struct copying {
	struct kv *kv;
	int fd;
	err_t err;
};

static void copy(void *arg)
{
	struct copying *copying = arg;

	copying->err = kv_copy(copying->kv, copying->fd);
}

err_t secrets_copy(struct secrets *secrets, int fd)
{
	struct copying copying = {.kv = secrets->kv, .fd = fd};

	offload(copy, &copying);
	return copying.err;
}

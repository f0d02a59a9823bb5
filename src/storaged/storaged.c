#include "storaged/storaged.h"

#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "storaged/state.h"

/* ---- guests ------------------------------------------------------------------------ */

void guest_ref(struct guest *guest)
{
	guest->users++;
}

void guest_unref(struct guest *guest)
{
	struct storaged *storaged = guest->storaged;

	if (--guest->users > 0)
		return;
	(void)backup_end(guest); /* most have none */
	staging_drop_all(guest); /* what a last piece had begun meanwhile */
	leases_drop(guest);
	indexing_drop(guest);
	seats_drop(guest);
	locks_drop(guest);
	replies_drop(guest);
	mem_free(guest);
	if (--storaged->guest_count == 0 && storaged->is_closing)
		completion_post(&storaged->empty);
}

/* What it held ends with its channel; what it had asked goes on. */
static void guest_leave(struct guest *guest)
{
	if (!guest->ipc)
		return;
	ipc_close(&guest->ipc);
	list_remove(&guest->storaged->guests, &guest->in_all);
	locks_drop(guest);
	seats_drop(guest);
	replies_drop(guest);
	staging_drop_all(guest);
	leases_release(guest);
	indexing_leave(guest);
	guest_unref(guest);
}

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct guest *guest = arg;

	if (!ipc_is_open(ipc)) { /* it has left, and arg may be gone */
		if (message->fd >= 0)
			(void)close(message->fd); /* unread */
		return;
	}
	guest_ref(guest);
	serve(guest, message);
	guest_unref(guest);
}

static void on_gone(struct ipc *ipc, void *arg)
{
	(void)ipc; /* the guest has only this one */
	guest_leave(arg);
}

void storaged_add_channel(struct storaged *storaged, int fd, enum gate_role role,
			  uint64_t id)
{
	LIST_EACH(&storaged->guests, link)
	{
		struct guest *before = CONTAINER_OF(link, struct guest, in_all);

		/* We may not have seen its end yet; its locks must not outlive it. */
		if (before->role == role && before->id == id)
			guest_leave(before);
	}
	struct guest *guest = NEW(struct guest);

	guest->storaged = storaged;
	guest->role = role;
	guest->id = id;
	guest->users = 1;
	list_add_last(&storaged->guests, &guest->in_all);
	storaged->guest_count++;
	guest->ipc = ipc_open("store guest", fd, on_message, on_gone, guest);
}

/* ---- life -------------------------------------------------------------------------- */

struct storaged *storaged_open(const struct storaged_options *options)
{
	struct storaged *storaged = NEW(struct storaged);

	storaged->options = *options;
	completion_init(&storaged->empty);
	staging_open(options->staging);
	storaged->writer = writer_open(options->storage);
	retention_start(storaged);
	indexing_start(storaged);
	return storaged;
}

void storaged_close(struct storaged **storaged_ptr)
{
	struct storaged *storaged = *storaged_ptr;

	if (!storaged)
		return;
	*storaged_ptr = NULL;
	LIST_EACH(&storaged->guests, link)
	guest_leave(CONTAINER_OF(link, struct guest, in_all));
	storaged->is_closing = true;
	if (storaged->guest_count > 0)
		completion_wait(&storaged->empty);
	retention_stop(storaged);
	indexing_stop(storaged);
	writer_close(&storaged->writer);
	raised_fini(storaged);
	explicit_bzero(storaged->grant_key, sizeof storaged->grant_key);
	mem_free(storaged);
}

void storaged_set_grant_key(struct storaged *storaged,
			    const unsigned char key[GRANT_KEY_BYTES])
{
	memcpy(storaged->grant_key, key, GRANT_KEY_BYTES);
	storaged->has_grant_key = true;
}

void storaged_revoke(struct storaged *storaged, account_t account, uint32_t generation)
{
	seats_revoke(storaged, account, generation);
}

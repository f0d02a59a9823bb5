#include <unistd.h>

#include "base/log.h"
#include "daemon/door.h"
#include "vault/codec.h"

enum {
	ASK_AGAIN_MS = 200,
	TICKET_KEYS_MS = 10 * 60 * 1000, /* the vault renews them every hour */
	TICKET_KEYS_BYTES = 2 * TLS_TICKET_KEY_BYTES,
};

/* Within a handshake nothing may suspend, so another task asks. */
static void want_sign(void *arg)
{
	struct door *door = arg;

	(void)ipc_event(door->self->control, CHILD_WANT_SIGN, STR(""), -1);
}

static bool sign(void *arg, struct str key_id, enum sign_kind kind, struct str input,
		 struct buf *signature)
{
	struct door *door = arg;
	enum vault_sign_kind how =
		kind == SIGN_ECDSA ? VAULT_SIGN_ECDSA : VAULT_SIGN_RSA_RAW;

	if (door->sign_fd >= 0 &&
	    vault_sign(door->sign_fd, key_id, how, input, signature))
		return true;
	LOG(WARN, "handshake not signed");
	if (!door->is_sign_wanted)
		(void)task_start("want sign", want_sign, door);
	door->is_sign_wanted = true;
	return false;
}

static void take_ticket_keys(struct door *door)
{
	SCOPED(buf_fini) struct buf keys = BUF(TICKET_KEYS_BYTES);

	if (vault_ticket_keys(door->vault, &keys) != VAULT_OK ||
	    keys.len != TICKET_KEYS_BYTES)
		return;
	for (size_t i = 0; i < SERVICES; i++)
		if (door->tls[i])
			tls_server_ticket_keys(
				door->tls[i],
				str_first(buf_str(&keys), TLS_TICKET_KEY_BYTES),
				str_skip(buf_str(&keys), TLS_TICKET_KEY_BYTES));
	explicit_bzero(keys.ptr, keys.len);
}

static void keep_ticket_keys(void *arg)
{
	struct door *door = arg;

	while (task_sleep_ms(TICKET_KEYS_MS) == OK)
		take_ticket_keys(door);
}

static bool make_server(struct door *door, enum service service, struct str chain,
			struct str key_id)
{
	const struct service_entry *entry = service_entry(service);
	struct tls_server *made = tls_server_new(chain, key_id, sign, door);

	door->tls[service] = made;
	if (!made)
		return false;
	tls_server_alpn(made, entry->alpn);
	return door->client_ca.len == 0 || !entry->is_for_people ||
	       tls_server_ask_client(made, door->client_ca);
}

bool door_tls_begin(struct door *door)
{
	SCOPED(buf_fini) struct buf chain = BUF(VAULT_PEM_MAX);
	SCOPED(buf_fini) struct buf key_id = BUF(VAULT_KEY_ID_MAX);
	struct str host = door->self->conf.hostname;

	for (;;) {
		enum vault_outcome outcome =
			vault_certificate(door->vault, host, &chain, &key_id);

		if (outcome == VAULT_OK)
			break;
		if (outcome != VAULT_LATER) {
			LOG(ERROR, "no certificate", KV_STR("host", host));
			return false;
		}
		if (task_sleep_ms(ASK_AGAIN_MS) != OK)
			return false;
		buf_reset(&chain);
		buf_reset(&key_id);
	}
	for (unsigned i = 0; i < SERVICES; i++)
		if (service_entry((enum service)i)->role == door->self->role &&
		    !make_server(door, (enum service)i, buf_str(&chain),
				 buf_str(&key_id)))
			return false;
	take_ticket_keys(door);
	(void)task_start("ticket keys", keep_ticket_keys, door);
	return true;
}
